"""One search on some of the variants; what repeats it is tested beside its callers."""

import numpy as np
import pytest

from flasheval.selection.held_out.one_search import search_part, search_rng
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.registry import make_selector

ROWS = np.array([0, 2, 3, 5, 6, 7, 9, 10, 11])


@pytest.fixture
def blocks():
    rng = np.random.default_rng(3)
    return [rng.normal(size=(12, 40)).astype(np.float32) for _ in range(2)]


def test_it_is_the_search_of_those_variants(blocks):
    selector = make_selector("anneal", {"swaps": 300})
    found = search_part(selector, blocks[:1], ["clip"], [5], ROWS, seed=4, required=[7])
    problem = make_problem([blocks[0][ROWS]], ["clip"], 5, required=[7])
    expected = drive(selector, problem, search_rng(4, ROWS, 5)).selection
    np.testing.assert_array_equal(found.selection.indices, expected.indices)


@pytest.mark.parametrize(("method", "borrows"), [("balanced", False), ("pooled", True)])
def test_hints_are_taken_along_where_they_are_used_alone(blocks, monkeypatch, method, borrows):
    taken = []
    take = Hints.take
    monkeypatch.setattr(Hints, "take", lambda self, rows: taken.append(rows) or take(self, rows))
    selector = make_selector(method)
    hints = Hints(tuple(blocks[1:]))
    search_part(selector, blocks[:1], ["clip"], [5], ROWS, seed=0, hints=hints)
    assert len(taken) == borrows
