import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from flasheval.base.errors import DataError, SettingError
from flasheval.base.threads import crew
from flasheval.scores.ranking import kendall_tau_b, kendall_tau_b_many, tau_b_of_sets
from flasheval.scores.ranking.kendall import count_pairs
from flasheval.scores.ranking.prepare import prepare_target

FIRST_CALL_COMPILES = settings(deadline=None, max_examples=50)


def scipy_rows(scores, target):
    if len(target) < 2:
        return np.full(len(scores), np.nan)
    return np.array([kendalltau(row, target, variant="b").statistic for row in scores])


def direct_tau(x, y, margin, target_margin):
    """The definition, pair by pair, with margins."""
    difference = pairs = x_ties = y_ties = 0
    for i in range(len(x)):
        for j in range(i):
            x_tied, y_tied = abs(x[i] - x[j]) <= margin, abs(y[i] - y[j]) <= target_margin
            pairs, x_ties, y_ties = pairs + 1, x_ties + x_tied, y_ties + y_tied
            if not x_tied and not y_tied:
                difference += 1 if (x[i] > x[j]) == (y[i] > y[j]) else -1
    product = (pairs - x_ties) * (pairs - y_ties)
    return difference / math.sqrt(product) if product else math.nan


@st.composite
def scores_and_target(draw):
    """Rows and a target of 0 to 70 values: continuous, heavily tied or constant."""
    n = draw(st.sampled_from([0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 39, 48, 65, 70]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([1, 2, 4, 1000]))
    target_levels = draw(st.sampled_from([1, 2, 5, 100_000]))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    scores = rng.integers(0, levels, (draw(st.integers(0, 5)), n)).astype(dtype)
    return scores, rng.integers(0, target_levels, n).astype(np.float64)


@FIRST_CALL_COMPILES
@given(scores_and_target())
def test_many_equals_scipy(case):
    scores, target = case
    taus = kendall_tau_b_many(scores, target)
    assert taus.dtype == np.float64
    np.testing.assert_allclose(taus, scipy_rows(scores, target), rtol=0, atol=1e-12)


@FIRST_CALL_COMPILES
@given(scores_and_target())
def test_one_row_equals_many(case):
    scores, target = case
    for row, tau in zip(scores, kendall_tau_b_many(scores, target), strict=True):
        assert kendall_tau_b(row, target) == pytest.approx(tau, abs=0, nan_ok=True)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_values_have_no_tau(n):
    assert math.isnan(kendall_tau_b(np.ones(n), np.ones(n)))


def test_two_values():
    assert kendall_tau_b([1, 2], [5, 6]) == 1.0
    assert kendall_tau_b([2, 1], [5, 6]) == -1.0


@pytest.mark.parametrize("n", [3, 16, 39])
def test_nan_on_either_side_gives_nan(n):
    rng = np.random.default_rng(n)
    scores, target = rng.normal(size=(4, n)), rng.normal(size=n)
    scores[1, 0] = scores[2, n - 1] = np.nan
    taus = kendall_tau_b_many(scores, target)
    assert np.isnan(taus).tolist() == [False, True, True, False]
    target[n // 2] = np.nan
    assert np.isnan(kendall_tau_b_many(scores, target)).all()


def test_infinities_rank_as_scipy_ranks_them():
    x, y = [np.inf, 1.0, -np.inf, np.inf, 2.0], [1.0, np.inf, 0.0, np.inf, -np.inf]
    assert kendall_tau_b(x, y) == pytest.approx(kendalltau(x, y).statistic, abs=1e-12)


def test_margin_by_hand():
    # x differences: 0-1 .25 (tied), 0-2 1, 0-3 1.5, 1-2 .75, 1-3 1.25, 2-3 .5 (tied: <=).
    # y orders all pairs; of the untied ones 0-2, 0-3, 1-2, 1-3 all agree: 4 / sqrt(4 * 6).
    x, y = [0.0, 0.25, 1.0, 1.5], [0.0, 1.0, 2.0, 3.0]
    assert kendall_tau_b(x, y, margin=0.5) == pytest.approx(4 / math.sqrt(4 * 6), abs=1e-15)
    # A target margin of 1 ties 0-1, 1-2, 2-3 there; 0-2, 0-3, 1-3 remain: 3 / sqrt(4 * 3).
    both = kendall_tau_b(x, y, margin=0.5, target_margin=1.0)
    assert both == pytest.approx(3 / math.sqrt(4 * 3), abs=1e-15)


@FIRST_CALL_COMPILES
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=24),
    st.integers(0, 5),
    st.integers(0, 5),
)
def test_margins_equal_the_definition(points, margin, target_margin):
    x, y = [float(p[0]) for p in points], [float(p[1]) for p in points]
    tau = kendall_tau_b(x, y, margin=margin, target_margin=target_margin)
    expected = direct_tau(x, y, margin, target_margin)
    assert tau == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_count_pairs_by_hand():
    # Target ties 0-1. Scores tie 1-2; 0-2 is right; 0-1 is in neither count.
    counts = count_pairs([[1.0, 2.0, 2.0], [np.nan, 1.0, 2.0]], prepare_target([5, 5, 9]))
    assert counts.tolist() == [[1, 1], [0, 3]]


def exact_matrix(n_prompts, n_variants, seed, dtype=np.float32, levels=4096):
    """Scores that are multiples of 2^-13, as CLIP's are: every float32 sum of them is exact."""
    values = np.random.default_rng(seed).integers(0, levels, (n_prompts, n_variants))
    return (values / 8192).astype(dtype)


@FIRST_CALL_COMPILES
@given(
    st.sampled_from([0, 1, 2, 3, 15, 16, 17, 31, 39, 49, 64, 65, 128, 130]),
    st.integers(0, 9),
    st.sampled_from([2, 4096]),
    st.sampled_from([np.float32, np.float64]),
    st.booleans(),
    st.integers(0, 1000),
)
def test_sets_equal_scipy_on_their_sums(n, size, levels, dtype, with_base, seed):
    rng = np.random.default_rng(seed)
    matrix = exact_matrix(30, n, seed, dtype, levels)
    target = rng.integers(0, 40, n).astype(float)
    sets = rng.integers(0, 30, (70, size))
    base = rng.integers(0, 9, n).astype(float) if with_base else None
    sums = matrix.astype(np.float64)[sets].sum(axis=1) + (0 if base is None else base)
    taus = tau_b_of_sets(matrix, target, sets, base=base)
    np.testing.assert_allclose(taus, scipy_rows(sums, target), rtol=0, atol=1e-12)


def test_sets_with_margin_on_sums():
    matrix = exact_matrix(50, 20, 3)
    target = matrix.mean(axis=0, dtype=np.float64)
    sets = np.random.default_rng(0).integers(0, 50, (100, 8))
    sums = matrix.astype(np.float64)[sets].sum(axis=1)
    taus = tau_b_of_sets(matrix, target, sets, margin=0.25, target_margin=0.01)
    expected = [direct_tau(row, target, 0.25, 0.01) for row in sums]
    np.testing.assert_allclose(taus, expected, rtol=0, atol=1e-12)


def test_base_is_a_prompt_in_every_set():
    matrix = exact_matrix(40, 39, 1)
    target = np.random.default_rng(1).normal(size=39)
    sets = np.random.default_rng(2).integers(1, 40, (200, 5))
    fixed = np.concatenate([np.zeros((200, 1), dtype=sets.dtype), sets], axis=1)
    with_base = tau_b_of_sets(matrix, target, sets, base=matrix[0])
    np.testing.assert_array_equal(with_base, tau_b_of_sets(matrix, target, fixed))


def test_order_within_a_set_is_irrelevant_where_sums_are_exact():
    matrix = exact_matrix(500, 39, 5)
    target = np.random.default_rng(3).normal(size=39)
    sets = np.random.default_rng(4).integers(0, 500, (100, 50))
    shuffled = np.random.default_rng(5).permuted(sets, axis=1)
    np.testing.assert_array_equal(
        tau_b_of_sets(matrix, target, sets), tau_b_of_sets(matrix, target, shuffled)
    )


def test_order_of_variants_is_irrelevant():
    rng = np.random.default_rng(6)
    matrix = rng.normal(size=(300, 41)).astype(np.float32)
    target = rng.integers(0, 12, 41).astype(float)
    sets = rng.integers(0, 300, (100, 10))
    order = rng.permutation(41)
    np.testing.assert_array_equal(
        tau_b_of_sets(matrix, target, sets), tau_b_of_sets(matrix[:, order], target[order], sets)
    )


def test_sets_do_not_depend_on_the_layout_of_the_matrix():
    matrix = exact_matrix(60, 39, 7)
    target = np.random.default_rng(7).normal(size=39)
    sets = np.random.default_rng(8).integers(0, 60, (50, 6))
    expected = tau_b_of_sets(matrix, target, sets)
    for same in (np.asfortranarray(matrix), np.repeat(matrix, 2, axis=1)[:, ::2]):
        np.testing.assert_array_equal(tau_b_of_sets(same, target, sets), expected)
    for same in (sets.astype(np.int32), np.asfortranarray(sets), sets.astype(np.uint16)):
        np.testing.assert_array_equal(tau_b_of_sets(matrix, target, same), expected)


def test_float32_sums_run_from_the_first_prompt_to_the_last():
    # 2^24 + 1 is 2^24 in float32: the two variants tie if 1 comes last, not if it comes first.
    matrix = np.array([[2**24, 2**24], [1, 0], [1, 0]], dtype=np.float32)
    late, early = tau_b_of_sets(matrix, [2, 1], [[0, 1, 2], [1, 2, 0]])
    assert math.isnan(late)
    assert early == 1.0
    assert tau_b_of_sets(matrix.astype(np.float64), [2, 1], [[0, 1, 2]])[0] == 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_number_of_threads_gives_the_same_bits(dtype, monkeypatch):
    monkeypatch.setattr("flasheval.scores.ranking.kendall._BLOCK", 100)
    rng = np.random.default_rng(9)
    matrix = rng.normal(size=(2000, 39)).astype(dtype)
    sets = rng.integers(0, 2000, (1001, 50))
    scores = rng.normal(size=(1001, 39)).astype(dtype)
    target = rng.normal(size=39)
    results = []
    for count in (1, 2, 3):
        with crew(count):
            found = tau_b_of_sets(matrix, target, sets), kendall_tau_b_many(scores, target)
        results.append(found)
    for of_sets, of_scores in results[1:]:
        np.testing.assert_array_equal(of_sets, results[0][0])
        np.testing.assert_array_equal(of_scores, results[0][1])


def test_nan_scores_give_nan_to_the_sets_that_hold_them():
    matrix = exact_matrix(10, 39, 11)
    matrix[4, 38] = np.nan
    target = np.random.default_rng(0).normal(size=39)
    taus = tau_b_of_sets(matrix, target, [[0, 1], [4, 1], [2, 4]])
    assert np.isnan(taus).tolist() == [False, True, True]
    target[0] = np.nan
    assert np.isnan(tau_b_of_sets(matrix, target, [[0, 1]])).all()


def test_no_sets_and_empty_sets():
    matrix = exact_matrix(10, 5, 12)
    assert tau_b_of_sets(matrix, range(5), np.empty((0, 3), dtype=np.int64)).shape == (0,)
    assert np.isnan(tau_b_of_sets(matrix, range(5), np.empty((2, 0), dtype=np.int64))).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: kendall_tau_b([[1, 2]], [1, 2]), "one number a variant"),
        (lambda: kendall_tau_b([1, 2], [[1, 2]]), "one number a variant"),
        (lambda: kendall_tau_b([1, 2], [1, 2, 3]), "2 columns"),
        (lambda: kendall_tau_b_many([1, 2], [1, 2]), "one row a set"),
        (lambda: tau_b_of_sets(np.ones((3, 2)), [1, 2, 3], [[0]]), "matrix has shape"),
        (lambda: tau_b_of_sets(np.ones((3, 2)), [1, 2], [0]), "one row of prompts a set"),
        (lambda: tau_b_of_sets(np.ones((3, 2)), [1, 2], [[0.5]]), "integers"),
        (lambda: tau_b_of_sets(np.ones((3, 2)), [1, 2], [[0, 1], [2, 3]]), "set 1 names prompt 3"),
        (lambda: tau_b_of_sets(np.ones((3, 2)), [1, 2], [[-1]]), "set 0 names prompt -1"),
        (lambda: tau_b_of_sets(np.ones((3, 2)), [1, 2], [[0]], base=[1]), "base has shape"),
    ],
)
def test_wrong_shapes_and_numbers_are_named(call, words):
    with pytest.raises(DataError, match=words):
        call()


@pytest.mark.parametrize("margin", [-1.0, math.nan, math.inf])
def test_a_useless_margin_is_refused(margin):
    with pytest.raises(SettingError, match="margin"):
        kendall_tau_b([1, 2], [1, 2], margin=margin)
    with pytest.raises(SettingError, match="target's margin"):
        kendall_tau_b([1, 2], [1, 2], target_margin=margin)
