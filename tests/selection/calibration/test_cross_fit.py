"""The search repeated without each fold."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from flasheval.base.threads import crew
from flasheval.selection.calibration.cross_fit import cross_fit
from flasheval.selection.calibration.folds import random_folds
from flasheval.selection.held_out import one_search
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.one_search import search_all, search_rng
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.registry import make_selector
from flasheval.selection.request import SearchRequest


@pytest.fixture
def table(make_table):
    return make_table(16, 60)


FOLDS = random_folds(16, np.random.default_rng(0))
BALANCED = make_selector("balanced")


def _indices(found):
    return [selection.indices.tolist() for selection in found]


def _finished(folder, request):
    return FinishedSearches(folder, request.context()).ready()


def test_each_fold_s_search_is_the_plain_one_on_the_others(table):
    selector = make_selector("frequency", {"n_sets": 300})
    found = cross_fit(SearchRequest(table, selector, (5,), seed=3), FOLDS)
    for fold, selection in zip(FOLDS, found, strict=True):
        problem = make_problem([table["clip"].values[fold.search]], ["clip"], 5)
        selector = make_selector("frequency", {"n_sets": 300})
        plain = drive(selector, problem, search_rng(3, fold.search, 5)).selection
        assert selection.indices.tolist() == plain.indices.tolist()


def test_each_fold_is_searched_without_its_variants(make_table):
    request = SearchRequest(make_table(24, 60), BALANCED, (6,))
    found = cross_fit(request, random_folds(24, np.random.default_rng(0)))
    assert found is not None
    assert [len(selection.indices) for selection in found] == [6] * len(FOLDS)
    everyone = search_all(request).selection.indices
    assert any(set(selection.indices) != set(everyone) for selection in found)


def test_what_is_held_out_is_not_seen(table):
    values = table["clip"].values.copy()
    values[FOLDS[0].held_out] = 1e6 * np.random.default_rng(0).normal(size=values.shape[1])
    changed = replace(table, matrices={"clip": replace(table["clip"], values=values)})
    before, after = (
        _indices(cross_fit(SearchRequest(one, BALANCED, (5,)), FOLDS)) for one in (table, changed)
    )
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_required_and_forbidden_prompts_and_nested_sizes_hold_in_every_fold(table):
    settings = {"required": (7,), "forbidden": tuple(range(20, 60))}
    for selection in cross_fit(SearchRequest(table, BALANCED, (3, 6), **settings), FOLDS):
        assert len(selection.indices) == 6
        assert 7 in selection.indices[:3]
        assert selection.indices.max() < 20


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_searches_do_not_depend_on_the_workers(table, workers):
    request = SearchRequest(table, make_selector("anneal", {"swaps": 3_000}), (5,))
    whole = cross_fit(request, FOLDS)
    with crew(workers):
        assert _indices(cross_fit(request, FOLDS)) == _indices(whole)


def test_finished_folds_are_not_searched_again(table, tmp_path, monkeypatch):
    request = SearchRequest(table, BALANCED, (5,))
    finished = _finished(tmp_path, request)
    first = cross_fit(request, FOLDS, finished)
    assert len(list(tmp_path.glob("*.json"))) == len(FOLDS)
    monkeypatch.setattr(one_search, "drive", None)
    again = cross_fit(request, FOLDS, finished)
    assert _indices(first) == _indices(again)


def test_progress_says_which_fold_and_how_many(table):
    said = []
    cross_fit(SearchRequest(table, BALANCED, (5,)), FOLDS, report=lambda *what: said.append(what))
    labels = {f"calibration, {fold.name}" for fold in FOLDS}
    assert {what for what, _, _ in said} <= labels
    assert {planned for _, _, planned in said} == {len(FOLDS)}
    done = [number for _, number, _ in said]
    assert done == sorted(done)
    assert done[-1] == len(FOLDS)


def test_ctrl_c_by_the_progress_leaves_nothing_half_done(table, tmp_path, monkeypatch):
    request = SearchRequest(table, BALANCED, (5,))
    whole = cross_fit(request, FOLDS)
    said, calls = [], itertools.count()

    def endless_from_the_third(*arguments, progress, **rest):
        if next(calls) < 2:
            return drive(*arguments, progress=progress, **rest)
        while True:
            progress(0, 10)  # until it raises

    def report(what, done, planned):
        said.append((what, done, planned))
        if done >= 2:
            raise KeyboardInterrupt

    finished = _finished(tmp_path, request)
    with monkeypatch.context() as patch:
        patch.setattr(one_search, "drive", endless_from_the_third)
        assert cross_fit(request, FOLDS, finished, report, workers=2) is None
    assert {what.partition(",")[0] for what, _, _ in said} == {"calibration"}
    assert said[-1][1:] == (2, len(FOLDS))
    assert len(list(tmp_path.glob("*.json"))) == 2
    assert not list(tmp_path.glob("*.npz"))
    assert _indices(cross_fit(request, FOLDS, finished)) == _indices(whole)


@pytest.mark.parametrize("number", [0, 3, 7])
def test_ctrl_c_within_a_search_leaves_none(table, monkeypatch, number):
    calls = itertools.count()

    def one_is_ctrl_c(*arguments, **rest):
        if next(calls) == number:
            raise KeyboardInterrupt
        return drive(*arguments, **rest)

    monkeypatch.setattr(one_search, "drive", one_is_ctrl_c)
    assert cross_fit(SearchRequest(table, BALANCED, (5,)), FOLDS) is None
