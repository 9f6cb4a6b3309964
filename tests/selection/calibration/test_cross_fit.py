"""The search repeated without each fold."""

import numpy as np
import pytest

from flasheval.selection.calibration.cross_fit import cross_fit
from flasheval.selection.calibration.folds import random_folds
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.one_search import search_rng
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.registry import make_selector


@pytest.fixture
def scores(make_table):
    return make_table(16, 60)["clip"].values


FOLDS = random_folds(16, np.random.default_rng(0))
BALANCED = make_selector("balanced")


def _indices(found):
    return [selection.indices.tolist() for selection in found]


def test_each_fold_s_search_is_the_plain_one_on_the_others(scores):
    found = cross_fit(
        [scores], ["clip"], [5], make_selector("frequency", {"n_sets": 300}), FOLDS, seed=3
    )
    for fold, selection in zip(FOLDS, found, strict=True):
        problem = make_problem([scores[fold.search]], ["clip"], 5)
        selector = make_selector("frequency", {"n_sets": 300})
        plain = drive(selector, problem, search_rng(3, fold.search, 5)).selection
        assert selection.indices.tolist() == plain.indices.tolist()


def test_what_is_held_out_is_not_seen(scores):
    changed = scores.copy()
    changed[FOLDS[0].held_out] = 1e6 * np.random.default_rng(0).normal(size=scores.shape[1])
    before, after = (
        _indices(cross_fit([block], ["clip"], [5], BALANCED, FOLDS, seed=0))
        for block in (scores, changed)
    )
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_required_and_forbidden_prompts_and_nested_sizes_hold_in_every_fold(scores):
    settings = {"required": [7], "forbidden": list(range(20, 60))}
    for selection in cross_fit([scores], ["clip"], [3, 6], BALANCED, FOLDS, seed=0, **settings):
        assert len(selection.indices) == 6
        assert 7 in selection.indices[:3]
        assert selection.indices.max() < 20


def test_finished_folds_are_not_searched_again(scores, tmp_path, monkeypatch):
    units = FinishedSearches(tmp_path, "x").ready()
    first = cross_fit([scores], ["clip"], [5], BALANCED, FOLDS, seed=0, units=units)
    assert len(list(tmp_path.glob("*.json"))) == len(FOLDS)
    monkeypatch.setattr("flasheval.selection.held_out.one_search.run_selector", None)
    again = cross_fit([scores], ["clip"], [5], BALANCED, FOLDS, seed=0, units=units)
    assert _indices(first) == _indices(again)


def test_ctrl_c_leaves_nothing_half_done(scores, tmp_path):
    units = FinishedSearches(tmp_path, "x").ready()
    said = []

    def progress(what, done, planned):
        said.append((what, done, planned))
        if done >= 2:
            raise KeyboardInterrupt

    found = cross_fit(
        [scores], ["clip"], [5], BALANCED, FOLDS, seed=0, units=units, progress=progress
    )
    assert found is None
    assert said[0] == ("calibration, fold 1", 0, len(FOLDS))
    assert len(list(tmp_path.glob("*.json"))) in (1, 2)
