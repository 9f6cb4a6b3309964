"""Numbers a user will ask about: what pairing saves, how many prompts, how many wrong signs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flasheval.scores import ScoreTable
from flasheval.selection.held_out.splits import make_splits
from reproduction import record
from reproduction.study import Study, markdown

SIZE, Z = 50, 1.96
METHODS = ("balanced", "frequency", "random")
RANDOM_DRAWS = 20


def section(study: Study) -> list[str]:
    """Lay out the section."""
    pairing, signs = [], []
    for prompt_set, metric, table in study.by_metric():
        name = f"{prompt_set} {metric}"
        pairing.append((name, pairing_of(table[metric].values)))
        for method in METHODS:
            signs.append((name, method, decided_pairs(study, table, method)))
    return [
        "## 7. Numbers a user will ask about",
        "",
        *_summary(pairing, signs),
        "### What pairing saves, and how many random prompts a pair needs",
        "",
        "Over all pairs of variants. Pairing on the same prompts divides the variance of a "
        "difference by (s_i² + s_j²) / s_(i-j)², given as the median pair; prompts needed for "
        "|difference| > 1.96 standard errors: 1.96² s_(i-j)² / difference².",
        "",
        *markdown(
            (
                "prompt set, metric",
                "variance divided by",
                "prompts: median pair",
                "90th percentile",
            ),
            (
                [name, f"{cut:.1f}", f"{half:,.0f}", f"{most:,.0f}"]
                for name, (cut, half, most) in pairing
            ),
        ),
        "",
        f"### Signs on {SIZE} prompts",
        "",
        f"{study.effort.splits} random halves (development seeds 0 to "
        f"{study.effort.splits - 1}), pairs of held-out variants; a pair is decided when its "
        "paired |t| > 2 on the chosen prompts. Quarters are of the true difference, closest "
        f"first. `random`: {RANDOM_DRAWS} sets a half.",
        "",
        *markdown(
            (
                "prompt set, metric",
                "prompts",
                "decided",
                "wrong, of all pairs",
                "wrong, of the decided: closest quarter",
                "second",
                "third",
                "farthest",
            ),
            (_sign_row(*row) for row in signs),
        ),
        "",
        "The closest quarter holds many pairs that the whole set does not tell apart either, so "
        "their 'true' sign is itself a guess; and its decided pairs are few, so its shares move "
        "by several points from one set of halves to another.",
        "",
    ]


def pairing_of(scores: NDArray[np.float32]) -> tuple[float, float, float]:
    """Median variance cut, median and 90th percentile of prompts needed, over all pairs."""
    covariance = np.cov(scores.astype(np.float64))
    means, own = scores.mean(axis=1, dtype=np.float64), np.diag(covariance)
    i, j = np.triu_indices(len(means), 1)
    apart = own[i] + own[j]
    paired = apart - 2 * covariance[i, j]
    needed = Z**2 * paired / (means[i] - means[j]) ** 2
    return float(np.median(apart / paired)), *map(float, np.quantile(needed, [0.5, 0.9]))


def decided_pairs(study: Study, table: ScoreTable, method: str) -> NDArray[np.float64]:
    """Count the pairs of all held-out halves: float64 [quarters, (pairs, decided, wrong)]."""
    (metric,) = table.metrics
    scores = table[metric].values
    target = scores.mean(axis=1, dtype=np.float64)
    total = np.zeros((4, 3))
    for split in make_splits(f"random:{study.effort.splits}@0", table):
        rows = split.held_out
        if method == "random":
            rng = np.random.default_rng([0, *split.search.tolist()])
            sets = [rng.choice(table.n_prompts, SIZE, replace=False) for _ in range(RANDOM_DRAWS)]
        else:
            sets = [study.selection(table, method, SIZE, split).indices]
        for chosen in sets:
            total += _count(scores[np.ix_(rows, chosen)].astype(np.float64), target[rows])
    return total


def _count(scores: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    i, j = np.triu_indices(len(target), 1)
    gaps, truth = scores[i] - scores[j], target[i] - target[j]
    error = gaps.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
    decided = np.abs(gaps.mean(axis=1)) > 2 * error
    wrong = decided & (np.sign(gaps.mean(axis=1)) != np.sign(truth))
    quarter = np.searchsorted(np.quantile(np.abs(truth), [0.25, 0.5, 0.75]), np.abs(truth))
    found = [(quarter == q, decided & (quarter == q), wrong & (quarter == q)) for q in range(4)]
    return np.array([[mask.sum() for mask in masks] for masks in found], dtype=np.float64)


def _sign_row(name: str, method: str, total: NDArray[np.float64]) -> list[str]:
    pairs, decided, wrong = total.sum(axis=0)
    by_quarter = [f"{100 * w / d:.1f}%" if d else "-" for _, d, w in total]
    first = name if method == METHODS[0] else ""
    shares = [f"{100 * decided / pairs:.0f}%", f"{100 * wrong / pairs:.1f}%"]
    return [first, method, *shares, *by_quarter]


def _summary(
    pairing: list[tuple[str, tuple[float, float, float]]],
    signs: list[tuple[str, str, NDArray[np.float64]]],
) -> list[str]:
    columns = np.array([numbers for _, numbers in pairing])
    (cut, half, most), (cut_to, half_to, most_to) = columns.min(axis=0), columns.max(axis=0)
    designed = np.array([total for _, method, total in signs if method != "random"])
    drawn = np.array([total for _, method, total in signs if method == "random"])
    wrong = 100 * designed[:, :, 2].sum(axis=1) / designed[:, :, 0].sum(axis=1)
    closest = 100 * designed[:, 0, 2] / np.maximum(designed[:, 0, 1], 1)
    return [
        f"**Agrees in kind:** pairing divides the variance by {cut:.1f} to {cut_to:.1f} (record "
        f"{_range(record.PAIRING_CUT)}); the median pair needs {half:.0f} to {half_to:.0f} "
        f"random prompts ({_range(record.MEDIAN_PROMPTS)}), the 90th percentile {most:,.0f} to "
        f"{most_to:,.0f} ({_range(record.P90_PROMPTS)}); designed sets decide "
        f"{_share(designed)}% of pairs ({_range(record.DECIDED['designed'])}), random ones "
        f"{_share(drawn)}% ({_range(record.DECIDED['random'])}).  ",
        f"**Does not:** the record's wrong signs, {_range(record.WRONG_SIGNS)}% of all pairs and "
        f"{_range(record.WRONG_IN_CLOSEST)}% of those decided in the closest quarter, are "
        f"{wrong.min():.1f} to {wrong.max():.1f}% and {closest.min():.0f} to "
        f"{closest.max():.0f}% here; it names neither method nor splits.",
        "",
        "The ends of the record's ranges that are not met, a cut of 4.2, 34 and 1,200 prompts, may "
        "be COCO HPS's, the one metric that is not in the data: of those here HPS has the largest "
        "cut.",
        "",
    ]


def _share(total: NDArray[np.float64]) -> str:
    share = 100 * total[:, :, 1].sum(axis=1) / total[:, :, 0].sum(axis=1)
    return f"{share.min():.0f} to {share.max():.0f}"


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:,} to {ends[1]:,}"
