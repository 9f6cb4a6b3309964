r"""The balanced loss of a set of prompts, and the greedy and swap moves that lower it.

For one metric, with slope beta, residual E and noise D taken after the pair weighting of
`pair_weight_root`:

    loss(S) = (|sum_S E|^2 / (n - 2) + lam * sum_S D) / (sum_S beta)^2

The first term is the error the set makes on the search variants, the second the error to expect on
unseen ones, the denominator how strongly the set's mean follows overall quality. Several metrics
are summed, each with E and D in units of its own spread of r; so are, with a smaller share, hint
metrics whose evidence is borrowed. With weights w, every E, beta and D above is w E, w beta, w^2 D.

Rows of features of the prompts, as much of them as explains the residuals, stand below E and count
with lam: the squares of their sums over the set are an error to expect on unseen variants too. With
few variants a part of the prompts is drawn, see `few`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from flasheval.scores.ranking.jit import compiled
from flasheval.selection.methods.few import drawn_after, kinds_and_places, searched_size
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.selector import Selection, State
from flasheval.selection.methods.statistics import (
    UNLIKE,
    explained_variance,
    pair_weight_root,
    prompt_statistics,
    slope_and_residual,
)

__all__ = [
    "BalanceSettings",
    "BalanceWork",
    "balance_start",
    "balance_step",
    "balance_work",
    "best_of_state",
]

_BLOCK = 512
_IMPROVEMENT = 1e-6


@dataclass(frozen=True)
class BalanceWork:
    """Arrays of the balanced loss for the prompts that may be chosen.

    Attributes:
        problem: The search.
        prompts: int64 [candidates] prompt index of each column below; required ones come first.
        residual: float32 [metrics, n + features, candidates], E and the rows of features.
        square: float32 [metrics, candidates], squared length of each column of E.
        noise: float32 [metrics, candidates], D.
        slope: float32 [metrics, candidates], beta.
        noise_weight: lam of the loss.
        passes: Swap passes at most.
        searched: Prompts to search for; the others of the subset are drawn.
        kinds: int64 [candidates], the kind of each.
        room: int64 [kinds], places for each kind.
        weights: float64 [candidates] of the prompts in the subset's mean; None for 1.

    """

    problem: Problem
    prompts: NDArray[np.int64]
    residual: NDArray[np.float32]
    square: NDArray[np.float32]
    noise: NDArray[np.float32]
    slope: NDArray[np.float32]
    noise_weight: float
    passes: int
    searched: int
    kinds: NDArray[np.int64]
    room: NDArray[np.int64]
    weights: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class BalanceSettings:
    """What shapes the balanced loss; each value must be above 0 unless it says otherwise.

    Attributes:
        noise_weight: lam of the loss.
        passes: Swap passes at most; may be 0.
        screen: With more prompts than this, only this many are kept as candidates: those of the
            highest discrimination, which bounds memory and time on very large sets.
        nearness: Scale of the pair weights, in median differences: the lower, the more the nearest
            pairs of variants count.
        weighted: Whether a prompt counts by 1 / sqrt(D) in the subset's mean, not by 1.
        borrow: Weight of each hint metric's loss beside the served ones; 0 borrows nothing.

    """

    noise_weight: float
    passes: int
    screen: int
    nearness: float = 1.0
    weighted: bool = False
    borrow: float = 0.0


def balance_work(problem: Problem, settings: BalanceSettings) -> BalanceWork:
    """Compute the loss's arrays."""
    served = len(problem.scores)
    blocks = [*problem.scores, *(problem.hints.scores if settings.borrow > 0 else ())]
    shares = [1.0] * served + [settings.borrow] * (len(blocks) - served)
    prompts = _candidates(problem, blocks, shares, settings.screen)
    residual, noise, slope = _standardised(problem, blocks, prompts, settings.nearness)
    weights = _noise_weights(noise[:served]) if settings.weighted else None
    residual = _with_features(problem, settings, prompts, residual)
    kinds, room = kinds_and_places(problem)
    unit = np.ones(len(prompts)) if weights is None else weights
    root = np.sqrt(shares)[:, None]
    residual *= (root * unit)[:, None, :].astype(np.float32)
    return BalanceWork(
        problem,
        prompts,
        residual,
        np.einsum("mij,mij->mj", residual, residual),
        ((root * unit) ** 2 * noise).astype(np.float32),
        (slope * unit).astype(np.float32),
        settings.noise_weight,
        settings.passes,
        searched_size(problem),
        kinds[prompts],
        room,
        weights,
    )


def _with_features(
    problem: Problem,
    settings: BalanceSettings,
    prompts: NDArray[np.int64],
    residual: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the residuals of each metric with the rows of features below them."""
    if problem.features is None:
        return residual
    features = problem.features[:, prompts]
    explained = np.array([explained_variance(error, features) for error in residual])
    weight = np.sqrt(settings.noise_weight * UNLIKE * explained)
    below = (weight[:, None, None] * features).astype(np.float32)
    return np.concatenate([residual, below], axis=1)


def _standardised(
    problem: Problem,
    blocks: Sequence[NDArray[np.float32]],
    prompts: NDArray[np.int64],
    nearness: float,
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Return residuals, noise and slopes of the candidates, in units of the spread of qualities.

    The stages of a nested search have the same candidates in another order: they are computed in
    the first stage, in ascending order, and kept for the others.
    """
    if problem.kept is None:
        return _standardise(problem, blocks, prompts, nearness)
    ascending = np.sort(prompts)
    key = (len(blocks), nearness, ascending.tobytes())
    make = partial(_standardise, problem, blocks, ascending, nearness)
    residual, noise, slope = problem.keep("standardised", key, make)
    places = np.searchsorted(ascending, prompts)
    # `take` keeps the order in memory, which the passes need; indexing does not.
    return residual.take(places, axis=2), noise.take(places, axis=1), slope.take(places, axis=1)


def _standardise(
    problem: Problem,
    blocks: Sequence[NDArray[np.float32]],
    prompts: NDArray[np.int64],
    nearness: float,
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    shape = (len(blocks), problem.n_variants, len(prompts))
    residual = np.empty(shape, dtype=np.float32)
    noise = np.empty((shape[0], shape[2]))
    slope = np.empty_like(noise)
    images = () if problem.images is None else problem.images
    for m, scores in enumerate(blocks):
        target = scores.mean(axis=1, dtype=np.float64)
        lift = pair_weight_root(target, nearness=nearness)
        chosen = scores[:, prompts]
        stats = prompt_statistics(
            chosen,
            target=target,
            transform=lift,
            images=images[m][:, prompts] if m < len(images) else None,
            images_used=problem.images_used,
        )
        spread = stats.quality.std()
        slope[m], error = slope_and_residual(chosen, lift, stats.quality)
        residual[m] = error / spread
        noise[m] = stats.noise / spread**2
    return residual, noise, slope


def _noise_weights(noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh prompts by 1 / sqrt(D), D averaged over metrics in units of their means.

    Args:
        noise: float64 [metrics, candidates].

    Returns:
        float64 [candidates], mean 1.

    """
    relative = (noise / noise.mean(axis=1, keepdims=True)).mean(axis=0)
    weights = 1.0 / np.sqrt(relative)
    normalised: NDArray[np.float64] = weights / weights.mean()
    return normalised


def _candidates(
    problem: Problem,
    blocks: Sequence[NDArray[np.float32]],
    shares: Sequence[float],
    screen: int,
) -> NDArray[np.int64]:
    allowed = problem.allowed
    start = problem.start_prompts()
    if len(allowed) > screen:
        rank = np.zeros(problem.n_prompts)
        for number, (scores, share) in enumerate(zip(blocks, shares, strict=True)):
            make = partial(prompt_statistics, scores)
            sharpness = problem.keep(number, None, make).discrimination
            rank += share * sharpness / np.abs(sharpness).mean()
        if start is not None:
            rank[start] = np.inf
        kept = np.argsort(-rank[allowed], kind="stable")[: max(screen, problem.size)]
        allowed = np.sort(allowed[kept])
    return np.concatenate([problem.required, allowed])


def balance_start(work: BalanceWork, rng: np.random.Generator) -> State:
    """Begin with the required prompts and the warm start; greedy additions come first.

    The state's `chosen` holds positions among the candidates, -1 where nothing is chosen yet.
    """
    problem = work.problem
    chosen = np.full(work.searched, -1, dtype=np.int64)
    chosen[: len(problem.required)] = np.arange(len(problem.required))
    start = problem.start_prompts()
    if start is not None:
        where = {int(prompt): position for position, prompt in enumerate(work.prompts)}
        first = len(problem.required)
        start = start[: work.searched - first]
        chosen[first : first + len(start)] = [where[int(prompt)] for prompt in start]
    arrays: dict[str, NDArray[np.generic]] = {"chosen": chosen}
    if work.searched < problem.size:
        arrays["order"] = rng.permutation(problem.allowed)
    return State(rng=rng, arrays=arrays, steps=1 + work.passes)


def balance_step(work: BalanceWork, state: State) -> None:
    """Fill up greedily (first step), then one pass of swaps over every free place a step."""
    chosen = np.asarray(state.arrays["chosen"], dtype=np.int64)
    changed, loss = _one_pass(
        work.residual,
        work.square,
        work.noise,
        work.slope,
        np.float32(max(1, work.problem.n_variants - 2)),
        np.float32(work.noise_weight),
        work.kinds,
        work.room.copy(),
        chosen,
        len(work.problem.required),
        state.step == 0,
    )
    state.arrays["chosen"] = chosen
    state.sets += work.problem.n_free * len(work.prompts)
    state.step += 1
    state.history.append({"step": state.step, "changed": int(changed), "loss": float(loss)})
    if state.step > 1 and changed == 0:
        state.steps = state.step


def best_of_state(work: BalanceWork, state: State) -> Selection:
    """Return the prompts chosen so far, in order of choice, and then those drawn."""
    places = np.asarray(state.arrays["chosen"], dtype=np.int64)
    places = places[places >= 0]
    chosen, drawn = work.prompts[places], np.empty(0, dtype=np.int64)
    if "order" in state.arrays:
        order = np.asarray(state.arrays["order"], dtype=np.int64)
        count = work.problem.size - work.searched
        problem = work.problem
        drawn = drawn_after(chosen, count, order, problem.features, problem.kinds)
    indices = np.concatenate([chosen, drawn])
    if work.weights is None:
        return Selection(indices)
    if places.size == 0:
        return Selection(indices, np.ones(len(indices)))
    weights = work.weights[places] / work.weights[places].mean()
    # A prompt drawn counts as much as one chosen does on average.
    weights = np.concatenate([weights, np.ones(len(drawn))])
    return Selection(indices, weights / weights.mean())


@compiled
def _one_pass(
    residual: NDArray[np.float32],
    square: NDArray[np.float32],
    noise: NDArray[np.float32],
    slope: NDArray[np.float32],
    freedom: np.float32,
    noise_weight: np.float32,
    kinds: NDArray[np.int64],
    room: NDArray[np.int64],
    chosen: NDArray[np.int64],
    n_fixed: int,
    fill: bool,
) -> tuple[int, float]:
    """Visit every free place of `chosen` (in place): fill it, or swap it where that helps."""
    n_metrics, n_variants, n_candidates = residual.shape
    taken = np.zeros(n_candidates, dtype=np.bool_)
    # Sums are kept in float64: single precision would drift over thousands of swaps.
    error = np.zeros((n_metrics, n_variants))
    spread = np.zeros(n_metrics)
    strength = np.zeros(n_metrics)
    for position in chosen:
        if position >= 0:
            taken[position] = True
            room[kinds[position]] -= 1
            _shift(residual, noise, slope, error, spread, strength, position, 1.0)
    changed = 0
    loss = _loss(error, spread, strength, freedom, noise_weight)
    for place in range(n_fixed, len(chosen)):
        old = chosen[place]
        if fill != (old < 0):
            continue
        if old >= 0:
            _shift(residual, noise, slope, error, spread, strength, old, -1.0)
            taken[old] = False
            room[kinds[old]] += 1
        new = _best_addition(
            residual,
            square,
            noise,
            slope,
            error,
            spread,
            strength,
            freedom,
            noise_weight,
            kinds,
            room,
            taken,
        )
        _shift(residual, noise, slope, error, spread, strength, new, 1.0)
        kept, loss = loss, _loss(error, spread, strength, freedom, noise_weight)
        # The additions were compared in single precision; what counts is the loss itself.
        if old >= 0 and new != old and not loss < kept * (1.0 - _IMPROVEMENT):
            _shift(residual, noise, slope, error, spread, strength, new, -1.0)
            _shift(residual, noise, slope, error, spread, strength, old, 1.0)
            new, loss = old, kept
        changed += new != old
        chosen[place] = new
        taken[new] = True
        room[kinds[new]] -= 1
    return changed, loss


@compiled
def _shift(
    residual: NDArray[np.float32],
    noise: NDArray[np.float32],
    slope: NDArray[np.float32],
    error: NDArray[np.float64],
    spread: NDArray[np.float64],
    strength: NDArray[np.float64],
    position: int,
    sign: float,
) -> None:
    for m in range(residual.shape[0]):
        for v in range(residual.shape[1]):
            error[m, v] += sign * residual[m, v, position]
        spread[m] += sign * noise[m, position]
        strength[m] += sign * slope[m, position]


@compiled
def _loss(
    error: NDArray[np.float64],
    spread: NDArray[np.float64],
    strength: NDArray[np.float64],
    freedom: np.float32,
    noise_weight: np.float32,
) -> float:
    total = 0.0
    for m in range(error.shape[0]):
        if strength[m] <= 0.0:
            return np.inf
        square = 0.0
        for v in range(error.shape[1]):
            square += error[m, v] * error[m, v]
        total += (square / freedom + noise_weight * spread[m]) / (strength[m] * strength[m])
    return total


@compiled
def _best_addition(
    residual: NDArray[np.float32],
    square: NDArray[np.float32],
    noise: NDArray[np.float32],
    slope: NDArray[np.float32],
    error: NDArray[np.float64],
    spread: NDArray[np.float64],
    strength: NDArray[np.float64],
    freedom: np.float32,
    noise_weight: np.float32,
    kinds: NDArray[np.int64],
    room: NDArray[np.int64],
    taken: NDArray[np.bool_],
) -> int:
    """Find the free candidate whose addition gives the lowest loss, the first of equals."""
    n_metrics, n_variants, n_candidates = residual.shape
    best, best_loss = -1, np.float32(np.inf)
    twice = (2.0 * error).astype(np.float32)
    total = np.empty(_BLOCK, dtype=np.float32)
    cross = np.empty(_BLOCK, dtype=np.float32)
    for begin in range(0, n_candidates, _BLOCK):
        width = min(_BLOCK, n_candidates - begin)
        total[:] = 0.0
        for m in range(n_metrics):
            base = np.float32(0.0)
            for v in range(n_variants):
                base += np.float32(error[m, v] * error[m, v])
            cross[:] = base
            # Views of a block: LLVM takes many candidates at a time only where indices are plain.
            for v in range(n_variants):
                weight = twice[m, v]
                row = residual[m, v, begin : begin + width]
                for k in range(width):
                    cross[k] += weight * row[k]
            d, b = np.float32(spread[m]), np.float32(strength[m])
            squares = square[m, begin : begin + width]
            noises, slopes = noise[m, begin : begin + width], slope[m, begin : begin + width]
            for k in range(width):
                top = (cross[k] + squares[k]) / freedom + noise_weight * (d + noises[k])
                bottom = b + slopes[k]
                if bottom > 0.0:
                    total[k] += top / (bottom * bottom)
                else:
                    total[k] = np.inf
        for k in range(width):
            free = not taken[begin + k] and room[kinds[begin + k]] > 0
            if total[k] < best_loss and free:
                best, best_loss = begin + k, total[k]
    if best < 0:  # nothing follows quality: take the first free candidate rather than fail
        for p in range(n_candidates):
            if not taken[p] and room[kinds[p]] > 0:
                return p
    return best
