"""`auto`: try several methods on a part of the search variants and use the best one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import SettingError
from flasheval.scores.ranking.kendall import kendall_tau_b_many
from flasheval.scores.twins import first_of_twins
from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.balanced import Balanced
from flasheval.selection.methods.pooled import Pooled
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.random import Random
from flasheval.selection.methods.ridge import Ridge
from flasheval.selection.methods.selector import Selection, Selector, State, subset_means

__all__ = ["Auto", "AutoWork", "decide", "explain", "inner_splits"]

_FEWEST = 16
_FEWEST_GROUPS = 3
_SPLITS = 8
_HELD_OUT = 3
_DRAWS = 20
_MANY = 60  # search variants
_CLEAR, _CLEAR_OF_MANY = 2.0, 1.0  # standard errors
_SURE = 20  # search variants from which `balanced` beats `anneal` on right and wrong answers
_FEW_VALUES = 10  # distinct scores of a metric, such as right and wrong, or points
_EXPECTED = ("similar", "new_family")
_RANDOM = 3  # its number among the contenders
_UNCHOSEN = ("random", "ridge")


@dataclass(frozen=True)
class AutoWork:
    """The methods that `auto` compares, and how.

    Attributes:
        problem: The search.
        contenders: The methods.
        usual: Number of the one that is chosen unless another is clearly better.
        splits: bool [splits, n], the search variants that each inner split holds out.

    """

    problem: Problem
    contenders: tuple[Selector[Any], ...]
    usual: int
    splits: NDArray[np.bool_]


@dataclass(frozen=True)
class Auto:
    """Choose the method by inner cross-validation, then search with it on all search variants.

    Each contender searches on a part of the search variants and is judged on the rest, several
    times. The usual method is kept unless another is ahead by more than two standard errors (one
    from 60 variants on): a smaller lead may be noise. Where random prompts do as well as the method
    kept, they are taken. Below 16 variants nothing is compared and the usual method is used. The
    usual method is `pooled`; `anneal` for new families; for scores of few values, such as right
    and wrong, whose noise says how hard a prompt is and not how much to trust it, `balanced`, or
    `anneal` below 20 variants.

    Attributes:
        expect: `similar` if new variants will be like the known ones (random parts are held out),
            `new_family` if they will belong to a new family, such as a new base model (whole
            families are held out). None means the `expect` of `flasheval.search`.

    """

    expect: str | None = None

    name: ClassVar[str] = "auto"
    cheap: ClassVar[bool] = False
    together: ClassVar[bool] = False
    borrows: ClassVar[bool] = True
    image_rows: ClassVar[bool] = True
    holds_shares: ClassVar[bool] = True
    balances: ClassVar[bool] = True

    def prepare(self, problem: Problem) -> AutoWork:
        """List the contenders and the inner splits; SettingError as in `inner_splits`.

        Example:
            >>> from flasheval.selection.methods.problem import make_problem
            >>> problem = make_problem([np.tri(24, 30)], ["clip"], size=5)
            >>> Auto().prepare(problem).splits.shape
            (8, 24)
            >>> Auto(expect="older").prepare(problem)  # doctest: +ELLIPSIS
            Traceback (most recent call last):
            flasheval.base.errors.SettingError: method.expect=older (auto): expected similar or ...

        """
        expect = self.expect or "similar"
        if expect not in _EXPECTED:
            raise SettingError(f"method.expect={expect} (auto): expected {' or '.join(_EXPECTED)}")
        number = usual_method(problem, expect)
        return AutoWork(problem, contenders(), number, inner_splits(problem, expect))

    def start(self, work: AutoWork, rng: np.random.Generator) -> State:
        """Begin with the required prompts alone.

        Example:
            >>> from flasheval.selection.methods.problem import make_problem
            >>> work = Auto().prepare(make_problem([np.tri(24, 30)], ["clip"], size=5))
            >>> Auto().start(work, np.random.default_rng(0)).steps  # 8 splits of 5 methods, and 2
            42

        """
        shape = (len(work.splits), len(work.contenders))
        arrays: dict[str, NDArray[Any]] = {
            "indices": work.problem.required.copy(),
            "tau": np.full(shape, np.nan),
        }
        return State(rng=rng, arrays=arrays, steps=shape[0] * shape[1] + 2)

    def step(self, work: AutoWork, state: State) -> None:
        """Search by the usual method, so that there is an answer; compare; search by the best."""
        tau = np.asarray(state.arrays["tau"], dtype=np.float64)
        sets = 0
        if state.step == 0:
            sets = _take(work, state, work.usual)
        elif state.step <= tau.size:
            split, number = divmod(state.step - 1, len(work.contenders))
            held_out = work.splits[split]
            value, sets = _inner_tau(work.problem, work.contenders[number], held_out, state.rng)
            tau[split, number] = value
            state.arrays["tau"] = tau
            state.history.append({"split": split, "contender": number, "tau": value})
        else:
            number = decide(tau, work.usual, work.problem.n_variants)
            if number != work.usual:
                sets = _take(work, state, number)
            state.history.append({"chosen": number, "usual": work.usual})
        state.sets += sets
        state.step += 1

    def best(self, work: AutoWork, state: State) -> Selection:
        """Return what the chosen method found, or the usual one as long as none is chosen."""
        weights = state.arrays.get("weights")
        return Selection(
            np.asarray(state.arrays["indices"], dtype=np.int64),
            None if weights is None else np.asarray(weights, dtype=np.float64),
        )


def contenders() -> tuple[Selector[Any], ...]:
    """Return the methods compared.

    Example:
        >>> [method.name for method in contenders()]
        ['pooled', 'anneal', 'balanced', 'random', 'ridge']

    """
    return (Pooled(), Anneal(), Balanced(), Random(), Ridge())


def usual_method(problem: Problem, expect: str) -> int:
    """Return the number of the contender that is chosen where nothing speaks for another.

    Example:
        >>> from flasheval.selection.methods.problem import make_problem
        >>> names = [method.name for method in contenders()]
        >>> for n in (24, 12):
        ...     right_or_wrong = make_problem([np.tri(n, 30)], ["accuracy"], size=5)
        ...     print(names[usual_method(right_or_wrong, "similar")])
        balanced
        anneal
        >>> graded = make_problem([np.arange(720.0).reshape(24, 30)], ["clip"], size=5)
        >>> names[usual_method(graded, "similar")]
        'pooled'
        >>> names[usual_method(graded, "new_family")]
        'anneal'

    """
    if expect == "new_family":
        return 1
    if not all(_of_few_values(block) for block in problem.scores):
        return 0
    return 2 if problem.n_variants >= _SURE else 1


def _of_few_values(scores: NDArray[np.float32]) -> bool:
    """Whether scores take few values; most do not, which their first prompts show."""
    return len(np.unique(scores[:, :50])) <= _FEW_VALUES >= len(np.unique(scores))


def inner_splits(problem: Problem, expect: str) -> NDArray[np.bool_]:
    """Which search variants to hold out, split by split: bool [splits, n].

    Eight random thirds, always the same for the same n; for a new family each family in turn that
    has 2 variants and leaves 4. No splits at all below 16 variants or 3 families. Variants with the
    same scores count as one and are held out together.

    Raises:
        SettingError: A new family is expected and the variants' families are not known.

    Example:
        >>> from flasheval.selection.methods.problem import make_problem
        >>> splits = inner_splits(make_problem([np.tri(24, 30)], ["clip"], size=5), "similar")
        >>> splits.shape, splits.sum(axis=1).tolist()
        ((8, 24), [8, 8, 8, 8, 8, 8, 8, 8])
        >>> len(inner_splits(make_problem([np.tri(12, 30)], ["clip"], size=5), "similar"))
        0

    """
    groups = problem.hints.groups
    first = first_of_twins([*problem.scores, *problem.hints.scores])
    distinct = np.unique(first)
    n = len(distinct)
    none = np.zeros((0, len(first)), dtype=bool)
    if expect == "new_family":
        if groups is None:
            raise SettingError(
                "method.expect=new_family (auto): the variants' families are not known; name the "
                "factor that tells them with group=FACTOR"
            )
        families = [np.asarray(groups) == name for name in dict.fromkeys(groups)]
        masks = [np.isin(first, first[family]) for family in families]
        masks = [mask for mask in masks if 2 <= len(np.unique(first[mask])) <= n - 4]
        return np.stack(masks) if n >= _FEWEST and len(masks) >= _FEWEST_GROUPS else none
    if n < _FEWEST:
        return none
    rng = np.random.default_rng(n)
    splits = np.zeros((_SPLITS, len(first)), dtype=bool)
    for split in splits:
        split[np.isin(first, distinct[rng.permutation(n)[: n // _HELD_OUT]])] = True
    return splits


def decide(tau: NDArray[np.float64], usual: int, n_variants: int) -> int:
    """Return the number of the contender to choose.

    Args:
        tau: float64 [splits, contenders], held-out agreement; NaN where undefined.
        usual: Number of the usual method.
        n_variants: Search variants.

    Returns:
        The usual method, unless the means of others are ahead of it by more than two standard
        errors of the paired difference, one from 60 variants on; then the best of the others. Of
        the contenders `random` where it does as well as that.

    Example:
        >>> decide(np.array([[0.70, 0.80], [0.60, 0.71], [0.70, 0.79]]), 0, 24)
        1
        >>> decide(np.array([[0.70, 0.90], [0.60, 0.50], [0.70, 0.75]]), 0, 24)
        0
        >>> decide(np.array([[0.6, 0.5, 0.5, 0.7], [0.6, 0.5, 0.5, 0.5]]), 0, 24)  # 3 is random
        3

    """
    known = tau[~np.isnan(tau).any(axis=1)]
    if len(known) < 2:
        return usual
    gains = known - known[:, [usual]]
    lead = gains.mean(axis=0)
    needed = _CLEAR if n_variants < _MANY else _CLEAR_OF_MANY
    clear = lead > needed * gains.std(axis=0, ddof=1) / np.sqrt(len(known))
    best = int(np.argmax(np.where(clear, lead, 0.0))) if clear.any() else usual
    if len(lead) > _RANDOM and lead[_RANDOM] >= lead[best]:
        return _RANDOM
    return best


def explain(history: Sequence[Mapping[str, float]]) -> str:
    """Say in one line which method was chosen and why.

    Args:
        history: The whole history of its search.

    Example:
        >>> explain([{"chosen": 0, "usual": 0}])
        'auto chose pooled, its usual method: too few variants to compare methods'

    """
    names = [selector.name for selector in contenders()]
    chosen = [names[int(row["chosen"])] for row in history if "chosen" in row]
    if not chosen:
        return "auto was interrupted before it compared methods, so it used its usual method"
    compared: dict[str, list[float]] = {name: [] for name in names}
    for row in history:
        if not np.isnan(row.get("tau", np.nan)):  # one that is not defined is not kept on disk
            compared[names[int(row["contender"])]].append(row["tau"])
    if not any(compared.values()):
        return f"auto chose {chosen[-1]}, its usual method: too few variants to compare methods"
    means = ", ".join(f"{name} {np.mean(taus):.3f}" for name, taus in compared.items() if taus)
    line = f"auto chose {chosen[-1]}; inner held-out tau: {means}"
    if chosen[-1] in _UNCHOSEN:
        line += "; choosing prompts does not pay here, more variants would help"
    return line


def _take(work: AutoWork, state: State, number: int) -> int:
    """Search on all variants and keep what is found as the answer; the sets scored."""
    chosen, sets = _search(work.problem, work.contenders[number], state.rng)
    state.arrays.pop("weights", None)
    state.arrays["indices"] = chosen.indices
    if chosen.weights is not None:
        state.arrays["weights"] = chosen.weights
    return sets


def _inner_tau(
    problem: Problem,
    selector: Selector[Any],
    held_out: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[float, int]:
    """Search without some variants and rank those: mean tau over metrics, and the sets scored."""
    seen, unseen = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    inner = problem.take(seen)
    if any(np.ptp(target) == 0.0 for target in inner.targets()):
        return float("nan"), 0
    draws = _DRAWS if selector.name in _UNCHOSEN else 1
    found = [_search(inner, selector, rng) for _ in range(draws)]
    taus = []
    for block in problem.scores:
        means = [subset_means(block[unseen], selection) for selection, _ in found]
        target = block[unseen].mean(axis=1, dtype=np.float64)
        taus.append(kendall_tau_b_many(np.stack(means), target).mean())
    return float(np.mean(taus)), sum(sets for _, sets in found)


def _search(
    problem: Problem, selector: Selector[Any], rng: np.random.Generator
) -> tuple[Selection, int]:
    if selector.name in _UNCHOSEN:  # they have no use for a start
        problem = replace(problem, warm_start=None)
    work = selector.prepare(problem)
    # Not rng.spawn: a generator read back from a saved state would spawn the same child again.
    state = selector.start(work, np.random.default_rng(rng.integers(2**63)))
    while not state.done:
        selector.step(work, state)
    return selector.best(work, state), state.sets
