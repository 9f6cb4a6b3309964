"""A model is scored on a subset as a run scores it, and what fails becomes a missing score."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import flasheval
from flasheval.base.errors import DataError, SettingError
from flasheval.evaluation import loaded_scorers
from flasheval.evaluation.evaluate import _device_of, evaluate
from flasheval.evaluation.loaded_scorers import loaded_scorer, release_scorers
from flasheval.evaluation.report import Report
from flasheval.generators.function import FunctionSettings
from flasheval.generators.images import ImageFault
from flasheval.generators.python_objects import ObjectSettings
from flasheval.generators.seeds import image_seed
from flasheval.prompts import PromptSet
from flasheval.scorers.registry import make_scorer
from flasheval.subset import Method, MetricInfo, Subset

CALL = {"num_inference_steps": 10, "guidance_scale": 2.0}
VARIANT = "small-final/DPM10/guidance2.0/fp32"
PETS = PromptSet("pets", tuple("abcdefg"), tuple(f"a pet called {name}" for name in "abcdefg"))


def pets(*rows: int, name: str = "some-pets") -> Subset:
    return Subset.choose(
        PETS,
        rows or range(7),
        name=name,
        metrics=(MetricInfo("light"),),
        method=Method("random"),
        with_texts=True,
    )


@dataclass
class Painter:
    """Paints a grey that follows from the seed, and keeps count."""

    asked: list[list[str]] = field(default_factory=list)

    def __call__(self, prompts: list[str], seeds: list[int]) -> list[Any]:
        self.asked.append(prompts)
        return [np.full((4, 4, 3), 1 + seed % 250, np.uint8) for seed in seeds]


def light(images: list[Any], prompts: list[str]) -> list[float]:
    return [float(image.getpixel((0, 0))[0]) for image in images]


def expected(subset: Subset, seed: int = 0) -> tuple[float, ...]:
    return tuple(float(1 + image_seed(seed, one) % 250) for one in subset.ids)


@pytest.mark.slow
def test_scores_are_those_of_the_shipped_table(
    small_pipe: Any, four: Subset, judges: tuple[Any, ...]
) -> None:
    report = evaluate(small_pipe, four, judges, call=CALL, name="small", step=7)
    table = flasheval.load_scores("miniature")
    rows = [table.prompts.ids.index(one) for one in four.ids]
    for metric, part in report.metrics.items():
        matrix = table[metric]
        wanted = matrix.values[matrix.variants.index(VARIANT), rows]
        np.testing.assert_allclose(part.values, wanted, rtol=1e-3, atol=1e-5)
        assert part.higher_is_better == matrix.higher_is_better
    assert set(report.metrics) == {"CLIP", "Composition", "Quality"}
    assert (report.name, report.step, report.call, report.seed) == ("small", 7, CALL, 0)
    assert report.images == ()
    assert report.seconds > 0
    assert "torch" in report.versions


@pytest.mark.slow
def test_scores_do_not_depend_on_batch_or_order(
    small_pipe: Any, four: Subset, judges: tuple[Any, ...]
) -> None:
    call = {**CALL, "num_inference_steps": 2}
    whole = evaluate(small_pipe, four, judges, call=call, batch=4)
    for subset, batch in ((four, 3), (replace(four, prompts=four.prompts[::-1]), 2)):
        other = evaluate(small_pipe, subset, judges, call=call, batch=batch)
        order = [subset.ids.index(one) for one in four.ids]
        for metric, part in whole.metrics.items():
            found = other.metrics[metric].values[order]
            np.testing.assert_allclose(found, part.values, rtol=1e-3, atol=1e-5)
    again = evaluate(small_pipe, four, judges, call=call, batch=4)
    assert again.metrics == whole.metrics  # to the last bit
    shifted = evaluate(small_pipe, four, judges, call=call, batch=4, seed=1)
    assert shifted.metrics != whole.metrics


def test_a_function_gets_prompts_and_the_seeds_of_a_run() -> None:
    painter, subset = Painter(), pets(4, 0, 6)
    report = evaluate(painter, subset, light, seed=3, batch=2)
    assert painter.asked == [["a pet called e", "a pet called a"], ["a pet called g"]]
    assert report.metrics["light"].scores == expected(subset, 3)
    assert report.metrics["light"].version.startswith("light@")
    assert report.call == {}


def test_a_mapping_of_settings_is_a_generator(tmp_path: Path) -> None:
    code = tmp_path / "mine.py"
    code.write_text(
        "import numpy as np\n"
        "def draw(prompts, seeds):\n"
        "    return [np.random.default_rng(s).random((4, 4, 3)) for s in seeds]\n"
    )
    settings = {"generator": "function", "function": f"{code}:draw", "version": "1"}
    report = evaluate(settings, pets(0, 3), light)
    made = evaluate(FunctionSettings(f"{code}:draw", version="1"), pets(0, 3), light)
    assert (report.metrics, report.call) == (made.metrics, made.call)
    with pytest.raises(SettingError, match="generator 'diffusers' has no setting 'stepz'"):
        evaluate({"checkpoint": "x", "stepz": 3}, pets(0), light)


def test_a_function_may_ask_for_torch_generators() -> None:
    torch = pytest.importorskip("torch")

    def dream(prompts: list[str], generators: list[Any]) -> list[Any]:
        return [torch.rand(3, 2, 2, generator=one) for one in generators]

    def first(images: list[Any], prompts: list[str]) -> list[float]:
        return [image.getpixel((0, 0))[0] for image in images]

    subset = pets(1, 2)
    found = evaluate(dream, subset, first).metrics["first"].scores
    seeds = (image_seed(0, one) for one in subset.ids)
    made = (torch.rand(3, 2, 2, generator=torch.Generator().manual_seed(seed)) for seed in seeds)
    assert found == tuple(float((one[0, 0, 0] * 255).round()) for one in made)


@pytest.mark.parametrize("batch", [1, 10, 200])
def test_many_prompts_are_held_a_few_at_a_time(batch: int) -> None:
    ids = tuple(map(str, range(150)))
    many = Subset.choose(
        PromptSet("many", ids, ids),
        range(150),
        name="many",
        metrics=(),
        method=Method("random"),
        with_texts=True,
    )
    seen: list[int] = []

    def count(images: list[Any], prompts: list[str]) -> list[float]:
        return light(images, prompts)

    painter = Painter()

    class Counting:
        name, version, higher_is_better = "light", "1", True

        def score(self, images: list[Any], prompts: list[str]) -> Any:
            seen.append(len(images))
            return np.array(light(images, prompts), np.float32)

    report = evaluate(painter, many, Counting(), batch=batch)
    assert report.metrics["light"].scores == expected(many)
    assert max(seen) <= max(64, batch)
    assert all(len(asked) == min(batch, 150) for asked in painter.asked[:-3])


def test_what_is_known_is_not_made_again() -> None:
    painter, subset = Painter(), pets()
    first = evaluate(painter, subset.prefix(2), [light], seed=5)
    painter.asked.clear()
    whole = evaluate(painter, subset, [light], seed=5, known=first)
    assert painter.asked == [list(subset.texts[2:])]
    assert whole.metrics["light"].scores == expected(subset, 5)
    assert whole.seconds >= first.seconds
    painter.asked.clear()
    assert evaluate(painter, pets(6, 0), [light], seed=5, known=whole).metrics == {
        "light": replace(whole.metrics["light"], scores=expected(pets(6, 0), 5))
    }
    assert painter.asked == []


def test_what_is_known_keeps_its_faults_and_is_saved_and_used_again(tmp_path: Path) -> None:
    def half(prompts: list[str], seeds: list[int]) -> list[Any]:
        return [
            None if text.endswith("a") else made
            for text, made in zip(prompts, Painter()(prompts, seeds), strict=True)
        ]

    first = Report.load(evaluate(half, pets(0, 1), [light]).save(tmp_path / "r.json"))
    whole = evaluate(half, pets(), [light], known=first)
    assert whole.faults == {"a": "no image"}
    assert whole.metrics["light"].scores == (None, *expected(pets())[1:])


def test_what_is_known_must_belong_with_the_rest() -> None:
    known = evaluate(Painter(), pets(0, 1), [light])

    def dark(images: list[Any], prompts: list[str]) -> list[float]:
        return [0.0 for _ in images]

    for more in ({"seed": 1}, {"scorers": [dark]}, {"scorers": [light, dark]}):
        with pytest.raises(DataError, match="given as known was made with another") as caught:
            evaluate(Painter(), pets(), **{"scorers": [light], "known": known, **more})
        assert "\n" not in str(caught.value)
    other = PromptSet("pets", PETS.ids, tuple(f"another {name}" for name in PETS.ids))
    texts = Subset.choose(
        other, [0, 1, 2], name="o", metrics=(), method=Method("random"), with_texts=True
    )
    painter = Painter()
    evaluate(painter, texts, [light], known=known)
    assert painter.asked == [["another a", "another b", "another c"]]  # same ids, other texts


def test_images_on_request() -> None:
    def torn(prompts: list[str], seeds: list[int]) -> list[Any]:
        return [None, *Painter()(prompts, seeds)[1:]]

    subset, painter = pets(2, 3), Painter()
    found = evaluate(torn, subset, [light], images=True)
    assert found.images[0] == ImageFault("no image")
    assert found.images[1].getpixel((0, 0))[0] == expected(subset)[1]
    bare = evaluate(painter, subset, [light])
    whole = evaluate(painter, pets(2, 3, 4), [light], images=True, known=bare)
    assert [image.getpixel((0, 0))[0] for image in whole.images] == list(expected(pets(2, 3, 4)))
    painter.asked.clear()
    evaluate(painter, pets(2, 3, 4, 5), [light], images=True, known=whole)
    assert painter.asked == [[PETS.texts[5]]]  # type: ignore[index]


def test_images_that_are_none_become_missing_scores() -> None:
    bad = [None, np.zeros((4, 4, 3)), np.full((4, 4, 3), np.nan)]

    def faulty(prompts: list[str], seeds: list[int]) -> list[Any]:
        return [
            bad[ord(text[-1]) - 97] if text[-1] < "d" else np.ones((4, 4, 3)) for text in prompts
        ]

    def picky(images: list[Any], prompts: list[str]) -> list[float | None]:
        return [None if text[-1] == "d" else 1.0 for text in prompts]

    report = evaluate(faulty, pets(), [light, picky], batch=3)
    assert report.metrics["light"].scores == (None, None, None, *[255.0] * 4)
    assert report.metrics["picky"].scores == (None, None, None, None, 1.0, 1.0, 1.0)
    assert set(report.faults) == set("abcd")
    reasons = [report.faults[name] for name in "abcd"]
    for reason, word in zip(reasons, ("no image", "black", "NaN", "picky gives no"), strict=True):
        assert word in reason
    assert "light" not in report.faults["d"]
    assert report.warnings[0].startswith("3 of 7 prompts have no light score")
    none = evaluate(lambda prompts, seeds: [None] * len(prompts), pets(), [light])
    assert none.metrics["light"].missing == 7


def test_batches_are_halved_when_memory_runs_out() -> None:
    painter = Painter()

    def greedy(prompts: list[str], seeds: list[int]) -> list[Any]:
        if len(prompts) > 2:
            raise MemoryError
        return painter(prompts, seeds)

    assert evaluate(greedy, pets(), [light]).metrics["light"].scores == expected(pets())
    assert max(map(len, painter.asked)) == 2


def test_scorers_stay_loaded(monkeypatch: pytest.MonkeyPatch, judges: tuple[Any, ...]) -> None:
    pytest.importorskip("torch")
    release_scorers()
    entry = {**judges[0], "batch": 8}
    loads: list[str] = []
    kind = type(make_scorer(entry))
    load: Callable[..., Any] = kind.load

    def counted(self: Any, device: str) -> Any:
        loads.append(device)
        return load(self, device)

    monkeypatch.setattr(kind, "load", counted)
    for _ in range(3):
        evaluate(Painter(), pets(0), [entry], device="cpu")
    assert loads == ["cpu"]
    evaluate(Painter(), pets(0), [{**entry, "batch": 2}], device="cpu")  # other settings
    assert loads == ["cpu"] * 2
    release_scorers()
    assert not loaded_scorers._LOADED
    evaluate(Painter(), pets(0), [entry], device="cpu")
    assert len(loads) == 3
    evaluate(
        Painter(),
        pets(0),
        [entry],
        device="cpu",
        known=evaluate(Painter(), pets(0), [entry], device="cpu"),
    )
    assert len(loads) == 3
    release_scorers()


def test_the_scorers_used_last_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Named:
        name: str
        metric: str = "any"

        def identity(self) -> dict[str, str]:
            return {"name": self.name}

        def load(self, device: str) -> object:
            return object()

    monkeypatch.setattr(loaded_scorers, "_LOADED", {})
    first = loaded_scorer(Named("0"), "cpu")  # type: ignore[arg-type]
    others = [loaded_scorer(Named(str(i)), "cpu") for i in range(1, 8)]  # type: ignore[arg-type]
    assert loaded_scorer(Named("0"), "cpu") is first  # type: ignore[arg-type]
    loaded_scorer(Named("8"), "cpu")  # type: ignore[arg-type]
    assert loaded_scorer(Named("0"), "cpu") is first  # type: ignore[arg-type]
    assert loaded_scorer(Named("1"), "cpu") is not others[0]  # type: ignore[arg-type]
    assert len(loaded_scorers._LOADED) == 8


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"call": {"steps": 3}}, SettingError, "steps: a function is called with prompts and"),
        ({"subset": pets().without_texts()}, DataError, "knows the texts of 0 of its 7 prompts"),
        ({"subset": tmp_path / "none.json"}, DataError, "none.json"),
        ({"scorers": ["clipp"]}, SettingError, "did you mean 'clip'"),
        ({"scorers": []}, SettingError, "no scorers are given"),
        ({"batch": 0}, SettingError, "batch=0"),
        ({"device": "gpu"}, SettingError, "device=gpu: expected auto, cpu"),
        ({"generator": 3}, SettingError, "the generator is a int"),
        ({"generator": lambda prompts, seeds: [None]}, DataError, "made 1 images for 7 prompts"),
    ]
    for changes, kind, message in cases:
        arguments = {"generator": Painter(), "subset": pets(), "scorers": [light], **changes}
        with pytest.raises(kind, match=message) as caught:
            evaluate(**arguments)
        assert "\n" not in str(caught.value)


def test_a_scorer_of_another_direction_than_the_subsets_is_refused() -> None:
    def fewer(images: list[Any], prompts: list[str]) -> list[float]:
        return [0.0 for _ in images]

    fewer.higher_is_better = False  # type: ignore[attr-defined]
    fewer.__name__ = "light"
    with pytest.raises(DataError, match="lower is better for its scorer, higher for the subset"):
        evaluate(Painter(), pets(), [fewer])


def test_what_the_call_holds_can_be_saved(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    diffusers = pytest.importorskip("diffusers")
    calls: list[dict[str, Any]] = []

    class Grey(diffusers.DiffusionPipeline):  # type: ignore[misc, name-defined]
        def __call__(self, prompt: Any, generator: Any, output_type: str, **more: Any) -> Any:
            calls.append(more)
            return type("Output", (), {"images": np.full((len(prompt), 4, 4, 3), 0.5)})

    call = {"guidance_scale": 2.0, "timesteps": (9, 5), "embeds": torch.ones(2), "hook": print}
    report = evaluate(Grey(), pets(0, 1), [light], call=call)
    assert calls == [call]
    plain = {"guidance_scale": 2, "timesteps": [9, 5], "embeds": "<Tensor>"}
    assert report.call == {**plain, "hook": "<builtin_function_or_method>"}
    saved = Report.load(report.save(tmp_path / "r.json"))
    assert saved == report
    again = evaluate(Grey(), pets(), [light], call=call, known=saved)
    assert again.metrics["light"].missing == 0
    with pytest.raises(DataError, match="another seed, call or scorer"):
        evaluate(Grey(), pets(), [light], call={**call, "guidance_scale": 3.0}, known=saved)


def test_settings_and_loaded_generators_are_evaluated_too() -> None:
    painter = Painter()
    settings = ObjectSettings(painter, version="1")
    report = evaluate(settings, pets(0, 1), [light])
    assert report.metrics["light"].scores == expected(pets(0, 1))
    assert report.call == {"generator": "bare", "version": "1"}
    painter.asked.clear()
    evaluate(settings, pets(), [light], known=report)
    assert painter.asked == [list(pets().texts[2:])]
    with pytest.raises(DataError, match="another seed, call or scorer"):
        evaluate(ObjectSettings(painter, version="2"), pets(), [light], known=report)
    loaded = evaluate(settings.load("cpu"), pets(0, 1), [light])
    assert (loaded.metrics, loaded.call) == (report.metrics, {})
    with pytest.raises(SettingError, match="steps: "):
        evaluate(settings, pets(), [light], call={"steps": 1})


def test_scorers_go_where_the_images_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    offloaded = SimpleNamespace(device="cpu", _execution_device=torch.device("cuda", 1))
    assert _device_of(offloaded) == "cuda:1"
    assert _device_of(SimpleNamespace(device=torch.device("cpu"))) == "cpu"
    assert _device_of(light) == "cpu"
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 3)
    assert _device_of(light) == "cuda:3"  # this process's own, not the first
