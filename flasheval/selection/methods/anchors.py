"""`anchors`: medoids of prompts that rank the variants alike, each standing for its cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.selector import OneShot, Selection, require_positive

__all__ = ["Anchors"]


@dataclass(frozen=True)
class Anchors(OneShot):
    """k-medoids of the score columns, in the manner of anchor points.

    A prompt's column is centred over variants and scaled to length 1, so squared distance is
    2 - 2 correlation; with several metrics the columns are stacked. For squared distances a
    cluster's medoid is exactly its member nearest to the mean, which keeps a round linear in
    prompts. Weights are the clusters' sizes, scaled to mean 1. (Vivek et al., "Anchor Points:
    Benchmarking Models with Much Fewer Examples", EACL 2024, arXiv 2309.08638.)

    Attributes:
        rounds: Rounds of assignment and update at most.
        weighted: Whether a medoid weighs as much as its cluster is large.

    Example:
        >>> from flasheval.selection.methods.problem import make_problem
        >>> scores = [[0, 0, 3, 0], [1, 2, 2, 1], [2, 4, 0, 2]]  # prompts 0, 1 and 3 rank alike
        >>> problem = make_problem([scores], ["clip"], size=2)
        >>> chosen = Anchors().choose(problem, np.random.default_rng(0))
        >>> sorted(chosen.weights.tolist())  # one prompt stands for itself, the other for three
        [0.5, 1.5]

    """

    rounds: int = 20
    weighted: bool = True

    name: ClassVar[str] = "anchors"

    def choose(self, problem: Problem, rng: np.random.Generator) -> Selection:
        """Seed as k-means++ does, then alternate assignment and medoid update."""
        require_positive(self.name, {"rounds": self.rounds})
        points = _columns(problem)
        medoids = _seed_medoids(points, problem, rng)
        fixed = len(problem.required)
        may_serve = np.zeros(problem.n_prompts, dtype=bool)
        may_serve[problem.allowed] = True
        for _ in range(self.rounds):
            nearest = _nearest(points, medoids)
            updated = medoids.copy()
            for place in range(fixed, problem.size):
                members = np.flatnonzero(nearest == place)
                members = members[may_serve[members]]
                if len(members):
                    mean = points[nearest == place].mean(axis=0)
                    updated[place] = members[np.argmax(points[members] @ mean)]
            if np.array_equal(updated, medoids):
                break
            medoids = updated
        if not self.weighted:
            return Selection(medoids)
        sizes = np.bincount(_nearest(points, medoids), minlength=problem.size).astype(np.float64)
        sizes = np.maximum(sizes, 1.0)
        return Selection(medoids, sizes * problem.size / sizes.sum())


def _columns(problem: Problem) -> NDArray[np.float32]:
    """Unit-length columns, float32 [prompts, metrics * n]."""
    parts = []
    for scores in problem.scores:
        centred = scores - scores.mean(axis=0)
        length = np.sqrt(np.square(centred).sum(axis=0))
        parts.append((centred / np.where(length > 0, length, 1.0)).T)
    return np.ascontiguousarray(np.hstack(parts), dtype=np.float32)


def _seed_medoids(
    points: NDArray[np.float32], problem: Problem, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Take the required prompts, then draw with probability proportional to squared distance."""
    medoids = list(problem.required)
    squares = np.square(points).sum(axis=1)
    distance = squares[problem.allowed].astype(np.float64) + 1.0
    for prompt in medoids:
        distance = np.minimum(distance, _distances(points, squares, problem.allowed, prompt))
    while len(medoids) < problem.size:
        free = ~np.isin(problem.allowed, medoids)
        mass = np.where(free, np.maximum(distance, 1e-12), 0.0)
        prompt = problem.allowed[rng.choice(len(mass), p=mass / mass.sum())]
        medoids.append(prompt)
        distance = np.minimum(distance, _distances(points, squares, problem.allowed, prompt))
    return np.asarray(medoids, dtype=np.int64)


def _distances(
    points: NDArray[np.float32],
    squares: NDArray[np.float32],
    allowed: NDArray[np.int64],
    prompt: np.int64,
) -> NDArray[np.float64]:
    cross = points[allowed] @ points[prompt]
    distance: NDArray[np.float64] = np.asarray(
        squares[allowed] + squares[prompt] - 2 * cross, dtype=np.float64
    )
    return distance


def _nearest(points: NDArray[np.float32], medoids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of the nearest medoid for every prompt, int64 [prompts]; a medoid is its own."""
    centres = points[medoids]
    half = np.square(centres).sum(axis=1) / 2
    nearest = np.empty(len(points), dtype=np.int64)
    block = max(1, 16_777_216 // len(medoids))
    for begin in range(0, len(points), block):
        part = slice(begin, begin + block)
        nearest[part] = np.argmin(half - points[part] @ centres.T, axis=1)
    nearest[medoids] = np.arange(len(medoids))
    return nearest
