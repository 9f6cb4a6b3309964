import pytest

from flasheval.runs.run import run
from flasheval.runs.status.finished_units import finished_units
from flasheval.runs.store import RunStore


@pytest.mark.parametrize("image_store", ["shards", "folder"])
def test_outputs_by_the_names_of_their_files(toys, prompts, tmp_path, image_store):
    plan = toys.plan(prompts)
    run(
        toys.population("draw", "dark"),
        prompts,
        [toys.scorer("brightness")],
        out=tmp_path,
        chunk=6,
        device="cpu",
        keep_images=True,
        image_store=image_store,
        progress=False,
    )
    store = RunStore(tmp_path)
    units = [unit.name for unit in plan.units(plan.variants[0])]
    metrics = [(plan.scorers[0].slug, plan.scorers[0].key), ("other", "key")]
    found = finished_units(store, "draw", units, metrics, image_store, keeps=True)
    assert found.scored.tolist() == [[True] * 4, [False] * 4]
    assert found.kept.all()
    assert found.share == pytest.approx(8 / 12)
    assert not found.whole.any()
    assert not found.to_make.any()  # they are kept, so only to be scored
    (tmp_path / f"units/draw/brightness/{_name(units[2], plan)}").unlink()
    found = finished_units(store, "draw", units, metrics[:1], image_store, keeps=False)
    assert found.whole.tolist() == [True, True, False, True]
    assert finished_units(store, "none", units, metrics, image_store, keeps=False).share == 0.0
    assert finished_units(store, "draw", 9, metrics[:1], image_store, keeps=False).scored.sum() == 3
    assert finished_units(store, "draw", units, [], image_store, keeps=False).share == 1.0


def test_images_not_kept_are_made_again_for_a_new_metric(toys, prompts, tmp_path):
    plan = toys.plan(prompts)
    scorer = toys.scorer("brightness")
    population = toys.population("draw", "dark")
    run(population, prompts, [scorer], out=tmp_path, chunk=6, device="cpu", progress=False)
    units = [unit.name for unit in plan.units(plan.variants[0])]
    metrics = [(plan.scorers[0].slug, plan.scorers[0].key)]
    store = RunStore(tmp_path)
    assert not finished_units(store, "draw", units, metrics, "shards", keeps=False).to_make.any()
    more = [*metrics, ("new", "key")]
    assert finished_units(store, "draw", units, more, "shards", keeps=False).to_make.all()


def _name(unit, plan):
    from flasheval.runs.store import score_name

    return score_name(unit, plan.scorers[0].key)
