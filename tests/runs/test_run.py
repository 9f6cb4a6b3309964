import json
import os
from dataclasses import replace

import numpy as np
import pytest

import flasheval
from flasheval.base.errors import ConflictError, DataError, FlashevalError, SettingError
from flasheval.generators.populations.population import make_population
from flasheval.generators.populations.sources import read_population
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.runs.doctor.diagnosis import diagnose
from flasheval.runs.run import run
from flasheval.runs.run_plan import WorkSettings
from flasheval.runs.score_files import read_unit_scores, write_unit_scores
from flasheval.runs.store import RunStore
from flasheval.scores import ScoreMatrix, ScoreTable, load_scores


def _run(toys, prompts, out, functions=("draw", "dark"), scorers=("brightness",), **settings):
    population = toys.population(*functions)
    judges = [toys.scorer(name) for name in scorers]
    settings = {"device": "cpu", "chunk": 6, **settings}
    return run(population, prompts, judges, out=out, progress=False, **settings)


def _scores(folder):
    return {path.name: path.read_bytes() for path in (folder / "scores").glob("*")}


def test_every_image_is_drawn_once_and_scored_as_its_function_says(toys, prompts, tmp_path):
    result = _run(toys, prompts, tmp_path / "run")
    assert len(toys.drawn()) == 2 * 20
    table = load_scores(tmp_path / "run")
    assert table.content_hash == result.scores.content_hash
    assert (table.variant_names, table.metrics) == (("draw", "dark"), ("brightness",))
    seeds = [flasheval.generators.seeds.image_seed(0, one) for one in prompts.ids]
    images = [np.random.default_rng(seed).random((8, 8, 3), dtype="f4") for seed in seeds]
    expected = [np.float32((image * 255).round().mean()) for image in images]
    np.testing.assert_allclose(table["brightness"].values[0], expected, rtol=1e-6)
    assert table["brightness"].scorer == "function"
    assert table["brightness"].prompt_set_hash == prompts.hash


def test_the_same_command_again_does_nothing_and_changes_nothing(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run")
    before = _scores(tmp_path / "run")
    drawn = toys.drawn()
    _run(toys, prompts, tmp_path / "run")
    assert toys.drawn() == drawn
    assert _scores(tmp_path / "run") == before


def test_a_variant_more_does_only_its_own_work(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run", functions=("draw",))
    _run(toys, prompts, tmp_path / "run", functions=("draw", "dark"))
    assert len(toys.drawn()) == 40


def test_a_metric_more_is_scored_on_kept_images_without_drawing_any(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run", keep_images=True)
    result = _run(toys, prompts, tmp_path / "run", scorers=("brightness", "contrast"))
    assert len(toys.drawn()) == 40
    assert result.scores.metrics == ("brightness", "contrast")
    assert not np.isnan(result.scores["contrast"].values).any()


def test_a_metric_more_without_kept_images_draws_the_same_ones_again(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run")
    kept = _scores(tmp_path / "run")["brightness.parquet"]
    _run(toys, prompts, tmp_path / "run", scorers=("brightness", "contrast"))
    assert len(toys.drawn()) == 80
    assert sorted(toys.drawn()) == sorted([*toys.drawn()[:40]] * 2)
    assert _scores(tmp_path / "run")["brightness.parquet"] == kept


def test_what_an_earlier_command_measured_stays_in_the_table(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run", functions=("draw",))
    result = _run(toys, prompts, tmp_path / "run", functions=("dark",), scorers=("contrast",))
    assert result.scores.variant_names == ("dark", "draw")
    assert result.scores.metrics == ("contrast", "brightness")
    coverage = {metric: list(share) for metric, share in result.scores.coverage().items()}
    assert coverage == {"contrast": [1.0, 0.0], "brightness": [0.0, 1.0]}


def test_more_prompts_leave_the_first_units_as_they_are(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run", limit=12)
    result = _run(toys, prompts, tmp_path / "run")
    assert len(toys.drawn()) == 40
    assert result.scores.n_prompts == 20


def test_a_changed_text_is_generated_anew(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run", functions=("draw",))
    texts = ("another text", *prompts.texts[1:])
    result = _run(toys, PromptSet("things", prompts.ids, texts), tmp_path / "run", ("draw",))
    assert len(toys.drawn()) == 20 + 6
    assert result.scores.coverage()["brightness"].tolist() == [1.0]


def test_images_and_scores_do_not_depend_on_batches_order_or_number(toys, prompts, tmp_path):
    whole = _run(toys, prompts, tmp_path / "a").scores
    for number, settings in enumerate(({"batch": 1}, {"chunk": 1}, {"chunk": 20, "batch": 3})):
        other = _run(toys, prompts, tmp_path / f"b{number}", **settings).scores
        assert np.array_equal(other["brightness"].values, whole["brightness"].values)
    order = np.random.default_rng(0).permutation(20)[:11]
    part = _run(toys, prompts.take(order), tmp_path / "c").scores
    assert np.array_equal(part["brightness"].values, whole["brightness"].values[:, order])


def test_generating_and_scoring_apart_gives_the_same(toys, prompts, tmp_path):
    together = _run(toys, prompts, tmp_path / "a").scores
    made = _run(toys, prompts, tmp_path / "b", stage="generate", scorers=())
    assert made.scores is None
    scored = _run(toys, prompts, tmp_path / "b", stage="score").scores
    assert scored.content_hash == together.content_hash
    assert len(toys.drawn()) == 80


@pytest.mark.parametrize("image_store", ["shards", "folder"])
@pytest.mark.parametrize("image_format", ["png", "jpeg"])
def test_kept_images_score_as_they_were_scored(toys, prompts, tmp_path, image_store, image_format):
    settings = {"keep_images": True, "image_store": image_store, "image_format": image_format}
    first = _run(toys, prompts, tmp_path / "run", **settings).scores["brightness"].values
    again = toys.scorer("brightness", metric_name="again")
    population = toys.population("draw", "dark")
    result = run(population, prompts, [again], out=tmp_path / "run", device="cpu", **settings)
    assert np.array_equal(result.scores["again"].values, first)
    assert len(toys.drawn()) == 40


def test_scoring_without_images_says_what_to_do(toys, prompts, tmp_path):
    result = _run(toys, prompts, tmp_path / "run", stage="score")
    assert "make them with flasheval generate" in result.failures[0].reason
    assert not toys.drawn()


def test_a_variant_that_fails_leaves_the_others_alone_and_is_tried_again(toys, prompts, tmp_path):
    result = _run(toys, prompts, tmp_path / "run", functions=("boom", "draw"))
    assert result.scores.coverage()["brightness"].tolist() == [0.0, 1.0]
    assert {one.variant for one in result.failures} == {"boom"}
    assert "RuntimeError: no luck" in result.failures[0].reason
    assert sum(bool(one.unit) for one in result.failures) == 3  # then it was given up
    toys.file.write_text(toys.file.read_text().replace("raise RuntimeError", "return draw"))
    # In a process of its own, where the mended file is read anew, the version would differ too.
    again = _run(toys, prompts, tmp_path / "run", functions=("draw",))
    assert not again.failures


def test_faulty_images_have_no_score_and_a_reason(toys, prompts, tmp_path):
    result = _run(toys, prompts, tmp_path / "run", functions=("faulty",))
    assert result.faults == {("faulty", "p3"): "no image", ("faulty", "p13"): "no image"}
    missing = np.flatnonzero(np.isnan(result.scores["brightness"].values[0]))
    assert missing.tolist() == [3, 13]
    assert not result.failures
    drawn = len(toys.drawn())
    _run(toys, prompts, tmp_path / "run", functions=("faulty",))
    assert len(toys.drawn()) == drawn
    _run(toys, prompts, tmp_path / "run", functions=("faulty",), retry_faults=True)
    assert len(toys.drawn()) == drawn + 6 + 6  # the units of p3 and p13


def test_running_out_of_memory_halves_the_batch(toys, prompts, tmp_path):
    result = _run(toys, prompts, tmp_path / "run", functions=("greedy", "draw"), batch=8)
    assert not result.failures
    values = result.scores["brightness"].values
    assert np.array_equal(values[0], values[1])
    files = sorted((tmp_path / "run" / "units" / "greedy" / "brightness").iterdir())
    sizes = {tuple(json.loads(file.read_text())["record"]["batches"]) for file in files}
    assert sizes <= {(2, 2, 2), (2,), (1, 1), (2, 2)}


def test_a_scorer_that_fails_on_a_unit_leaves_the_other_scorer_alone(toys, prompts, tmp_path):
    result = _run(toys, prompts, tmp_path / "run", ("draw",), ("picky", "brightness"))
    assert result.scores.coverage()["brightness"].tolist() == [1.0]
    assert result.scores.coverage()["picky"].tolist() == [14 / 20]
    (failure,) = result.failures
    assert (failure.stage, failure.first_id, failure.n_prompts) == ("picky", "p0", 6)


def test_another_seed_is_another_run(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run", seed=1)
    with pytest.raises(ConflictError, match="holds a run with seed=1, not seed=2"):
        _run(toys, prompts, tmp_path / "run", seed=2)
    assert _run(toys, prompts, tmp_path / "run", seed=None).scores is not None
    assert len(toys.drawn()) == 40


def test_variants_of_an_existing_table_join(toys, prompts, tmp_path):
    values = np.arange(20, dtype=np.float32)[None, ::-1]
    order = PromptSet("things", prompts.ids[::-1], prompts.texts[::-1])
    matrix = ScoreMatrix("brightness", values, ("old",), order.ids)
    ScoreTable(order, (Variant("old"),), {"brightness": matrix}).save(tmp_path / "old")
    population = {**toys.population("draw"), "scores": [str(tmp_path / "old")]}
    result = run(
        population, prompts, [toys.scorer("brightness")], out=tmp_path / "run", device="cpu"
    )
    assert result.scores.variant_names == ("draw", "old")
    assert result.scores["brightness"].values[1].tolist() == list(range(20))


def test_a_checkpoint_that_is_missing_leaves_the_other_variants_alone(toys, prompts, tmp_path):
    population = toys.population("draw")
    population["variants"].append(
        {"name": "lost", "generator": "images", "folder": str(tmp_path / "nowhere")}
    )
    judge = [toys.scorer("brightness")]
    result = run(population, prompts, judge, out=tmp_path / "run", device="cpu")
    assert result.scores.variant_names == ("draw",)
    (failure,) = result.failures
    assert (failure.variant, failure.stage) == ("lost", "plan")
    population["variants"].pop(0)
    with pytest.raises(FlashevalError, match="no variant can be measured; 'lost'"):
        run(population, prompts, judge, out=tmp_path / "other", device="cpu")


def test_images_that_are_there_already_are_scored_and_changed_ones_again(toys, prompts, tmp_path):
    from PIL import Image

    folder = tmp_path / "images"
    folder.mkdir()
    for number, one in enumerate(prompts.ids[:-1]):
        Image.new("RGB", (4, 4), (number, number, number)).save(folder / f"{one}.png")
    population = {"variants": [{"name": "mine", "generator": "images", "folder": str(folder)}]}
    judge = [toys.scorer("brightness")]
    settings = {"out": tmp_path / "run", "device": "cpu", "stage": "score", "chunk": 5}
    result = run(population, prompts, judge, **settings)
    found = result.scores["brightness"].values[0]
    assert found[1:-1].tolist() == list(range(1, 19))
    assert np.isnan(found[[0, -1]]).all()  # black, and not there
    assert set(result.faults) == {("mine", "p0"), ("mine", "p19")}
    Image.new("RGB", (4, 4), (200, 200, 200)).save(folder / "p19.png")
    os.utime(folder / "p19.png", (1, 1))
    again = run(population, prompts, judge, **settings)
    assert again.scores["brightness"].values[0][-1] == 200
    assert set(again.faults) == {("mine", "p0")}


def test_embeddings_are_kept_for_scorers_that_make_them(toys, prompts, tmp_path):
    class Embedding:
        name, version, higher_is_better = "dots", "1", True

        def score(self, images, texts):
            return self.score_embeddings(self.embed(images), texts)

        def embed(self, images):
            return np.stack([np.asarray(one, dtype=np.float32).mean((0, 1)) for one in images])

        def score_embeddings(self, embeddings, texts):
            return embeddings.sum(1)

    population = toys.population("faulty")
    settings = {"out": tmp_path / "run", "device": "cpu", "chunk": 10, "keep_embeddings": True}
    result = run(population, prompts, [Embedding()], **settings)
    store = RunStore(tmp_path / "run")
    files = sorted((tmp_path / "run" / "embeddings" / "faulty").iterdir())
    assert len(files) == 2
    with np.load(files[0], allow_pickle=False) as archive:
        features, ids = archive["features"], archive["ids"].tolist()
    rows = [prompts.ids.index(one) for one in ids]
    np.testing.assert_array_equal(features.sum(1), result.scores["dots"].values[0][rows])
    files[0].unlink()
    drawn = len(toys.drawn())
    run(population, prompts, [Embedding()], **settings)
    assert files[0].exists()
    assert len(toys.drawn()) == drawn + 10
    assert store.settings().chunk == 10


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"batch": 0}, SettingError, "batch=0"),
        ({"chunk": 0}, SettingError, "chunk=0"),
        ({"limit": 0}, SettingError, "limit=0"),
        ({"device": "tpu"}, SettingError, "device=tpu: expected auto"),
        ({"executor": "slurmm"}, SettingError, "no executor 'slurmm'"),
    ],
)
def test_a_setting_that_cannot_be_is_told_in_a_line(
    toys, prompts, tmp_path, settings, error, message
):
    with pytest.raises(error, match=message):
        _run(toys, prompts, tmp_path / "run", **settings)


def test_prompts_without_texts_cannot_be_generated(toys, prompts, tmp_path):
    with pytest.raises(DataError, match="images need the texts"):
        _run(toys, prompts.without_texts(), tmp_path / "run")


def test_variants_with_the_same_images_or_scores_are_told(toys, prompts, tmp_path):
    population = toys.population("draw", "dark", again="draw")
    scorers = [toys.scorer("brightness")]
    settings = {"out": tmp_path / "run", "device": "cpu", "progress": False}
    (line,) = run(population, prompts, scorers, **settings).warnings
    assert line == "draw and again made the same images: their settings are the same"
    # Scores alone: of units whose records hold no hash of the images, as earlier versions wrote.
    for path in (tmp_path / "run" / "units").rglob("*.json"):
        unit = read_unit_scores(path)
        record = {key: value for key, value in unit.record.items() if key != "images"}
        write_unit_scores(path, replace(unit, record=record))
    (line,) = run(population, prompts, scorers, **settings).warnings
    assert line == "the same scores under several names, each counted once: draw = again"


def test_the_case_of_a_setting_without_effect(cases, tiny_models, tmp_path, monkeypatch):
    case = cases / "y01_setting_without_effect"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").symlink_to(tiny_models["sd"].parent)
    population = read_population(case / "population.yaml")
    scorers = [{"name": "clip", "checkpoint": "tiny/clip"}]
    expected = (
        "g1 and g1-negative made the same images: negative_prompt had no effect "
        "(StableDiffusionPipeline reads it only at guidance above 1, here 1.0)",
    )
    found = diagnose(
        population, str(case / "prompts.txt"), scorers, out=tmp_path / "a", work=WorkSettings()
    )
    assert found.warnings == expected
    result = run(population, case / "prompts.txt", scorers, out="b", device="cpu", progress=False)
    assert result.warnings == expected


def test_a_schedulers_settings_are_seen_by_doctor(tiny_models, prompts, tmp_path):
    base = {"checkpoint": str(tiny_models["sd"]), "scheduler": "DDIM", "steps": 2}
    changed = {"scheduler_settings": {"set_alpha_to_one": False}}
    variants = [{**base, "name": "plain"}, {**base, **changed, "name": "told"}]
    found = diagnose(
        make_population({"variants": variants}), prompts, [], out=tmp_path, work=WorkSettings()
    )
    assert found.warnings == (  # for the checkpoint has it so
        "plain and told made the same images: scheduler_settings.set_alpha_to_one had no effect",
    )
