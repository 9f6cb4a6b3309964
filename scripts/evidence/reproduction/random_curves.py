"""Random subsets of growing size against the full set, beside the record."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flasheval.scores import ScoreTable
from flasheval.selection.held_out.random_curve import random_means
from reproduction import record
from reproduction.study import Study, judged, markdown, say, short

ROUNDING = 0.005  # the record has two digits


def section(study: Study) -> list[str]:
    """Lay out the section."""
    rows, gaps, outside = [], [], 0
    for prompt_set, metric, table in study.by_metric():
        say(f"{prompt_set} {metric}: random curve")
        here = curve(study, table)
        recorded = np.array(record.curve(prompt_set, metric)).T
        gap = here.mean(axis=1) - recorded
        allowed = ROUNDING + 2 * here.std(axis=1) * np.sqrt(
            1 / study.effort.draws + 1 / record.CURVE_DRAWS
        )
        rows += _rows(f"{prompt_set} {metric}", here.mean(axis=1), recorded, gap, allowed)
        gaps.append(gap)
        outside += int((np.abs(gap) > allowed).sum())
    every = np.abs(np.concatenate(gaps, axis=None))
    return [
        "## 1. Random subsets against the full set",
        "",
        f"**Agrees:** {every.size - outside} of {every.size} figures lie within the record's "
        f"rounding and chance; the largest difference is {short(every.max())}, the mean one "
        f"{short(every.mean())}.  ",
        f"**Does not:** {outside or 'none'}"
        + (f" (bold); by chance alone about {every.size / 20:.0f} would." if outside else "."),
        "",
        f"Mean tau-b of {study.effort.draws:,} random subsets drawn without replacement, official "
        "split, search variants / held-out variants. A difference is bold beyond .005 (the "
        "record's rounding) plus two standard errors of both means. COCO HPS is not in the data.",
        "",
        *markdown(["", "", *(f"N={size}" for size in record.CURVE_SIZES)], rows),
        "",
    ]


def curve(study: Study, table: ScoreTable) -> NDArray[np.float64]:
    """Tau-b of random subsets on both sides of the official split: [2, draws, sizes]."""
    (metric,) = table.metrics
    scores, split = table[metric].values, study.official(table)
    target = scores.mean(axis=1, dtype=np.float64)
    rng = np.random.default_rng([0, 7])
    means = random_means(scores, record.CURVE_SIZES, rng, draws=study.effort.draws)
    return np.stack([means.tau(target, side) for side in (split.search, split.held_out)])


def _rows(
    name: str,
    here: NDArray[np.float64],
    recorded: NDArray[np.float64],
    gap: NDArray[np.float64],
    allowed: NDArray[np.float64],
) -> list[list[str]]:
    """Three rows of one metric; every array is [2, sizes]."""
    difference = [
        "/".join(judged(gap[side, at], allowed[side, at], 2) for side in (0, 1))
        for at in range(gap.shape[1])
    ]
    return [
        [name, "here", *(_pair(taus) for taus in here.T)],
        ["", "record", *(_pair(taus) for taus in recorded.T)],
        ["", "difference", *difference],
    ]


def _pair(taus: NDArray[np.float64]) -> str:
    return "/".join(short(tau, 2) for tau in taus)
