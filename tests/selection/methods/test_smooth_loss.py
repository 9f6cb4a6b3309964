import math

import numpy as np
import pytest
from scipy.special import expit

from flasheval.base.threads import crew
from flasheval.scores.ranking.lanes import LANES
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.smooth_loss import pair_loss, smooth_loss
from flasheval.selection.methods.statistics import prompt_statistics


def _by_hand(problem, chosen, inflation):
    total = []
    for block, target in zip(problem.scores, problem.targets(), strict=True):
        sums = block[:, chosen].sum(axis=1, dtype=np.float64)
        sd = math.sqrt(2 * inflation * prompt_statistics(block).noise[chosen].sum())
        wrong = [
            1 / (1 + math.exp(1.702 * (sums[i] - sums[j]) / sd))
            for i in range(len(target))
            for j in range(len(target))
            if target[i] > target[j]
        ]
        total.append(np.mean(wrong))
    return np.mean(total)


@pytest.mark.parametrize("inflation", [1.0, 2.0, 7.5])
@pytest.mark.parametrize("n_metrics", [1, 3])
@pytest.mark.parametrize("n", [2, 3, 5, 15, 16, 17, 31, 32, 33, 50])
def test_kernel_is_the_formula(a_problem, n, n_metrics, inflation):
    problem = a_problem(n=n, n_metrics=n_metrics)
    sets = np.random.default_rng(1).permuted(np.tile(np.arange(60), (20, 1)), axis=1)[:, :7]
    expected = [_by_hand(problem, chosen, inflation) for chosen in sets]
    found = smooth_loss(problem, inflation=inflation).of_sets(sets)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_pairs_that_tie_in_the_full_set_are_left_out():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 8, (5, 12)).astype(np.float32)
    scores = np.stack([rows[0], rows[1], rows[0][::-1], rows[2], rows[1][::-1], rows[3]])
    problem = make_problem([scores], ["m"], 3)
    assert len(np.unique(problem.targets()[0])) == 4
    sets = np.array([[0, 1, 2], [3, 9, 11], [5, 6, 7]])
    expected = [_by_hand(problem, chosen, 2.0) for chosen in sets]
    np.testing.assert_allclose(smooth_loss(problem, inflation=2.0).of_sets(sets), expected)


def test_the_mean_of_all_prompts_is_ordered_right_and_its_reverse_wrong(a_problem):
    problem = a_problem(n_prompts=400)
    everything = np.arange(400)[None]
    right = smooth_loss(problem, inflation=1.0).of_sets(everything)[0]
    assert 0 < right < 0.2


def test_hopeless_margins_do_not_overflow():
    scores = np.array([[0.0] * 3 + [2e6], [1.0] * 3 + [0.0], [2.0] * 3 + [1e6]], dtype=np.float32)
    problem = make_problem([scores], ["m"], 1)
    with np.errstate(all="raise"):
        loss = smooth_loss(problem, inflation=1e-9).of_sets(np.array([[0]]))
    assert 0 <= loss[0] <= 1


def _plain(sums, first_below, noise, inflation):
    """The loss of one set, from its sums by descending target, pair by pair."""
    metrics = []
    for row, below, spread in zip(sums, first_below, noise, strict=True):
        steepness = 1.702 / np.sqrt(2 * inflation * spread)
        gaps = [row[i] - row[j] for i in range(len(row)) for j in range(below[i], len(row))]
        metrics.append(np.mean(expit(-steepness * np.array(gaps))))
    return np.mean(metrics)


@pytest.mark.parametrize("apart", [1e-3, 1.0, 30.0, 590.0, 610.0, 1e4, 1e9])
@pytest.mark.parametrize("n", [2, 3, 15, 16, 17, 18, 31, 32, 33, 47, 64, 65, 78])
@pytest.mark.parametrize("levels", [2, 4, 1000])
def test_near_and_far_sums_are_the_plain_formula(n, levels, apart):
    rng = np.random.default_rng([n, levels])
    sums, below = np.empty((2, n)), np.empty((2, n), dtype=np.int64)
    for m in range(2):
        target = np.sort(rng.integers(0, levels, n))[::-1]
        target[-1] = -1  # not all tie
        below[m] = [np.sum(target >= one) for one in target]
        sums[m] = rng.permutation(np.linspace(0, 1, n)) * apart / 1.702
        if n > 3:
            sums[m, 1] = sums[m, 2]  # sums may tie where targets do not
    noise = np.array([0.25, 0.25])  # with inflation 2 the steepness is 1.702
    found = pair_loss(sums, below, noise, 2.0, np.empty(n + LANES))
    assert found == pytest.approx(_plain(sums, below, noise, 2.0), rel=1e-9, abs=1e-300)


def test_both_branches_meet():
    sums = np.linspace(0, 1, 20)[::-1].copy()[None] / 1.702
    below = np.arange(1, 21)[None]
    odds, noise = np.empty(20 + LANES), np.array([0.25])
    near, far = (
        pair_loss(sums * apart, below, noise, 2.0, odds) for apart in (599.999999, 600.000001)
    )
    assert near == pytest.approx(far, rel=1e-6)


def test_any_number_of_threads_gives_the_same_bits(a_problem, monkeypatch):
    loss = smooth_loss(a_problem(), inflation=2.0)
    sets = np.random.default_rng(0).integers(0, 60, (300, 5))
    monkeypatch.setattr("flasheval.selection.methods.smooth_loss._BLOCK", 70)
    found = []
    for threads in (1, 2, 3):
        with crew(threads):
            found.append(loss.of_sets(sets))
    assert all(np.array_equal(one, found[0]) for one in found)


def test_rows_of_images_make_pairs_across_variants_alone():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(6, 20, 3)).astype(np.float32)
    problem = make_problem([images.mean(axis=2)], ["m"], 4, images=[images], images_used=1)
    chosen, target = np.array([2, 5, 11, 17]), problem.targets()[0]
    centred = images - images.mean(axis=0)
    sums = centred[:, chosen].sum(axis=1, dtype=np.float64)
    noise = prompt_statistics(images.mean(axis=2), images=images, images_used=1).noise
    sd = math.sqrt(2 * 2.0 * noise[chosen].sum())
    wrong = [
        1 / (1 + math.exp(1.702 * (sums[i, a] - sums[j, b]) / sd))
        for i in range(6)
        for j in range(6)
        if target[i] > target[j]
        for a in range(3)
        for b in range(3)
    ]
    found = smooth_loss(problem, inflation=2.0).of_sets(chosen[None])
    np.testing.assert_allclose(found, np.mean(wrong), rtol=1e-5)
