import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from flasheval.base.threads import crew
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.random_sets import draw_sets
from flasheval.selection.methods.set_scores import set_scores


def _exact_problem(n, n_prompts, size, n_metrics, seed, *, values=64, **rest):
    """Scores in eighths: float32 and float64 sums agree to the last bit, and ties are real."""
    rng = np.random.default_rng(seed)
    blocks = [rng.integers(0, values, (n, n_prompts)).astype(np.float32) / 8]
    while len(blocks) < n_metrics:
        blocks.append(rng.integers(0, values, (n, n_prompts)).astype(np.float32) / 8)
    for block in blocks:
        if np.ptp(block.mean(axis=1)) == 0:
            block[0, 0] += 1
    return make_problem(blocks, [f"m{i}" for i in range(n_metrics)], size, **rest)


def _by_scipy(problem, chosen):
    taus = []
    for block in problem.scores:
        everything = np.concatenate([problem.required, chosen]).astype(int)
        sums = block[:, everything].sum(axis=1, dtype=np.float64)
        full = block.sum(axis=1, dtype=np.float64)
        tau = kendalltau(sums, full).statistic if np.ptp(sums) else -1.0
        taus.append(tau)
    return np.mean(taus)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(2, 70),
    n_prompts=st.integers(4, 30),
    n_metrics=st.integers(1, 3),
    seed=st.integers(0, 10_000),
    values=st.sampled_from([2, 5, 64]),
    n_required=st.integers(0, 2),
)
def test_tau_of_sets_is_scipys(n, n_prompts, n_metrics, seed, values, n_required):
    required = list(range(n_required))
    problem = _exact_problem(
        n, n_prompts, n_required + 2, n_metrics, seed, values=values, required=required
    )
    rng = np.random.default_rng(seed)
    sets = np.stack([rng.choice(problem.allowed, 2, replace=False) for _ in range(6)])
    found = set_scores(problem).of_sets(sets)
    np.testing.assert_allclose(found, [_by_scipy(problem, chosen) for chosen in sets], atol=1e-12)


def test_a_set_that_orders_nothing_scores_minus_one():
    scores = np.array([[1, 0, 0], [1, 0, 1], [1, 5, 2]], dtype=np.float32)
    problem = make_problem([scores, scores], ["a", "b"], 1)
    assert set_scores(problem).of_sets(np.array([[0]]))[0] == -1.0
    other = np.array([[1, 0, 9], [2, 5, 1], [3, 0, 2]], dtype=np.float32)
    mixed = make_problem([scores, other], ["a", "b"], 1)
    expected = (-1.0 + kendalltau(other[:, 0], other.sum(axis=1)).statistic) / 2
    assert set_scores(mixed).of_sets(np.array([[0]]))[0] == pytest.approx(expected)


def test_required_prompts_alone_are_scored_when_none_is_free():
    problem = _exact_problem(9, 20, 3, 2, 0, required=[4, 1, 7])
    found = set_scores(problem).of_sets(np.empty((2, 0), dtype=np.int32))
    np.testing.assert_allclose(found, _by_scipy(problem, np.empty(0, int)))


def test_metrics_with_and_without_ties_go_together():
    rng = np.random.default_rng(0)
    apart = np.array([[0], [9], [18], [27]])
    tied = np.repeat(apart + rng.integers(0, 9, (4, 10)), 2, axis=0)
    free = rng.integers(0, 999, (8, 10)).astype(np.float32)
    problem = make_problem([free, tied], ["free", "tied"], 2)
    scores = set_scores(problem)
    assert scores.tied.tolist() == [False, True]
    assert scores.target_ties.tolist() == [0, 4]
    sets = np.array([[0, 1], [5, 9], [2, 3]])
    expected = [_by_scipy(problem, chosen) for chosen in sets]
    np.testing.assert_allclose(scores.of_sets(sets), expected, atol=1e-12)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("n_metrics", [1, 2])
def test_scores_of_draws_are_the_scores_of_the_sets_drawn(a_problem, replace, n_metrics):
    problem = a_problem(n_metrics=n_metrics, required=[1])
    scores = set_scores(problem)
    pool = problem.allowed.astype(np.int32)[::2].copy()
    key = np.uint64(12345678901234567890)
    numbers = np.arange(9000, dtype=np.int64)
    sets = draw_sets(key, numbers, pool, 5, replace)
    every = scores.of_sets(sets)
    np.testing.assert_array_equal(scores.of_draws(key, 0, 9000, pool, 5, replace), every)
    np.testing.assert_array_equal(
        scores.of_draws(key, 4097, 8200, pool, 5, replace), every[4097:8200]
    )
    assert len(scores.of_draws(key, 7, 7, pool, 5, replace)) == 0


def test_any_number_of_threads_gives_the_same_bits(a_problem, monkeypatch):
    problem = a_problem()
    scores = set_scores(problem)
    pool = problem.allowed.astype(np.int32)
    monkeypatch.setattr("flasheval.selection.methods.set_scores._BLOCK", 70)
    found = []
    for threads in (1, 2, 3):
        with crew(threads):
            found.append(scores.of_draws(np.uint64(3), 0, 20_000, pool, 6, False))
    assert all(np.array_equal(one, found[0]) for one in found)


def test_rows_of_images_are_ranked_by_their_variants_targets():
    """Scipy's tau-b of the rows: images of one variant tie in the target, and are no pair."""
    rng = np.random.default_rng(0)
    images = (rng.integers(0, 64, (8, 20, 2)) / 8).astype(np.float32)
    images -= images.mean(axis=0)  # so that nothing more is taken out
    problem = make_problem([images.mean(axis=2)], ["m"], 4, images=[images])
    sets = np.array([[0, 3, 7, 9], [1, 2, 11, 19]], dtype=np.int32)
    full = np.repeat(problem.targets()[0], 2)
    rows = images.transpose(0, 2, 1).reshape(16, 20)
    expected = [kendalltau(rows[:, one].sum(axis=1), full).statistic for one in sets]
    scores = set_scores(problem)
    assert scores.n_variants == 16
    np.testing.assert_allclose(scores.of_sets(sets), expected, atol=1e-6)
    few = make_problem([images.mean(axis=2)], ["m"], 4, images=[images], images_as="mean")
    np.testing.assert_allclose(
        set_scores(few).of_sets(sets), [_by_scipy(few, one) for one in sets], atol=1e-6
    )
