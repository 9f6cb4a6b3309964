"""The one engine of evidence: repeat methods on every split, judge them on the variants held out.

`flasheval.search` measures its own method with it, `flasheval.validate` several side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flasheval.base.threads import crew
from flasheval.scores import ScoreTable
from flasheval.selection.held_out.clusters import GroupResampler
from flasheval.selection.held_out.contenders import RANDOM
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.one_search import ProgressCallback
from flasheval.selection.held_out.parallel import run_parallel
from flasheval.selection.held_out.random_curve import (
    RandomAgreement,
    random_agreement,
    random_means,
)
from flasheval.selection.held_out.searches import (
    JudgedSubset,
    Place,
    Procedure,
    Searcher,
    cell_of,
    plan_searches,
)
from flasheval.selection.images import image_values

__all__ = ["HeldOutWork", "measure"]


def measure(
    table: ScoreTable,
    procedures: Sequence[Procedure],
    kinds: Sequence[Kind],
    sizes: Sequence[int],
    *,
    seed: int = 0,
    draws: int = 200,
    counts: Sequence[int] = (),
    judge_random: bool = True,
    baseline: RandomAgreement | None = None,
    folder: Path | None = None,
    resampler: GroupResampler | None = None,
    workers: int | None = None,
    report: ProgressCallback | None = None,
) -> Measurement:
    """Make every search of every procedure on every split and judge the subsets.

    Args:
        table: Complete variants only, with all metrics.
        procedures: The methods. Their requests name the sizes they choose.
        kinds: The kinds of splits.
        sizes: All sizes of the procedures.
        seed: Each random subset, and each bootstrap later on, comes from it.
        draws: Random subsets per size.
        counts: Numbers of search variants to try as well, on splits without groups.
        judge_random: Whether random subsets get cells of their own, with every measure; their
            held-out tau-b is measured either way.
        baseline: The random curve on all splits, kind after kind, when already measured.
        folder: Where finished searches are kept, so that a second call makes none of them again.
        resampler: Draws groups of held-out variants, or None.
        workers: Searches made at a time; one per core when not given. It changes no number.
        report: Told of the progress.

    Returns:
        The measurement; Ctrl-C during the searches ends it with what is done, `interrupted`.

    Raises:
        KeyboardInterrupt: Ctrl-C came before the searches began.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.held_out.kinds import read_kinds
        >>> from flasheval.selection.methods.pooled import Pooled
        >>> from flasheval.selection.request import SearchRequest
        >>> table = synthetic_scores(24, 300).with_metrics(["quality"])
        >>> pooled = Procedure("pooled", (SearchRequest(table, Pooled(), (10,)),))
        >>> found = measure(table, [pooled], read_kinds("random:4", table), [10], draws=20)
        >>> found.values(10, "quality", "held_out_tau").shape
        (4,)

    """
    with crew(workers):
        work = HeldOutWork(
            table,
            procedures,
            kinds,
            sizes,
            seed=seed,
            draws=draws,
            counts=counts,
            judge_random=judge_random,
            baseline=baseline,
            folder=folder,
            resampler=resampler,
            report=report,
        )
        results, _ = run_parallel(work.pieces, work.labels, costs=work.costs, report=report)
    return work.measurement(results)


class HeldOutWork:
    """The searches of a held-out evaluation as pieces of work. Arguments as for `measure`.

    Attributes:
        pieces: Each makes one search and judges its subset; see `run_parallel`.
        labels: What each does.
        costs: How long each is expected to take beside the others.

    """

    def __init__(
        self,
        table: ScoreTable,
        procedures: Sequence[Procedure],
        kinds: Sequence[Kind],
        sizes: Sequence[int],
        *,
        seed: int,
        draws: int,
        counts: Sequence[int] = (),
        judge_random: bool = True,
        baseline: RandomAgreement | None = None,
        folder: Path | None = None,
        resampler: GroupResampler | None = None,
        report: ProgressCallback | None = None,
    ) -> None:
        self._searches = plan_searches(procedures, kinds, counts, seed)
        images = [split.images for kind in kinds for split in kind.splits]
        searcher = Searcher(table, folder, resampler, images)
        searcher.ready(self._searches)
        self.pieces = [partial(searcher.run, search) for search in self._searches]
        self.labels = [search.description for search in self._searches]
        self.costs = [search.request.cost(len(search.members)) for search in self._searches]
        if report is not None:
            report("random prompts", 0, len(self._searches))
        labels = tuple(one.label for one in procedures)
        self._found = Measurement(
            kinds=tuple(kinds),
            metrics=table.metrics,
            labels=(RANDOM.label, *labels) if judge_random else labels,
            sizes=tuple(sorted(sizes)),
            baseline=_baseline(table, kinds, sizes, seed, draws, baseline),
            seed=seed,
            resampler=resampler,
        )
        if judge_random:
            _judge_random(searcher, self._found, draws)

    def measurement(self, results: Sequence[list[JudgedSubset] | None]) -> Measurement:
        """File the results of the pieces; one that is None was left out by Ctrl-C."""
        found = self._found
        found.interrupted = None in results
        for search, judged in zip(self._searches, results, strict=True):
            for one in judged or ():
                if one.place.smaller:
                    found.smaller.append(cell_of(one, search.label))
                else:
                    found.add(cell_of(one, search.label), one.resampled)
        return found


def _baseline(
    table: ScoreTable,
    kinds: Sequence[Kind],
    sizes: Sequence[int],
    seed: int,
    draws: int,
    whole: RandomAgreement | None,
) -> dict[str, RandomAgreement]:
    """Measure the random curve on all splits at once, and part it by kind."""
    every = [split for kind in kinds for split in kind.splits]
    if whole is None:
        whole = random_agreement(table, every, sizes, seed=seed, draws=draws)
    found, begin = {}, 0
    for kind in kinds:
        end = begin + len(kind.splits)
        taus = {metric: tau[begin:end] for metric, tau in whole.tau.items()}
        found[kind.name] = RandomAgreement(whole.sizes, taus)
        begin = end
    return found


def _judge_random(searcher: Searcher, found: Measurement, draws: int) -> None:
    """Judge the random subsets of the sizes asked for, by the mean over the draws."""
    sizes = found.sizes
    for metric in found.metrics:
        places = [Place(kind.name, split) for kind in found.kinds for split in kind.splits]
        means = _random_means(searcher, metric, places, sizes, found.seed, draws)

        def judged(
            place: Place,
            steps: object,
            metric: str = metric,
            means: dict[tuple[int, ...] | None, NDArray[np.float64]] = means,
        ) -> list[JudgedSubset]:
            images = place.split.images
            of_judged = means[None if images is None else images.judged]
            of_searched = None if images is None else means[images.searched]
            return [
                searcher.judge_random(
                    place,
                    metric,
                    of_judged[:, number],
                    size,
                    None if of_searched is None else of_searched[:, number],
                )
                for number, size in enumerate(sizes)
            ]

        results, interrupted = run_parallel(
            [partial(judged, place) for place in places],
            ["random prompts"] * len(places),
        )
        if interrupted:
            raise KeyboardInterrupt
        for one in (one for result in results for one in result or ()):
            found.add(cell_of(one, RANDOM.label), one.resampled)


def _random_means(
    searcher: Searcher,
    metric: str,
    places: Sequence[Place],
    sizes: Sequence[int],
    seed: int,
    draws: int,
) -> dict[tuple[int, ...] | None, NDArray[np.float64]]:
    """Return the means of the very subsets of the random curve, by the images they are over."""
    uses = [place.split.images for place in places]
    wanted = [None if use is None else use.judged for use in uses]
    wanted += [use.searched for use in uses if use is not None]
    return {
        images: random_means(
            image_values(searcher.table[metric], images),
            sizes,
            np.random.default_rng([seed, 7]),
            draws=draws,
        ).means
        for images in dict.fromkeys(wanted)
    }
