from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.selection.methods.balance import (
    BalanceSettings,
    balance_start,
    balance_step,
    balance_work,
    best_of_state,
)
from flasheval.selection.methods.balanced import Balanced
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.statistics import pair_weight_root, prompt_statistics

CLOSE = 1e-5  # additions are compared in float32


PLAIN = BalanceSettings(2.0, 8, 10_000)
NEAR = replace(PLAIN, nearness=0.25)
WEIGHTED = replace(PLAIN, weighted=True)
ALL = replace(PLAIN, nearness=0.3, weighted=True, borrow=0.4)


def _work(problem, **changes):
    return balance_work(problem, replace(PLAIN, **changes))


def _loss(problem, prompts, given=PLAIN):
    """The loss of the module's docstring from the scores themselves, in float64."""
    total, n = 0.0, problem.n_variants
    everyone = np.concatenate([problem.required, problem.allowed])
    where = {int(prompt): place for place, prompt in enumerate(everyone)}
    chosen = [where[int(prompt)] for prompt in prompts]
    unit = _weights(problem, given, everyone)
    served = [(block, 1.0) for block in problem.scores]
    hinted = [(block, given.borrow) for block in problem.hints.scores if given.borrow > 0]
    for block, share in [*served, *hinted]:
        stats, root, spread = _lifted(block, given, everyone)
        centred = root @ (block[:, everyone] - block[:, everyone].mean(axis=0, dtype=np.float64))
        residual = (centred - np.outer(stats.quality, stats.slope)) / spread
        error = residual[:, chosen] @ unit[chosen]
        noise = stats.noise[chosen] @ unit[chosen] ** 2 / spread**2
        strength = stats.slope[chosen] @ unit[chosen]
        if strength <= 0:
            return np.inf
        total += share * (error @ error / max(1, n - 2) + given.noise_weight * noise) / strength**2
    return total


def _lifted(block, given, everyone):
    target = block.mean(axis=1, dtype=np.float64)
    root = pair_weight_root(target, nearness=given.nearness)
    stats = prompt_statistics(block[:, everyone], target=target, transform=root)
    return stats, root, stats.quality.std()


def _weights(problem, given, everyone):
    """1 / sqrt(D), D in units of its mean and averaged over the served metrics; mean 1."""
    if not given.weighted:
        return np.ones(len(everyone))
    noise = [_lifted(block, given, everyone)[0].noise for block in problem.scores]
    weights = np.mean([one / one.mean() for one in noise], axis=0) ** -0.5
    return weights / weights.mean()


def _hints(a_problem, n, n_prompts=60, n_metrics=2):
    return Hints(a_problem(n=n, n_prompts=n_prompts, n_metrics=n_metrics, seed=77).scores)


def _run(work, steps):
    state = balance_start(work, np.random.default_rng(0))
    for _ in range(steps):
        if not state.done:
            balance_step(work, state)
    return state


@pytest.mark.parametrize("given", [PLAIN, NEAR, WEIGHTED, ALL])
@pytest.mark.parametrize("n_metrics", [1, 3])
@pytest.mark.parametrize("n", [2, 3, 5, 14])
def test_the_loss_reported_is_the_loss_by_hand(a_problem, n, n_metrics, given):
    hints = _hints(a_problem, n)
    problem = a_problem(n=n, size=5, n_metrics=n_metrics, required=[3, 50], hints=hints)
    work = balance_work(problem, given)
    for steps in (1, 2, 3):
        state = _run(work, steps)
        chosen = best_of_state(work, state).indices
        expected = _loss(problem, chosen, given)
        assert state.history[-1]["loss"] == pytest.approx(expected, rel=CLOSE)


@pytest.mark.parametrize("given", [PLAIN, ALL])
@pytest.mark.parametrize("required", [[], [4], [30, 2]])
@pytest.mark.parametrize("n_metrics", [1, 2])
def test_every_greedy_choice_is_the_best_addition(a_problem, required, n_metrics, given):
    size, hints = len(required) + 3, _hints(a_problem, 14)
    problem = a_problem(size=size, n_metrics=n_metrics, required=required, hints=hints)
    work = balance_work(problem, given)
    chosen = best_of_state(work, _run(work, 1)).indices.tolist()
    assert chosen[: len(required)] == required
    for place in range(len(required), len(chosen)):
        before = chosen[:place]
        losses = {p: _loss(problem, [*before, p], given) for p in range(60) if p not in before}
        assert losses[chosen[place]] <= min(losses.values()) * (1 + CLOSE)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(3, 16), st.integers(1, 12), st.integers(1, 2))
def test_a_swap_pass_never_raises_the_loss(a_problem, seed, n, size, n_metrics):
    problem = a_problem(n=n, n_prompts=40, size=size, seed=seed, n_metrics=n_metrics)
    work = _work(problem)
    state = _run(work, 100)
    losses = [row["loss"] for row in state.history]
    assert all(later <= earlier for earlier, later in pairwise(losses))
    assert len(set(best_of_state(work, state).indices.tolist())) == size


@pytest.mark.parametrize("seed", range(12))
def test_tiny_problems_end_in_a_set_that_no_single_swap_betters(a_problem, seed):
    problem = a_problem(n=8, n_prompts=8, size=3, seed=seed)
    found = drive(Balanced(passes=100), problem, np.random.default_rng(0))
    chosen = found.selection.indices.tolist()
    loss = _loss(problem, chosen)
    for out in chosen:
        for into in set(range(8)) - set(chosen):
            swapped = [into if prompt == out else prompt for prompt in chosen]
            assert _loss(problem, swapped) >= loss * (1 - CLOSE)
    assert found.history[-1]["changed"] == 0


def test_most_tiny_problems_end_in_the_very_best_set(a_problem):
    hits = 0
    for seed in range(40):
        problem = a_problem(n=8, n_prompts=8, size=3, seed=seed)
        found = drive(Balanced(), problem, np.random.default_rng(0)).selection.indices
        best = min(combinations(range(8), 3), key=lambda some: _loss(problem, some))
        hits += set(best) == set(found.tolist())
    assert hits >= 30


def test_required_prompts_stay_and_forbidden_ones_stay_out(a_problem):
    free = drive(Balanced(), a_problem(), np.random.default_rng(0)).selection.indices
    forbidden = free[:3].tolist()
    required = [p for p in range(60) if p not in free][:2]
    problem = a_problem(required=required, forbidden=forbidden)
    found = drive(Balanced(), problem, np.random.default_rng(0)).selection.indices
    assert found[:2].tolist() == required
    assert not np.isin(found, forbidden).any()


def test_screening_keeps_the_sharpest_and_all_that_is_required_or_started_from(a_problem):
    problem = a_problem(n_prompts=200, size=5, required=[7, 3], warm_start=[150, 151, 152])
    work = _work(problem, screen=20)
    assert work.prompts[:2].tolist() == [7, 3]
    assert len(work.prompts) == 22
    assert set(work.prompts.tolist()) >= {150, 151, 152}
    assert (np.diff(work.prompts[2:]) > 0).all()
    sharpness = prompt_statistics(problem.scores[0]).discrimination
    others = [p for p in problem.allowed if p not in (150, 151, 152)]
    expected = sorted(others, key=lambda p: -sharpness[p])[:17]
    assert set(work.prompts[2:].tolist()) == {*expected, 150, 151, 152}


def test_screening_never_leaves_fewer_candidates_than_places(a_problem):
    problem = a_problem(size=30)
    assert len(_work(problem, screen=4).prompts) == 30
    found = drive(Balanced(screen=4), problem, np.random.default_rng(0))
    assert len(np.unique(found.selection.indices)) == 30


def test_no_screening_up_to_the_limit(a_problem):
    assert len(_work(a_problem(), screen=60).prompts) == 60


def test_a_warm_start_is_kept_until_a_swap_betters_it(a_problem):
    start = [5, 6, 7, 8, 9, 10]
    problem = a_problem(warm_start=start)
    work = _work(problem)
    state = _run(work, 1)
    assert best_of_state(work, state).indices.tolist() == start
    assert state.history[0] == {
        "step": 1,
        "changed": 0,
        "loss": pytest.approx(_loss(problem, start), rel=CLOSE),
    }
    end = best_of_state(work, _run(work, 100)).indices
    assert _loss(problem, end) <= _loss(problem, start)


def test_a_warm_start_that_is_too_short_is_filled_up_greedily(a_problem):
    work = _work(a_problem(warm_start=[5, 6]))
    chosen = best_of_state(work, _run(work, 1)).indices
    assert chosen[:2].tolist() == [5, 6]
    assert len(np.unique(chosen)) == 6


def test_prompts_against_the_ranking_are_taken_when_nothing_else_is_left():
    quality = np.linspace(-1, 1, 8)[:, None]
    noise = 0.1 * np.random.default_rng(0).normal(size=(8, 6))
    scores = (quality * [3.0, 3.0, 3.0, 3.0, -1.0, -1.0] + noise).astype(np.float32)
    against = make_problem([scores], ["m"], size=2, forbidden=[0, 1, 2, 3])
    found = drive(Balanced(), against, np.random.default_rng(0))
    assert found.selection.indices.tolist() == [4, 5]
    assert found.history[-1]["loss"] == np.inf
    mixed = make_problem([scores], ["m"], size=1)
    found = drive(Balanced(), mixed, np.random.default_rng(0))
    assert found.selection.indices[0] < 4


def test_more_candidates_than_a_block_of_the_kernel(a_problem):
    problem = a_problem(n_prompts=1300, size=2)
    work = _work(problem, passes=0)
    chosen = best_of_state(work, _run(work, 5)).indices.tolist()
    first = min(range(1300), key=lambda p: _loss(problem, [p]))
    assert _loss(problem, chosen[:1]) <= _loss(problem, [first]) * (1 + CLOSE)


# --- nearness, noise weights and borrowed metrics -------------------------------------------------


def test_the_usual_shape_is_the_plain_loss_whatever_the_hints_say(a_problem):
    plain = balance_work(a_problem(), PLAIN)
    hinted = balance_work(
        a_problem(hints=_hints(a_problem, 14)),
        BalanceSettings(2.0, 8, 10_000, nearness=1.0, weighted=False, borrow=0.0),
    )
    for name in ("prompts", "residual", "square", "noise", "slope"):
        np.testing.assert_array_equal(getattr(hinted, name), getattr(plain, name))
    assert plain.weights is None
    assert hinted.weights is None
    assert best_of_state(plain, _run(plain, 9)).weights is None


@pytest.mark.parametrize("n_metrics", [1, 3])
def test_noise_weights_are_the_formula_and_are_kept_to_six_digits(a_problem, n_metrics):
    problem = a_problem(n_metrics=n_metrics, required=[9, 4], hints=_hints(a_problem, 14))
    work = balance_work(problem, ALL)
    everyone = np.concatenate([problem.required, problem.allowed])
    expected = _weights(problem, ALL, everyone)
    np.testing.assert_allclose(work.weights, expected, rtol=1e-9)
    assert work.weights.mean() == pytest.approx(1.0)
    state = _run(work, 9)
    found = best_of_state(work, state)
    chosen = expected[state.arrays["chosen"]]
    np.testing.assert_allclose(found.weights, chosen / chosen.mean(), rtol=6e-6)
    assert found.weights.mean() == pytest.approx(1.0, abs=1e-5)
    assert [float(f"{weight:.6g}") for weight in found.weights] == found.weights.tolist()


def test_noisier_prompts_weigh_less(a_problem):
    work = balance_work(a_problem(n_prompts=300), WEIGHTED)
    noise = balance_work(a_problem(n_prompts=300), PLAIN).noise[0]
    order = np.argsort(noise)
    assert (np.diff(work.weights[order]) <= 0).all()
    assert work.weights[order[0]] > 1.2 > 0.9 > work.weights[order[-1]]


def test_two_variants_leave_no_noise_to_weigh_by(a_problem):
    work = balance_work(a_problem(n=2), WEIGHTED)
    np.testing.assert_array_equal(work.weights, np.ones(60))


@pytest.mark.parametrize("seed", range(4))
def test_no_single_swap_betters_the_weighted_and_borrowing_loss(a_problem, seed):
    hints = _hints(a_problem, 8, n_prompts=10)
    problem = a_problem(n=8, n_prompts=10, size=3, seed=seed, hints=hints)
    work = balance_work(problem, replace(ALL, passes=100))
    chosen = best_of_state(work, _run(work, 101)).indices.tolist()
    loss = _loss(problem, chosen, ALL)
    for out in chosen:
        for into in set(range(10)) - set(chosen):
            swapped = [into if prompt == out else prompt for prompt in chosen]
            assert _loss(problem, swapped, ALL) >= loss * (1 - CLOSE)


def test_a_metric_borrowed_in_full_is_a_metric_served(a_problem):
    both = a_problem(n_metrics=2)
    one = make_problem(both.scores[:1], ["m"], both.size, hints=Hints(both.scores[1:]))
    borrowed, served = balance_work(one, replace(PLAIN, borrow=1.0)), balance_work(both, PLAIN)
    for name in ("residual", "square", "noise", "slope"):
        np.testing.assert_array_equal(getattr(borrowed, name), getattr(served, name))
    there, back = (best_of_state(work, _run(work, 9)).indices for work in (borrowed, served))
    np.testing.assert_array_equal(there, back)


def test_screening_counts_a_borrowed_metric_with_its_share(a_problem):
    problem = a_problem(n_prompts=200, hints=_hints(a_problem, 14, 200, n_metrics=1))
    sharpness = [
        prompt_statistics(block).discrimination
        for block in (problem.scores[0], problem.hints.scores[0])
    ]
    kept = {}
    for borrow in (0.0, 0.5):
        first, second = (one / np.abs(one).mean() for one in sharpness)
        expected = np.sort(np.argsort(-(first + borrow * second), kind="stable")[:20])
        kept[borrow] = balance_work(problem, replace(PLAIN, screen=20, borrow=borrow)).prompts
        np.testing.assert_array_equal(kept[borrow], expected)
    assert set(kept[0.0].tolist()) != set(kept[0.5].tolist())
