"""One search on all or on some of the variants; what repeats it is tested beside its callers."""

import numpy as np
import pytest

from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.one_search import (
    search_all,
    search_part,
    search_rng,
)
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.nested import run_nested
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.registry import make_selector
from flasheval.selection.request import SearchRequest, make_request

ROWS = np.array([0, 2, 3, 5, 6, 7, 9, 10, 11])
QUICK = {"anneal": {"swaps": 300}, "frequency": {"n_sets": 300}}


@pytest.fixture
def table(make_table):
    return make_table(12, 40, ("clip", "fid"), seed=3)


def test_it_is_the_search_of_those_variants(table):
    served = table.with_metrics(["clip"])
    selector = make_selector("anneal", {"swaps": 300})
    request = SearchRequest(served, selector, (5,), seed=4, required=(7,))
    found = search_part(request, ROWS)
    problem = make_problem([table["clip"].values[ROWS]], ["clip"], 5, required=[7])
    expected = drive(selector, problem, search_rng(4, ROWS, 5)).selection
    np.testing.assert_array_equal(found.selection.indices, expected.indices)


@pytest.mark.parametrize(("method", "borrows"), [("balanced", False), ("pooled", True)])
def test_hints_are_taken_along_where_they_are_used_alone(table, monkeypatch, method, borrows):
    taken = []
    take = Hints.take
    monkeypatch.setattr(Hints, "take", lambda self, rows: taken.append(rows) or take(self, rows))
    served, hints = table.with_metrics(["clip"]), Hints((table["fid"].values,))
    search_part(SearchRequest(served, make_selector(method), (5,), hints=hints), ROWS)
    assert len(taken) == borrows


@pytest.mark.parametrize("method", ["anneal", "frequency", "random"])
def test_the_seed_asked_for_is_that_of_the_search_on_all_variants(table, method):
    selector = make_selector(method, QUICK.get(method))
    problem = make_problem([table[name].values for name in table.metrics], table.metrics, 5)
    found = [
        search_all(SearchRequest(table, selector, (5,), seed)).selection.indices.tolist()
        for seed in range(3)
    ]
    direct = [
        drive(selector, problem, np.random.default_rng(seed)).selection.indices.tolist()
        for seed in range(3)
    ]
    assert found == direct
    assert len({tuple(indices) for indices in found}) == 3


def test_the_seed_asked_for_is_that_of_a_nested_search_too(table):
    selector = make_selector("anneal", {"swaps": 300})
    problem = make_problem([table[name].values for name in table.metrics], table.metrics, 6)
    one, other = (
        search_all(SearchRequest(table, selector, (3, 6), seed)).selection for seed in (1, 0)
    )
    direct = run_nested(selector, problem, (3, 6), np.random.default_rng(1)).selection
    assert one.indices.tolist() == direct.indices.tolist()
    assert one.indices.tolist() != other.indices.tolist()


def test_the_same_request_finds_the_same(make_table):
    request = make_request(make_table(24, 60), make_selector("balanced"), 6)
    first, second = (search_all(request).selection.indices for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_part_is_kept_apart_from_the_whole(table, tmp_path):
    request = SearchRequest(table, make_selector("balanced"), (5,))
    finished = FinishedSearches(tmp_path, request.context())
    whole = search_all(request, finished)
    part = search_part(request, ROWS, finished)
    assert len(list(tmp_path.glob("*.json"))) == 2
    assert set(whole.selection.indices) != set(part.selection.indices)
    for rows, outcome in ((range(12), whole), (ROWS.tolist(), part)):
        kept = finished.read(finished.key(list(rows), (5,)))
        np.testing.assert_array_equal(kept.selection.indices, outcome.selection.indices)


def test_generators_differ_by_seed_split_and_size_alone():
    members = np.array([1, 4, 5])
    first = search_rng(0, members, 10).random()
    assert first == search_rng(0, members.copy(), 10).random()
    others = [
        search_rng(1, members, 10),
        search_rng(0, members[:2], 10),
        search_rng(0, members, 11),
    ]
    assert len({first, *(rng.random() for rng in others)}) == 4


@pytest.mark.parametrize("sizes", [(6,), (3, 6)])
def test_ctrl_c_before_a_finished_search_is_kept_loses_no_step(tmp_path, monkeypatch, sizes):
    table = synthetic_scores(n_variants=12, n_prompts=40).with_metrics(["quality"])
    request = SearchRequest(table, make_selector("anneal", {"swaps": 4_000}), sizes)
    finished = FinishedSearches(tmp_path, request.context())

    def run(progress=None):
        return search_part(request, np.arange(10), finished, progress)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FinishedSearches, "write", stop)
        with pytest.raises(KeyboardInterrupt):
            run()
    steps = []
    again = run(lambda step, _: steps.append(step))
    assert steps == []
    assert again.sets == 4_000 * len(sizes)
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
