"""`evolve`: a population of sets that mutates, crosses and survives by agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import SettingError
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.selector import Selection, State, require_positive
from flasheval.selection.methods.set_scores import SetScores, set_scores
from flasheval.selection.methods.smooth_loss import SmoothLoss, smooth_loss

__all__ = ["Evolve", "EvolveWork"]

_ROUNDS = 8


@dataclass(frozen=True)
class EvolveWork:
    """What an evolution computes once.

    Attributes:
        problem: The search.
        scores: Fitness: mean tau-b over metrics.
        loss: Its tie-break: the smooth loss.
        appeal: float64 [allowed], cumulative probability that a mutation brings in each allowed
            prompt, proportional to its discrimination.

    """

    problem: Problem
    scores: SetScores
    loss: SmoothLoss
    appeal: NDArray[np.float64]


@dataclass(frozen=True)
class Evolve:
    """Iterative mutation search.

    Every generation the parents, chosen by tournaments of two, make as many children: a child
    draws its prompts from the union of its two parents, then each is swapped for a new one with
    a small probability. The better half of parents and children together survives.

    Attributes:
        population: Sets kept alive.
        generations: Generations at most.
        mutation: Expected number of prompts swapped in a child.
        stagnation: Generations without a better set after which the search stops.
        inflation: Times the noise is counted in the tie-breaking smooth loss.

    """

    population: int = 200
    generations: int = 400
    mutation: float = 1.5
    stagnation: int = 60
    inflation: float = 2.0

    name: ClassVar[str] = "evolve"
    cheap: ClassVar[bool] = False
    together: ClassVar[bool] = False
    borrows: ClassVar[bool] = False
    image_rows: ClassVar[bool] = True
    balances: ClassVar[bool] = True

    def prepare(self, problem: Problem) -> EvolveWork:
        """Lay out the scores; SettingError for a setting out of range.

        Example:
            >>> from flasheval.selection.methods.problem import make_problem
            >>> problem = make_problem([np.tri(3, 5)], ["clip"], size=2)
            >>> Evolve(population=1).prepare(problem)  # doctest: +ELLIPSIS
            Traceback (most recent call last):
            flasheval.base.errors.SettingError: method.population=1 (evolve): expected at least ...

        """
        require_positive(
            self.name,
            {
                "generations": self.generations,
                "mutation": self.mutation,
                "stagnation": self.stagnation,
                "inflation": self.inflation,
            },
        )
        if self.population < 2:
            raise SettingError(
                f"method.population={self.population} (evolve): expected at least 2 sets"
            )
        appeal = np.zeros(len(problem.allowed))
        for metric in range(len(problem.scores)):
            sharpness = np.maximum(problem.statistics(metric).discrimination, 0.0)
            appeal += sharpness[problem.allowed] / max(float(sharpness.mean()), 1e-300)
        appeal += 1e-3 * max(float(appeal.sum()) / max(len(appeal), 1), 1e-300)
        loss = smooth_loss(problem, inflation=self.inflation)
        return EvolveWork(problem, set_scores(problem), loss, np.cumsum(appeal / appeal.sum()))

    def start(self, work: EvolveWork, rng: np.random.Generator) -> State:
        """Begin with sets drawn by appeal, one of them the warm start."""
        free = work.problem.n_free
        members = _fill_all(work, np.full((self.population, free), -1, dtype=np.int64), rng)
        start = work.problem.start_prompts()
        if start is not None:
            members[0] = _fill(work, start, rng)
        tau, loss = _fitness(work, members)
        order = np.lexsort((loss, -tau))
        arrays: dict[str, NDArray[np.generic]] = {
            "members": members[order],
            "tau": tau[order],
            "loss": loss[order],
            "idle": np.zeros(1, dtype=np.int64),
        }
        stuck = free == 0 or free == len(work.problem.allowed)
        return State(rng=rng, arrays=arrays, steps=0 if stuck else self.generations)

    def step(self, work: EvolveWork, state: State) -> None:
        """Breed and select one generation."""
        rng = state.rng
        parents = np.asarray(state.arrays["members"], dtype=np.int64)
        # Members are sorted, so the smaller of two positions wins its tournament.
        pairs = rng.integers(0, self.population, (self.population, 2, 2)).min(axis=2)
        children = _cross(parents[pairs[:, 0]], parents[pairs[:, 1]], rng)
        children[rng.random(children.shape) < self.mutation / work.problem.n_free] = -1
        children = _fill_all(work, children, rng)
        child_tau, child_loss = _fitness(work, children)
        members = np.concatenate([parents, children])
        tau = np.concatenate([state.arrays["tau"], child_tau]).astype(np.float64)
        loss = np.concatenate([state.arrays["loss"], child_loss]).astype(np.float64)
        order = np.lexsort((loss, -tau))
        order = order[_first_of_each(members[order])][: self.population]
        missing = self.population - len(order)
        order = np.concatenate([np.repeat(order[:1], missing), order])
        before = (float(state.arrays["tau"][0]), -float(state.arrays["loss"][0]))
        after = (float(tau[order[0]]), -float(loss[order[0]]))
        idle = 0 if after > before else int(state.arrays["idle"][0]) + 1
        state.arrays.update(
            members=members[order], tau=tau[order], loss=loss[order], idle=np.array([idle])
        )
        state.step += 1
        state.sets += len(children)
        state.history.append(
            {
                "step": state.step,
                "best_tau": after[0],
                "best_loss": -after[1],
                "mean_tau": float(tau[order].mean()),
            }
        )
        if idle >= self.stagnation:
            state.steps = state.step

    def best(self, work: EvolveWork, state: State) -> Selection:
        """Return the fittest set."""
        fittest = np.asarray(state.arrays["members"], dtype=np.int64)[0]
        return Selection(np.concatenate([work.problem.required, fittest]))


def _cross(
    mothers: NDArray[np.int64], fathers: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw each child's prompts uniformly from the union of its parents': int64 [children, N]."""
    both = np.sort(np.concatenate([mothers, fathers], axis=1), axis=1)
    turn = rng.random(both.shape)
    turn[:, 1:][both[:, 1:] == both[:, :-1]] = np.inf  # what both parents have stands there twice
    drawn = np.argsort(turn, axis=1)[:, : mothers.shape[1]]
    return np.take_along_axis(both, drawn, axis=1)


def _fill_all(
    work: EvolveWork, members: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Fill the places of -1 with distinct allowed prompts drawn by appeal: sorted rows."""
    allowed = work.problem.allowed
    for _ in range(_ROUNDS):
        empty = members < 0
        if not empty.any():
            return np.sort(members, axis=1)
        draw = np.searchsorted(work.appeal, rng.random(int(empty.sum())))
        members[empty] = allowed[np.minimum(draw, len(allowed) - 1)]
        members = np.sort(members, axis=1)
        members[:, 1:][members[:, 1:] == members[:, :-1]] = -1
    return np.stack([_fill(work, row[row >= 0], rng) for row in members])


def _fill(work: EvolveWork, kept: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Complete a set to its free size with distinct allowed prompts drawn by appeal, sorted."""
    allowed, size = work.problem.allowed, work.problem.n_free
    members = kept
    for _ in range(_ROUNDS):
        if len(members) == size:
            return np.sort(members)
        draw = np.searchsorted(work.appeal, rng.random(size - len(members)))
        places = np.minimum(draw, len(allowed) - 1)
        members = np.union1d(members, allowed[places])
    # The set takes nearly all there is: go on without replacement (Efraimidis and Spirakis 2006),
    # or it could take for ever to come upon the last prompts of little appeal.
    free = np.flatnonzero(~np.isin(allowed, members))
    delay = rng.exponential(size=len(free)) / np.diff(work.appeal, prepend=0.0)[free]
    soonest = np.argsort(delay, kind="stable")[: size - len(members)]
    return np.union1d(members, allowed[free[soonest]])


def _fitness(
    work: EvolveWork, members: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    tau = work.scores.of_sets(members.astype(np.int32))
    required = np.tile(work.problem.required, (len(members), 1))
    return tau, work.loss.of_sets(np.concatenate([required, members], axis=1))


def _first_of_each(members: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of the first copy of every distinct row, ascending."""
    _, first = np.unique(members, axis=0, return_index=True)
    return np.sort(first).astype(np.int64)
