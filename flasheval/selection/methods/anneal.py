"""`anneal`: simulated annealing by swaps on the smooth loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import SettingError
from flasheval.scores.ranking.jit import compiled
from flasheval.scores.ranking.lanes import LANES
from flasheval.selection.methods.few import drawn_after, kinds_and_places, searched_size
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.selector import Selection, State, require_positive
from flasheval.selection.methods.smooth_loss import SmoothLoss, pair_loss, smooth_loss

__all__ = ["Anneal", "AnnealWork"]

_CHUNK = 2_000


@dataclass(frozen=True)
class AnnealWork:
    """What an annealing computes once.

    Attributes:
        problem: The search of the prompts to search for; with few variants fewer than are asked
            for, see `few`.
        loss: Its loss.
        size: Prompts asked for; those beyond the ones searched for are drawn.
        kinds: int64 [prompts], the kind of each prompt; a swap stays within one.

    """

    problem: Problem
    loss: SmoothLoss
    size: int
    kinds: NDArray[np.int64]


@dataclass(frozen=True)
class Anneal:
    """Swap one prompt at a time, always accepting a better set and sometimes a worse one.

    Attributes:
        swaps: Swaps tried.
        hot: Temperature at the start, in units of the loss (a share of pairs).
        cold: Temperature at the end; it falls geometrically.
        inflation: Times the noise of the search variants is counted (see `smooth_loss`).

    """

    swaps: int = 20_000
    hot: float = 3e-3
    cold: float = 1e-5
    inflation: float = 2.0

    name: ClassVar[str] = "anneal"
    cheap: ClassVar[bool] = True
    together: ClassVar[bool] = False
    borrows: ClassVar[bool] = False
    image_rows: ClassVar[bool] = True
    holds_shares: ClassVar[bool] = True
    balances: ClassVar[bool] = True

    def prepare(self, problem: Problem) -> AnnealWork:
        """Lay out the scores; SettingError for a setting out of range."""
        require_positive(
            self.name,
            {
                "swaps": self.swaps,
                "hot": self.hot,
                "cold": self.cold,
                "inflation": self.inflation,
            },
        )
        if self.cold > self.hot:
            raise SettingError(
                f"method.cold={self.cold} (anneal): expected at most method.hot={self.hot}"
            )
        loss = smooth_loss(problem, inflation=self.inflation)
        kinds, _ = kinds_and_places(problem)
        searched = replace(problem, size=searched_size(problem))
        return AnnealWork(searched, loss, problem.size, kinds)

    def start(self, work: AnnealWork, rng: np.random.Generator) -> State:
        """Begin with the required prompts, the warm start, and random ones for the rest."""
        problem = work.problem
        order = {}
        if problem.size < work.size:
            (drawing,) = rng.spawn(1)
            order["order"] = drawing.permutation(problem.allowed)
        free = np.empty(0, dtype=np.int64)
        start = problem.start_prompts()
        if start is not None:
            free = start
        others = np.setdiff1d(problem.allowed, free)
        count = problem.n_free - len(free)
        if problem.kinds is None:
            fill = rng.choice(others, count, replace=False)
        else:
            given = np.concatenate([problem.required, free])
            fill = drawn_after(given, count, rng.permutation(others), None, problem.kinds)
        chosen = np.concatenate([problem.required, free, fill])
        loss = work.loss.of_sets(chosen[None])
        idle = problem.n_free == 0 or len(problem.allowed) == problem.n_free
        return State(
            rng=rng,
            arrays={"chosen": chosen, "best": chosen.copy(), "best_loss": loss, **order},
            steps=0 if idle else -(-self.swaps // _CHUNK),
        )

    def step(self, work: AnnealWork, state: State) -> None:
        """Try the next 2,000 swaps."""
        problem = work.problem
        done = state.step * _CHUNK
        count = min(_CHUNK, self.swaps - done)
        cooling = (done + np.arange(count)) / self.swaps
        chosen = np.asarray(state.arrays["chosen"], dtype=np.int64)
        best = np.asarray(state.arrays["best"], dtype=np.int64)
        best_loss, accepted = _swap(
            work.loss.rows,
            work.loss.first_below,
            work.loss.noise,
            work.loss.inflation,
            work.loss.features,
            work.loss.unlike,
            work.kinds,
            chosen,
            best,
            float(state.arrays["best_loss"][0]),
            state.rng.integers(len(problem.required), problem.size, count),
            problem.allowed[state.rng.integers(0, len(problem.allowed), count)],
            state.rng.random(count),
            self.hot * (self.cold / self.hot) ** cooling,
        )
        state.arrays.update(chosen=chosen, best=best, best_loss=np.array([best_loss]))
        state.step += 1
        state.sets += count
        state.history.append(
            {"step": state.step, "swaps": done + count, "accepted": accepted, "loss": best_loss}
        )

    def best(self, work: AnnealWork, state: State) -> Selection:
        """Return the set of the lowest loss so far, and the prompts drawn behind it."""
        chosen = np.asarray(state.arrays["best"], dtype=np.int64)
        if "order" not in state.arrays:
            return Selection(chosen)
        order = np.asarray(state.arrays["order"], dtype=np.int64)
        count = work.size - work.problem.size
        problem = work.problem
        drawn = drawn_after(chosen, count, order, problem.features, problem.kinds)
        return Selection(np.concatenate([chosen, drawn]))


@compiled
def _swap(
    rows: NDArray[np.float32],
    first_below: NDArray[np.int64],
    noise: NDArray[np.float64],
    inflation: float,
    features: NDArray[np.float64],
    unlike: NDArray[np.float64],
    kind_of: NDArray[np.int64],
    chosen: NDArray[np.int64],
    best: NDArray[np.int64],
    best_loss: float,
    places: NDArray[np.int64],
    newcomers: NDArray[np.int64],
    luck: NDArray[np.float64],
    temperatures: NDArray[np.float64],
) -> tuple[float, int]:
    """Try each swap in turn; `chosen` and `best` change in place. Returns best loss, accepted."""
    n_metrics, n_prompts, n = rows.shape
    n_features = features.shape[1]
    kinds = np.zeros(n_features)
    taken = np.zeros(n_prompts, dtype=np.bool_)
    sums = np.zeros((n_metrics, n))
    spread = np.zeros(n_metrics)
    for prompt in chosen:
        taken[prompt] = True
        for f in range(n_features):
            kinds[f] += features[prompt, f]
        for m in range(n_metrics):
            spread[m] += noise[m, prompt]
            for v in range(n):
                sums[m, v] += rows[m, prompt, v]
    odds = np.empty(n + LANES)
    square = 0.0
    for f in range(n_features):
        square += kinds[f] * kinds[f]
    predicted = spread + unlike * square
    loss = pair_loss(sums, first_below, predicted, inflation, odds)
    new_sums, new_spread = sums.copy(), spread.copy()
    accepted = 0
    for k in range(len(places)):
        out, into = chosen[places[k]], newcomers[k]
        if taken[into] or kind_of[into] != kind_of[out]:
            continue
        square = 0.0
        for f in range(n_features):
            moved = kinds[f] + features[into, f] - features[out, f]
            square += moved * moved
        for m in range(n_metrics):
            new_spread[m] = spread[m] + noise[m, into] - noise[m, out]
            predicted[m] = new_spread[m] + unlike[m] * square
            gained, lost = rows[m, into], rows[m, out]
            had, have = sums[m], new_sums[m]
            for v in range(n):
                # From left to right: the rows' own difference would be rounded to single precision.
                have[v] = had[v] + gained[v] - lost[v]
        new_loss = pair_loss(new_sums, first_below, predicted, inflation, odds)
        if new_loss > loss and luck[k] >= np.exp((loss - new_loss) / temperatures[k]):
            continue
        chosen[places[k]] = into
        taken[out], taken[into] = False, True
        loss = new_loss
        for f in range(n_features):
            kinds[f] += features[into, f] - features[out, f]
        # Loops: numba takes seconds to compile the shape errors of whole-array assignments.
        for m in range(n_metrics):
            spread[m] = new_spread[m]
            for v in range(n):
                sums[m, v] = new_sums[m, v]
        accepted += 1
        if loss < best_loss:
            best_loss = loss
            for place in range(len(chosen)):
                best[place] = chosen[place]
    return best_loss, accepted
