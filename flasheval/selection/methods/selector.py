"""The one protocol every search method follows, and the state it moves forward.

A method is a frozen dataclass of settings. `prepare` computes what follows from the problem alone,
`start` makes the state, each `step` does about a second of work at most, and `best` reads the
answer off the state at any time. All that a search remembers is in `State`: plain arrays, counters
and the random generator, so it can be saved between any two steps and continued as if never
stopped.

A method that fits rankings may see each image of a variant as a row of its own
(`Problem.search_rows`); it says so with a class variable `image_rows` that is true.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import SIGNIFICANT_DIGITS
from flasheval.base.errors import SettingError
from flasheval.selection.methods.problem import Problem

__all__ = ["OneShot", "Selection", "Selector", "State", "require_positive", "subset_means"]

WorkT = TypeVar("WorkT")


@dataclass(frozen=True)
class Selection:
    """Chosen prompts: int64 indices [size] in order, and float64 weights [size] or None for 1.

    Weights are kept to 6 significant digits, as a manifest keeps them, so that what is judged is
    what is published.

    Example:
        >>> Selection(np.array([7, 2]), np.array([1.23456789, 0.76543211])).weights
        array([1.23457 , 0.765432])

    """

    indices: NDArray[np.int64]
    weights: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.weights is not None:
            rounded = [float(f"{weight:.{SIGNIFICANT_DIGITS}g}") for weight in self.weights]
            object.__setattr__(self, "weights", np.asarray(rounded, dtype=np.float64))

    def first(self, size: int) -> Selection:
        """Return its first `size` prompts.

        Example:
            >>> Selection(np.array([7, 2, 5])).first(2).indices
            array([7, 2])

        """
        weights = None if self.weights is None else self.weights[:size]
        return Selection(self.indices[:size], weights)


def subset_means(scores: NDArray[np.float32], selection: Selection) -> NDArray[np.float64]:
    """Weighted mean score of each variant over a subset.

    Args:
        scores: float32 [variants, prompts].
        selection: The subset's prompts and weights.

    Returns:
        float64 [variants].

    Example:
        >>> chosen = Selection(np.array([0, 2]))
        >>> subset_means(np.array([[1, 2, 9]], dtype=np.float32), chosen).tolist()
        [5.0]

    """
    chosen = scores[:, selection.indices].astype(np.float64)
    means: NDArray[np.float64] = np.average(chosen, axis=1, weights=selection.weights)
    return means


@dataclass
class State:
    """All that a running search remembers.

    Attributes:
        rng: The generator every random number of the search comes from.
        arrays: Named plain arrays, the method's own.
        step: Steps done so far.
        steps: Steps planned in all; a method may lower it to stop early.
        sets: Candidate sets scored so far.
        history: One row a step (or a stage), column name to number.

    Example:
        >>> state = State(np.random.default_rng(0), {"chosen": np.array([4, 1])}, steps=3)
        >>> state.step, state.done
        (0, False)

    """

    rng: np.random.Generator
    arrays: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    step: int = 0
    steps: int = 1
    sets: int = 0
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether no step is left.

        Example:
            >>> State(np.random.default_rng(0), step=2, steps=2).done
            True

        """
        return self.step >= self.steps


class Selector(Protocol[WorkT]):
    """A search method; see the module's text for the order of calls.

    Example:
        >>> from flasheval.selection.methods.problem import make_problem
        >>> from flasheval.selection.methods.stratified import Stratified
        >>> method, rng = Stratified(), np.random.default_rng(0)
        >>> work = method.prepare(make_problem([np.tri(3, 5)], ["clip"], size=2))
        >>> state = method.start(work, rng)
        >>> while not state.done:
        ...     method.step(work, state)
        >>> len(method.best(work, state).indices)
        2

    """

    name: ClassVar[str]
    cheap: ClassVar[bool]
    """Whether a search takes well under a second, so that repeating it costs nothing."""
    together: ClassVar[bool]
    """Whether it is made to serve several metrics with one subset; a comparison gives the others
    one metric at a time."""
    borrows: ClassVar[bool]
    """Whether it looks at the problem's hints."""

    def prepare(self, problem: Problem) -> WorkT:
        """Compute what follows from the problem alone; never part of the saved state."""
        ...

    def start(self, work: WorkT, rng: np.random.Generator) -> State:
        """Make the state before the first step."""
        ...

    def step(self, work: WorkT, state: State) -> None:
        """Do the next piece of work, in place; raises nothing once `start` has passed."""
        ...

    def best(self, work: WorkT, state: State) -> Selection:
        """Read the best subset found so far off the state."""
        ...


class OneShot:
    """Base of the methods that choose in a single step.

    Example:
        >>> from flasheval.selection.methods.problem import make_problem
        >>> class First(OneShot):
        ...     name = "first"
        ...     def choose(self, problem, rng):
        ...         return Selection(problem.allowed[: problem.size])
        >>> problem = make_problem([np.tri(3, 5)], ["clip"], size=2)
        >>> First().choose(problem, np.random.default_rng(0)).indices
        array([0, 1])

    """

    cheap: ClassVar[bool] = True
    together: ClassVar[bool] = False
    borrows: ClassVar[bool] = False

    @abstractmethod
    def choose(self, problem: Problem, rng: np.random.Generator) -> Selection:
        """Choose the subset."""

    def prepare(self, problem: Problem) -> Problem:
        """Nothing to prepare: the work is the problem itself.

        Example:
            >>> from flasheval.selection.methods.problem import make_problem
            >>> from flasheval.selection.methods.random import Random
            >>> problem = make_problem([np.tri(3, 5)], ["clip"], size=2)
            >>> Random().prepare(problem) is problem
            True

        """
        if problem.warm_start is not None:
            name = getattr(self, "name", type(self).__name__)
            raise SettingError(
                f"method '{name}' chooses from scratch and cannot use a warm start: "
                "drop warm_start, or use auto, pooled, balanced, shared, anneal, evolve or "
                "frequency"
            )
        return problem

    def start(self, work: Problem, rng: np.random.Generator) -> State:
        """Begin with the required prompts alone, so `best` always has an answer.

        Example:
            >>> from flasheval.selection.methods.problem import make_problem
            >>> from flasheval.selection.methods.random import Random
            >>> problem = make_problem([np.tri(3, 5)], ["clip"], size=2, required=[4])
            >>> Random().start(problem, np.random.default_rng(0)).arrays
            {'indices': array([4])}

        """
        return State(rng=rng, arrays={"indices": work.required.copy()})

    def step(self, work: Problem, state: State) -> None:
        """Choose everything at once."""
        chosen = self.choose(work, state.rng)
        state.arrays["indices"] = chosen.indices
        if chosen.weights is not None:
            state.arrays["weights"] = chosen.weights
        state.step, state.sets = 1, 1

    def best(self, work: Problem, state: State) -> Selection:
        """Return what `step` chose."""
        weights = state.arrays.get("weights")
        return Selection(
            np.asarray(state.arrays["indices"], dtype=np.int64),
            None if weights is None else np.asarray(weights, dtype=np.float64),
        )


def require_positive(method: str, settings: Mapping[str, float]) -> None:
    """Raise SettingError naming the first setting that is not above zero.

    Example:
        >>> require_positive("anneal", {"swaps": 100, "hot": 0})
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: method.hot=0 (anneal): expected a number above 0

    """
    for key, value in settings.items():
        if not value > 0:
            raise SettingError(f"method.{key}={value} ({method}): expected a number above 0")
