from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.generators.populations.population import make_population
from flasheval.runs.run_plan import WorkSettings, folder_name, make_run_plan
from flasheval.runs.run_plan_files import load_run_plan, save_run_plan
from flasheval.runs.store import RunStore
from flasheval.scorers.registry import make_scorers


def _names(plan):
    return [unit.name for variant in plan.variants for unit in plan.units(variant)]


def test_every_variant_meets_every_prompt_once(toys, prompts):
    plan = toys.plan(prompts)
    ids = [one for variant in plan.variants for u in plan.units(variant) for one in u.chunk.ids]
    assert ids == [*prompts.ids, *prompts.ids]
    assert plan.n_units == len(_names(plan)) == len(set(_names(plan))) == 8


def test_a_units_name_tells_all_that_determines_its_images(toys, prompts):
    names = set(_names(toys.plan(prompts)))
    assert set(_names(toys.plan(prompts, seed=1))).isdisjoint(names)
    renamed = replace(prompts, texts=tuple(t + "!" for t in prompts.texts), text_hashes=None)
    assert set(_names(toys.plan(renamed))).isdisjoint(names)
    assert set(_names(toys.plan(prompts, functions=("dark", "draw")))) == names
    assert set(_names(toys.plan(prompts, work=WorkSettings(batch=1)))) == names
    toys.file.write_text(toys.file.read_text() + "# another version\n")
    assert set(_names(toys.plan(prompts))).isdisjoint(names)


def test_prompts_added_at_the_end_leave_whole_units_alone(toys):
    few, many = _names(toys.plan(toys.prompts(15))), _names(toys.plan(toys.prompts(25)))
    assert few[:2] == many[:2]
    assert few[2] != many[2]  # of 3 prompts then, of 6 now


def test_a_scorers_version_is_part_of_its_files_name(toys, prompts, tmp_path):
    store = RunStore(tmp_path)
    one, other = (toys.plan(prompts, code_version=v) for v in ("1", "2"))
    paths = [
        store.score_path(next(plan.units(plan.variants[0])), plan.scorers[0])
        for plan in (one, other)
    ]
    assert paths[0].parent == paths[1].parent
    assert paths[0].name != paths[1].name


def test_a_plan_read_by_another_process_is_the_same(toys, prompts, tmp_path):
    plan = toys.plan(prompts, work=WorkSettings(batch=3, keep_images=True), seed=5)
    again = load_run_plan(save_run_plan(plan, tmp_path), device="cpu")
    assert _names(again) == _names(plan)
    assert (again.work, again.seed, again.chunk) == (plan.work, 5, 6)
    assert [s.key for s in again.scorers] == [s.key for s in plan.scorers]


@given(st.text(min_size=1, max_size=80))
def test_a_slug_is_a_folder_name_and_tells_names_apart(name):
    made = folder_name(name)
    assert made
    assert not set(made) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=")
    assert not made.startswith(".")
    assert len(made) <= 70


@pytest.mark.parametrize(("one", "other"), [("a b", "a_b"), ("a.b", "a_b"), ("é", "è")])
def test_odd_names_do_not_share_a_folder(one, other):
    assert folder_name(one) != folder_name(other)


def test_another_machine_goes_on_with_what_the_first_one_settled(tiny_models, toys, prompts):
    population = make_population(
        {"variants": [{"name": "sd", "checkpoint": str(tiny_models["sd"]), "steps": 2}]}
    )
    scorers = make_scorers([toys.scorer("brightness")])
    settings = {"seed": 0, "chunk": 6, "entries": population.entries, "scorer_entries": ()}

    def key(device, kind=None):
        work = WorkSettings(device=device)
        plan = make_run_plan(population.recipes, prompts, scorers, work=work, kind=kind, **settings)
        return plan.variants[0].key, plan.variants[0].recipe.generator.dtype

    assert key("cpu")[1] == "fp32"
    assert key("cuda:1")[1] == "fp16"
    assert key("cpu", "cuda") == key("cuda:0") != key("cpu")
