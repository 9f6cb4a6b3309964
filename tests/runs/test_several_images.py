"""Several images a prompt: each has a seed and a unit of its own, their mean is the score."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.generators.generator import Batch
from flasheval.generators.python_objects import ObjectSettings
from flasheval.generators.seeds import ImageSeeds, image_seed
from flasheval.prompts import PromptSet
from flasheval.runs.kept.shards import ShardStore
from flasheval.runs.run import run
from flasheval.runs.run_plan import WorkSettings
from flasheval.runs.run_plan_files import load_run_plan, save_run_plan
from flasheval.runs.score_files import read_unit_scores
from flasheval.runs.status.run_status import read_status
from flasheval.runs.store import RunStore
from flasheval.runs.worker import together
from flasheval.scores import load_scores


def _run(toys, prompts, out, functions=("draw", "dark"), scorers=("brightness",), **settings):
    settings = {"device": "cpu", "chunk": 6, **settings}
    judges = [toys.scorer(name) for name in scorers]
    return run(toys.population(*functions), prompts, judges, out=out, progress=False, **settings)


def _units(folder):
    return {path: path.read_bytes() for path in sorted(folder.glob("units/*/*/*.json"))}


def _brightness(seed):
    image = np.random.default_rng(seed).random((8, 8, 3), dtype="f4")
    return float((image * 255).round().mean())


def test_each_image_has_its_own_seed_and_the_score_is_their_mean(toys, prompts, tmp_path):
    result = _run(toys, prompts, tmp_path / "run", images_per_prompt=3)
    matrix = result.scores["brightness"]
    expected = np.array(
        [[_brightness(image_seed(0, one, k)) for k in range(3)] for one in prompts.ids]
    )
    np.testing.assert_allclose(matrix.images[0], expected, rtol=1e-5)
    np.testing.assert_allclose(matrix.values[0], expected.mean(axis=1), rtol=1e-5)
    assert (matrix.values.dtype, matrix.images.dtype) == (np.float32, np.float32)
    assert len(set(toys.drawn())) == 60  # shared by the two variants
    again = load_scores(tmp_path / "run")
    assert again.content_hash == result.scores.content_hash
    assert (again.seeds, again.images_per_prompt) == (ImageSeeds(0), 3)


def test_an_old_run_goes_on_and_only_new_images_are_made(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run")
    first, drawn = _units(tmp_path / "run"), len(toys.drawn())
    result = _run(toys, prompts, tmp_path / "run", images_per_prompt=2)
    assert len(toys.drawn()) == drawn + 2 * 20
    after = _units(tmp_path / "run")
    assert {path: after[path] for path in first} == first
    assert len(after) == 2 * len(first)
    whole = _run(toys, prompts, tmp_path / "whole", images_per_prompt=2)
    assert whole.scores.content_hash == result.scores.content_hash
    for name in ("scores", "images"):
        one, other = (tmp_path / run / name / "brightness.parquet" for run in ("run", "whole"))
        assert one.read_bytes() == other.read_bytes()


def test_the_same_command_without_the_key_keeps_the_number(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run", images_per_prompt=2)
    drawn = toys.drawn()
    result = _run(toys, prompts, tmp_path / "run")
    assert toys.drawn() == drawn
    assert result.scores.images_per_prompt == 2
    assert read_status(tmp_path / "run").complete


def test_first_images_keep_the_file_form_that_an_older_flasheval_reads(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run", functions=("draw",), images_per_prompt=2)
    bodies = [json.loads(body) for body in _units(tmp_path / "run").values()]
    forms = {(body["format"], body.get("image")) for body in bodies}
    assert forms == {(1, None), (2, 1)}  # and it refuses the further ones, by their format


def test_with_seeds_of_their_own_variants_share_no_noise(toys, prompts, tmp_path):
    result = _run(toys, prompts, tmp_path / "run", images_per_prompt=2, variant_seeds=True)
    assert len(set(toys.drawn())) == 2 * 20 * 2
    seeds = ImageSeeds(0, variant_seeds=True)
    assert result.scores.seeds == seeds
    expected = _brightness(seeds.of("p3", 1, "draw"))
    assert result.scores["brightness"].images[0, 3, 1] == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ConflictError, match=r"with variant_seeds=true, not variant_seeds=false"):
        _run(toys, prompts, tmp_path / "run", variant_seeds=False)
    assert _run(toys, prompts, tmp_path / "run").scores.seeds == seeds  # the folder's own


def test_a_number_that_cannot_be_is_refused(toys, prompts, tmp_path):
    for wrong in (0, -1, 10**6):
        with pytest.raises(SettingError, match=f"images_per_prompt={wrong}: expected a whole"):
            _run(toys, prompts, tmp_path / "run", images_per_prompt=wrong)
    assert not (tmp_path / "run").exists()


def test_a_fault_is_one_images(toys, tmp_path):
    prompts = toys.prompts(5)

    def sometimes(texts, seeds):
        bad = image_seed(0, "p3", 1)
        return [None if seed == bad else Image.new("RGB", (4, 4), "grey") for seed in seeds]

    def light(images, texts):
        return [1.0] * len(images)

    result = run(
        {"it": sometimes},
        prompts,
        [light],
        out=tmp_path / "run",
        images_per_prompt=2,
        device="cpu",
        progress=False,
        keep_images=True,
    )
    assert result.faults == {("it", "p3, image 2"): "no image"}
    images = result.scores["light"].images
    assert np.isnan(images).sum() == 1
    assert np.isnan(images[0, 3, 1])
    assert not np.isnan(result.scores["light"].values).any()  # the mean of those there are
    assert [one.faults for one in read_status(tmp_path / "run").variants] == [1]


def test_a_failed_unit_names_its_images_and_the_others_stay(toys, tmp_path):
    bad = image_seed(0, "p3", 1)

    def fails(texts, seeds):
        if bad in seeds:
            raise ValueError("not this one")
        return [Image.new("RGB", (4, 4), "grey") for _ in seeds]

    def light(images, texts):
        return [1.0] * len(images)

    def done(prompts, **settings):
        return run(
            {"it": ObjectSettings(fails, version="1")},
            prompts,
            [light],
            out=tmp_path / "run",
            device="cpu",
            progress=False,
            batch=1,
            **settings,
        )

    done(toys.prompts(5))
    result = done(toys.prompts(5), images_per_prompt=2)
    assert [(one.stage, one.image, one.first_id) for one in result.failures] == [
        ("generate", 1, "p0")
    ]
    assert not np.isnan(result.scores["light"].values).any()
    status = read_status(tmp_path / "run").variants[0]
    assert (status.units, status.done, status.failed) == (2, 1, True)


@pytest.mark.parametrize("form", ["shards", "folder"])
def test_kept_images_know_their_number(toys, prompts, tmp_path, form):
    keep = {"keep_images": True, "image_store": form, "images_per_prompt": 2}
    result = _run(toys, prompts, tmp_path / "run", functions=("draw",), **keep)
    drawn = toys.drawn()
    again = _run(
        toys, prompts, tmp_path / "run", functions=("draw",), scorers=("contrast",), **keep
    )
    assert toys.drawn() == drawn  # scored from what is kept
    assert again.scores["brightness"].images.tobytes() == (
        result.scores["brightness"].images.tobytes()
    )
    units = list((tmp_path / "run").rglob("*.tar" if form == "shards" else "*.png"))
    assert len(units) == (8 if form == "shards" else 40)
    if form == "folder":  # and a folder of kept images is read as one of several images a prompt
        settings = {"generator": "images", "folder": str(units[0].parent)}
        taken = run(
            {"variants": [{"name": "taken", **settings}]},
            prompts,
            [toys.scorer("brightness")],
            out=tmp_path / "taken",
            device="cpu",
            progress=False,
        )
        np.testing.assert_array_equal(
            taken.scores["brightness"].images, result.scores["brightness"].images
        )
        assert taken.scores.seeds is None


def test_a_damaged_file_of_images_is_made_again(toys, prompts, tmp_path):
    keep = {"keep_images": True, "images_per_prompt": 2}
    before = _run(toys, prompts, tmp_path / "run", functions=("draw",), **keep)
    drawn = len(toys.drawn())
    shard = sorted((tmp_path / "run" / "images").rglob("*.tar"))[0]
    shard.write_bytes(shard.read_bytes()[:-600])
    shutil.rmtree(tmp_path / "run" / "units")
    after = _run(toys, prompts, tmp_path / "run", functions=("draw",), **keep)
    assert len(toys.drawn()) - drawn in (2, 6)  # one unit's
    assert after.scores.content_hash == before.scores.content_hash
    assert len(after.repairs) == 1


def test_the_images_of_a_prompt_are_made_beside_each_other(tmp_path, toys):
    seen = []

    def paint(texts, seeds):
        seen.append(list(texts))
        return [Image.new("RGB", (4, 4), "grey") for _ in texts]

    def light(images, texts):
        return [1.0] * len(images)

    run(
        {"it": ObjectSettings(paint, version="1")},
        toys.prompts(3),
        [light],
        out=tmp_path / "run",
        images_per_prompt=4,
        batch=4,
        device="cpu",
        progress=False,
    )
    assert seen == [[f"thing number {n}"] * 4 for n in range(3)]


def test_few_images_are_in_memory_at_a_time(toys):
    plan = toys.plan(toys.prompts(100), chunk=100)
    many = [next(plan.units(plan.variants[0]))] * 5
    assert [len(group) for group in together(many)] == [2, 2, 1]


def test_other_processes_get_the_number(toys, prompts, tmp_path):
    plan = toys.plan(prompts, work=WorkSettings(), images=3, own=True)
    again = load_run_plan(save_run_plan(plan, tmp_path))
    assert (again.images_per_prompt, again.variant_seeds) == (3, True)
    names = [[unit.name for unit in one.units(one.variants[0])] for one in (plan, again)]
    assert names[0] == names[1]
    assert len(set(names[0])) == 12


def test_a_batch_without_numbers_is_of_first_images():
    assert Batch(("a", "b"), ("A", "B"), (1, 2)).images == (0, 0)


def test_a_table_that_a_run_of_one_image_wrote_is_as_before(toys, prompts, tmp_path):
    result = _run(toys, prompts, tmp_path / "run")
    assert result.scores["brightness"].images is None
    assert result.scores.seeds == ImageSeeds(0)
    assert not (tmp_path / "run" / "images").exists()


def test_a_damaged_number_is_no_traceback(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run", functions=("draw",), images_per_prompt=2)
    asked = tmp_path / "run" / "known" / "asked.json"
    asked.write_text(asked.read_text().replace('"images_per_prompt": 2', '"images_per_prompt": 9'))
    with pytest.raises(DataError, match=r"asked\.json is damaged"):
        RunStore(tmp_path / "run").asked()
    path = next(iter(_units(tmp_path / "run")))
    assert read_unit_scores(path) is not None


def _folder_run(toys, prompts, folder, out, **settings):
    population = {"variants": [{"name": "a", "generator": "images", "folder": str(folder)}]}
    return run(
        population, prompts, [toys.scorer("brightness")], out=out, device="cpu", progress=False,
        **settings,
    )  # fmt: skip


def _grey(path, value):
    Image.new("L", (4, 4), value).save(path)


def test_an_image_put_back_is_scored_again_as_it_was(toys, tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    for name, value in (("p0_0", 10), ("p0_1", 30), ("p1_0", 50), ("p1_1", 70)):
        _grey(folder / f"{name}.png", value)
    prompts, out = toys.prompts(2), tmp_path / "run"
    before = _folder_run(toys, prompts, folder, out).scores["brightness"].images
    assert before.tolist() == [[[10.0, 30.0], [50.0, 70.0]]]
    (folder / "p1_1.png").rename(tmp_path / "away.png")
    gone = _folder_run(toys, prompts, folder, out)
    assert np.isnan(gone.scores["brightness"].images[0, 1, 1])
    assert gone.faults == {("a", "p1, image 2"): "no image number 2 of the prompt"}
    (tmp_path / "away.png").rename(folder / "p1_1.png")
    again = _folder_run(toys, prompts, folder, out)
    assert again.scores["brightness"].images.tolist() == before.tolist()
    assert again.faults == {}


def test_with_a_limit_other_prompts_of_the_list_keep_their_files(toys, tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    for name, value in (("p_1", 10), ("p_1_1", 200)):
        _grey(folder / f"{name}.png", value)
    prompts = PromptSet("pets", ("p_1_1", "p_1", "p"), ("one", "two", "three"))
    whole = _folder_run(toys, prompts.take([1, 0]), folder, tmp_path / "whole")
    assert whole.scores["brightness"].values.tolist() == [[10.0, 200.0]]
    first = _folder_run(toys, prompts.take([2, 0, 1]), folder, tmp_path / "first", limit=1)
    assert first.faults[("a", "p")].startswith("no image p.png")
    plan = toys.plan(prompts)
    assert plan.all_ids == prompts.ids


def test_unused_images_are_told(toys, tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    for name in ("p0_0", "p0_1", "p0_2"):
        _grey(folder / f"{name}.png", 9)
    result = _folder_run(toys, toys.prompts(1), folder, tmp_path / "run", images_per_prompt=1)
    assert result.warnings == (
        "a: up to 3 images a prompt lie there, 1 is used; images_per_prompt=3 uses all",
    )


def test_all_that_a_cold_model_made_in_one_go_is_cold(toys, tmp_path):
    _run(toys, toys.prompts(12), tmp_path / "run", functions=("draw",), images_per_prompt=2)
    bodies = [json.loads(body) for body in _units(tmp_path / "run").values()]
    warm = {(body["ids"][0], body.get("image", 0)): body["record"]["warm"] for body in bodies}
    assert warm == {("p0", 0): False, ("p0", 1): False, ("p6", 0): True, ("p6", 1): True}


def test_whatever_reading_kept_images_meets_fails_a_unit_alone(toys, tmp_path, monkeypatch):
    keep = {"functions": ("draw",), "keep_images": True}
    _run(toys, toys.prompts(12), tmp_path / "run", **keep)
    read = ShardStore.read

    def broken(store, unit):
        if "p0" in unit.ids:
            raise RuntimeError("a reader of images stumbled")
        return read(store, unit)

    monkeypatch.setattr(ShardStore, "read", broken)
    result = _run(toys, toys.prompts(12), tmp_path / "run", scorers=("contrast",), **keep)
    assert [(one.stage, one.first_id) for one in result.failures] == [("generate", "p0")]
    assert np.isnan(result.scores["contrast"].values).sum() == 6
