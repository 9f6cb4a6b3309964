from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.selectors.balance import balance_start, balance_step, balance_work, best_of_state
from flasheval.selectors.balanced import Balanced
from flasheval.selectors.problem import make_problem
from flasheval.selectors.run import run_selector
from flasheval.selectors.statistics import pair_weight_root, prompt_statistics

CLOSE = 1e-5  # additions are compared in float32


def _work(problem, *, noise_weight=2.0, passes=8, screen=10_000):
    return balance_work(problem, noise_weight=noise_weight, passes=passes, screen=screen)


def _loss(problem, prompts, noise_weight=2.0):
    """The loss of the module's docstring from the scores themselves, in float64."""
    total, n = 0.0, problem.n_variants
    everyone = np.concatenate([problem.required, problem.allowed])
    where = {int(prompt): place for place, prompt in enumerate(everyone)}
    chosen = [where[int(prompt)] for prompt in prompts]
    for block, target in zip(problem.scores, problem.targets(), strict=True):
        root = pair_weight_root(target)
        stats = prompt_statistics(block[:, everyone], target=target, transform=root)
        spread = stats.quality.std()
        centred = root @ (block[:, everyone] - block[:, everyone].mean(axis=0, dtype=np.float64))
        residual = (centred - np.outer(stats.quality, stats.slope)) / spread
        error = residual[:, chosen].sum(axis=1)
        noise = stats.noise[chosen].sum() / spread**2
        strength = stats.slope[chosen].sum()
        if strength <= 0:
            return np.inf
        total += (error @ error / max(1, n - 2) + noise_weight * noise) / strength**2
    return total


def _run(work, steps):
    state = balance_start(work, np.random.default_rng(0))
    for _ in range(steps):
        if not state.done:
            balance_step(work, state)
    return state


@pytest.mark.parametrize("n_metrics", [1, 3])
@pytest.mark.parametrize("n", [2, 3, 5, 14])
def test_the_loss_reported_is_the_loss_by_hand(a_problem, n, n_metrics):
    problem = a_problem(n=n, size=5, n_metrics=n_metrics, required=[3, 50])
    work = _work(problem)
    for steps in (1, 2, 3):
        state = _run(work, steps)
        chosen = best_of_state(work, state).indices
        expected = _loss(problem, chosen)
        assert state.history[-1]["loss"] == pytest.approx(expected, rel=CLOSE)


@pytest.mark.parametrize("required", [[], [4], [30, 2]])
@pytest.mark.parametrize("n_metrics", [1, 2])
def test_every_greedy_choice_is_the_best_addition(a_problem, required, n_metrics):
    problem = a_problem(size=len(required) + 3, n_metrics=n_metrics, required=required)
    work = _work(problem)
    chosen = best_of_state(work, _run(work, 1)).indices.tolist()
    assert chosen[: len(required)] == required
    for place in range(len(required), len(chosen)):
        before = chosen[:place]
        losses = {p: _loss(problem, [*before, p]) for p in range(60) if p not in before}
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
    found = run_selector(Balanced(passes=100), problem, np.random.default_rng(0))
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
        found = run_selector(Balanced(), problem, np.random.default_rng(0)).selection.indices
        best = min(combinations(range(8), 3), key=lambda some: _loss(problem, some))
        hits += set(best) == set(found.tolist())
    assert hits >= 30


def test_required_prompts_stay_and_forbidden_ones_stay_out(a_problem):
    free = run_selector(Balanced(), a_problem(), np.random.default_rng(0)).selection.indices
    forbidden = free[:3].tolist()
    required = [p for p in range(60) if p not in free][:2]
    problem = a_problem(required=required, forbidden=forbidden)
    found = run_selector(Balanced(), problem, np.random.default_rng(0)).selection.indices
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
    found = run_selector(Balanced(screen=4), problem, np.random.default_rng(0))
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
    found = run_selector(Balanced(), against, np.random.default_rng(0))
    assert found.selection.indices.tolist() == [4, 5]
    assert found.history[-1]["loss"] == np.inf
    mixed = make_problem([scores], ["m"], size=1)
    found = run_selector(Balanced(), mixed, np.random.default_rng(0))
    assert found.selection.indices[0] < 4


def test_more_candidates_than_a_block_of_the_kernel(a_problem):
    problem = a_problem(n_prompts=1300, size=2)
    work = _work(problem, passes=0)
    chosen = best_of_state(work, _run(work, 5)).indices.tolist()
    first = min(range(1300), key=lambda p: _loss(problem, [p]))
    assert _loss(problem, chosen[:1]) <= _loss(problem, [first]) * (1 + CLOSE)
