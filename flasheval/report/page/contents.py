"""All that stands on a page, in its order; what cannot be shown is named with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flasheval.base.drawing.svg import Drawing
from flasheval.base.drawing.view import Table
from flasheval.base.errors import DataError
from flasheval.generators.image_time import uneven_times
from flasheval.report.page.agreement import measured_again, median_split
from flasheval.report.page.draw_agreement import agreement_plot, splits_plot
from flasheval.report.page.draw_costs import costs_plot
from flasheval.report.page.draw_portrait import portrait_plot
from flasheval.report.page.draw_ranks import means_plot, ties_plot
from flasheval.report.page.facts import facts_of, headline_of
from flasheval.report.page.origin import Origin
from flasheval.report.page.pictures import Pictures, kept_pictures
from flasheval.report.page.portrait import Portrait, portrait_of, word_counts
from flasheval.report.page.prompt_rows import PromptTable, prompt_table
from flasheval.report.page.ranks import Ranks, known_ranks, scored_ranks, split_ranks
from flasheval.report.page.replay import Replay, replay_of
from flasheval.report.page.score_sources import Scored
from flasheval.report.page.tie_rows import TieTable, tie_table, ties_in_words
from flasheval.report.page.ties import ties_of
from flasheval.scores.by_tag import rankings_by_tag, tag_ranking_table
from flasheval.scores.leaderboard import rank
from flasheval.scores.leaderboard.frontier import frontier_parts
from flasheval.subset import Subset
from flasheval.subset.evidence_table import agreement_table, answer
from flasheval.subset.tag_shares import tag_shares

__all__ = ["Contents", "contents_of"]

_SAME = 1e-6
_MOST_TAGS = 6
_NO_SCORES = "needs the scores of all prompts: add scores=PATH"


@dataclass(frozen=True, eq=False)
class Contents:
    """What a page shows.

    Attributes:
        subset: The subset.
        answer: The one sentence a reader came for.
        headline: A few numbers with words: (number, what it is).
        missing: (what is not shown, why).
        agreement: Plots of agreement.
        split: Of which split the next are, in words; empty where there are none.
        split_plots: Its variants by full and by subset mean.
        final_plots: All variants by the subset itself.
        ties: Plots of ranks and of what no subset can order.
        tie_tables: The same with names.
        costs: Plots of the full means against seconds an image, where those are known.
        cost_tables: Their frontiers.
        cost_notes: What a reader of them must know.
        length: Distribution of the prompts' lengths, where texts are known.
        portraits: Distributions of their other numbers, the chosen ones marked, by metric.
        prompts: The chosen prompts, one by one.
        pictures: Kept images.
        whole: Whether the prompts' numbers are of all variants searched, and of no others.
        tags: Prompts by the value of a tag, chosen and all; rankings on those of one tag.
        calibration: How well full scores are predicted, in words; empty where that is not known.
        evidence: Tables of what was measured on held-out variants.
        facts: (what, its value) of how the subset came about.

    """

    subset: Subset
    answer: str
    headline: Sequence[tuple[str, str]]
    prompts: PromptTable
    evidence: Sequence[Table]
    facts: Sequence[tuple[str, str]]
    missing: Sequence[tuple[str, str]] = ()
    agreement: Sequence[Drawing] = ()
    split: str = ""
    split_plots: Sequence[Drawing] = ()
    final_plots: Sequence[Drawing] = ()
    ties: Sequence[Drawing] = ()
    tie_tables: Sequence[TieTable] = ()
    costs: Sequence[Drawing] = ()
    cost_tables: Sequence[Table] = ()
    cost_notes: Sequence[str] = ()
    length: Drawing | None = None
    portraits: Sequence[Sequence[Drawing]] = ()
    pictures: Pictures | None = None
    whole: bool = True
    tags: Sequence[Table] = ()
    calibration: str = ""

    @property
    def plots(self) -> list[Drawing]:
        """Every plot, in order."""
        return [
            *self.agreement,
            *self.split_plots,
            *self.final_plots,
            *self.ties,
            *self.costs,
            *(() if self.length is None else (self.length,)),
            *(plot for plots in self.portraits for plot in plots),
        ]


def contents_of(
    origin: Origin,
    scored: Scored | None,
    *,
    images: Path | None = None,
    metric: str | None = None,
    by: str | None = None,
    reason: str = "",
) -> Contents:
    """Gather and draw what a page shows.

    Args:
        origin: What it is made of.
        scored: The scores; without them only what the manifest tells is shown.
        images: Run folder with kept images; DataError where there are none. When None, those of
            the run that the search's scores are of, where it kept some.
        metric: The metric shown first.
        by: A tag of the prompts: how the variants rank on those of each of its values.
        reason: Why there are no scores, where that is known.

    Raises:
        DataError: No such metric, or no images of the chosen prompts.
        SettingError: No such tag.

    """
    subset = origin.subset
    _checked(subset, metric)
    evidence = subset.record.evidence
    missing: list[tuple[str, str]] = []
    n_prompts = None if scored is None else scored.table.n_prompts
    page = Contents(
        subset,
        "Nothing was held out, so it is unknown how well these prompts rank new variants."
        if evidence is None
        else answer(evidence),
        headline_of(subset, n_prompts),
        prompt_table(subset),
        [agreement_table(one, detail=True) for one in subset.record.all_evidence],
        facts_of(origin),
        missing,
        () if evidence is None else [splits_plot(evidence)],
        calibration=_calibration(subset),
        tags=_tag_tables(subset, by),
    )
    if scored is None:
        if by is not None:
            missing.append((f"rankings by {by}", reason or _NO_SCORES))
        what = "agreement by size, held-out variants by mean, near ties, the prompts' own numbers"
        missing.append((what if images is None else f"{what}, images", reason or _NO_SCORES))
        known = sorted(known_ranks(subset), key=lambda one: one.metric != metric)
        return replace(page, final_plots=_means_plots(known, "final", subset, None))
    replay = replay_of(origin, scored)  # which sums the metrics in the search's own order
    scored = _with_first(scored, metric)
    if isinstance(replay, str) and evidence is not None:
        missing.append(("the searches behind the evidence", replay))
    if isinstance(replay, Replay):
        page = _with_replay(page, origin, scored, replay, missing)
    page = _with_costs(_with_ranks(page, scored), scored)
    page = _with_prompts(page, scored, replay if isinstance(replay, Replay) else None)
    if by is not None:
        page = replace(page, tags=(*page.tags, _ranked_by(by, scored)))
    folder = images or origin.kept_images
    if folder is None:
        return page
    first = scored.table[scored.table.metrics[0]]
    try:
        return replace(page, pictures=kept_pictures(folder, first, subset.ids))
    except DataError as error:
        if images is not None:
            raise
        missing.append(("images", str(error)))
        return page


def _tag_tables(subset: Subset, by: str | None) -> list[Table]:
    """Return the shares of each tag, or of the one asked for where the subset has it."""
    known = dict.fromkeys(tag for prompt in subset.prompts for tag in prompt.tags)
    tags = [tag for tag in known if by in (None, tag)]
    return [replace(tag_shares(subset, tag), caption=tag) for tag in tags[:_MOST_TAGS]]


def _ranked_by(tag: str, scored: Scored) -> Table:
    table = tag_ranking_table(tag, rankings_by_tag(scored.table, tag))
    return replace(table, caption=f"Rankings by the prompts of each {tag}, of the whole set")


def _calibration(subset: Subset) -> str:
    calibration = subset.record.calibration
    if calibration is None:
        return ""
    served = [one.name for one in subset.metrics if one.name in calibration.metrics]
    return calibration.summary(served or list(calibration.metrics))


def _checked(subset: Subset, metric: str | None) -> None:
    names = [one.name for one in subset.metrics]
    if metric is not None and metric not in names:
        raise DataError(f'metric={metric}: subset "{subset.name}" serves {", ".join(names)}')


def _with_first(scored: Scored, metric: str | None) -> Scored:
    """Return the scores with one metric before the others."""
    names = sorted(scored.table.metrics, key=lambda name: name != metric)
    return replace(scored, table=scored.table.with_metrics(names))


def _with_replay(
    page: Contents,
    origin: Origin,
    scored: Scored,
    replay: Replay,
    missing: list[tuple[str, str]],
) -> Contents:
    """Add what the searches of the splits tell."""
    measurement = measured_again(origin, replay)
    if measurement is None:
        missing.append(("agreement against size", "the run wrote no agreement down"))
    else:
        page = replace(page, agreement=[agreement_plot(measurement, page.subset), *page.agreement])
    evidence = page.subset.record.evidence
    number = None if evidence is None else median_split(evidence)
    if evidence is None or number is None:
        return page
    selection = replay.selection(number)
    what = "held-out variants by mean"
    if selection is None:
        why = f"the run keeps no units, and {replay.request.selector.name} is slow to search again"
        missing.append((what, why))
        return page
    split = replay.splits[number]
    found = split_ranks(scored, split, selection)
    tau = evidence.pooled.held_out_tau_by_split[number]
    again = float(np.mean([one.tau(searched=False) for one in found]))
    if tau is None:
        return page
    if not abs(again - tau) < _SAME:
        missing.append((what, f"searched again, {split.name} gives tau {again:.3f}, not {tau:.3f}"))
        return page
    over = "" if len(evidence.metrics) == 1 else ", mean over metrics"
    count = len(evidence.splits)
    said = f"split {split.name}, the median of {count} by held-out tau ({tau:.3f}{over})"
    plots = _means_plots(found, "split", page.subset, scored.table.n_prompts)
    return replace(page, split=said, split_plots=plots)


def _means_plots(
    found: Sequence[Ranks], kind: str, subset: Subset, n_prompts: int | None
) -> list[Drawing]:
    return [
        means_plot(
            one, kind=kind, n_prompts=n_prompts, size=subset.size, number=i, title=one.metric
        )
        for i, one in enumerate(found)
    ]


def _with_ranks(page: Contents, scored: Scored) -> Contents:
    """Add how the subset itself ranks the variants, and which of them are tied."""
    all_ranks = scored_ranks(scored)
    finals = _means_plots(all_ranks, "final", page.subset, scored.table.n_prompts)
    ties, tables = [], []
    for number, ranks in enumerate(all_ranks):
        if len(ranks.full) > 2:
            found = ties_of(ranks, scored.table[ranks.metric].values)
            said = ties_in_words(found, scored.table.n_prompts)
            ties.append(ties_plot(found, number=number, said=said))
            tables.append(tie_table(found))
    return replace(page, final_plots=finals, ties=ties, tie_tables=tables)


def _with_costs(page: Contents, scored: Scored) -> Contents:
    """Add which variants are worth their seconds, where a variant's are known."""
    if np.isnan(scored.table.seconds).all():
        return page
    standings = rank(scored.table, progress=False).standings
    parts = frontier_parts(standings, detail=True)
    return replace(
        page,
        costs=[costs_plot(one, number=number) for number, one in enumerate(standings)],
        cost_tables=[one for one in parts if isinstance(one, Table)],
        cost_notes=uneven_times(variant.time for variant in scored.table.variants),
    )


def _with_prompts(page: Contents, scored: Scored, replay: Replay | None) -> Contents:
    """Add what the prompts are like, all of them and the chosen ones one by one."""
    table, chosen = scored.judged, scored.selection.indices
    words = word_counts(table.prompts)
    length = None
    if words is not None:
        length = portrait_plot("length", words, chosen, title="length", unit="words a prompt")
    portraits: dict[str, Portrait] = {}
    plots = []
    for number, metric in enumerate(table.metrics):
        found = portrait_of(table[metric])
        if found is not None:
            portraits[metric] = found
            plots.append(_portrait_plots(found, chosen, len(table), number))
    rows = prompt_table(page.subset, scored, portraits, () if replay is None else replay.selections)
    return replace(page, length=length, portraits=plots, prompts=rows, whole=scored.whole)


def _portrait_plots(
    found: Portrait, chosen: NDArray[np.int64], n_variants: int, number: int
) -> list[Drawing]:
    name = found.metric
    columns = (
        ("mean score", found.mean, f"{name}, mean over {n_variants} variants (score)"),
        ("discrimination", found.discrimination, "signal sd / residual sd"),
        ("noise", found.noise, f"{name}, noise sd (score)"),
    )
    return [
        portrait_plot(
            f"{what.split()[0]}-{number}", values, chosen, title=f"{name}: {what}", unit=unit
        )
        for what, values, unit in columns
    ]
