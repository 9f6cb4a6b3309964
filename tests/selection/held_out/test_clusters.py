from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from flasheval.selection.held_out.clusters import GroupResampler, too_few_groups


def _brute_force(x, y, groups, counts):
    """Tau-b over copies of the variants, two copies of one variant being no pair."""
    copies = [i for i in range(len(x)) for _ in range(counts[groups[i]])]
    agree = by_x = by_y = 0
    for i, j in combinations(copies, 2):
        agree += np.sign(x[i] - x[j]) * np.sign(y[i] - y[j])
        by_x += x[i] != x[j]
        by_y += y[i] != y[j]
    return agree / np.sqrt(by_x * by_y) if by_x * by_y else np.nan


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000))
def test_it_is_tau_over_copies(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 12))
    groups = [f"g{rng.integers(0, 4)}" for _ in range(n)]
    target = rng.integers(0, 5, n).astype(np.float64)  # with ties
    means = rng.integers(0, 6, (2, n)).astype(np.float64)
    held_out = np.sort(rng.permutation(n)[: int(rng.integers(2, n + 1))])
    resampler = GroupResampler(groups, rng, draws=6)
    found = resampler.taus(means, target, held_out)
    left_out = [{name: int(name != gone) for name in resampler.names} for gone in resampler.names]
    counts = [dict(zip(resampler.names, row, strict=True)) for row in resampler.draws] + left_out
    y, chosen = target[held_out], [groups[i] for i in held_out]
    with np.errstate(invalid="ignore"):
        expected = [
            np.mean([_brute_force(row[held_out], y, chosen, count) for row in means])
            for count in counts
        ]
    np.testing.assert_allclose(found, expected)
    weights = [np.mean([count[group] for group in chosen]) for count in counts]
    np.testing.assert_allclose(resampler.weights(held_out), weights)


def test_groups_of_one_drawn_once_give_plain_tau():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=9), rng.normal(size=9)
    resampler = GroupResampler([str(i) for i in range(9)], rng, draws=3)
    without_first = resampler.taus(x[None], y, np.arange(9))[3]
    assert without_first == pytest.approx(kendalltau(x[1:], y[1:]).statistic)


def test_draws_are_as_many_groups_as_there_are_and_repeat_with_the_seed():
    groups = ["a", "b", "a", "c"]
    first, second = (GroupResampler(groups, np.random.default_rng(3), draws=50) for _ in range(2))
    assert first.names == ("a", "b", "c")
    np.testing.assert_array_equal(first.draws, second.draws)
    assert set(first.draws.sum(axis=1)) == {3}
    assert first.groups_in([np.array([0, 2]), np.array([3])]) == ("a", "c")


def test_eight_groups_are_enough():
    assert too_few_groups(7)
    assert not too_few_groups(8)
