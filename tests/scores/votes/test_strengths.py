"""Strengths are those of greatest likelihood, found by brute force; infinite ones are refused."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import t

from flasheval.base.errors import DataError, SettingError
from flasheval.scores.votes.clusters import vote_clusters
from flasheval.scores.votes.counts import PairCounts
from flasheval.scores.votes.strengths import fit_strengths, strength_covariance


def counts_of(seed=0, m=5, ties=True):
    rng = np.random.default_rng(seed)
    wins = rng.integers(0, 9, (m, m)).astype(float)
    np.fill_diagonal(wins, 0)
    tied = np.triu(rng.integers(0, 5, (m, m)), 1) * float(ties)
    return PairCounts(wins, tied + tied.T)


def chances(ties, gap, tie):
    """Probabilities that the first wins, loses and ties, by the papers' own formulas."""
    a, b = np.exp(gap), 1.0
    if ties == "davidson":
        middle = np.exp(tie) * np.sqrt(a * b)
        return np.array([a, b, middle]) / (a + b + middle)
    kappa = np.exp(tie)
    won, lost = a / (a + kappa * b), b / (kappa * a + b)
    return np.array([won, lost, 1 - won - lost])


def log_likelihood(counts, ties, theta, tie):
    total = 0.0
    for i in range(len(theta)):
        for j in range(i + 1, len(theta)):
            found = chances(ties, theta[i] - theta[j], tie)
            seen = (counts.wins[i, j], counts.wins[j, i], counts.ties[i, j])
            total += sum(n * np.log(p) for n, p in zip(seen, found, strict=True) if n)
    return total


@pytest.mark.parametrize("ties", ["davidson", "rao_kupper"])
def test_strengths_are_the_likeliest(ties):
    counts = counts_of()
    fit = fit_strengths(counts, ties=ties)
    m = len(fit.values)

    def tie_of(x):
        return x[-1] if ties == "davidson" else np.exp(x[-1])

    def loss(x):
        return -log_likelihood(counts, ties, np.append(0, x[:-1]), tie_of(x))

    options = {"maxiter": 4000, "maxfev": 6000, "xatol": 1e-9, "fatol": 1e-13, "adaptive": True}
    found = minimize(loss, np.zeros(m), method="Nelder-Mead", options=options)
    found = minimize(loss, found.x, method="BFGS", options={"gtol": 1e-9})
    theta = np.append(0, found.x[:-1])
    assert np.abs(fit.values - (theta - theta.mean())).max() < 1e-6
    assert fit.tie == pytest.approx(tie_of(found.x), abs=1e-6)
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-9)
    assert fit.values.sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("ties", ["davidson", "rao_kupper"])
def test_the_hessian_is_that_of_differences(ties):
    counts = counts_of(1)
    fit = fit_strengths(counts, ties=ties)
    x = np.append(fit.values, fit.tie)
    step = 1e-4

    def value(change):
        moved = x + change
        return -log_likelihood(counts, ties, moved[:-1], moved[-1])

    unit = np.eye(len(x)) * step
    for i in range(len(x)):
        for j in range(len(x)):
            signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
            ends = [value(one * unit[i] + other * unit[j]) for one, other in signs]
            second = (ends[0] - ends[1] - ends[2] + ends[3]) / 4 / step**2
            assert fit.hessian[i, j] == pytest.approx(second, abs=1e-4)


def test_two_variants_have_closed_forms():
    wins, tied = np.array([[0.0, 7], [3, 0]]), np.array([[0.0, 2], [2, 0]])
    fit = fit_strengths(PairCounts(wins, tied))
    assert fit.values[0] - fit.values[1] == pytest.approx(np.log(7 / 3))
    assert fit.tie_parameter == pytest.approx(2 / np.sqrt(21))
    assert fit.expected[0, 1] == pytest.approx(8 / 12)
    fit = fit_strengths(PairCounts(wins, tied), ties="rao_kupper")
    assert fit.expected[0, 1] == pytest.approx(8 / 12)
    odds = np.log(7 / 5), np.log(3 / 9)  # of the first's and the second's wins
    assert fit.tie == pytest.approx(-(odds[0] + odds[1]) / 2)


def test_without_ties_both_are_bradley_and_terry():
    counts = counts_of(2, ties=False)
    one, other = (fit_strengths(counts, ties=ties) for ties in ("davidson", "rao_kupper"))
    assert one.tie is None
    assert np.abs(one.values - other.values).max() < 1e-9
    # Zermelo's iteration, the plainest way there is.
    worth = np.ones(5)
    for _ in range(3000):
        share = counts.votes / (worth[:, None] + worth)
        worth = counts.wins.sum(axis=1) / share.sum(axis=1)
        worth /= np.exp(np.log(worth).mean())
    assert np.abs(one.values - np.log(worth)).max() < 1e-6


def test_it_is_choix_where_that_is_there():
    choix = pytest.importorskip("choix")
    counts = counts_of(3, ties=False)
    theirs = choix.mm_pairwise_dense(counts.wins) if hasattr(choix, "mm_pairwise_dense") else None
    data = [(i, j) for i in range(5) for j in range(5) for _ in range(int(counts.wins[i, j]))]
    theirs = choix.opt_pairwise(5, data) if theirs is None else theirs
    assert np.abs(fit_strengths(counts).values - (theirs - theirs.mean())).max() < 1e-5


def test_counts_need_not_be_whole():
    counts = counts_of(4)
    scaled = PairCounts(counts.wins / 7, counts.ties / 7)
    assert np.allclose(fit_strengths(counts).values, fit_strengths(scaled).values, atol=1e-8)


LONELY = np.array([[0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 3], [0, 0, 1, 0]])
NEVER_LOST = np.array([[0, 2, 1], [0, 0, 2], [0, 1, 0]])


@pytest.mark.parametrize(
    ("wins", "ties", "said"),
    [
        (LONELY, LONELY * 0, "fall into 2 parts that never met, such as a, b and c, d"),
        (NEVER_LOST, NEVER_LOST * 0, "a never lost against the others nor tied with them"),
        (NEVER_LOST.T, NEVER_LOST * 0, "a never won against the others"),
        (np.zeros((2, 2)), np.array([[0, 3], [3, 0]]), "every vote is a tie"),
        # b and c always tie with all, so that ties alone may explain everything.
        (
            np.array([[0, 5, 0], [0, 0, 0], [0, 0, 0]]),
            np.array([[0, 0, 4], [0, 0, 4], [4, 4, 0]]),
            "too few or too one-sided",
        ),
    ],
)
def test_infinite_strengths_are_one_line_with_a_way_out(wins, ties, said):
    counts = PairCounts(wins.astype(float), ties.astype(float))
    with pytest.raises(DataError) as caught:
        fit_strengths(counts, names=tuple("abcd")[: len(wins)])
    assert said in str(caught.value)
    if counts.wins.any():
        assert "prior=1" in str(caught.value)
        fit = fit_strengths(counts, prior=1)
        assert np.abs(fit.values).max() < 5


def test_the_prior_is_votes_against_an_average_one():
    counts = counts_of(5, ties=False)
    m = len(counts.wins)
    fit = fit_strengths(counts, prior=3)

    def loss(theta):
        gap = theta[:, None] - theta
        made_up = np.log1p(np.exp(theta)) + np.log1p(np.exp(-theta))
        return (counts.wins * np.log1p(np.exp(-gap))).sum() + 1.5 * made_up.sum()

    theirs = minimize(loss, np.zeros(m), options={"gtol": 1e-9}).x
    assert np.abs(fit.values - (theirs - theirs.mean())).max() < 1e-6


def test_settings_that_cannot_be():
    with pytest.raises(SettingError, match="ties=elo: expected davidson or rao_kupper"):
        fit_strengths(counts_of(), ties="elo")
    with pytest.raises(SettingError, match="prior=-1: expected a number of votes"):
        fit_strengths(counts_of(), prior=-1)


@pytest.mark.parametrize("ties", ["davidson", "rao_kupper"])
def test_the_covariance_is_the_sandwich_of_differences(votes, ties):
    """Moving one vote's weight moves the fit by its influence: found by fitting again."""
    fit = fit_strengths(votes.counts, ties=ties)
    clusters = vote_clusters(votes, "prompt")
    covariance, of_shares = strength_covariance(fit, votes, clusters)
    groups = len(votes.prompts)
    moved, shares = [], []
    for one in range(groups):
        mine = votes.take(np.flatnonzero(votes.prompt == one)).counts
        pair = []
        for step in (1e-3, -1e-3):
            whole = votes.counts
            wins, tied = whole.wins + step * mine.wins, whole.ties + step * mine.ties
            pair.append(fit_strengths(PairCounts(wins, tied), ties=ties))
        moved.append((pair[0].values - pair[1].values) / 2e-3)
        shares.append((pair[0].against_others - pair[1].against_others) / 2e-3)
    for found, one in ((covariance, moved), (of_shares, shares)):
        wanted = groups / (groups - 1) * np.transpose(one) @ np.array(one)
        assert np.allclose(found, wanted, atol=2e-6)


def test_intervals_hold_as_often_as_they_say(made):
    won, lost = made.true_shares()
    off = ~np.eye(4, dtype=bool)
    expected = PairCounts(1000 * won, np.where(off, 1000 * (1 - won - lost), 0.0))
    for ties in ("davidson", "rao_kupper"):
        truth = fit_strengths(expected, ties=ties).values
        held = []
        for seed in range(100):
            votes = made.study(np.random.default_rng(seed))
            clusters = vote_clusters(votes)
            fit = fit_strengths(votes.counts, ties=ties)
            errors = np.sqrt(np.diag(strength_covariance(fit, votes, clusters)[0]))
            held.append(np.abs(fit.values - truth) <= t.ppf(0.95, clusters.units - 1) * errors)
        assert 0.85 <= np.mean(held) <= 0.95
