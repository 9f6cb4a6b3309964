"""The warnings that go with numbers measured on held-out variants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flasheval.base.text import first_few
from flasheval.scores.precision import exact_warnings
from flasheval.scores.twins import named_twins
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.records import Summary
from flasheval.selection.held_out.spread import ENOUGH
from flasheval.subset.evidence import Evidence

__all__ = [
    "FEW_VARIANTS",
    "SATURATED",
    "Result",
    "few_variants",
    "measurement_warnings",
    "result_of_evidence",
    "result_of_summary",
    "table_warnings",
    "too_few_groups_warnings",
]

FEW_VARIANTS = 20
SATURATED = 0.98
_NEAR_TIES = 0.1
_ROUNDING = 1e-12  # a mean of differences and a difference of means are no further apart
_SHOWN = 3
_FEW_HELD_OUT = 5


@dataclass(frozen=True)
class Result:
    """What one method does at one size on one kind of splits, averaged over metrics.

    Attributes:
        name: The method, its size and the kind of splits, in words.
        gain: Held-out tau-b above that of random prompts; None where it is not known.
        held_out: Held-out tau-b, or None.
        search: Tau-b on the search variants, or None.

    """

    name: str
    gain: float | None
    held_out: float | None
    search: float | None


def result_of_summary(summary: Summary) -> Result:
    """Return what a summary of a comparison says.

    Example:
        >>> from flasheval.selection.held_out.records import Gain
        >>> result_of_summary(Summary("random:10", "pooled", 50, over_random=Gain(0.12)))
        Result(name='pooled at 50 (random:10)', gain=0.12, held_out=None, search=None)

    """
    search = summary.measures.get("search_tau")
    return Result(
        f"{summary.method} at {summary.size} ({summary.kind})",
        None if summary.over_random is None else summary.over_random.mean,
        None if summary.held_out_tau is None else summary.held_out_tau.mean,
        None if search is None else search.mean,
    )


def result_of_evidence(evidence: Evidence, method: str) -> Result:
    """Return what a subset's evidence says.

    Example:
        >>> from flasheval.subset.evidence import Agreement, Spread
        >>> agreement = Agreement(Spread(0.75, 0.7, 0.8), Spread(0.5, 0.4, 0.6), search_tau=0.9)
        >>> result_of_evidence(Evidence(50, "random:10", (), agreement), "pooled").gain
        0.25

    """
    pooled = evidence.pooled
    return Result(
        f"{method} at {evidence.size} ({evidence.split_spec})",
        pooled.held_out_tau.mean - pooled.random_tau.mean,
        pooled.held_out_tau.mean,
        pooled.search_tau,
    )


def measurement_warnings(measurement: Measurement, results: Sequence[Result]) -> list[str]:
    """Collect the warnings that follow from a measurement, most important first.

    Args:
        measurement: What was measured.
        results: What came of it, as far as it is shown.

    """
    found = [line for kind in measurement.kinds for line in _kind_warnings(kind)]
    found += [split.note for kind in measurement.kinds for split in kind.splits if split.note]
    worse = [one for one in results if one.gain is not None and one.gain <= _ROUNDING]
    if worse:
        beside = _listed(results, worse, _against_random)
        found.append(
            f"held-out agreement is not above that of random prompts ({beside}): take random "
            "prompts (method=random, or method=ridge with fitted weights), or score more variants"
        )
    saturated = [one for one in results if one.search is not None and one.search >= SATURATED]
    if saturated:
        found.append(
            f"search tau is saturated ({_listed(results, saturated, _search_tau)}): searching "
            "harder only fits the search variants closer; more variants would help"
        )
    return found + list(_undefined(measurement))


def few_variants(count: int, where: str = "") -> list[str]:
    """Return the warning of a search on few variants; nothing where there are enough.

    >>> few_variants(20)
    []
    """
    if count >= FEW_VARIANTS:
        return []
    return [
        f"{where}{count} search variants: below {FEW_VARIANTS} a chosen subset is often no better "
        "than a random one; trust held-out numbers only"
    ]


def table_warnings(
    dropped: Sequence[str],
    near_ties: Mapping[str, float],
    prompts_left_out: int = 0,
    *,
    keepable: str = "",
    twins: Sequence[Sequence[str]] = (),
    exact: Sequence[str] = (),
) -> list[str]:
    """Collect the warnings that follow from the scores alone.

    Args:
        dropped: Variants left out for missing scores.
        near_ties: Per metric, from `flasheval.scores.ranking.near_tie_share`.
        prompts_left_out: Prompts left out for missing scores.
        keepable: What leaving out prompts would keep instead, see `ScoreTable.keepable`.
        twins: The groups of variants with the same scores, by name.
        exact: The metrics whose scores are kept in float64.

    Example:
        >>> table_warnings(dropped=["sd-1.4", "sdxl"], near_ties={"clip": 0.05})
        ['2 variants with missing scores were left out: sd-1.4, sdxl']
        >>> table_warnings([], near_ties={"clip": 0.23})[0][:45]
        'near ties: 23% (clip) of variant pairs differ'

    """
    found = [*named_twins(twins), *exact_warnings(exact)]
    if prompts_left_out:
        found.append(f"{prompts_left_out:,} prompts without a score of every variant were left out")
    if dropped:
        some = ", ".join(dropped[:_SHOWN]) + (", ..." if len(dropped) > _SHOWN else "")
        line = f"{len(dropped)} variants with missing scores were left out: {some}"
        found.append(f"{line}; {keepable}" if keepable else line)
    close = [f"{share:.0%} ({name})" for name, share in near_ties.items() if share > _NEAR_TIES]
    if close:
        found.append(
            f"near ties: {', '.join(close)} of variant pairs differ by less than two standard "
            "errors over all prompts; no small subset can order those reliably"
        )
    return found


def too_few_groups_warnings(summaries: Sequence[Summary], cluster: str | None) -> list[str]:
    """Name the kinds of splits whose groups are too few for an interval over groups.

    Example:
        >>> from flasheval.selection.held_out.records import Grouped
        >>> few = Grouped(0.8, without={"sd-1.5": 0.83, "sdxl": 0.77})
        >>> one = Summary("random:10", "pooled", 50, clustered={"held_out_tau": few})
        >>> too_few_groups_warnings([one], "base_model")[0][:59]
        'cluster=base_model: 2 groups among the held-out variants of'

    """
    names: dict[str, set[str]] = {}
    for one in summaries:
        for grouped in one.clustered.values():
            names.setdefault(one.kind, set()).update(grouped.without)
    return [
        f"cluster={cluster}: {len(groups)} groups among the held-out variants of {kind} are too "
        f"few for an interval over groups ({ENOUGH} needed); the numbers with each group left out "
        "are given instead"
        for kind, groups in names.items()
        if groups
    ]


def _kind_warnings(kind: Kind) -> Iterator[str]:
    units = f"{len(kind.groups)} groups" if kind.groups else f"{len(kind.splits)} splits"
    if len(kind.splits) == 1:
        yield f"{kind.name}: one split shows no spread, so the effect of chance is unknown"
    elif (len(kind.groups) if kind.groups else len(kind.splits)) < ENOUGH:
        yield (
            f"{kind.name}: {units} are too few for an interval ({ENOUGH} needed); brackets hold "
            "the least and the greatest value of a split"
        )
    held_out = min(len(split.held_out) for split in kind.splits)
    if held_out < _FEW_HELD_OUT:
        pairs = held_out * (held_out - 1) // 2
        yield (
            f"{kind.name}: {held_out} held-out variants make {pairs} "
            f"pair{'' if pairs == 1 else 's'} to order; a tau from so few pairs says little"
        )
    yield from few_variants(min(len(split.search) for split in kind.splits), f"{kind.name}: ")


def _undefined(measurement: Measurement) -> Iterator[str]:
    """Name the splits that give a metric no held-out ranking."""
    for kind in measurement.kinds:
        for metric in measurement.metrics:
            tau = measurement.baseline[kind.name].tau[metric]
            rows = np.flatnonzero(np.isnan(tau).all(axis=(1, 2)))
            if rows.size:
                names = sorted(kind.splits[row].name for row in rows)
                some = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
                yield (
                    f"{kind.name}: on {len(names)} of {len(kind.splits)} splits ({some}) all "
                    f"held-out variants tie in {metric}, so they are not counted for it"
                )


def _listed(
    results: Sequence[Result], chosen: Sequence[Result], what: Callable[[Result], str]
) -> str:
    """Return a number a result, with the result's name where there are several."""
    alone = len(results) == 1
    parts = [what(one) if alone else f"{one.name}: {what(one)}" for one in chosen]
    return first_few(parts, _SHOWN)


def _against_random(result: Result) -> str:
    held_out, gain = result.held_out or 0.0, result.gain or 0.0
    # What adds and takes away in another order may differ in the last bit, at a half of the digit.
    return f"{held_out:.3f} against {round(held_out - gain, 9):.3f}"


def _search_tau(result: Result) -> str:
    return f"{result.search or 0.0:.3f}"
