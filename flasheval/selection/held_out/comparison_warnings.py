"""What must be said beside a comparison of methods, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flasheval.selection.held_out.contenders import RANDOM
from flasheval.selection.held_out.evidence import ENOUGH
from flasheval.selection.held_out.records import SplitKind, Summary
from flasheval.selection.held_out.report import ValidationReport
from flasheval.selection.held_out.warnings import FEW_VARIANTS, SATURATED, table_warnings

__all__ = ["comparison_warnings"]

_SHOWN = 3
_FEW_HELD_OUT = 5


def comparison_warnings(report: ValidationReport, near_ties: Mapping[str, float]) -> list[str]:
    """Collect the warnings of a comparison, most important first.

    Args:
        report: All but its warnings.
        near_ties: Per metric, from `flasheval.scores.ranking.near_tie_share`.

    """
    found = []
    if report.interrupted:
        found.append(
            "interrupted: these are the searches done so far; run the same command to continue"
        )
    found += [line for kind in report.kinds for line in _kind_warnings(kind)]
    pooled = [one for one in report.summaries if one.metric is None and one.method != RANDOM.label]
    worse = [one for one in pooled if one.over_random is not None and one.over_random.mean <= 0]
    if worse:
        found.append(f"not above random prompts: {_listed(worse)}")
    saturated = [
        one for one in pooled if (tau := one.measures.get("search_tau")) and tau.mean >= SATURATED
    ]
    if saturated:
        found.append(
            f"search tau is saturated (from {SATURATED}) for {_listed(saturated)}: searching "
            "harder only fits the search variants closer; more variants would help"
        )
    found += _undefined(report)
    found += _too_few_groups(report, pooled)
    return found + table_warnings(report.dropped, near_ties, report.prompts_left_out)


def _kind_warnings(kind: SplitKind) -> Iterator[str]:
    units = f"{len(kind.groups)} groups" if kind.groups else f"{len(kind.splits)} splits"
    if len(kind.splits) == 1:
        yield f"{kind.name}: one split shows no spread; nothing is known of how far chance goes"
    elif (len(kind.groups) if kind.groups else len(kind.splits)) < ENOUGH:
        yield (
            f"{kind.name}: {units} are too few for an interval ({ENOUGH} needed); brackets hold "
            "the least and the greatest value of a split"
        )
    held_out = min(split.n_held_out for split in kind.splits)
    if held_out < _FEW_HELD_OUT:
        pairs = held_out * (held_out - 1) // 2
        yield (
            f"{kind.name}: {held_out} held-out variants make {pairs} "
            f"pair{'' if pairs == 1 else 's'} to order; a tau of so few says little"
        )
    fewest = min(split.n_search for split in kind.splits)
    if fewest < FEW_VARIANTS:
        yield (
            f"{kind.name}: {fewest} search variants; below {FEW_VARIANTS} a chosen subset is "
            "often no better than a random one"
        )


def _undefined(report: ValidationReport) -> Iterator[str]:
    """Name the splits that gave a metric no held-out ranking."""
    for kind in report.kinds:
        for metric in report.metrics:
            nan = {
                cell.split
                for cell in report.cells
                if (cell.kind, cell.metric, cell.method) == (kind.name, metric, RANDOM.label)
                and cell.held_out_tau != cell.held_out_tau
            }
            if nan:
                some = ", ".join(sorted(nan)[:_SHOWN]) + (", ..." if len(nan) > _SHOWN else "")
                yield (
                    f"{kind.name}: on {len(nan)} of {len(kind.splits)} splits ({some}) all "
                    f"held-out variants tie in {metric}, so they count for nothing there"
                )


def _too_few_groups(report: ValidationReport, pooled: Sequence[Summary]) -> Iterator[str]:
    for kind in report.kinds:
        names = {
            name
            for one in pooled
            if one.kind == kind.name
            for grouped in one.clustered.values()
            for name in grouped.without
        }
        if names:
            yield (
                f"cluster={report.cluster}: {len(names)} groups among the held-out variants of "
                f"{kind.name} are too few for an interval over groups ({ENOUGH} needed); the "
                "numbers with each group left out are given instead"
            )


def _listed(summaries: Sequence[Summary]) -> str:
    names = [f"{one.method} at {one.size} ({one.kind})" for one in summaries]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
