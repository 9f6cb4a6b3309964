"""Where scores vary: between models, between prompts, both together, and from seed to seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.errors import DataError

__all__ = ["VarianceShares", "variance_shares"]


@dataclass(frozen=True)
class VarianceShares:
    """The parts of a single image's variance, as shares that sum to 1.

    Attributes:
        seed_noise: What another image of the same prompt by the same model changes.
        shared_noise: The part of ``seed_noise`` that all models share, as their images have the
            same seeds; 0 where they do not, or it is not known.
        model_by_prompt: What a model does better or worse on one prompt than on others.
        prompt: How easy prompts are for all models.
        model: What the full means differ by.
        images_per_prompt: The images a prompt that it was estimated from.

    """

    seed_noise: float
    shared_noise: float
    model_by_prompt: float
    prompt: float
    model: float
    images_per_prompt: int


def variance_shares(images: ArrayLike, *, shared_seeds: bool = False) -> VarianceShares | None:
    """Estimate the variance components of scores of several images a prompt.

    The model is a mean, plus random effects of models, prompts, both together, and images within
    those; with shared seeds an effect of each prompt's image number too. Components are the
    analysis-of-variance estimates (mean squares set equal to their expectations; Searle, Casella
    and McCulloch, Variance Components, 1992, chapter 4), those below 0 set to 0. Prompts of which
    a score is missing are left out.

    Args:
        images: float [models, prompts, images], NaN where there is none.
        shared_seeds: Whether image k of a prompt has the same seed in all models.

    Returns:
        The shares; None with fewer than 2 models, prompts or images, and where nothing varies.

    Raises:
        DataError: Scores of another shape.

    >>> rng = np.random.default_rng(0)
    >>> model, prompt = rng.normal(size=(200, 1, 1)), 2 * rng.normal(size=(1, 900, 1))
    >>> found = variance_shares(model + prompt + rng.normal(size=(200, 900, 2)))
    >>> [round(one, 1) for one in (found.seed_noise, found.model_by_prompt, found.prompt)]
    [0.2, 0.0, 0.7]

    """
    values = np.asarray(images, dtype=np.float64)
    if values.ndim != 3:
        raise DataError(
            f"scores of shape {values.shape}; expected those of images, [models, prompts, images]"
        )
    values = values[:, ~np.isnan(values).any(axis=(0, 2))]
    if min(values.shape) < 2:
        return None
    n_models, n_prompts, n_images = values.shape
    cells = values.mean(axis=2)
    models, prompts = cells.mean(axis=1), cells.mean(axis=0)
    within = values - cells[:, :, None]
    noise = _mean_square(within, n_models * n_prompts * (n_images - 1))
    own, shared = noise, 0.0
    if shared_seeds:
        common = within.mean(axis=0)
        apart = _mean_square(within - common, (n_models - 1) * n_prompts * (n_images - 1))
        together = n_models * _mean_square(common, n_prompts * (n_images - 1))
        own, shared = apart, max(0.0, (together - apart) / n_models)
    both = _mean_square(
        cells - models[:, None] - prompts + cells.mean(), (n_models - 1) * (n_prompts - 1)
    )
    parts = {
        "seed_noise": own + shared,
        "shared_noise": shared,
        "model_by_prompt": max(0.0, both - own / n_images),
        "prompt": max(0.0, float(prompts.var(ddof=1)) - both / n_models - shared / n_images),
        "model": max(0.0, float(models.var(ddof=1)) - both / n_prompts),
    }
    total = sum(parts.values()) - shared
    if not total > 0:
        return None
    return VarianceShares(
        **{name: part / total for name, part in parts.items()}, images_per_prompt=n_images
    )


def _mean_square(deviations: NDArray[np.float64], degrees: int) -> float:
    return float(np.square(deviations).sum() / degrees)
