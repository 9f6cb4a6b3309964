"""Errors of figures made from votes, where votes on one prompt and of one rater err together.

The variance is the two-way cluster-robust one of Cameron, Gelbach and Miller, "Robust inference
with multiway clustering", Journal of Business and Economic Statistics 29 (2011) 238: V = V_prompt +
V_rater - V_both, in which V_c sums a figure's influences over each cluster of kind c before it
squares them, and `both` are the votes of one rater on one prompt. Each part is multiplied by
G / (G - 1) for its G clusters. A matrix that comes out with negative roots loses them, as they
propose; a single variance is never less than one of its two parts, for two-way variances of few
clusters come out too small at times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from flasheval.base.checks import checked_word
from flasheval.scores.votes.arrays import VoteArrays

__all__ = ["Cluster", "VoteClusters", "vote_clusters"]

Cluster = Literal["both", "prompt", "rater"]
"""What errs together: votes on one prompt and those of one rater, or one of the two only."""

Floats = NDArray[np.float64]
_DENSE = 8  # times as many numbers as keys, up to which a table of them is quicker than sorting
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class VoteClusters:
    """Which votes err together, in one or two ways.

    Attributes:
        ways: int64 [votes] each, the cluster of every vote, in one way or two.
        both: int64 [votes], the clusters within both, where there are two ways.
        words: What the ways are: ("prompt", "rater"), or one of them.

    """

    ways: tuple[Codes, ...]
    both: Codes | None
    words: tuple[str, ...]

    @property
    def units(self) -> int:
        """The clusters of the way that has the fewer: all that intervals can rest on."""
        return min(int(codes.max()) + 1 for codes in self.ways)

    def covariance(self, votes: Codes, columns: Codes, influences: Floats, width: int) -> Floats:
        """Return the covariance of ``width`` figures, float64 [width, width].

        ``influences`` [k] are what the votes [k] move the figures ``columns`` [k] by; a vote may
        stand there several times.
        """
        total = np.zeros((width, width))
        for codes, sign in self._parts():
            sums = _summed(codes, votes, columns, influences, width)
            groups = sums.shape[0]
            total += sign * groups / max(groups - 1, 1) * (sums.T @ sums).toarray()
        roots, vectors = np.linalg.eigh((total + total.T) / 2)
        if roots[0] >= 0:
            return total
        found: Floats = (vectors * np.maximum(roots, 0.0)) @ vectors.T
        return found

    def mean_errors(
        self, votes: Codes, columns: Codes, values: Codes, tables: Floats, width: int
    ) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """Return means of votes, their errors, and how many clusters they rest on.

        ``columns`` [k] are the figures that the votes [k] belong to, ``values`` int [k] what each
        says, from 0; ``tables`` [q, kinds] are the numbers that the values stand for, in q ways.

        Returns float64 [q, width], NaN where a figure has no vote; float64 [q, width]; and int64
        [width], of the way with the fewer clusters. A mean's influences are its votes' deviations.
        """
        kinds = tables.shape[1]
        whole = np.bincount(columns * kinds + values, minlength=width * kinds)
        whole = whole.reshape(width, kinds)
        n = whole.sum(axis=1)
        means = tables @ whole.T / np.maximum(n, 1)
        variances, units = [], []
        for codes, sign in self._parts():
            cells, place = _numbered(codes[votes] * width + columns)
            column = cells % width
            counts = np.bincount(place * kinds + values, minlength=len(cells) * kinds)
            counts = counts.reshape(-1, kinds)
            deviations = tables @ counts.T - means[:, column] * counts.sum(axis=1)
            squares = np.stack([np.bincount(column, one**2, minlength=width) for one in deviations])
            counted = np.bincount(column, minlength=width)
            variances.append(sign * squares * counted / np.maximum(counted - 1, 1))
            units.append(counted)
        variance = np.maximum(sum(variances), np.max(variances[: len(self.ways)], axis=0))
        errors = np.sqrt(variance) / np.maximum(n, 1)
        fewest = np.min(units[: len(self.ways)], axis=0)
        return np.where(n > 0, means, np.nan), errors, fewest.astype(np.int64)

    def _parts(self) -> list[tuple[Codes, int]]:
        last = [] if self.both is None else [(self.both, -1)]
        return [*((codes, 1) for codes in self.ways), *last]


def vote_clusters(votes: VoteArrays, cluster: Cluster = "both") -> VoteClusters:
    """Return which votes err together.

    Raters are left out where they are not known or there is only one; so is a single prompt. A vote
    of an unknown rater among known ones stands alone. SettingError for an unknown word.

    >>> from flasheval.prompts import PromptSet
    >>> pets = PromptSet("pets", ("1", "2"))
    >>> two = VoteArrays(("a", "b"), pets, [0, 0], [1, 1], [0, 1], [1, 0], ("x",), [0, 0])
    >>> vote_clusters(two).words  # one rater says nothing of how raters differ
    ('prompt',)
    """
    checked_word("cluster", cluster, get_args(Cluster))
    prompt, rater = _compact(votes.prompt), _raters(votes)
    chosen = {}
    if cluster != "rater" or rater is None:
        chosen["prompt"] = prompt
    if cluster != "prompt" and rater is not None:
        chosen["rater"] = rater
    if len(chosen) == 2:
        chosen = {word: codes for word, codes in chosen.items() if codes.max() > 0} or chosen
    ways = tuple(chosen.values())
    both = None
    if len(ways) == 2:
        both = _compact(ways[0] * (int(ways[1].max()) + 1) + ways[1])
    return VoteClusters(ways, both, tuple(chosen))


def _raters(votes: VoteArrays) -> Codes | None:
    if votes.rater is None:
        return None
    rater = votes.rater.astype(np.int64)
    unknown = np.flatnonzero(rater < 0)
    rater[unknown] = len(votes.raters) + np.arange(len(unknown))
    return _compact(rater)


def _compact(codes: NDArray[Any]) -> Codes:
    return _numbered(codes.astype(np.int64))[1]


def _numbered(keys: Codes) -> tuple[Codes, Codes]:
    """Return the distinct keys, from 0 on, and each one's place, as numpy.unique; no sorting."""
    most = int(keys.max()) + 1
    if most > _DENSE * len(keys):
        found, place = np.unique(keys, return_inverse=True)
        return found, place.astype(np.int64)
    there = np.zeros(most, dtype=bool)
    there[keys] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[keys]


def _summed(
    codes: Codes, votes: Codes, columns: Codes, values: Floats, width: int
) -> sparse.csr_array:
    """Sum what stands in one column and cluster: [clusters, width]."""
    shape = (int(codes.max()) + 1, width)
    return sparse.coo_array((values, (codes[votes], columns)), shape=shape).tocsr()
