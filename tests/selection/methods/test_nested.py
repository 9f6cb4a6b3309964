from dataclasses import replace

import numpy as np
import pytest

from flasheval.base.errors import SettingError
from flasheval.selection.methods import balance
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.nested import check_nested, check_sizes, run_nested
from flasheval.selection.methods.registry import METHODS, make_method
from flasheval.selection.methods.selector import OneShot, Selection


@pytest.mark.parametrize("sizes", [[50, 10, 20], (10, 20, 50), [20, 50, 20, 10]])
def test_sizes_may_come_in_any_order(sizes):
    assert check_nested(sizes, 60) == (10, 20, 50)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([], r"nested=\[\]: expected a list of sizes"),
        (5, "nested=5: expected a list"),
        ("10,20", "nested='10,20': expected a list"),
        ([0, 10], "nested: size 0 is outside 1 to 60"),
        ([61], "nested: size 61 is outside"),
        ([10.5], "nested: size 10.5 is not a whole number"),
        (["10"], "nested: size '10' is not a whole number"),
        ([True], "not a whole number"),
    ],
)
def test_sizes_that_cannot_be_are_one_line(sizes, words):
    with pytest.raises(SettingError, match=words):
        check_nested(sizes, 60)


def test_sizes_of_another_setting_go_by_its_name():
    assert check_sizes("curve", [7, 3], 3, 9) == (3, 7)
    with pytest.raises(SettingError, match="curve: size 2 is outside 3 to 9 prompts"):
        check_sizes("curve", [2], 3, 9)


@pytest.mark.parametrize("method", METHODS)
def test_every_prefix_is_what_its_stage_found(a_problem, quick, method):
    problem = a_problem(size=12, required=[40, 3], forbidden=[0])
    sizes = (2, 5, 6, 12)
    nested = run_nested(quick(method), problem, sizes, np.random.default_rng(0))
    rngs = np.random.default_rng(0).spawn(4)
    chosen = [40, 3]
    for size, rng in zip(sizes, rngs, strict=True):
        stage = a_problem(size=size, required=chosen, forbidden=[0])
        chosen = drive(quick(method), stage, rng).selection.indices.tolist()
        assert nested.selection.first(size).indices.tolist() == chosen
    assert len(set(chosen)) == 12
    assert {row["size"] for row in nested.history} <= set(sizes)


def test_one_size_is_one_search(a_problem, quick):
    found = run_nested(quick("balanced"), a_problem(), (6,), np.random.default_rng(0))
    alone = drive(quick("balanced"), a_problem(), np.random.default_rng(0))
    np.testing.assert_array_equal(found.selection.indices, alone.selection.indices)
    assert found.sets == alone.sets


def test_a_size_below_the_required_prompts_is_one_line(a_problem, quick):
    problem = a_problem(required=[1, 2, 3])
    with pytest.raises(SettingError, match="nested: size 2 is smaller than the 3 required"):
        run_nested(quick("random"), problem, (2, 6), np.random.default_rng(0))


def test_subsets_that_repeat_prompts_have_no_prefixes(a_problem, quick):
    problem = a_problem(n_prompts=8)
    with pytest.raises(SettingError, match="repeats prompts"):
        run_nested(quick("frequency", replace=True), problem, (5, 6), np.random.default_rng(0))


def test_a_warm_start_helps_every_stage(a_problem, quick):
    problem = a_problem(size=6, warm_start=[9, 8, 7, 6, 5, 4])
    found = run_nested(
        quick("balanced", passes=0), problem, (2, 4, 6), np.random.default_rng(0)
    ).selection
    assert found.indices.tolist() == [9, 8, 7, 6, 5, 4]


@pytest.mark.parametrize("after", range(1, 10))
def test_stopped_after_any_step_and_continued(a_problem, quick, tmp_path, after):
    problem, sizes = a_problem(size=9), (3, 6, 9)
    selector = quick("anneal")  # three steps a stage
    whole = run_nested(selector, problem, sizes, np.random.default_rng(0))
    calls = []

    def progress(step, steps):
        calls.append((step, steps))
        if len(calls) == after:
            raise KeyboardInterrupt

    arguments = {"state_file": tmp_path / "state.npz", "key": "k"}
    stopped = run_nested(
        selector, problem, sizes, np.random.default_rng(0), progress=progress, **arguments
    )
    assert stopped.interrupted
    assert len(stopped.selection.indices) == sizes[(after - 1) // 3]
    assert calls[-1] == (after, 9)
    again = run_nested(selector, problem, sizes, np.random.default_rng(0), **arguments)
    np.testing.assert_array_equal(again.selection.indices, whole.selection.indices)
    assert (again.history, again.sets) == (whole.history, whole.sets)
    assert not list(tmp_path.iterdir())


def test_stopped_in_the_first_step_of_a_later_stage_the_earlier_one_is_kept(a_problem):
    class Stops(OneShot):
        name = "stops"

        def choose(self, problem, rng):
            if problem.size > 3:
                raise KeyboardInterrupt
            return Selection(problem.allowed[: problem.size])

    found = run_nested(Stops(), a_problem(size=6), (3, 6), np.random.default_rng(0))
    assert found.interrupted
    assert found.selection.indices.tolist() == [0, 1, 2]
    with pytest.raises(KeyboardInterrupt):
        run_nested(Stops(), a_problem(size=6), (5, 6), np.random.default_rng(0))


@pytest.mark.parametrize("screen", [10_000, 30])
@pytest.mark.parametrize("method", ["balanced", "pooled", "shared"])
def test_the_scores_are_prepared_once_for_all_stages(a_problem, monkeypatch, method, screen):
    problem, rng = a_problem(), np.random.default_rng(0)
    selector = make_method(method, {"screen": screen})
    counted, real = [], balance.prompt_statistics

    def counting(scores, **more):
        counted.append(scores.shape)
        return real(scores, **more)

    monkeypatch.setattr(balance, "prompt_statistics", counting)
    found = run_nested(selector, problem, (4, 6, 9), rng).selection
    # Screened, later stages have other candidates; all prompts' discrimination is kept even so.
    assert len(counted) <= len(problem.scores) * (1 if screen == 10_000 else 1 + 3)

    chosen = Selection(problem.required)
    for size, stage_rng in zip((4, 6, 9), np.random.default_rng(0).spawn(3), strict=True):
        allowed = np.setdiff1d(problem.allowed, chosen.indices)
        alone = replace(problem, size=size, required=chosen.indices, allowed=allowed)
        chosen = drive(selector, alone, stage_rng).selection
    assert found.indices.tolist() == chosen.indices.tolist()
