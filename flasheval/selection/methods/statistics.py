"""How strongly each prompt follows the variants' overall quality, and how noisy it is.

The model behind `discrimination`, `balanced`, `shared`, `anneal` and `evolve`: a prompt's centred
scores are its slope times the variants' overall quality, plus a few shared directions of the
population, plus noise of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "UNLIKE",
    "PromptStatistics",
    "explained_variance",
    "pair_weight_root",
    "prompt_statistics",
    "slope_and_residual",
]

# Times the variance that features of prompts explain counts, beside the noise: a new variant may be
# good at one kind of prompt and bad at another, and errors do not average out within a kind. Chosen
# on development data, kinds of prompts of 24 unlike models with 5 to 16 variants searched.
UNLIKE = 4.0

_BLOCK_VALUES = 4_194_304
_MAX_COMPONENTS = 8
_GRAM_PROMPTS = 65_536
_ROUNDING = 1e-20


@dataclass(frozen=True)
class PromptStatistics:
    """Per-prompt statistics of one metric over n search variants.

    Attributes:
        quality: float64 [n], r: the mean of the centred scores over prompts.
        slope: float64 [prompts], beta: slope of a prompt's centred scores on r; their mean is 1.
        noise: float64 [prompts], D: variance of what is left, floored and shrunk; of the mean of
            as many images as the subset is to be used with, where images are known.
        residual: float64 [prompts], variance around the slope, shared directions and all; floored
            at 1e-3 of its mean.

    Example:
        >>> scores = np.array([[0, 4, 1], [1, 3, 2], [2, 5, 6]], dtype=np.float32)
        >>> found = prompt_statistics(scores)
        >>> found.quality.round(2), found.slope.shape, found.noise.shape
        (array([-1.  , -0.67,  1.67]), (3,), (3,))

    """

    quality: NDArray[np.float64]
    slope: NDArray[np.float64]
    noise: NDArray[np.float64]
    residual: NDArray[np.float64]

    @property
    def discrimination(self) -> NDArray[np.float64]:
        """How sharply a prompt alone tells variants apart, float64 [prompts].

        Slope over residual standard deviation. The shared directions count as residual here:
        prompts chosen one by one share them, so that they do not average out.

        Example:
            >>> slope, variance = np.array([1.0, 1.0, -1.0]), np.array([1.0, 4.0, 1.0])
            >>> PromptStatistics(np.zeros(2), slope, variance, variance).discrimination
            array([ 1. ,  0.5, -1. ])

        """
        ratio: NDArray[np.float64] = self.slope / np.sqrt(self.residual)
        return ratio


def pair_weight_root(quality: NDArray[np.float64], *, nearness: float = 1.0) -> NDArray[np.float64]:
    r"""Square root H of the weighted Laplacian that makes near pairs of variants count more.

    A pair (i, j) with full difference d_ij weighs 1 / (d_ij^2 + (nearness median(abs(d)))^2), so
    that ``|H e|^2 = sum over pairs of w_ij (e_i - e_j)^2``.

    Args:
        quality: float64 [n] full-set quality of each variant, not all equal.
        nearness: The lower, the more the nearest pairs count; above 0.

    Returns:
        Symmetric float64 [n, n].

    Example:
        >>> H = pair_weight_root(np.array([0.0, 1.0]))
        >>> np.round(H @ H, 3)
        array([[ 0.5, -0.5],
               [-0.5,  0.5]])

    """
    gaps = quality[:, None] - quality[None, :]
    spread = np.median(np.abs(gaps[np.triu_indices(len(quality), 1)]))
    if spread == 0.0:
        spread = np.abs(gaps).max()
    weights = 1.0 / (gaps**2 + (nearness * spread) ** 2)
    np.fill_diagonal(weights, 0.0)
    laplacian = np.diag(weights.sum(axis=1)) - weights
    values, vectors = np.linalg.eigh(laplacian)
    root: NDArray[np.float64] = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    return root


def prompt_statistics(
    scores: NDArray[np.float32],
    *,
    target: NDArray[np.float64] | None = None,
    transform: NDArray[np.float64] | None = None,
    images: NDArray[np.float32] | None = None,
    images_used: int | None = None,
) -> PromptStatistics:
    r"""Slope and noise of every prompt.

    With C the scores centred per prompt (and multiplied by `transform` when given), r the centred
    full-set means (multiplied by it too), beta_p = <C_p, r> / <r, r> and E = C - r beta: the
    K = min(8, n - 4) leading principal components of E are removed, the mean square left over
    n - 2 - K degrees of freedom is the raw noise, shrunk to its mean with weight dof / (dof + 4)
    and floored at 1e-3 of it. Where nothing is left but rounding errors every variance is 1.

    With several images a prompt what is left has two parts: one that another seed changes, of
    variance s per image, and one that it does not, of variance a. The scores are means of k images,
    so D estimates a + s / k; of a subset that is used with m images a + s / m counts:

        D_m = D + s (1 / m - 1 / k)

    s is the mean square of interaction in the two-way layout of variants and images of one prompt,

        s = sum over v, i of (x_vi - x_v. - x_.i + x_..)^2 / ((n - 1) (k - 1)),

    the estimator of the analysis of variance (Searle, Casella and McCulloch, Variance Components,
    1992, chapter 4); where no seed is shared by variants it has the mean of the one-way estimator
    within variants, and where one is, its common effect does not count, as it changes no ranking.
    The deviations of images go through the very same steps as the residuals (transform, slope,
    components), and s is shrunk to its mean as D is, with k - 1 times its degrees of freedom.

    Memory stays at a block of prompts; the principal components come from at most 65,536 evenly
    spaced prompts.

    Args:
        scores: float32 [n, prompts], no NaN.
        target: float64 [n] full-set means, not all equal; the means of `scores` when not given.
        transform: float64 [n, n], for example `pair_weight_root`.
        images: float32 [n, prompts, k], the scores of single images, no NaN; None for one each.
        images_used: m; None for k.

    Returns:
        The statistics, float64.

    Example:
        >>> scores = np.random.default_rng(0).normal(size=(12, 50)).astype(np.float32)
        >>> round(float(prompt_statistics(scores).slope.mean()), 6)
        1.0

    """
    n, n_prompts = scores.shape
    means = scores.mean(axis=1, dtype=np.float64) if target is None else target
    quality = means - means.mean()
    if transform is not None:
        quality = transform @ quality
    components = _leading_components(scores, transform, quality)
    slope = np.empty(n_prompts)
    noise = np.empty(n_prompts)
    variance = np.empty(n_prompts)
    change = _change(images, images_used)
    seeds = None if images is None or change == 0 else np.empty((2, n_prompts))
    dof = max(1, n - 2 - components.shape[1])
    block = _block_prompts(n)
    for begin in range(0, n_prompts, block):
        part = slice(begin, begin + block)
        slope[part], residual = slope_and_residual(scores[:, part], transform, quality)
        total = np.einsum("ij,ij->j", residual, residual)
        shared = np.square(components.T @ residual).sum(axis=0)
        noise[part] = np.maximum(total - shared, 0.0) / dof
        variance[part] = total / max(1, n - 2)
        if images is not None and seeds is not None:
            single = _image_squares(images[:, part], transform, quality, components)
            seeds[:, part] = single / ((images.shape[2] - 1) * np.array([[dof], [max(1, n - 2)]]))
    signal = float(np.mean(slope**2) * (quality @ quality))
    weight = dof / (dof + 4)
    shrunk = weight * noise + (1 - weight) * noise.mean()
    if images is not None and seeds is not None:
        known = dof * (images.shape[2] - 1)
        weight = known / (known + 4)
        shrunk = shrunk + change * (weight * seeds[0] + (1 - weight) * seeds[0].mean())
        variance = variance + change * seeds[1]
    return PromptStatistics(quality, slope, _floored(shrunk, signal), _floored(variance, signal))


def _change(images: NDArray[np.float32] | None, used: int | None) -> float:
    """How much more the seeds' variance counts than in the mean of all images: 1 / m - 1 / k."""
    if images is None or used is None or images.shape[2] < 2:
        return 0.0
    return float(1 / used - 1 / images.shape[2])


def _image_squares(
    images: NDArray[np.float32],
    lift: NDArray[np.float64] | None,
    quality: NDArray[np.float64],
    components: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return sums of squares, over images, of what each adds to the mean of its prompt's.

    Returns:
        float64 [2, prompts]: without the shared directions, and with them.

    """
    mean = images.mean(axis=2, dtype=np.float64)
    squares = np.zeros((2, images.shape[1]))
    for image in range(images.shape[2]):
        _, residual = slope_and_residual(images[:, :, image] - mean, lift, quality)
        total = np.einsum("ij,ij->j", residual, residual)
        shared = np.square(components.T @ residual).sum(axis=0)
        squares += np.stack([np.maximum(total - shared, 0.0), total])
    return squares


def slope_and_residual(
    scores: NDArray[np.floating[Any]],
    lift: NDArray[np.float64] | None,
    quality: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Regress the centred, lifted scores of each prompt on overall quality.

    Args:
        scores: float32 [n, prompts].
        lift: float64 [n, n] transform of the variants; None for none.
        quality: float64 [n], r, already lifted.

    Returns:
        Slope float64 [prompts] and residual float64 [n, prompts].

    Example:
        >>> scores = np.array([[1, 5], [3, 4]], dtype=np.float32)
        >>> slope, residual = slope_and_residual(scores, None, np.array([-0.5, 0.5]))
        >>> slope, residual.shape
        (array([ 2., -1.]), (2, 2))

    """
    values = scores.astype(np.float64)
    values -= values.mean(axis=0)
    # In one memory order, or the last bits of what follows would depend on the caller's.
    values = np.ascontiguousarray(values) if lift is None else lift @ values
    slope = (quality @ values) / (quality @ quality)
    values -= np.outer(quality, slope)
    return slope, values


def explained_variance(residual: NDArray[np.floating[Any]], features: NDArray[np.float64]) -> float:
    r"""Variance that unit features add to a residual, summed over variants; at least 0.

    The residual of variant v at prompt p is modelled as g_v . F_p + e_vp, with independent
    g ~ N(0, t I) and e ~ N(0, s). Two moments, the sum of squares of the residuals and that of
    their sums over prompts with each feature, give t and s (Haseman and Elston, Behavior Genetics
    2, 1972; with several features as in the method of moments for variance components):

        E |F E'|^2 = R (t tr(G^2) + s tr(G)),   E |E|^2 = R (t tr(G) + s P),   G = F F'

    for R variants and P prompts. What chance would explain is so taken away.

    Args:
        residual: float32 [variants, prompts], E.
        features: float64 [features, prompts], F, centred over prompts.

    Returns:
        R t, in the squared units of the residuals; 0 where the features vary no more than s.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> kinds = np.eye(4)[rng.integers(0, 4, 2000)].T
        >>> kinds -= kinds.mean(axis=1, keepdims=True)
        >>> noise = rng.normal(size=(30, 2000))
        >>> found = explained_variance((rng.normal(size=(30, 4)) @ kinds + noise), kinds)
        >>> 20 < found < 40, explained_variance(noise, kinds) < 0.1
        (True, True)

    """
    gram = features @ features.T
    trace, square = float(np.trace(gram)), float(np.square(gram).sum())
    prompts = residual.shape[1]
    determinant = square * prompts - trace**2
    if not determinant > 1e-9 * square * prompts:
        return 0.0
    along = float(np.square(residual @ features.T).sum())
    total = float(np.square(residual, dtype=np.float64).sum())
    return float(max(0.0, (along * prompts - total * trace) / determinant))


def _block_prompts(n_variants: int) -> int:
    return max(1, _BLOCK_VALUES // n_variants)


def _leading_components(
    scores: NDArray[np.float32], lift: NDArray[np.float64] | None, quality: NDArray[np.float64]
) -> NDArray[np.float64]:
    n, n_prompts = scores.shape
    count = max(0, min(_MAX_COMPONENTS, n - 4))
    gram = np.zeros((n, n))
    stride = -(-n_prompts // _GRAM_PROMPTS)
    block = _block_prompts(n) * stride
    for begin in range(0, n_prompts, block):
        _, residual = slope_and_residual(scores[:, begin : begin + block : stride], lift, quality)
        gram += residual @ residual.T
    _, vectors = np.linalg.eigh(gram)
    return np.asarray(vectors[:, n - count :], dtype=np.float64)


def _floored(variance: NDArray[np.float64], signal: float) -> NDArray[np.float64]:
    """Floor variances at 1e-3 of their mean."""
    mean = variance.mean()
    if mean <= _ROUNDING * signal:
        # As with two variants, which leave no residual: only rounding errors, which mean nothing.
        return np.ones_like(variance)
    floored: NDArray[np.float64] = np.maximum(variance, 1e-3 * mean)
    return floored
