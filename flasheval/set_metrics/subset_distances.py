r"""Frechet distances of many candidate subsets of one variant's images, a batch at a time.

Of the N centred features A of a subset (columns, over sqrt(N - 1)) the trace of
`flasheval.set_metrics.frechet` is the nuclear norm of A^T R, with R the reference's factor [d, r].
So of every image its projection on R is all that is needed, made once for all subsets; and of
those the Gram matrix K = (X - mu) R R^T (X - mu)^T over the prompts: the roots of the eigenvalues
of a subset's N x N part of K, centred and over N - 1, sum to the trace. With L, the Gram matrix of
X - mu itself, |mean - mu|^2 is the mean of its part of L, and tr S follows from that and the
diagonal of L. A candidate then costs N^2 look-ups and the eigenvalues of one N x N matrix, whatever
d is; a covariance is never formed.

The tables are made where they are small enough and candidates many enough to pay for them. Where
they are not, the N x N parts are multiplied out candidate by candidate, and where N is above r the
r x r matrix of the other side is taken, which has the same eigenvalues.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.errors import DataError
from flasheval.scores.ranking.jit import compiled
from flasheval.set_metrics.arrays import as_features
from flasheval.set_metrics.frechet import FrechetReference, roots_of

__all__ = ["SubsetDistances"]

Floats = NDArray[np.float64]
_TABLES = 2**30  # bytes the two tables of one variant may take
_WORTH = 4  # one large product of matrices does so many times as much a second as small ones
_BATCH = 2**25  # bytes of intermediate values at a time: about what a cache holds


class SubsetDistances:
    """The Frechet distance of any subset of a variant's images from a reference.

    Args:
        features: Float [prompts, d], of one variant.
        reference: The reference to compare with.

    Raises:
        DataError: As in `frechet_distance`.

    >>> rng = np.random.default_rng(0)
    >>> features, other = rng.normal(size=(30, 8)), rng.normal(size=(20, 8))
    >>> distances = SubsetDistances(features, FrechetReference.of(other))
    >>> found = distances.of_sets(np.array([[0, 4, 9], [2, 7, 29]]))
    >>> from flasheval.set_metrics.frechet import frechet_distance
    >>> abs(found[1] - frechet_distance(features[[2, 7, 29]], distances.reference).value) < 1e-6
    np.True_

    """

    def __init__(self, features: ArrayLike, reference: FrechetReference) -> None:
        self.reference = reference
        # Centred by the reference's mean: what is left is small beside no number it is taken from.
        self.shifted = as_features(features, width=reference.width) - reference.mean
        self.projected = self.shifted @ reference.factor

    def of_sets(self, sets: NDArray[np.integer[Any]], *, tables: bool | None = None) -> Floats:
        """Return the distance of each row of sets [n_sets, N], float64 [n_sets].

        Args:
            sets: Numbers of prompts, distinct within a row.
            tables: Whether to tabulate the Gram matrices over all prompts; by default when that
                is faster. Results are the same but for rounding.

        Raises DataError for sets of fewer than two prompts, and for unknown prompts.

        """
        chosen = np.asarray(sets)
        if chosen.ndim != 2 or chosen.shape[1] < 2:
            raise DataError(f"sets have shape {list(chosen.shape)}; expected [sets, N], N from 2")
        if chosen.size and not 0 <= chosen.min() <= chosen.max() < len(self.shifted):
            raise DataError(f"sets name prompts outside 0 to {len(self.shifted) - 1}")
        size, entries = chosen.shape[1], len(self.shifted) ** 2
        narrow = size > self.projected.shape[1]
        if tables is None:
            fits = 2 * 8 * entries <= _TABLES
            tables = fits and not narrow and entries <= _WORTH * len(chosen) * size**2
        batches: _Batches
        if tables:
            batches, wide = _Tabulated(self.shifted, self.projected), size
        else:
            batches = _MultipliedOut(self.shifted, self.projected, narrow=narrow)
            wide = max(size, self.shifted.shape[1])
        step = max(1, _BATCH // (8 * size * wide))
        found = np.empty(len(chosen))
        for start in range(0, len(chosen), step):
            part = slice(start, start + step)
            of_means, trace, roots = batches.terms(chosen[part])
            found[part] = of_means + trace + self.reference.trace - 2 * roots
        distances: Floats = np.maximum(found, 0)
        return distances


Terms = tuple[Floats, Floats, Floats]  # |mean - mu|^2, tr S and the trace of the root, each [sets]


class _Batches(Protocol):
    """One way to the terms of a batch of sets, int [sets, N]."""

    def terms(self, sets: NDArray[np.integer[Any]]) -> Terms: ...


class _Tabulated:
    def __init__(self, shifted: Floats, projected: Floats) -> None:
        self.own, self.cross = shifted @ shifted.T, projected @ projected.T

    def terms(self, sets: NDArray[np.integer[Any]]) -> Terms:
        size = sets.shape[1]
        of_means, squares, gram = _look_up(self.own, self.cross, sets.astype(np.int64))
        trace = (squares - size * of_means) / (size - 1)
        return of_means, trace, roots_of(gram)


class _MultipliedOut:
    def __init__(self, shifted: Floats, projected: Floats, *, narrow: bool) -> None:
        self.shifted, self.projected, self.narrow = shifted, projected, narrow
        self.squares = np.einsum("pd,pd->p", shifted, shifted)

    def terms(self, sets: NDArray[np.integer[Any]]) -> Terms:
        size = sets.shape[1]
        means = np.stack([self.shifted[one].mean(axis=0) for one in sets])
        of_means = np.einsum("sd,sd->s", means, means)
        trace = (self.squares[sets].sum(axis=1) - size * of_means) / (size - 1)
        rows = self.projected[sets]
        rows -= rows.mean(axis=1, keepdims=True)
        turned = rows.transpose(0, 2, 1)
        gram = turned @ rows if self.narrow else rows @ turned
        gram /= size - 1
        return of_means, trace, roots_of(gram)


@compiled
def _look_up(own: Floats, cross: Floats, sets: NDArray[np.int64]) -> Terms:
    """Return the mean of each set's part of `own`, its trace, and its centred part of `cross`."""
    n_sets, size = sets.shape
    of_means, squares = np.empty(n_sets), np.empty(n_sets)
    gram = np.empty((n_sets, size, size))
    means = np.empty(size)
    for number in range(n_sets):
        chosen, part = sets[number], gram[number]
        squared = total = 0.0
        for i in range(size):
            row, other = cross[chosen[i]], own[chosen[i]]
            squared += other[chosen[i]]
            in_row = of_row = 0.0
            for j in range(size):
                value = row[chosen[j]]
                part[i, j] = value
                in_row += value
                of_row += other[chosen[j]]
            means[i] = in_row / size
            total += of_row
        mean = means.mean()
        for i in range(size):
            for j in range(size):
                part[i, j] = (part[i, j] - means[i] - means[j] + mean) / (size - 1)
        of_means[number], squares[number] = total / (size * size), squared
    return of_means, squares, gram
