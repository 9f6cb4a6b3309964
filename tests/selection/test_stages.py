from collections.abc import Callable

import numpy as np
import pytest

from flasheval.scores import ScoreTable
from flasheval.selection.calibration.folds import make_folds
from flasheval.selection.held_out.splits import make_splits
from flasheval.selection.methods.registry import make_selector
from flasheval.selection.request import Plan, make_plan
from flasheval.selection.stages import measure_splits, search_all, search_folds


@pytest.fixture
def plan(make_table: Callable[..., ScoreTable]) -> Plan:
    return make_plan(make_table(24, 60), make_selector("balanced"), 6, None, 0, (), (), None)


def test_each_part_reports_its_share_of_the_whole(plan: Plan) -> None:
    seen: list[tuple[str, float, int]] = []

    def report(what: str, done: float, planned: int) -> None:
        seen.append((what, done, planned))

    splits = make_splits("random:2", plan.table)
    folds = make_folds(plan.table, "similar", None, 0)
    planned = 1 + len(splits) + len(folds)
    search_all(plan, None, report, planned)
    measure_splits(plan, splits, (6,), None, 5, report, planned)
    search_folds(plan, folds, None, report, 1 + len(splits), planned)
    done = [number for _, number, _ in seen]
    assert done == sorted(done)
    assert done[0] == 0
    assert planned - 1 < done[-1] <= planned
    assert {number for _, _, number in seen} == {planned}


def test_each_fold_is_searched_without_its_variants(plan: Plan) -> None:
    folds = make_folds(plan.table, "similar", None, 0)
    found = search_folds(plan, folds, None, None, 0, len(folds))
    assert found is not None
    assert [len(selection.indices) for selection in found] == [6] * len(folds)
    everyone = search_all(plan, None, None, 1).selection.indices
    assert any(set(selection.indices) != set(everyone) for selection in found)


def test_ctrl_c_before_the_first_split_leaves_no_measurement(plan: Plan) -> None:
    def stop(what: str, done: float, planned: int) -> None:
        raise KeyboardInterrupt

    splits = make_splits("random:2", plan.table)
    assert measure_splits(plan, splits, (6,), None, 5, stop, 3) is None
    assert search_folds(plan, splits, None, stop, 1, 3) is None


def test_the_same_plan_finds_the_same(plan: Plan) -> None:
    first, second = (search_all(plan, None, None, 1).selection.indices for _ in range(2))
    np.testing.assert_array_equal(first, second)
