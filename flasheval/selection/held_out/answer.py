"""A comparison of methods in one sentence: which is best, by how much, on which splits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flasheval.scores.ranking.bootstrap import bootstrap_interval
from flasheval.selection.held_out.contenders import RANDOM
from flasheval.selection.held_out.findings import Findings
from flasheval.selection.held_out.records import SplitKind, Summary
from flasheval.subset.agreement_figure import span
from flasheval.subset.evidence import EquivalentSize

__all__ = ["answer", "kind_heading", "ranked", "short_number"]

_UNSEEN = "unseen variants"


def answer(report: Findings) -> str:
    """Return the one sentence a reader came for: which method, by how much, on which splits.

    Example:
        >>> from flasheval.selection.held_out.report import ValidationReport
        >>> found = ("coco", 5000, 48, ("clip",), (), (RANDOM,), (50,), 50)
        >>> answer(ValidationReport(*found))
        'Random prompts alone: name methods to compare.'

    """
    clauses: list[str] = []
    winner = ""
    for kind in report.kinds:
        in_order = ranked(report, kind)
        if not in_order:
            continue
        clause = _further_clause(kind, in_order, winner) if clauses else ""
        clauses.append(clause or _first_clause(report, kind, in_order))
        winner = in_order[0].method
    if not clauses:
        if all(method.label == RANDOM.label for method in report.methods):
            return "Random prompts alone: name methods to compare."
        return "Nothing could be ranked: no split gave a held-out ranking in every metric."
    return "; ".join(clauses) + "."


def ranked(report: Findings, kind: SplitKind) -> list[Summary]:
    """Return the methods that gave a tau at the main size, best first.

    Example:
        >>> from flasheval.selection.held_out.report import ValidationReport
        >>> from flasheval.subset.evidence import Spread
        >>> kind = SplitKind("random:9", "random:9", ())
        >>> tau = {"pooled": Spread(0.83, 0.8, 0.9), "anneal": Spread(0.85, 0.8, 0.9)}
        >>> rows = tuple(Summary(kind.name, m, 50, None, {"held_out_tau": tau[m]}) for m in tau)
        >>> found = ("coco", 5000, 48, ("clip",), (kind,), (RANDOM,), (50,), 50)
        >>> [one.method for one in ranked(ValidationReport(*found, summaries=rows), kind)]
        ['anneal', 'pooled']

    """
    found = [
        one
        for one in report.summaries
        if one.kind == kind.name
        and one.size == report.main_size
        and one.metric is None
        and one.method != RANDOM.label
        and one.held_out_tau is not None
    ]
    return sorted(found, key=lambda one: -one.held_out_tau.mean if one.held_out_tau else 0.0)


def _first_clause(report: Findings, kind: SplitKind, in_order: Sequence[Summary]) -> str:
    best = in_order[0]
    where = f"{kind.name}, {best.size} prompt{'' if best.size == 1 else 's'}"
    who = "the variants searched by their other images" if kind.spec == "seeds" else _UNSEEN
    gain = best.over_random
    if gain is None or gain.mean <= 0:
        return f"No method ranks {who} better than random prompts ({where})"
    if gain.low is not None and gain.low <= 0:
        return (
            f"No method clearly beats random prompts on {who} ({where}); the best is "
            f"{best.method} with {_against_random(best)}"
        )
    said = f"{best.method} ranks {who} best ({where}): {_against_random(best)}"
    if best.over_reference is not None:
        said += (
            f" and {short_number(best.over_reference.mean, 3, sign=True)} over {report.reference}"
        )
    if best.equivalent_random_size is not None:
        said += f", as well as {_many(best.equivalent_random_size)} random prompts"
    if gain.low is None:
        count = sum(tau is not None for tau in best.held_out_tau_by_split)
        said = f"on {'one split' if count == 1 else f'average over {count} splits'} {said}"
        said = said[0].upper() + said[1:]
    rivals = [other.method for other in in_order[1:] if not _clearly_ahead(best, other)]
    return said + (f", though not clearly ahead of {_and(rivals)}" if rivals else "")


def _further_clause(kind: SplitKind, in_order: Sequence[Summary], winner: str) -> str:
    best = in_order[0]
    if best.over_random is None or best.over_random.mean <= 0:
        return f"on {kind.name} no method is above random"
    leads = "too" if best.method == winner else "leads"
    clear = all(_clearly_ahead(best, other) for other in in_order[1:])
    return (
        f"on {kind.name} {best.method} {leads}{'' if clear else ', not clearly'} "
        f"({_against_random(best)})"
    )


def _against_random(one: Summary) -> str:
    tau = one.held_out_tau
    gain = (
        "" if one.over_random is None else f", {short_number(one.over_random.mean, 3, sign=True)}"
    )
    return f"tau {'-' if tau is None else format(tau.mean, '.3f')}{gain} over random"


def _clearly_ahead(best: Summary, other: Summary) -> bool:
    """Whether the paired 90% interval of the difference lies above 0; never without an interval."""
    if best.over_random is None or best.over_random.low is None:
        return False
    pairs = zip(best.held_out_tau_by_split, other.held_out_tau_by_split, strict=True)
    gains = [a - b for a, b in pairs if a is not None and b is not None]
    low, _ = bootstrap_interval(gains, rng=np.random.default_rng(0), level=0.9, draws=1000)
    return low > 0


def _many(size: EquivalentSize) -> str:
    word = {"=": "", ">": "more than ", "<": "fewer than "}[size.estimate.relation]
    return f"{word}{size.estimate.value:,.0f}"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def short_number(value: float, digits: int, *, sign: bool = False) -> str:
    """Return a number without the zero before its point.

    Example:
        >>> short_number(0.8327, 3), short_number(-0.0502, 2), short_number(0.05, 3, sign=True)
        ('.833', '-.05', '+.050')

    """
    value = round(value, digits) + 0.0  # and no minus before nothing
    text = f"{value:{'+' if sign else ''}.{digits}f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def kind_heading(kind: SplitKind) -> str:
    """Say how many variants a kind of splits searches and holds out.

    Example:
        >>> from flasheval.subset.evidence import SplitSizes
        >>> splits = (SplitSizes("0", 24, 23), SplitSizes("1", 24, 23))
        >>> kind_heading(SplitKind("halves", "random:2", splits))
        'halves: 2 splits, 24 variants searched, 23 held out'

    """
    count = len(kind.splits)
    searched = span([split.n_search for split in kind.splits])
    held_out = span([split.n_held_out for split in kind.splits])
    splits = f"{kind.name}: {count} split{'' if count == 1 else 's'}"
    if kind.spec == "seeds":
        return f"{splits}, {searched} variants searched, judged by their other images"
    other = ", judged by other images" if kind.seeds == "other" else ""
    return f"{splits}, {searched} variants searched, {held_out} held out{other}"
