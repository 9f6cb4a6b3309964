"""Differences of two tables, against a count cell by cell and against scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreMatrix, ScoreTable, score_difference
from flasheval.scores.difference import tolerances

NAN = float("nan")


def _table(values, variants, ids, *, metrics=("m",), texts="text of {}", higher=True):
    prompts = PromptSet("set", ids, texts and [texts.format(i) for i in ids])
    matrices = {
        metric: ScoreMatrix(metric, values, variants, ids, higher_is_better=higher)
        for metric in metrics
    }
    return ScoreTable(prompts, tuple(map(Variant, variants)), matrices)


def _scores(table):
    matrix = table["m"]
    return {
        (variant, prompt): float(value)
        for variant, row in zip(matrix.variants, matrix.values, strict=True)
        for prompt, value in zip(matrix.prompt_ids, row, strict=True)
        if not np.isnan(value)
    }


@st.composite
def _part(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    variants = draw(st.permutations("abcde").map(lambda names: names[:4]))
    ids = draw(st.permutations("123456").map(lambda names: names[:4]))
    values = rng.integers(0, 4, (4, 4)).astype("f4")
    values[rng.random((4, 4)) < 0.3] = NAN
    return _table(values, tuple(variants), tuple(ids))


@settings(max_examples=40, deadline=None)
@given(_part(), _part())
def test_cells_of_both_tables_are_compared_by_their_labels(new, old):
    mine, theirs = _scores(new), _scores(old)
    both = mine.keys() & theirs.keys()
    if not both:
        with pytest.raises(DataError, match="no cell is measured in both"):
            score_difference(new, old)
        return
    found = score_difference(new, old)
    (one,) = found.metrics
    off = {cell: abs(mine[cell] - theirs[cell]) for cell in both}
    assert one.n_cells == len(both)
    assert one.largest == max(off.values())
    assert one.mean == pytest.approx(np.mean(list(off.values())))
    row, column = one.worst()
    assert off[one.variants[row], one.prompt_ids[column]] == max(off.values())
    shared = set(new.variant_names) & set(old.variant_names)
    prompts = set(new.prompts.ids) & set(old.prompts.ids)
    assert found.variants == (len(shared), 4 - len(shared), 4 - len(shared))
    assert found.prompts == (len(prompts), 4 - len(prompts), 4 - len(prompts))
    inside = [cell for cell in mine.keys() ^ theirs.keys() if cell[0] in shared]
    assert one.n_unpaired == sum(cell[1] in prompts for cell in inside)
    names = sorted({variant for variant, _ in both})
    means = [
        [np.mean([part[cell] for cell in sorted(both) if cell[0] == name]) for name in names]
        for part in (mine, theirs)
    ]
    expected = kendalltau(*means).statistic if len(names) > 1 else NAN
    np.testing.assert_allclose(one.tau, expected)


def test_a_score_beyond_its_tolerance_is_named():
    ids = ("1", "2")
    new = _table([[1, 2], [3, 4]], ("a", "b"), ids, metrics=("m", "n"))
    old = _table([[1, 2], [3.5, 4.25]], ("a", "b"), ids, metrics=("m", "n"))
    found = score_difference(new, old)
    found.check(0.5)
    found.check({"m": 0.5, "n": 1})
    with pytest.raises(DataError, match=r"^m of variant 'b' on prompt '1' is 3, in old 3.5: they"):
        found.check(0.2, "old")
    with pytest.raises(DataError, match=r"^n of .* tolerance 0.1 \(2 of 4 scores of n are beyond"):
        found.check({"m": 0.2, "n": 0.1})
    with pytest.raises(DataError, match=r"differ by 0\.5, tolerance 0 "):
        found.check(0)


def test_one_variant_has_no_ranking():
    (one,) = score_difference(*[_table([[1, 2]], ("a",), ("1", "2"))] * 2).metrics
    assert (one.n_cells, one.largest) == (2, 0)
    assert np.isnan(one.tau)


def test_what_cannot_be_compared_is_refused():
    table = _table([[1, 2]], ("a",), ("1", "2"))
    for other, what in (
        (_table([[1, 2]], ("b",), ("1", "2")), "no variant is in both tables; the new one has a,"),
        (_table([[1, 2]], ("a",), ("3", "4")), "no prompt id is in both"),
        (_table([[1, 2]], ("a",), ("1", "2"), metrics=("n",)), "no metric is in both"),
    ):
        with pytest.raises(DataError, match=what):
            score_difference(table, other)
    for other, what in (
        (_table([[1, 2]], ("a",), ("1", "2"), texts="{}"), "prompt id '1' is another text"),
        (_table([[1, 2]], ("a",), ("1", "2"), higher=False), "better higher in the new scores"),
        (_table([[1, 2]], ("a",), ("1", "3"), texts=None), "the texts of 'set' are unknown"),
    ):
        with pytest.raises(ConflictError, match=what):
            score_difference(table, other)


@pytest.mark.parametrize("value", [-1, NAN, True, "much", None, {"m": -1}, {"n": 1}, {"M": 1}])
def test_a_tolerance_that_cannot_be_is_refused(value):
    with pytest.raises(SettingError, match="tolerance"):
        tolerances(value, ["m"])
    with pytest.raises(SettingError, match=r"tolerance.k: no such metric is compared; compared"):
        tolerances({"m": 1, "k": 1}, ["m"])
