import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from flasheval.base.errors import SettingError
from flasheval.base.threads import crew
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out import random_curve as module
from flasheval.selection.held_out.random_curve import (
    RandomAgreement,
    RandomMeans,
    curve_sizes,
    random_agreement,
    random_means,
)
from flasheval.selection.held_out.splits import make_splits

TABLE = synthetic_scores(n_variants=16, n_prompts=80)
SPLITS = make_splits("random:4", TABLE)


@given(st.integers(1, 200_000), st.lists(st.integers(-3, 300_000), max_size=4))
def test_curve_sizes_ascend_to_all_prompts(n_prompts, extra):
    sizes = curve_sizes(n_prompts, extra)
    assert list(sizes) == sorted(set(sizes))
    assert n_prompts in sizes or n_prompts < 5
    assert {size for size in extra if 1 <= size <= n_prompts} <= set(sizes)
    assert all(size >= 5 or size in extra for size in sizes)


def test_curve_sizes_are_about_seven_a_decade():
    assert curve_sizes(100) == (5, 7, 10, 14, 20, 28, 40, 50, 70, 100)
    assert curve_sizes(1000, [3, 12])[:4] == (3, 5, 7, 10)
    assert curve_sizes(40_504)[-4:] == (20_000, 28_000, 40_000, 40_504)
    assert curve_sizes(3) == ()
    assert curve_sizes(3, [2]) == (2,)


def _scores(n=7, n_prompts=50, seed=0):
    rng = np.random.default_rng(seed)
    return (5 + rng.normal(size=(n, 1)) + rng.normal(size=(n, n_prompts))).astype(np.float32)


@pytest.mark.parametrize("sizes", [[1, 4, 50], [50, 4, 4, 1], [7]])
def test_prefix_means_are_numpys(sizes):
    scores = _scores()
    found = random_means(scores, sizes, np.random.default_rng(3), draws=6)
    assert found.sizes == tuple(sorted(set(sizes)))
    assert found.means.shape == (6, len(found.sizes), 7)
    rng = np.random.default_rng(3)
    for draw in range(6):
        order = rng.permutation(50)
        for place, size in enumerate(found.sizes):
            expected = scores[:, order[:size]].mean(axis=1, dtype=np.float64)
            np.testing.assert_allclose(found.means[draw, place], expected, rtol=1e-12)


def test_batches_of_draws_and_threads_change_nothing(monkeypatch):
    scores = _scores(n_prompts=3000)
    whole = random_means(scores, [10, 3000], np.random.default_rng(0), draws=5000)
    assert 8_000_000 // 3000 < 5000  # so these were two batches
    monkeypatch.setattr(module, "_BLOCK_ADDITIONS", 7 * 3000 * len(scores))
    for count in (1, 2, 3):
        with crew(count):
            fewer = random_means(scores, [10, 3000], np.random.default_rng(0), draws=40)
        np.testing.assert_array_equal(fewer.means, whole.means[:40])


def test_all_prompts_agree_perfectly():
    scores = _scores()
    means = random_means(scores, [5, 50], np.random.default_rng(0), draws=30)
    tau = means.tau(scores.mean(axis=1, dtype=np.float64), np.arange(7))
    assert tau.shape == (30, 2)
    assert (tau[:, 1] == 1.0).all()
    assert tau[:, 0].mean() < 1.0


def test_tau_is_scipys_over_the_variants_that_count():
    scores = _scores()
    means = random_means(scores, [3, 9], np.random.default_rng(0), draws=8)
    target = scores.mean(axis=1, dtype=np.float64)
    variants = np.array([1, 2, 4, 6])
    tau = means.tau(target, variants)
    for draw in range(8):
        for place in range(2):
            expected = kendalltau(means.means[draw, place, variants], target[variants]).statistic
            assert tau[draw, place] == pytest.approx(expected)


def test_tied_targets_have_no_tau():
    means = RandomMeans((5,), np.random.default_rng(0).normal(size=(4, 1, 3)))
    assert np.isnan(means.tau(np.array([1.0, 1.0, 2.0]), np.array([0, 1]))).all()


def test_random_agreement_is_on_the_held_out_variants():
    found = random_agreement(TABLE, SPLITS, [3, 12], seed=5, draws=30)
    assert found.sizes == (3, 5, 7, 10, 12, 14, 20, 28, 40, 50, 70, 80)
    for metric in TABLE.metrics:
        block = TABLE[metric].values
        full = block.mean(axis=1, dtype=np.float64)
        assert found.tau[metric].shape == (4, 30, 12)
        assert (found.tau[metric][:, :, -1] == 1.0).all()
        order = np.random.default_rng([5, 7]).permutation(80)
        for k, split in enumerate(SPLITS):
            side = split.held_out
            means = block[:, order[:12]].mean(axis=1, dtype=np.float64)
            expected = kendalltau(means[side], full[side]).statistic
            assert found.tau[metric][k, 0, 4] == pytest.approx(expected)
    curves = found.curves(TABLE.metrics)
    assert curves.shape == (4, 12)
    assert (np.diff(curves.mean(axis=0)) > 0).all()


def test_draws_of_a_size_are_flat_and_of_the_first_splits():
    tau = {"m": np.arange(24, dtype=float).reshape(3, 4, 2)}
    found = RandomAgreement((5, 10), tau)
    assert found.at("m", 10).tolist() == list(range(1, 24, 2))
    assert found.at("m", 5, splits=1).tolist() == [0, 2, 4, 6]


def test_the_curve_of_a_huge_table_ends_early(monkeypatch):
    monkeypatch.setattr(module, "_CURVE_ADDITIONS", 16 * 10 * 20)
    assert random_agreement(TABLE, SPLITS, [5], seed=0, draws=10).sizes[-1] == 20
    assert random_agreement(TABLE, SPLITS, [5, 33], seed=0, draws=10).sizes[-1] == 33


@pytest.mark.parametrize("draws", [0, -1])
def test_no_draws_is_one_line(draws):
    with pytest.raises(SettingError, match=r"draws=.*from 1 on"):
        random_agreement(TABLE, SPLITS, [5], seed=0, draws=draws)


# Table "Random subsets" of the reference's own numbers: (search, held out) by size. They are
# rounded to two digits, and 1,000 draws there and 1,000 here each err by up to 0.01.
REFERENCE = {
    "ImageReward": {10: (0.46, 0.48), 50: (0.70, 0.69), 100: (0.77, 0.77)},
    "CLIP": {10: (0.48, 0.47), 50: (0.68, 0.68), 100: (0.76, 0.76)},
}
REFERENCE_COCO = {
    "ImageReward": {10: (0.34, 0.43), 50: (0.59, 0.68), 100: (0.68, 0.77)},
    "CLIP": {10: (0.34, 0.35), 50: (0.58, 0.60), 100: (0.68, 0.70)},
}


def _check_against(reference, table, split):
    for metric, by_size in reference.items():
        block = table[metric].values
        means = random_means(block, list(by_size), np.random.default_rng(0), draws=1000)
        for variants, side in ((split.search, 0), (split.held_out, 1)):
            tau = means.tau(table[metric].full_means, variants).mean(axis=0)
            expected = [pair[side] for pair in by_size.values()]
            np.testing.assert_allclose(tau, expected, atol=0.02)


def test_random_subsets_of_diffusiondb_agree_as_the_reference_says(
    diffusiondb_table, official_diffusiondb
):
    _check_against(REFERENCE, diffusiondb_table, official_diffusiondb)


@pytest.mark.slow
def test_random_subsets_of_coco_agree_as_the_reference_says(coco_table, official_coco):
    assert (len(official_coco.search), len(official_coco.held_out)) == (31, 33)
    _check_against(REFERENCE_COCO, coco_table, official_coco)


@pytest.mark.parametrize("sizes", [[4], [0], [2, 400]])
def test_sizes_beyond_the_prompts_are_refused_before_the_kernel_reads_there(sizes):
    with pytest.raises(SettingError, match="expected sizes from 1 to 3 prompts"):
        random_means(np.zeros((2, 3), dtype="f4"), sizes, np.random.default_rng(0), draws=1)


def test_on_other_seeds_the_same_subsets_are_judged_by_the_other_images():
    table = synthetic_scores(12, 30, images=3)
    plain, other = make_splits(["random:1", "random:1+seeds"], table)
    both = random_agreement(table, [plain, other], [4], seed=0, draws=6)
    alone = random_agreement(table, [plain], [4], seed=0, draws=6)
    np.testing.assert_array_equal(both.tau["quality"][:1], alone.tau["quality"])
    rng, matrix = np.random.default_rng([0, 7]), table["quality"]
    judged = matrix.images[:, :, 2]
    means = random_means(judged, both.sizes, rng, draws=6).means
    for draw in range(6):
        for number in range(len(both.sizes)):
            expected = kendalltau(
                means[draw, number, other.held_out], matrix.full_means[other.held_out]
            ).statistic
            assert both.tau["quality"][1, draw, number] == pytest.approx(expected)
    assert both.tau["quality"][1, :, -1].max() < 1  # all prompts, but not all images
