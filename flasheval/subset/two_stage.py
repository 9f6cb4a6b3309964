"""Noise of prompts and of their images in a mean over both: two-stage sampling.

Prompts are the first stage, the images of each prompt the second. With N prompts of m images each,
a difference d_pj of two models on image j of prompt p, a variance B between the prompts' true
differences and a variance W of single images around them, the mean of all d_pj has the variance

    B / N + W / (N m)                                                                     (1)

The variance of the N prompt means over N estimates (1) without bias, whatever m is, for each of
them has the variance B + W / m. The mean of the variances within prompts estimates W, and the
variance of the prompt means less W / m estimates B (Cochran 1977, Sampling Techniques, 3rd ed.,
10.3 and 10.4, both stages sampled from many). Where prompts have weights u that sum to 1, images
contribute sum_p u_p^2 W_p / m to (1).

Where two models share the seeds of their images, d_pj is a difference image by image. Where they do
not, or one has more images than the other, W / m becomes V1 / m1 + V2 / m2 - 2 C c / (m1 m2), with
each model's own variance V, their covariance C, and c images that they share.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from flasheval.base.errors import DataError
from flasheval.scores.matrix import mean_of_images

__all__ = [
    "Components",
    "ImageNoise",
    "components_of",
    "fresh_loadings",
    "image_noise",
    "prompt_means",
]


@dataclass(frozen=True)
class Components:
    """The two variances of a paired difference: between prompts, and between a prompt's images.

    >>> components = Components(between=0.04, within=0.12)
    >>> round(components.error(50, 4), 4), round(components.error(200, 1), 4)
    (0.0374, 0.0283)
    """

    between: float
    within: float

    def __post_init__(self) -> None:
        for name in ("between", "within"):
            if not 0 <= getattr(self, name) < math.inf:
                raise DataError(f"{name} is {getattr(self, name)}; expected a variance from 0 on")

    def error(self, prompts: int, images: int, prompts_in_all: float = math.inf) -> float:
        """Return the standard error of a difference over so many prompts and images of each.

        Args:
            prompts: Number of prompts, drawn at random.
            images: Images of each.
            prompts_in_all: Prompts of the whole set; where all are taken they add no error.

        >>> round(Components(0.04, 0.12).error(50, 4, prompts_in_all=50), 4)
        0.0245

        """
        drawn = max(0.0, 1 - prompts / prompts_in_all)
        return math.sqrt(self.between * drawn / prompts + self.within / (prompts * images))


@dataclass(frozen=True, eq=False)
class ImageNoise:
    """Variances of single images around their prompts' means, for two models.

    Attributes:
        first: The first model's, float64 [prompts].
        second: The second's, float64 [prompts]; 0 where there is one model only.
        shared: Their covariance image by image, float64 [prompts]; 0 where images do not pair.

    """

    first: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]
    shared: npt.NDArray[np.float64]

    def of(
        self,
        first: npt.NDArray[np.float64],
        second: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.float64]:
        """Return the variance of a weighted sum of each prompt's images, float64 [prompts].

        Args:
            first: Weights of the first model's images, float64 [images].
            second: Weights of the second's, which are subtracted.

        >>> one = np.ones(1)
        >>> half = np.array([0.5, 0.5])
        >>> ImageNoise(4.0 * one, 2.0 * one, 1.0 * one).of(half, half)  # (4 + 2 - 2) / 2
        array([2.])

        """
        found = self.first * (first @ first) + self.second * (second @ second)
        return np.maximum(found - 2 * self.shared * (first @ second), 0.0)


def prompt_means(scores: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the mean over the images of each prompt; what has none is returned as it is.

    Raises DataError for scores of another shape, and prompts with different numbers of images.

    Args:
        scores: A mean, float [prompts], or float [prompts, images], NaN where there is no image.

    >>> prompt_means([[1.0, 2.0], [3.0, np.nan]]), prompt_means([1.0, 2.0])
    (array([1.5, 3. ]), array([1., 2.]))

    """
    try:
        values = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            "scores of several images are numbers [prompts, images], as many of each prompt; put "
            "NaN where there is none"
        ) from error
    if values.ndim < 2:
        return values
    if values.ndim > 2 or not values.shape[1]:
        raise DataError(f"scores of shape {values.shape}; expected [prompts, images]")
    means: npt.NDArray[np.float64] = mean_of_images(values[None])[0]
    return means


def image_noise(
    first: npt.ArrayLike, second: npt.ArrayLike | None = None, *, paired: bool = True
) -> ImageNoise | None:
    """Estimate the variances of single images; None where no prompt has two.

    A prompt with fewer than two images gets the mean variance of the others.

    Args:
        first: The first model's scores, float [prompts, images], NaN where there is no image.
        second: The second's, if there is one.
        paired: Whether image j of both started from the same noise.

    >>> noise = image_noise([[1.0, 3.0], [2.0, 2.0]], [[1.0, 3.0], [5.0, 5.0]])
    >>> noise.first, noise.shared  # the same noise in both: nothing of it is in the difference
    (array([2., 0.]), array([2., 0.]))
    >>> image_noise([[1.0], [2.0]]) is None
    True

    """
    one = _variances(np.asarray(first, dtype=np.float64))
    if one is None:
        return None
    nothing = np.zeros(len(one))
    if second is None:
        return ImageNoise(one, nothing, nothing)
    two = _variances(np.asarray(second, dtype=np.float64))
    if two is None:
        return None
    if not paired:
        return ImageNoise(one, two, nothing)
    a, b = (np.asarray(given, dtype=np.float64) for given in (first, second))
    common = min(a.shape[1], b.shape[1])
    return ImageNoise(one, two, _covariances(a[:, :common], b[:, :common]))


def components_of(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    paired: bool = True,
) -> Components | None:
    """Estimate both variances of the difference of two models; None where they cannot be told.

    It takes two prompts and two images of some. Images beyond those that both models have are left
    out. An estimate below 0 is 0.

    Args:
        first: The first model's scores, float [prompts, images], NaN where there is no image.
        second: The second's.
        paired: Whether image j of both started from the same noise.

    >>> first = [[1.0, 3.0], [5.0, 7.0], [3.0, 5.0]]
    >>> components_of(first, [[0.0, 0.0]] * 3)  # means 2, 6, 4: variance 4, less 2 / 2
    Components(between=3.0, within=2.0)

    """
    a, b = (np.asarray(given, dtype=np.float64) for given in (first, second))
    common = min(a.shape[1], b.shape[1])
    a, b = a[:, :common], b[:, :common]
    if paired:  # a pair lacks where one of the two does
        a, b = np.where(np.isnan(b), np.nan, a), np.where(np.isnan(a), np.nan, b)
    there = ~(np.isnan(a).all(axis=1) | np.isnan(b).all(axis=1))
    a, b = a[there], b[there]
    noise = image_noise(a, b, paired=paired) if len(a) > 1 else None
    if noise is None:
        return None
    counts = [np.maximum((~np.isnan(one)).sum(axis=1), 1) for one in (a, b)]
    share = noise.first / counts[0] + noise.second / counts[1] - 2 * noise.shared / counts[0]
    within = float(np.mean(noise.first + noise.second - 2 * noise.shared))
    spread = float(np.var(prompt_means(a) - prompt_means(b), ddof=1))
    return Components(max(0.0, spread - float(np.mean(share))), max(0.0, within))


def fresh_loadings(
    images: int, calibrated: int, seeds: Literal["search", "other", "unknown"], width: int
) -> npt.NDArray[np.float64]:
    """Return the weights of the part of the images' noise that a calibration knows nothing of.

    A prompt's score has the weights u = 1 / images. On the search's seeds the mean over the images
    searched, s = 1 / calibrated for each, is what the search balanced and the calibration measured.
    The part of u along s, a s with a = u.s / s.s, is such noise; the rest, u - a s, is new. On
    other seeds all noise is new. Where the calibration is for other seeds it has met as much of it
    as ``calibrated`` images have, and only what is above that counts; where it is not, all of it.

    Args:
        images: Images of a prompt.
        calibrated: Images of a prompt that the calibration is for.
        seeds: ``search``, or ``other`` with a calibration for other seeds, ``unknown`` without.
        width: Length of the result, from both numbers on.

    Returns:
        float64 [width].

    Example:
        >>> fresh_loadings(2, 2, "search", 2).tolist(), fresh_loadings(1, 2, "search", 2).tolist()
        ([0.0, 0.0], [0.5, -0.5])
        >>> fresh_loadings(2, 2, "unknown", 2).tolist()
        [0.5, 0.5]

    """
    used = np.where(np.arange(width) < images, 1 / images, 0.0)
    if seeds == "unknown":
        return used
    if seeds == "other":
        return used * math.sqrt(max(0.0, 1 - images / calibrated))
    searched = np.where(np.arange(width) < calibrated, 1 / calibrated, 0.0)
    along = min(images, calibrated) / images
    return used - along * searched


def _variances(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    return _filled(*_moments(scores, scores))


def _covariances(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    found = _filled(*_moments(first, second))
    return np.zeros(len(first)) if found is None else found


def _moments(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Covariances within prompts, and of which prompts they are known."""
    there = ~(np.isnan(first) | np.isnan(second))
    counts = there.sum(axis=1)
    parts = []
    for one in (first, second):
        values = np.where(there, one, 0.0)
        means = values.sum(axis=1) / np.maximum(counts, 1)
        parts.append(np.where(there, one - means[:, None], 0.0))
    return (parts[0] * parts[1]).sum(axis=1) / np.maximum(counts - 1, 1), counts > 1


def _filled(
    values: npt.NDArray[np.float64], known: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64] | None:
    if not known.any():
        return None
    return np.where(known, values, values[known].mean())
