"""Rates are plain shares; their intervals stay in 0 to 1 and hold as often as they say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from flasheval.scores.votes.clusters import vote_clusters
from flasheval.scores.votes.rates import KINDS, bounded_interval, left_rate, pair_rates
from flasheval.scores.votes.rates import variant_rates as rates_of


def test_rates_are_plain_shares(votes):
    rates = rates_of(votes, vote_clusters(votes))
    counts = votes.counts
    won, lost, tied = counts.wins.sum(axis=1), counts.wins.sum(axis=0), counts.ties.sum(axis=1)
    n = won + lost + tied
    assert rates.votes.tolist() == n.tolist()
    for kind, wanted in zip(KINDS, (won, tied, lost, won + tied / 2), strict=True):
        assert np.allclose(rates.of(kind)[0], wanted / n)
    assert (rates.low <= rates.values).all()
    assert (rates.values <= rates.high).all()


def test_pairs_stand_in_the_order_of_the_variants(votes):
    pairs, rates = pair_rates(votes, vote_clusters(votes))
    assert pairs.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    shares = votes.counts.shares[pairs[:, 0], pairs[:, 1]]
    assert np.allclose(rates.of("share")[0], shares)


def test_without_clusters_it_is_wilson():
    n, k, level = 40, 31, 0.95
    z = norm.ppf((1 + level) / 2)
    p = k / n
    middle = (p + z**2 / 2 / n) / (1 + z**2 / n)
    room = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / 4 / n**2)
    error = np.sqrt(p * (1 - p) / n)
    low, high = bounded_interval(np.array([p]), np.array([error]), np.array([10**9]), level)
    assert (low[0], high[0]) == pytest.approx((middle - room, middle + room), abs=1e-6)


def test_all_alike_is_no_certainty_and_one_cluster_is_nothing():
    ones, none = np.ones(2), np.zeros(2)
    low, high = bounded_interval(ones, none, np.array([3, 1]), 0.95)
    assert low[0] == pytest.approx(1 / (1 + 4.3027**2 / 3), abs=1e-4)
    assert high[0] == 1
    assert np.isnan([low[1], high[1]]).all()


def test_the_left_side_is_counted_among_votes_with_a_winner(votes):
    clusters = vote_clusters(votes)
    n, share, low, high = left_rate(votes, clusters)
    decided = votes.outcome != 0
    assert n == decided.sum()
    assert share == pytest.approx((votes.left == votes.outcome)[decided].mean())
    assert low < share < high
    assert left_rate(replace(votes, left=None), clusters) is None
    some = votes.left.copy()
    some[votes.outcome != 0] = 0
    some[0] = some[0] or 1
    assert left_rate(replace(votes, left=some, outcome=votes.outcome * 0), clusters) is None


def test_intervals_hold_as_often_as_they_say(made):
    won, lost = made.true_shares()
    shares = won + (1 - won - lost) / 2
    alone = (shares.sum(axis=1) - np.diag(shares)) / 3
    held, of_pairs = [], []
    for seed in range(120):
        votes = made.study(np.random.default_rng(seed))
        clusters = vote_clusters(votes)
        _, low, high = rates_of(votes, clusters, 0.9).of("share")
        held.append((low <= alone) & (alone <= high))
        pairs, rates = pair_rates(votes, clusters, 0.9)
        _, low, high = rates.of("share")
        truth = shares[pairs[:, 0], pairs[:, 1]]
        of_pairs.append((low <= truth) & (truth <= high))
    assert 0.85 <= np.mean(held) <= 0.95
    assert 0.85 <= np.mean(of_pairs) <= 0.95
