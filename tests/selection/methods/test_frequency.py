from itertools import pairwise

import numpy as np
import pytest

from flasheval.base.errors import SettingError
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.frequency import Frequency, _best_numbers, default_pools
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.random_sets import draw_key, draw_sets
from flasheval.selection.methods.set_scores import set_scores


def test_default_pools_are_the_official_ones():
    coco = (30000, 20000, 15000, 12000, 10000, 8000, 5000, 3000, 1000, 500, 100)
    diffusiondb = (4000, 3000, 2000, 1500, 1000, 500, 300, 200, 100)
    assert default_pools(40504, 10) == coco
    assert default_pools(40504, 100) == coco[:-1]
    assert default_pools(5000, 50) == diffusiondb
    assert default_pools(20000, 10)[0] == round(30000 / 40504 * 20000)
    assert default_pools(1000, 10) == (800, 600, 400, 300, 200, 100, 60, 40, 20)


@pytest.mark.parametrize("n_prompts", range(1, 60))
def test_default_pools_always_shrink(n_prompts):
    for size in range(n_prompts + 1):
        pools = default_pools(n_prompts, size)
        assert all(later < earlier for earlier, later in pairwise(pools))
        assert all(size < pool < n_prompts for pool in pools)


def _by_hand(problem, seed, n_sets, pools, keep=1 / 30, replace=False):
    """Algorithm 1 in plain numpy, all sets of a pool at once."""
    rng = np.random.default_rng(seed)
    scores, count = set_scores(problem), problem.n_free
    pool, best, best_tau, rows = problem.allowed.astype(np.int32), None, -np.inf, []
    for number, size in enumerate([*pools, None], 1):
        sets = draw_sets(draw_key(rng), np.arange(n_sets), pool, count, replace)
        tau = scores.of_sets(sets)
        if tau.max() >= best_tau:
            best, best_tau = sets[tau.argmax()], tau.max()
        kept = np.sort(np.argsort(-tau, kind="stable")[: max(1, int(n_sets * keep))])
        row = {"step": number, "pool": len(pool), "sets": n_sets, "best_tau": tau.max()}
        rows.append({**row, "kept_tau": tau[kept].mean(), "mean_tau": tau.mean()})
        if size is not None:
            frequency = np.bincount(sets[kept].ravel(), minlength=problem.n_prompts)
            pool = np.sort(pool[np.argsort(-frequency[pool], kind="stable")[:size]])
    return best, rows


@pytest.mark.parametrize("chunk_values", [1, 60_000_000])
@pytest.mark.parametrize("n_metrics", [1, 2])
def test_the_search_is_algorithm_1(a_problem, monkeypatch, chunk_values, n_metrics):
    monkeypatch.setattr("flasheval.selection.methods.frequency._CHUNK_VALUES", chunk_values)
    problem = a_problem(n_metrics=n_metrics, required=[5], forbidden=[6])
    selector = Frequency(n_sets=2_500, pools=(40, 20, 9))
    found = drive(selector, problem, np.random.default_rng(4))
    _, rows = _by_hand(problem, 4, 2_500, (40, 20, 9))
    assert [row["pool"] for row in found.history] == [58, 40, 20, 9]
    for row, expected in zip(found.history, rows, strict=True):
        assert row == pytest.approx(expected)
    assert found.sets == 10_000
    best, _ = _by_hand(problem, 4, 2_500, (40, 20, 9))
    tau = set_scores(problem).of_sets(np.stack([best, found.selection.indices[1:]]))
    assert tau[0] == tau[1] == max(row["best_tau"] for row in rows)


def test_with_replacement_a_repeated_prompt_weighs_as_often(a_problem):
    problem = a_problem(n_prompts=9, size=5, required=[0], forbidden=[1, 2, 3, 4])
    found = drive(Frequency(n_sets=2, replace=True), problem, np.random.default_rng(0))
    chosen = found.selection
    assert len(set(chosen.indices.tolist())) == len(chosen.indices) < 5
    assert chosen.weights.sum() == 5
    assert chosen.weights[0] == 1
    best, _ = _by_hand(problem, 0, 2, default_pools(4, 4), replace=True)
    assert set(best.tolist()) == set(chosen.indices[1:].tolist())


def test_the_warm_start_stays_in_every_pool(a_problem):
    start = [50, 51, 52, 53, 54, 55]
    problem = a_problem(warm_start=start)
    selector = Frequency(n_sets=200, pools=(20, 7))
    work = selector.prepare(problem)
    state = selector.start(work, np.random.default_rng(0))
    while not state.done:
        selector.step(work, state)
        assert np.isin(start, state.arrays["pool"]).all()


@pytest.mark.parametrize("count", [1, 3, 4, 7, 8])
def test_best_numbers_take_the_first_of_equals(count):
    taus = np.array([0.5, 0.9, 0.5, 0.1, 0.9, 0.5, 0.5, -1.0])
    expected = np.sort(np.argsort(-taus, kind="stable")[:count])
    np.testing.assert_array_equal(_best_numbers(taus, count), expected)


def test_a_search_beats_the_sets_it_draws_at_first(a_problem):
    found = drive(Frequency(n_sets=1000), a_problem(n_prompts=400), np.random.default_rng(0))
    first, last = found.history[0], found.history[-1]
    assert last["mean_tau"] > first["mean_tau"] + 0.1
    assert max(row["best_tau"] for row in found.history) > first["best_tau"]


def test_pools_may_be_given_and_none_at_all_is_one_draw(a_problem):
    found = drive(Frequency(n_sets=100, pools=()), a_problem(), np.random.default_rng(0))
    assert [row["pool"] for row in found.history] == [60]
    with pytest.raises(SettingError, match="pools"):
        drive(Frequency(pools=(70,)), a_problem(), np.random.default_rng(0))


def test_sets_that_order_nothing_do_not_stop_the_search():
    scores = np.zeros((4, 12), dtype=np.float32)
    scores[:, 0] = [0, 1, 2, 3]
    problem = make_problem([scores], ["m"], 2)
    found = drive(Frequency(n_sets=200), problem, np.random.default_rng(0))
    assert 0 in found.selection.indices
    assert found.history[0]["best_tau"] == 1.0
