import math

import numpy as np
import pytest

from flasheval.scores.ranking import tau_b_of_sets
from flasheval.scores.ranking.blocks import accumulate, concordance, new_sums, tau_from_counts
from flasheval.scores.ranking.jit import compiled
from flasheval.scores.ranking.prepare import prepare_base, prepare_rows, prepare_target


@compiled
def tau_of_runs(rows, base, n_variants, tied_until, pairs, target_ties, size):
    """A kernel as the search writes them: sets (here runs of prompts) that are never stored."""
    taus = np.empty(len(rows) - size)
    for first in range(len(taus)):
        chosen = np.arange(first, first + size)
        sums = new_sums(rows)
        accumulate(rows, chosen, size, base, sums)
        difference, ties = concordance(sums, n_variants, tied_until, 0.0)
        taus[first] = tau_from_counts(difference, ties, pairs, target_ties)
    return taus


@pytest.mark.parametrize("levels", [3, 1000])
def test_a_kernel_made_of_blocks_scores_sets_without_storing_them(levels):
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 50, (40, 39)).astype(np.float32)
    full = rng.integers(0, levels, 39).astype(float)
    target = prepare_target(full)
    rows = prepare_rows(matrix, target)
    taus = tau_of_runs(
        rows,
        prepare_base(None, target, rows.dtype),
        target.n_variants,
        target.tied_until,
        target.pairs,
        target.target_ties,
        5,
    )
    sets = np.arange(35)[:, None] + np.arange(5)
    np.testing.assert_array_equal(taus, tau_b_of_sets(matrix, full, sets))


@pytest.mark.parametrize("n_variants", [1, 16, 17, 39, 48, 64, 65, 100, 144, 200])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_accumulate_sums_rows_at_every_width(n_variants, dtype):
    rng = np.random.default_rng(n_variants)
    matrix = rng.integers(-100, 100, (20, n_variants)).astype(dtype)
    base = rng.integers(-100, 100, n_variants)
    target = prepare_target(rng.normal(size=n_variants))
    rows = prepare_rows(matrix, target)
    chosen = np.array([3, 3, 19, 0, 7], dtype=np.int32)
    sums = new_sums(rows)
    accumulate(rows, chosen, 4, prepare_base(base, target, dtype), sums)
    expected = (matrix[chosen[:4]].sum(axis=0) + base)[target.order]
    np.testing.assert_array_equal(sums[:n_variants], expected)
    assert sums.dtype == dtype
    assert np.isnan(sums[n_variants:]).all()


def test_tau_from_counts_is_nan_where_a_side_is_constant():
    assert math.isnan(tau_from_counts(0, 3, 3, 0))
    assert math.isnan(tau_from_counts(0, 0, 3, 3))
    assert math.isnan(tau_from_counts(0, 0, 0, 0))
    assert tau_from_counts(3, 0, 3, 0) == 1.0


def test_concordance_by_hand():
    # In the target's order; 1-2 tied in the target, 0-1 in the sums. 0-2 and 0-3 agree, 1-3 agrees,
    # 2-3 does not.
    sums = new_sums(np.empty((1, 16), dtype=np.float32))
    sums[:4] = [3, 3, 1, 2]
    assert concordance(sums, 4, np.array([1, 3, 3, 4]), 0.0) == (3 - 1, 1)
    # Without the target's tie, 1-2 agrees too. A margin of 1 ties 0-1, 0-3, 1-3 and 2-3.
    none = np.empty(0, dtype=np.int64)
    assert concordance(sums, 4, none, 0.0) == (4 - 1, 1)
    assert concordance(sums, 4, none, 1.0) == (2, 4)
    sums[2] = np.nan
    assert concordance(sums, 4, none, 0.0) == (0, 6)
