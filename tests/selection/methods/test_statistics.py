import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.selection.methods import statistics
from flasheval.selection.methods.statistics import (
    pair_weight_root,
    prompt_statistics,
    slope_and_residual,
)


def _scores(n: int, n_prompts: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=(n, 1)) * rng.gamma(4.0, 0.25, n_prompts)
    return (3.0 + quality + rng.normal(size=(n, n_prompts))).astype(np.float32)


def _by_hand(scores, lift=None, target=None):
    """Section 5 of the design, written down plainly: SVD of the whole residual matrix."""
    x = scores.astype(np.float64)
    n = len(x)
    lift = np.eye(n) if lift is None else lift
    target = x.mean(axis=1) if target is None else target
    centred = lift @ (x - x.mean(axis=0))
    quality = lift @ (target - target.mean())
    slope = centred.T @ quality / (quality @ quality)
    residual = centred - np.outer(quality, slope)
    count = max(0, min(8, n - 4))
    u, s, vt = np.linalg.svd(residual, full_matrices=False)
    rest = residual - (u[:, :count] * s[:count]) @ vt[:count]
    dof = max(1, n - 2 - count)
    noise = np.square(rest).sum(axis=0) / max(1, n - 2) * (max(1, n - 2) / dof)
    weight = dof / (dof + 4)
    shrunk = weight * noise + (1 - weight) * noise.mean()
    return quality, slope, np.maximum(shrunk, 1e-3 * shrunk.mean()), residual


@pytest.mark.parametrize("n", [3, 4, 5, 6, 12, 13, 39])
def test_statistics_are_the_formulas_of_the_design(n):
    scores = _scores(n, 200)
    quality, slope, noise, residual = _by_hand(scores)
    found = prompt_statistics(scores)
    np.testing.assert_allclose(found.quality, quality, atol=1e-12)
    np.testing.assert_allclose(found.slope, slope, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.noise, noise, rtol=1e-8)
    variance = np.square(residual).sum(axis=0) / (n - 2)
    np.testing.assert_allclose(found.residual, np.maximum(variance, 1e-3 * variance.mean()))
    np.testing.assert_allclose(found.discrimination, found.slope / np.sqrt(found.residual))
    assert found.slope.mean() == pytest.approx(1.0)


def test_statistics_under_the_pair_weights_and_another_target():
    scores = _scores(14, 150)
    target = np.random.default_rng(5).normal(size=14)
    lift = pair_weight_root(target)
    quality, slope, noise, _ = _by_hand(scores, lift, target)
    found = prompt_statistics(scores, target=target, transform=lift)
    np.testing.assert_allclose(found.quality, quality, atol=1e-9)
    np.testing.assert_allclose(found.slope, slope, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.noise, noise, rtol=1e-7)


def test_two_variants_leave_no_residual_so_every_variance_is_one():
    found = prompt_statistics(_scores(2, 50))
    assert (found.noise == 1.0).all()
    assert (found.residual == 1.0).all()
    np.testing.assert_allclose(found.discrimination, found.slope)


def test_prompts_that_all_follow_quality_exactly_have_equal_noise():
    quality = np.arange(9, dtype=np.float64)
    scores = np.outer(quality, [0.5, 1.0, 2.0]).astype(np.float32)
    found = prompt_statistics(scores)
    assert (found.noise == 1.0).all()
    np.testing.assert_allclose(found.slope, np.array([0.5, 1.0, 2.0]) / (3.5 / 3))


def test_a_prompt_without_noise_is_floored():
    scores = _scores(30, 400)
    quality = scores.mean(axis=1)
    scores[:, 7] = quality
    found = prompt_statistics(scores)
    assert (found.residual >= 1e-3 * found.residual.mean() * 0.99).all()
    assert found.residual.argmin() == 7
    assert (found.noise > 0).all()


@pytest.mark.parametrize("block", [1, 7, 64, 199, 200, 201])
def test_the_block_size_changes_nothing(monkeypatch, block):
    scores = _scores(10, 200)
    whole = prompt_statistics(scores)
    monkeypatch.setattr(statistics, "_block_prompts", lambda n: block)
    pieces = prompt_statistics(scores)
    for name in ("quality", "slope", "noise", "residual"):
        np.testing.assert_allclose(getattr(pieces, name), getattr(whole, name), rtol=1e-9)


@pytest.mark.parametrize("block", [1, 5, 1000])
def test_components_come_from_evenly_spaced_prompts_of_large_sets(monkeypatch, block):
    monkeypatch.setattr(statistics, "_GRAM_PROMPTS", 70)
    monkeypatch.setattr(statistics, "_block_prompts", lambda n: block)
    scores = _scores(10, 200)
    quality, _, _, residual = _by_hand(scores)
    u, _, _ = np.linalg.svd(residual[:, ::3])  # ceil(200 / 70) = 3
    found = statistics._leading_components(scores, np.eye(10), quality)
    np.testing.assert_allclose(found @ found.T, u[:, :6] @ u[:, :6].T, atol=1e-9)


def test_slope_and_residual_are_a_regression_through_the_origin():
    scores = _scores(8, 20)
    quality = scores.mean(axis=1, dtype=np.float64)
    quality -= quality.mean()
    slope, residual = slope_and_residual(scores, np.eye(8), quality)
    centred = scores - scores.mean(axis=0, dtype=np.float64)
    expected = np.linalg.lstsq(quality[:, None], centred, rcond=None)[0][0]
    np.testing.assert_allclose(slope, expected)
    np.testing.assert_allclose(quality @ residual, 0.0, atol=1e-10)


def _double_sum(quality, errors, nearness=1.0):
    pairs = [(i, j) for i in range(len(quality)) for j in range(i)]
    spread = np.median([abs(quality[i] - quality[j]) for i, j in pairs])
    if spread == 0:
        spread = max(abs(quality[i] - quality[j]) for i, j in pairs)
    return sum(
        (errors[i] - errors[j]) ** 2 / ((quality[i] - quality[j]) ** 2 + (nearness * spread) ** 2)
        for i, j in pairs
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 12), st.integers(0, 1000), st.booleans(), st.sampled_from([0.05, 0.25, 1, 3]))
def test_pair_weight_root_is_the_weighted_sum_over_pairs(n, seed, ties, nearness):
    rng = np.random.default_rng(seed)
    quality = rng.integers(0, 3, n).astype(float) if ties else rng.normal(size=n)
    if np.ptp(quality) == 0:
        quality[0] += 1.0
    errors = rng.normal(size=n)
    root = pair_weight_root(quality, nearness=nearness)
    np.testing.assert_allclose(root, root.T, atol=1e-12)
    expected = _double_sum(quality, errors, nearness)
    assert np.square(root @ errors).sum() == pytest.approx(expected, rel=1e-6)
    if nearness == 1:
        np.testing.assert_array_equal(root, pair_weight_root(quality))


def test_pair_weights_when_nearly_all_variants_tie():
    quality = np.array([1.0, 1.0, 1.0, 1.0, 2.0])  # the median difference is 0
    errors = np.array([0.3, -0.2, 0.1, 0.0, 0.5])
    lifted = pair_weight_root(quality) @ errors
    assert lifted @ lifted == pytest.approx(_double_sum(quality, errors))


def test_the_lower_the_nearness_the_more_near_pairs_count():
    quality = np.array([0.0, 0.1, 1.0, 2.0])
    shares = []
    for nearness in (1.0, 0.25, 0.05):
        root = pair_weight_root(quality, nearness=nearness)
        weights = -(root @ root)[np.triu_indices(4, 1)]
        shares.append(weights[0] / weights.sum())  # of the pair 0.1 apart
    assert shares[0] < shares[1] < shares[2]
    assert shares[2] > 0.8


def _with_seeds(n, n_prompts, k, persistent, seeds, rng):
    """Scores of images: quality, what stays, what all share of a seed, and what is new."""
    quality = 3.0 * rng.normal(size=(n, 1))
    stays = np.sqrt(persistent) * rng.normal(size=(n, n_prompts))
    of_all = 5.0 * rng.normal(size=(1, n_prompts, k))
    new = np.sqrt(seeds)[:, None] * rng.normal(size=(n, n_prompts, k))
    return ((quality + stays)[:, :, None] + of_all + new).astype(np.float32)


@pytest.mark.parametrize("lifted", [False, True])
@pytest.mark.parametrize(("k", "used"), [(2, 1), (3, 1), (2, 8), (4, 2)])
def test_noise_is_what_stays_and_the_seeds_share_of_the_images_used(k, used, lifted):
    rng = np.random.default_rng(k)
    persistent = np.repeat([1.0, 4.0], 1500)
    seeds = np.tile([2.0, 8.0], 1500)
    images = _with_seeds(40, 3000, k, persistent, seeds, rng)
    means = images.mean(axis=2)
    lift = pair_weight_root(means.mean(axis=1)) if lifted else None
    found = prompt_statistics(means, transform=lift, images=images, images_used=used)
    as_they_are = prompt_statistics(means, transform=lift)
    unit = 1.0
    if lifted:  # what the same transform makes of known noise
        known = rng.normal(size=(40, 3000)).astype(np.float32) + 3 * means.mean(axis=1)[:, None]
        unit = prompt_statistics(known, transform=lift).noise.mean()
    expected = persistent + seeds / used
    for a in (1.0, 4.0):
        for s in (2.0, 8.0):
            where = (persistent == a) & (seeds == s)
            weight = 27 / 31  # shrunk to the mean with 40 - 2 - 8 and about as many degrees
            wanted = weight * expected[where][0] + (1 - weight) * expected.mean()
            assert found.noise[where].mean() / unit == pytest.approx(wanted, rel=0.12)
    np.testing.assert_array_equal(found.slope, as_they_are.slope)


def test_the_seeds_part_is_the_interaction_mean_square():
    """With four variants no shared direction is taken out: by hand, sum by sum."""
    rng = np.random.default_rng(1)
    images = rng.normal(size=(4, 30, 3)).astype(np.float32)
    means = images.mean(axis=2, dtype=np.float64).astype(np.float32)
    one = prompt_statistics(means, images=images, images_used=1)
    three = prompt_statistics(means)
    target = means.mean(axis=1, dtype=np.float64)
    quality = target - target.mean()
    squares = np.zeros(30)
    for p in range(30):
        x = images[:, p].astype(float)
        rest = x - x.mean(axis=1)[:, None] - x.mean(axis=0) + x.mean()
        along = quality @ rest / np.sqrt(quality @ quality)
        squares[p] = (rest**2).sum() - (along**2).sum()
    seeds = squares / (2 * 2)  # 4 variants less 2, times 3 images less 1
    weight = 4 / 8
    shrunk = weight * seeds + (1 - weight) * seeds.mean()
    np.testing.assert_allclose(one.noise, three.noise + (1 - 1 / 3) * shrunk, rtol=1e-4)
    np.testing.assert_allclose(one.residual, three.residual + (1 - 1 / 3) * seeds, rtol=1e-4)


@pytest.mark.parametrize("used", [None, 3])
def test_as_many_images_as_searched_change_no_bit(used):
    images = np.random.default_rng(0).normal(size=(12, 50, 3)).astype(np.float32)
    means = images.mean(axis=2)
    found = prompt_statistics(means, images=images, images_used=used)
    for name in ("quality", "slope", "noise", "residual"):
        np.testing.assert_array_equal(getattr(found, name), getattr(prompt_statistics(means), name))


def test_a_negative_part_is_floored():
    """Where averaging seems to take away more than there is, the noise stays above nothing."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(8, 60, 2)).astype(np.float32)
    means = images.mean(axis=2)
    found = prompt_statistics(means, images=images, images_used=1000)
    assert (found.noise > 0).all()
    assert (found.residual > 0).all()
