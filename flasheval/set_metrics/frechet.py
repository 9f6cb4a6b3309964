r"""The Frechet distance between Gaussians fitted to two sets of features.

d^2 = |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) (Dowson and Landau, "The Frechet distance
between multivariate normal distributions", 1982), with sample means and covariances (n - 1). On
Inception features it is the FID (Heusel et al., "GANs trained by a two time-scale update rule
converge to a local Nash equilibrium", 2017). As there, the distance is given squared.

The trace without a square root of a matrix. Let S1 = A1 A1^T and S2 = A2 A2^T, for example with
A = the centred features as columns over sqrt(n - 1). For any X and Y of fitting shapes X Y and Y X
have the same eigenvalues other than 0 (Horn and Johnson, "Matrix Analysis", theorem 1.3.22). With
X = A1 and Y = A1^T A2 A2^T this says: those of S1 S2 are those of A1^T A2 A2^T A1 = M M^T with
M = A1^T A2. So they are the squares of the singular values of M, and

    tr (S1 S2)^(1/2) = the sum of the singular values of A1^T A2, its nuclear norm.

For n images of width d, M has n rows: where n is at most d the trace costs O(n^2 r), r being the
columns of A2, and no eigenvalue is squared on the way, so that a set is at distance 0 from itself
to the last digits, however few its images. (The same identity makes FID fast in Mathiasen and
Hvilshoj, "Backpropagating through Frechet Inception Distance", 2020.) Where n is above d, the
eigenvalues of the symmetric A2^T S1 A2 are taken instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.errors import DataError
from flasheval.base.files import atomic_write, require_file
from flasheval.set_metrics.arrays import as_features

__all__ = ["FrechetDistance", "FrechetReference", "frechet_distance", "roots_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FrechetDistance:
    """A Frechet distance with the numbers of images it was computed from; lower is better.

    Attributes:
        value: The distance, squared as FID is, at least 0.
        of_means: The part |mu1 - mu2|^2 of the distance.
        n: Number of images.
        n_reference: Number of images of the reference; None when only its moments are known.
        width: Width of the features, d.

    """

    value: float
    of_means: float
    n: int
    n_reference: int | None
    width: int

    @property
    def warning(self) -> str | None:
        """A warning when there are no more images than features, else None.

        >>> FrechetDistance(12.0, 3.0, n=5000, n_reference=30_000, width=768).warning is None
        True
        >>> FrechetDistance(12.0, 3.0, n=50, n_reference=30_000, width=768).warning[:24]
        '50 images span no covari'
        """
        few = [n for n in (self.n, self.n_reference) if n is not None and n <= self.width]
        if not few:
            return None
        return (
            f"{min(few)} images span no covariance of {self.width} features: the distance is "
            "biased upwards; compare only sets of the same size"
        )


@dataclass(frozen=True, eq=False)
class FrechetReference:
    """The mean and covariance of a reference, factored once for many distances.

    Attributes:
        mean: float64 [d].
        factor: float64 [d, r], r <= d, with covariance = factor factor^T.
        n: Number of images; None when only the moments are known.

    >>> reference = FrechetReference.of([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> reference.mean.tolist(), reference.n
    ([1.0, 1.0], 4)

    """

    mean: Floats
    factor: Floats
    n: int | None

    @classmethod
    def of(cls, features: ArrayLike) -> FrechetReference:
        """Fit to features [n, d]. Raises DataError as `as_features` does.

        >>> square = [[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]]
        >>> round(FrechetReference.of(square).trace, 3)  # two variances of 4/3
        2.667
        """
        values = as_features(features, "the reference's features")
        mean = values.mean(axis=0)
        values = values - mean
        if len(values) <= values.shape[1]:
            return cls(mean, values.T / np.sqrt(len(values) - 1), len(values))
        return cls(mean, _factor(values.T @ values / (len(values) - 1)), len(values))

    @classmethod
    def of_moments(
        cls, mean: ArrayLike, covariance: ArrayLike, n: int | None = None
    ) -> FrechetReference:
        """Take a mean [d] and a covariance [d, d], such as published statistics.

        Raises DataError when the shapes do not fit, or the covariance is not symmetric, not finite
        or has a negative eigenvalue.

        >>> reference = FrechetReference.of_moments([0, 0], [[1, 0], [0, 4]], n=30_000)
        >>> reference.width, round(reference.trace, 6)
        (2, 5.0)
        >>> FrechetReference.of_moments([0, 0], [[1, 0], [0, -4]])
        Traceback (most recent call last):
        flasheval.base.errors.DataError: the covariance has a negative eigenvalue (-4)
        """
        mu = np.asarray(mean, dtype=np.float64)
        sigma = np.asarray(covariance, dtype=np.float64)
        if mu.ndim != 1 or sigma.shape != (len(mu), len(mu)):
            raise DataError(
                f"a mean of shape {list(mu.shape)} and a covariance of {list(sigma.shape)}; "
                "expected [d] and [d, d]"
            )
        if not (np.isfinite(mu).all() and np.isfinite(sigma).all()):
            raise DataError("the mean or the covariance has a NaN or infinite value")
        if not np.allclose(sigma, sigma.T, rtol=1e-5, atol=1e-6 * float(np.abs(sigma).max())):
            raise DataError("the covariance is not symmetric")
        return cls(mu, _factor((sigma + sigma.T) / 2), n)

    @property
    def width(self) -> int:
        """The width of the features, d."""
        return len(self.mean)

    @property
    def trace(self) -> float:
        """The trace of the covariance."""
        return float((self.factor * self.factor).sum())

    def save(self, path: str | Path) -> None:
        """Write ``mu``, ``sigma`` and ``n`` as an npz, the layout pytorch-fid reads too."""
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            sigma = self.factor @ self.factor.T
            np.savez(file, mu=self.mean, sigma=sigma, n=np.array(-1 if self.n is None else self.n))

    @classmethod
    def load(cls, path: str | Path) -> FrechetReference:
        """Read an npz with ``mu`` and ``sigma``, written by `save` or pytorch-fid; no pickle.

        Raises DataError when the file cannot be read as such.

        >>> import tempfile
        >>> reference = FrechetReference.of_moments([0, 0], [[1, 0], [0, 4]], n=30_000)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     reference.save(f"{folder}/real.npz")
        ...     FrechetReference.load(f"{folder}/real.npz").n
        30000
        """
        path = require_file(path, "npz of mu and sigma")
        try:
            with np.load(path, allow_pickle=False) as archive:
                mu, sigma = archive["mu"], archive["sigma"]
                n = int(archive["n"]) if "n" in archive else -1
        except Exception as error:  # NumPy and zipfile raise all sorts for damaged bytes
            raise DataError(f"{path} cannot be read: {error}; expected mu and sigma") from error
        try:
            return cls.of_moments(mu, sigma, None if n < 0 else n)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error


def frechet_distance(features: ArrayLike, reference: FrechetReference) -> FrechetDistance:
    """Return the Frechet distance of features [n, d] from a reference (Dowson and Landau 1982).

    Computed in float64; O(n^2 r) where n <= d, O(n d^2 + d^3) above. Raises DataError for fewer
    than two images, another width, or a value that is not finite.

    Two Gaussians of equal covariance are |mu1 - mu2|^2 apart:

    >>> square = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> found = frechet_distance(square + [3, 4], FrechetReference.of(square))
    >>> round(found.value, 9), found.of_means, found.warning
    (25.0, 25.0, None)
    """
    values = as_features(features, width=reference.width)
    n, width = values.shape
    mean = values.mean(axis=0)
    values = values - mean
    shift = mean - reference.mean
    of_means = float(shift @ shift)
    trace = float((values * values).sum()) / (n - 1)
    if n <= width:
        product = values @ reference.factor / np.sqrt(n - 1)
        roots = float(np.linalg.svd(product, compute_uv=False).sum())
    else:
        product = (values @ reference.factor) / np.sqrt(n - 1)
        roots = float(roots_of(product.T @ product))
    value = max(0.0, of_means + trace + reference.trace - 2 * roots)
    return FrechetDistance(value, of_means, n, reference.n, width)


def roots_of(gram: Floats) -> Floats:
    """Return the sum of the square roots of the eigenvalues of Gram matrices [..., m, m]: [...].

    Eigenvalues below m times the rounding error of the greatest are rounding errors, and count as
    0: the root of one would be a millionfold greater.

    >>> float(roots_of(np.diag([9.0, 16.0, -1e-18])))
    7.0
    """
    values = np.linalg.eigvalsh(gram)
    least = values[..., -1:] * gram.shape[-1] * np.finfo(values.dtype).eps
    kept = np.where(values > np.maximum(least, 0), values, 0)
    roots: Floats = np.sqrt(kept).sum(axis=-1)
    return roots


def _factor(covariance: Floats) -> Floats:
    """Return A [d, r] with covariance = A A^T, of its eigenvalues above rounding errors."""
    values, vectors = np.linalg.eigh(covariance)
    least = max(float(values[-1]), 0.0) * len(values) * np.finfo(np.float64).eps
    if values[0] < -max(1e-6 * float(values[-1]), 10 * least):
        raise DataError(f"the covariance has a negative eigenvalue ({values[0]:.3g})")
    kept = values > least
    factor: Floats = vectors[:, kept] * np.sqrt(values[kept])
    return factor
