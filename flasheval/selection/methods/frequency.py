"""`frequency`: FlashEval's Algorithm 1, the search the paper is about.

Draw many random sets from a pool of prompts, keep the best share by tau-b, make the prompts most
frequent in them the next, smaller pool, and so on. The answer is the best set of any pool, the
later of equals, as in the official code: once the pool is hardly larger than a set, its best is
worse than what earlier pools offered. (Zhao et al., "FlashEval: Towards Fast and Accurate
Evaluation of Text-to-image Diffusion Generative Models", CVPR 2024, arXiv 2403.16379.)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import SettingError
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.random_sets import draw_key, draw_sets
from flasheval.selection.methods.selector import Selection, State, require_positive
from flasheval.selection.methods.set_scores import SetScores, set_scores

__all__ = ["Frequency", "default_pools"]

# The official pools, as shares of COCO's 40,504 and DiffusionDB's 5,000 prompts.
_LARGE_POOLS = (30000, 20000, 15000, 12000, 10000, 8000, 5000, 3000, 1000, 500, 100)
_SMALL_POOLS = (4000, 3000, 2000, 1500, 1000, 500, 300, 200, 100)
_LARGE_TOTAL, _SMALL_TOTAL = 40504, 5000
_CHUNK_VALUES = 60_000_000


def default_pools(n_prompts: int, size: int) -> tuple[int, ...]:
    """Pool sizes of the official search, scaled to a prompt set.

    Args:
        n_prompts: Prompts to choose from; from 20,000 on COCO's proportions are used, below
            DiffusionDB's.
        size: Prompts in a set; pools that offer no more than that are left out.

    Example:
        >>> default_pools(5000, 100)
        (4000, 3000, 2000, 1500, 1000, 500, 300, 200)

    """
    large = n_prompts >= 20_000
    pools, total = (_LARGE_POOLS, _LARGE_TOTAL) if large else (_SMALL_POOLS, _SMALL_TOTAL)
    scaled = dict.fromkeys(round(pool * n_prompts / total) for pool in pools)
    return tuple(pool for pool in scaled if size < pool < n_prompts)


@dataclass(frozen=True)
class FrequencyWork:
    """What a frequency search computes once."""

    problem: Problem
    scores: SetScores
    pools: tuple[int, ...]
    chunk: int
    chunks: int


@dataclass(frozen=True)
class Frequency:
    """FlashEval's Algorithm 1.

    Attributes:
        n_sets: Sets drawn from every pool (the official code draws 3,000,000).
        keep: Share of them kept by tau-b.
        replace: Whether a set may hold a prompt twice, as the official code allows. The answer
            then has fewer prompts, and a repeated one weighs as often as it was drawn.
        pools: Sizes of the pools after the first, which is everything; by default `default_pools`.

    Example:
        >>> from flasheval.selection.methods.problem import make_problem
        >>> problem = make_problem([np.tri(3, 5000)], ["clip"], size=200)
        >>> Frequency().prepare(problem).pools
        (5000, 4000, 3000, 2000, 1500, 1000, 500, 300)

    """

    n_sets: int = 30_000
    keep: float = 1 / 30
    replace: bool = False
    pools: tuple[int, ...] | None = None

    name: ClassVar[str] = "frequency"
    cheap: ClassVar[bool] = False
    together: ClassVar[bool] = False
    borrows: ClassVar[bool] = False
    image_rows: ClassVar[bool] = True

    def prepare(self, problem: Problem) -> FrequencyWork:
        """Lay out the scores and the schedule; SettingError for pools that do not shrink.

        Example:
            >>> from flasheval.selection.methods.problem import make_problem
            >>> problem = make_problem([np.tri(3, 9)], ["clip"], size=4)
            >>> Frequency(pools=(2,)).prepare(problem)  # doctest: +ELLIPSIS
            Traceback (most recent call last):
            flasheval.base.errors.SettingError: method.pools=[2] (frequency): the last pool ...

        """
        require_positive(self.name, {"n_sets": self.n_sets, "keep": self.keep})
        if self.keep > 1:
            raise SettingError(f"method.keep={self.keep} (frequency): expected a share up to 1")
        free = problem.n_free
        pools = self.pools
        if pools is None:
            pools = default_pools(len(problem.allowed), free)
        schedule = (len(problem.allowed), *(int(pool) for pool in pools))
        if any(later >= earlier for earlier, later in pairwise(schedule)):
            raise SettingError(
                f"method.pools={list(pools)} (frequency): expected sizes that shrink, the first "
                f"below the {len(problem.allowed)} prompts to choose from"
            )
        if schedule[-1] < free:
            raise SettingError(
                f"method.pools={list(pools)} (frequency): the last pool cannot fill a set of "
                f"{free} prompts; end with a larger one"
            )
        work = problem.n_variants * len(problem.scores) * max(1, free)
        chunk = min(self.n_sets, max(1_000, _CHUNK_VALUES * 10 // work))
        chunks = -(-self.n_sets // chunk)
        return FrequencyWork(problem, set_scores(problem), schedule, chunk, chunks)

    def start(self, work: FrequencyWork, rng: np.random.Generator) -> State:
        """Begin with the pool of all prompts.

        Example:
            >>> from flasheval.selection.methods.problem import make_problem
            >>> method = Frequency(n_sets=500, pools=(6, 4))
            >>> work = method.prepare(make_problem([np.tri(3, 9)], ["clip"], size=2))
            >>> method.start(work, np.random.default_rng(0)).steps  # pools of 9, 6 and 4 prompts
            3

        """
        start = work.problem.start_prompts()
        fallback = work.problem.allowed[: work.problem.n_free] if start is None else start
        arrays: dict[str, NDArray[np.generic]] = {
            "pool": work.problem.allowed.astype(np.int32),
            "best": fallback.astype(np.int32),
            "best_tau": np.array([-np.inf]),
        }
        steps = len(work.pools) * work.chunks if work.problem.n_free else 0
        return State(rng=rng, arrays=arrays, steps=steps)

    def step(self, work: FrequencyWork, state: State) -> None:
        """Score one chunk of the current pool's sets; after the last one shrink the pool."""
        stage, part = divmod(state.step, work.chunks)
        pool = state.arrays["pool"].astype(np.int32)
        if part == 0:
            state.arrays["key"] = np.array([draw_key(state.rng)], dtype=np.uint64)
            state.arrays["taus"] = np.empty(0)
        key = np.uint64(state.arrays["key"][0])
        first = part * work.chunk
        last = min(first + work.chunk, self.n_sets)
        count = work.problem.n_free
        new = work.scores.of_draws(key, first, last, pool, count, self.replace)
        taus = np.concatenate([state.arrays["taus"], new])
        state.arrays["taus"] = taus
        state.sets += len(new)
        state.step += 1
        top = int(np.argmax(new))
        if new[top] >= state.arrays["best_tau"][0]:
            number = np.array([first + top], dtype=np.int64)
            state.arrays["best"] = draw_sets(key, number, pool, count, self.replace)[0]
            state.arrays["best_tau"] = new[top : top + 1]
        if part == work.chunks - 1:
            self._shrink(work, state, stage, key, pool, taus)

    def _shrink(
        self,
        work: FrequencyWork,
        state: State,
        stage: int,
        key: np.uint64,
        pool: NDArray[np.int32],
        taus: NDArray[np.float64],
    ) -> None:
        kept = _best_numbers(taus, max(1, int(len(taus) * self.keep)))
        state.history.append(
            {
                "step": stage + 1,
                "pool": len(pool),
                "sets": len(taus),
                "best_tau": float(taus.max()),
                "kept_tau": float(taus[kept].mean()),
                "mean_tau": float(taus.mean()),
            }
        )
        state.arrays["taus"] = np.empty(0)
        if stage + 1 == len(work.pools):
            return
        sets = draw_sets(key, kept, pool, work.problem.n_free, self.replace)
        frequency = np.bincount(sets.ravel(), minlength=work.problem.n_prompts).astype(np.float64)
        start = work.problem.start_prompts()
        if start is not None:
            frequency[start] = np.inf
        order = np.argsort(-frequency[pool], kind="stable")
        state.arrays["pool"] = np.sort(pool[order[: work.pools[stage + 1]]])

    def best(self, work: FrequencyWork, state: State) -> Selection:
        """Return the best set drawn so far, or the warm start where that is better."""
        best = state.arrays["best"].astype(np.int32)
        start = work.problem.start_prompts()
        if start is not None and len(start) == len(best) > 0:
            pair = np.stack([start.astype(np.int32), best])
            best = pair[int(np.argmax(work.scores.of_sets(pair)))]
        distinct, counts = np.unique(best.astype(np.int64), return_counts=True)
        indices = np.concatenate([work.problem.required, distinct])
        if len(distinct) == len(best):
            return Selection(indices)
        return Selection(indices, np.concatenate([np.ones(len(work.problem.required)), counts]))


def _best_numbers(taus: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Numbers of the `count` highest values; of equals at the edge the first ones."""
    edge = np.partition(taus, len(taus) - count)[len(taus) - count]
    above = np.flatnonzero(taus > edge)
    equal = np.flatnonzero(taus == edge)[: count - len(above)]
    return np.sort(np.concatenate([above, equal])).astype(np.int64)
