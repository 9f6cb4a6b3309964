"""How much of the residuals features of prompts explain, and the losses that cancel them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.balanced import Balanced
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.smooth_loss import smooth_loss
from flasheval.selection.methods.statistics import UNLIKE, explained_variance


def _kinds(rng, prompts, kinds=5):
    rows = np.eye(kinds)[rng.integers(0, kinds, prompts)].T
    return rows - rows.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("share", [0.0, 0.3, 2.0])
def test_the_variance_put_in_is_found(share):
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        features = _kinds(rng, 800)
        gains = np.sqrt(share) * rng.normal(size=(12, 5))
        residual = gains @ features + rng.normal(size=(12, 800))
        found.append(explained_variance(residual.astype(np.float32), features) / 12)
    assert np.mean(found) == pytest.approx(share, abs=0.01, rel=0.1)


def test_moments_by_direct_solution():
    rng = np.random.default_rng(1)
    features, residual = _kinds(rng, 60), rng.normal(size=(7, 60)).astype(np.float32)
    residual += (3 * rng.normal(size=(7, 5)) @ features).astype(np.float32)
    kernel = features.T @ features
    quadratic = np.einsum("vp,pq,vq->", residual, kernel, residual)
    system = [[np.trace(kernel @ kernel), np.trace(kernel)], [np.trace(kernel), 60]]
    expected = np.linalg.solve(system, [quadratic, np.square(residual).sum()])[0]
    assert explained_variance(residual, features) == pytest.approx(expected, rel=1e-4)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_it_goes_with_the_square_of_the_scale_and_never_below_nothing(seed, scale):
    rng = np.random.default_rng(seed)
    features, residual = _kinds(rng, 50), rng.normal(size=(6, 50)).astype(np.float32)
    plain = explained_variance(residual, features)
    assert plain >= 0
    scaled = explained_variance((scale * residual).astype(np.float32), features)
    assert scaled == pytest.approx(scale**2 * plain, rel=1e-3, abs=1e-9 * scale**2)


def test_features_that_say_nothing_count_nothing():
    residual = np.random.default_rng(0).normal(size=(6, 50)).astype(np.float32)
    assert explained_variance(residual, np.zeros((3, 50))) == 0


def _by_kind(seed, n=24, prompts=200):
    """Scores in which each variant has a gain of its own for each of four kinds of prompts."""
    rng = np.random.default_rng(seed)
    kinds = np.eye(4)[np.repeat(np.arange(4), prompts // 4)].T
    quality, gains = rng.normal(size=(n, 1)), 2 * rng.normal(size=(n, 4))
    scores = quality + gains @ kinds + rng.normal(size=(n, prompts))
    return scores.astype(np.float32), kinds - kinds.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("method", [Balanced(), Anneal(swaps=4000)], ids=["balanced", "anneal"])
def test_kinds_are_kept_in_balance(method):
    uneven = {True: 0.0, False: 0.0}
    for seed in range(5):
        scores, kinds = _by_kind(seed)
        for known in uneven:
            features = kinds if known else None
            problem = make_problem([scores[:6]], ["m"], 20, features=features)
            found = drive(method, problem, np.random.default_rng(0)).selection
            weights = np.ones(20) if found.weights is None else found.weights
            uneven[known] += np.square(kinds[:, found.indices] @ weights).sum()
    assert uneven[True] < 0.3 * uneven[False]


def test_the_smooth_loss_counts_what_features_explain():
    scores, kinds = _by_kind(3)
    plain = smooth_loss(make_problem([scores], ["m"], 8), inflation=2.0)
    known = smooth_loss(make_problem([scores], ["m"], 8, features=kinds), inflation=2.0)
    even, uneven = np.arange(0, 200, 25), np.arange(8)
    assert np.abs(kinds[:, even].sum(axis=1)).max() < 1e-12
    both = np.stack([even, uneven])
    before, after = plain.of_sets(both), known.of_sets(both)
    assert after[0] == pytest.approx(before[0], rel=1e-12)
    # By hand: the loss at the noise of the prompts and of their uneven kinds together.
    more = known.unlike[0] * np.square(kinds[:, uneven].sum(axis=1)).sum()
    assert known.unlike[0] > UNLIKE
    noise = known.noise.copy()
    noise[0, uneven] += more / len(uneven)
    by_hand = type(plain)(
        plain.rows, plain.first_below, noise, 2.0, plain.features, plain.unlike
    ).of_sets(uneven[None])
    assert after[1] == pytest.approx(by_hand[0])
    assert after[1] > before[1]
