"""The page on the authors' released subsets."""

from __future__ import annotations

from collections import Counter

from flasheval.scores.ranking import kendall_tau_b
from flasheval.selection.held_out.audit import Fit, full_rankings
from reproduction import record
from reproduction.released_subsets import LABELS, SIDES, Audited, candidate_rankings
from reproduction.study import Study, count, markdown, short


def document(study: Study, audited: list[Audited], made_by: str) -> list[str]:
    """Lay out the page."""
    return [
        "# The authors' released subsets",
        "",
        made_by,
        "",
        *_summary(audited),
        "## How to read it",
        "",
        "A subset's mean scores, a repeated prompt counted as often as it stands there, rank the "
        "variants. That ranking is compared (tau-b) with each full-set ranking it may have been "
        "fitted to: those of the metrics of its own prompt set, and those of COCO, whose full "
        f"means are known for all 78 variants. Beside it: the same for {study.effort.draws:,} "
        "random subsets of as many draws **with replacement**, as the authors' search draws, "
        "repeats counted alike. A percentile says how many of these agree less, equals half. "
        "`search` are the authors' 39 search variants (31 on COCO), `held-out` the others, `all` "
        "both. A subset *fits* a ranking when on the search variants it has its highest tau with "
        "it, and at most half the disagreement (1 - tau) of the mean random subset.",
        "",
        "There are no COCO scores nor a COCO ranking of HPS in the data. So the five COCO HPS "
        "subsets can be shown to fit no other metric, but not to fit HPS; and the DiffusionDB "
        "ones not to fit DiffusionDB's HPS, but not that it is COCO's HPS they fit.",
        "",
        "Why the large DiffusionDB subsets fall behind random ones: even a perfect fit to COCO's "
        f"full ranking agrees with DiffusionDB's own only so far ({_ceilings(study)} on all "
        "variants). A few prompts that follow COCO's ranking still beat a few random ones; with "
        "100 or 200, random ones have passed that ceiling.",
        "",
        *(line for name in study.tables for line in _set_section(name, audited)),
        *_record_section(audited),
    ]


def repeating(audited: list[Audited]) -> int:
    """Count the subsets that repeat a prompt."""
    return sum(one.subset.distinct < len(one.subset.prompts) for one in audited)


def _summary(audited: list[Audited]) -> list[str]:
    known = [one for one in audited if one.subset.label != "HPS"]
    kept = [one for one in known if one.fitted and one.fitted.metric == one.subset.label]
    away = [one for one in known if one.fitted and one.fitted.metric != one.subset.label]
    swaps = Counter(f"{one.subset.label} holds {one.fitted.metric}" for one in away if one.fitted)
    other = [one for one in audited if one.subset.prompt_set == "DiffusionDB"]
    foreign = [one for one in other if one.fitted and one.fitted.ranking.startswith("COCO")]
    hps = [one for one in audited if one.subset.label == "HPS"]
    unknown = sum(one.fitted is None for one in hps)
    found = "; ".join(f"{name} in {times}" for name, times in swaps.items())
    return [
        f"**Agrees with the record:** the labels are swapped ({found} files; the "
        f"{len(kept)} ImageReward files are what they say); {len(foreign)} of {len(other)} "
        "DiffusionDB subsets fit COCO's ranking, none DiffusionDB's own; "
        f"{repeating(audited)} of {len(audited)} repeat prompts "
        f"(record: {record.REPEATING_SUBSETS} of 40).  ",
        f"**Cannot be told:** what the {len(hps)} HPS subsets fit ({unknown} of them fit none at "
        "hand), and the digits of the record's percentiles at N=200 (1.9, 0.0, 0.0, 7.9): on all "
        f"variants they are {_percentiles_200(audited)} here, and the record does not say on "
        "which it counted.",
        "",
    ]


def _ceilings(study: Study) -> str:
    """Return tau-b between the two prompt sets' full rankings, by metric."""
    rankings = candidate_rankings(study, "DiffusionDB")
    return ", ".join(
        f"{metric} {short(kendall_tau_b(rankings[f'COCO {metric}'], ranking))}"
        for metric, ranking in full_rankings(study.tables["DiffusionDB"]).items()
        if f"COCO {metric}" in rankings
    )


def _percentiles_200(audited: list[Audited]) -> str:
    """Return the four percentiles at N=200 on all variants, in the record's order."""
    found = {
        one.subset.label: one.own(one.fitted.metric if one.fitted else one.subset.label, "all")
        for one in audited
        if (one.subset.prompt_set, one.subset.size) == ("DiffusionDB", 200)
    }
    fits = [found[label] for label in LABELS]
    return ", ".join("-" if fit is None else f"{fit.percentile:.1f}" for fit in fits)


def _set_section(prompt_set: str, audited: list[Audited]) -> list[str]:
    own = [one for one in audited if one.subset.prompt_set == prompt_set]
    lines = [
        f"## {prompt_set}: what each subset fits (search variants)",
        "",
        *markdown(
            ("N", "label", "distinct", "fits", "tau", "random", "labelled metric: tau"),
            (_fit_row(one) for one in own),
        ),
        "",
        f"## {prompt_set}: percentile among random subsets, search / held-out / all",
        "",
    ]
    on_own = f"against {prompt_set}'s own ranking"
    header = ("N", "label", f"labelled metric {on_own}", f"metric it fits {on_own}")
    if prompt_set != "COCO":
        header = (*header, "metric it fits against the ranking it fits")
    rows = (_percentile_row(one, foreign=prompt_set != "COCO") for one in own)
    return [*lines, *markdown(header, rows), ""]


def _fit_row(one: Audited) -> list[str]:
    subset, best = one.subset, one.fits["search"][0]
    labelled = one.own(subset.label, "search")
    repeats = len(subset.prompts) - subset.distinct
    if one.fitted is None:
        name = f"none (best: {best.metric} to {best.ranking})"
    else:
        name = f"**{best.metric}** to **{best.ranking}**"
    return [
        str(subset.size),
        subset.label,
        f"{subset.distinct} ({count(repeats, 'repeat')})" if repeats else str(subset.distinct),
        name,
        short(best.tau),
        short(best.random_tau),
        "no scores" if labelled is None else short(labelled.tau),
    ]


def _percentile_row(one: Audited, *, foreign: bool) -> list[str]:
    fitted = one.fitted
    cells = [str(one.subset.size), one.subset.label, _percentiles(one, one.subset.label)]
    cells.append("not known" if fitted is None else _percentiles(one, fitted.metric))
    if foreign:
        cells.append("not known" if fitted is None else _foreign_percentiles(one, fitted))
    return cells


def _percentiles(one: Audited, metric: str) -> str:
    found = [one.own(metric, side) for side in SIDES]
    if any(fit is None for fit in found):
        return "no scores"
    return f"{metric}: " + " / ".join(f"{fit.percentile:.1f}" for fit in found if fit)


def _foreign_percentiles(one: Audited, fitted: Fit) -> str:
    found = [
        fit.percentile
        for side in SIDES
        for fit in one.fits[side]
        if (fit.metric, fit.ranking) == (fitted.metric, fitted.ranking)
    ]
    return " / ".join(f"{value:.1f}" for value in found)


def _record_section(audited: list[Audited]) -> list[str]:
    """Lay out the record's four percentiles beside every reading of them."""
    rows = []
    for one in audited:
        if (one.subset.prompt_set, one.subset.size) != ("DiffusionDB", 200):
            continue
        label = one.subset.label
        metric = one.fitted.metric if one.fitted else label
        rows.append([label, metric, f"{record.PERCENTILES_200[label]:.1f}"])
        for side in SIDES:
            fit = one.own(metric, side)
            rows[-1].append("-" if fit is None else f"{fit.percentile:.1f}")
    return [
        "## The record's percentiles: DiffusionDB, N=200",
        "",
        "The record gives 1.9, 0.0, 0.0, 7.9 without saying which metric, label or variants. The "
        "order ImageReward, HPS, Aesthetic, CLIP, each file with the metric it fits against "
        "DiffusionDB's own ranking, is the one that gives two zeros (the file labelled Aesthetic "
        "stands near the 20th percentile in Aesthetic itself). The other two figures lie within "
        "the range of the three readings here, but no one reading gives both (chance of 1,000 "
        "draws is about 0.5 at 2 and 0.9 at 8).",
        "",
        *markdown(("label", "metric it fits", "record", *SIDES), rows),
        "",
    ]


def pointer(audited: list[Audited]) -> list[str]:
    """Return the short section of the other page that points here."""
    return [
        "## 5. The authors' released subsets",
        "",
        *_summary(audited),
        "All forty, one by one: [released-subsets.md](released-subsets.md).",
        "",
    ]
