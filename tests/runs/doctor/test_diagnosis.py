from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from flasheval.generators.generator import Batch, GeneratorSettings
from flasheval.generators.populations.population import Population, make_population
from flasheval.generators.populations.recipe import Recipe
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.runs.doctor.diagnosis import Diagnosis, diagnose
from flasheval.runs.run import run
from flasheval.runs.run_plan import WorkSettings

LOADED: list[str] = []


@dataclass(frozen=True)
class Toy:
    """A model whose images cost 1 ms and another 1 ms each network evaluation."""

    settings: "ToySettings"
    family: str = "toy"

    @property
    def evaluations(self) -> int:
        return self.settings.evaluations

    def generate(self, batch: Batch) -> Any:
        import time

        time.sleep(len(batch) * 0.001 * self.settings.width * (1 + self.evaluations))
        return [np.random.default_rng(seed).random((8, 8, 3), dtype="f4") for seed in batch.seeds]


@dataclass(frozen=True)
class ToySettings(GeneratorSettings):
    kind: ClassVar[str] = "toy"
    checkpoint: str
    scheduler: str
    steps: int
    broken: bool = field(default=False)
    width: int = 1

    @property
    def evaluations(self) -> int:
        return 2 * self.steps - 1 if self.scheduler == "Heun" else self.steps

    def factors(self) -> dict[str, Any]:
        return {"scheduler": self.scheduler, "steps": self.steps, "width": self.width}

    def identity(self, device: str) -> dict[str, Any]:
        revision = "sha256:0123456789abcdef"
        return {"revision": revision, **self.factors()}

    def model_key(self, device: str) -> str:
        return self.checkpoint

    def load(self, device: str, last: Any = None) -> Toy:
        if self.broken:
            raise RuntimeError("weights of\nanother shape")
        if last is None:
            LOADED.append(self.checkpoint)
        return Toy(self)


def _toys(*settings: ToySettings) -> Population:
    recipes = [
        Recipe(
            Variant(f"{s.checkpoint}/{s.scheduler}{s.steps}{'w' * (s.width > 1)}", s.factors()), s
        )
        for s in settings
    ]
    return Population("toys", tuple(recipes))


def _diagnose(population: Any, prompts: Any, scorers: Any, out: Path, **more: Any) -> Diagnosis:
    work = WorkSettings(device="cpu", batch=4, keep_images=more.pop("keep_images", False))
    if not isinstance(population, Population):
        population = make_population(population)
    return diagnose(population, prompts, scorers, out=out, work=work, **{"chunk": 6, **more})


def _problems(found: Diagnosis) -> dict[str, str]:
    return {check.what: check.said for check in found.checks if not check.ok}


def test_the_estimate_is_the_known_cost(toys, prompts, tmp_path, monkeypatch):
    monkeypatch.setenv("DRAWING_TIME", "0.02")
    found = _diagnose(
        toys.population("draw", "dark"), prompts, [toys.scorer("brightness")], tmp_path / "r"
    )
    assert found.ok
    seconds = sum(model.seconds for model in found.models)
    assert seconds == pytest.approx(2 * 20 * 0.02, rel=0.25)
    assert [model.images for model in found.models] == [20, 20]
    assert found.score_files == 8
    assert found.image_files == 0
    assert found.untimed == []
    assert not (tmp_path / "r").exists()  # it leaves nothing behind


def test_seconds_follow_network_evaluations_of_each_scheduler(toys, prompts, tmp_path):
    LOADED.clear()
    population = _toys(
        *(ToySettings("a", "DDIM", steps) for steps in (10, 20, 50)),
        *(ToySettings("a", "Heun", steps) for steps in (10, 50)),
        ToySettings("b", "DDIM", 5),
        ToySettings("a", "DDIM", 10, width=3),
    )
    found = _diagnose(population, prompts, [toys.scorer("brightness")], tmp_path / "r")
    assert found.ok, _problems(found)
    assert LOADED == ["a", "b"]  # each once
    first, wide, second = (model.timing for model in found.models)
    assert wide.variants == ("a/DDIM10w",)
    assert wide.seconds("a/DDIM10w") == pytest.approx(0.033, rel=0.3)
    assert first.per_evaluation == pytest.approx(0.001, rel=0.3)
    assert first.seconds("a/DDIM20") == pytest.approx(0.021, rel=0.3)
    assert first.counted
    # Timed: DDIM 10, Heun 10 and the most steps; Heun 50 follows from Heun 10.
    assert first.evaluations["a/DDIM10"] == 10
    assert first.evaluations["a/DDIM20"] == pytest.approx(20)
    assert first.evaluations["a/Heun10"] == 19
    assert first.evaluations["a/Heun50"] in (pytest.approx(95), 99)
    assert second.seconds("b/DDIM5") == pytest.approx(0.006, rel=0.4)


def test_what_is_done_is_not_counted(toys, prompts, tmp_path):
    population = toys.population("draw", "dark")
    scorer = toys.scorer("brightness")
    run(population, prompts, [scorer], out=tmp_path / "r", chunk=6, device="cpu", progress=False)
    found = _diagnose(population, prompts, [scorer], tmp_path / "r", chunk=None)
    assert found.plan.chunk == 6  # the folder's
    assert sum(model.seconds for model in found.models) == 0.0
    assert found.score_files == 0
    both = [scorer, toys.scorer("contrast")]
    (tmp_path / "r/units/draw/brightness").rename(tmp_path / "gone")
    found = _diagnose(population, prompts, both, tmp_path / "r", sample=False)
    assert found.left["draw"].score == {"brightness": 20, "contrast": 20}
    assert found.left["dark"].score == {"brightness": 0, "contrast": 20}
    assert found.left["dark"].make == 20  # its images were not kept
    assert found.models == ()


def test_kept_images_cost_time_and_space(toys, prompts, tmp_path):
    found = _diagnose(
        toys.population("draw"),
        prompts,
        [toys.scorer("brightness")],
        tmp_path / "r",
        keep_images=True,
    )
    (model,) = found.models
    assert found.image_files == 4
    assert 100 < model.timing.image_bytes < 1000  # 8 x 8 pixels of noise as PNG
    assert model.image_bytes == pytest.approx(20 * model.timing.image_bytes)
    assert model.save > 0


def test_a_model_that_fails_is_a_problem_and_the_others_go_on(toys, prompts, tmp_path):
    found = _diagnose(
        toys.population("boom", "draw"), prompts, [toys.scorer("brightness")], tmp_path / "r"
    )
    assert _problems(found) == {"variant boom": "RuntimeError: no luck"}
    assert [model.timing.variants for model in found.models] == [("draw",)]
    assert found.untimed == ["boom"]
    found = _diagnose(
        _toys(ToySettings("a", "DDIM", 5, broken=True), ToySettings("b", "DDIM", 5)),
        prompts,
        [toys.scorer("brightness")],
        tmp_path / "r",
    )
    assert _problems(found) == {"variant a/DDIM5": "RuntimeError: weights of another shape"}
    assert found.untimed == ["a/DDIM5"]


def test_a_scorer_that_fails_is_a_problem(toys, prompts, tmp_path):
    scorers = [toys.scorer("picky"), toys.scorer("brightness"), "clipp", toys.scorer("nothing")]
    found = _diagnose(toys.population("draw"), prompts, scorers, tmp_path / "r")
    problems = _problems(found)
    assert "did you mean 'clip'" in problems["scorer clipp"]
    assert "not this one" in problems["scorer picky"]
    assert "nothing" in problems["scorer nothing"]
    assert list(found.models[0].timing.score) == ["brightness"]


def test_no_scorer_at_all_leaves_the_time_of_the_images(toys, prompts, tmp_path):
    found = _diagnose(toys.population("draw"), prompts, ["clipp"], tmp_path / "r")
    assert found.models[0].images == 20


def test_missing_things_are_problems(toys, prompts, tmp_path):
    population = {
        "variants": [{"name": "lost", "generator": "function", "function": "nowhere.py:draw"}],
        "scores": [str(tmp_path / "nothing.csv")],
    }
    found = _diagnose(population, prompts, [toys.scorer("brightness")], tmp_path / "r")
    problems = _problems(found)
    assert "nowhere.py" in problems["function nowhere.py:draw"]
    assert f"scores {tmp_path / 'nothing.csv'}" in problems
    assert found.plan is None
    population = toys.population("draw")
    found = _diagnose(population, str(tmp_path / "no.txt"), [toys.scorer("contrast")], tmp_path)
    assert "no.txt" in _problems(found)["prompts"]
    found = _diagnose(population, PromptSet("ids", ("1", "2")), "clip", tmp_path)
    assert "ids only" in _problems(found)["prompts"]
    found = _diagnose(population, prompts, [toys.scorer("contrast")], tmp_path, chunk=0)
    assert "chunk=0" in _problems(found)["plan"]


def test_the_folder(toys, prompts, tmp_path):
    population, scorers = toys.population("draw"), [toys.scorer("brightness")]
    run(population, prompts, scorers, out=tmp_path / "r", chunk=6, device="cpu", progress=False)
    found = _diagnose(population, prompts, scorers, tmp_path / "r", chunk=7, sample=False)
    (said,) = _problems(found).values()
    assert "chunk=6" in said
    (tmp_path / "file").write_text("")
    found = _diagnose(population, prompts, scorers, tmp_path / "file/r", sample=False)
    assert "cannot be written" in next(iter(_problems(found).values()))


def test_a_device_that_is_not_there(toys, prompts, tmp_path):
    found = diagnose(
        make_population(toys.population("draw")),
        prompts,
        [toys.scorer("brightness")],
        out=tmp_path,
        work=WorkSettings(device="tpu"),
    )
    assert "expected auto, cpu" in _problems(found)["device"]
    assert found.models == ()  # nothing is timed on another device than the one asked for


def test_faulty_images_alone_are_a_problem(tmp_path, toys, prompts):
    toys.file.write_text(
        toys.file.read_text() + "\ndef none(prompts, seeds):\n    return [None] * len(seeds)\n"
    )
    found = _diagnose(toys.population("none"), prompts, [toys.scorer("brightness")], tmp_path / "r")
    assert "no image can be scored" in _problems(found)["variant none"]
    assert found.untimed == ["none"]
