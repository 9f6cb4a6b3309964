"""A seeded synthetic score table, for trying things out without measured scores.

It is not data: no model was run. The numbers imitate what real score matrices look like: overall
quality, a few shared directions, and prompt noise that swamps both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import SettingError
from flasheval.generators.seeds import ImageSeeds
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.table import ScoreTable

__all__ = ["synthetic_scores"]

_BASES = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")
_SCHEDULERS = ("DDIM", "PNDM", "DPM")
_STEPS = (10, 20, 50)
_OF_ALL, _OF_FAMILY = 0.1, 0.3  # shares of the seed noise's variance

Floats = NDArray[np.float64]
Scores = NDArray[np.float32]


def synthetic_scores(
    n_variants: int = 48,
    n_prompts: int = 1000,
    seed: int = 0,
    *,
    images: int = 1,
    seed_noise: float = 1.0,
) -> ScoreTable:
    """Make a table of two metrics, `quality` and `alignment`, over made-up variants.

    Variants come from a grid of base model, scheduler and steps, cut to `n_variants`; a prompt
    has its own difficulty, slope and noise. With several images each image adds noise of its own
    seed to what the score of one image would be: of its variance a tenth is shared by all
    variants, and another three tenths by those of one base model, about as measured on the
    miniature's diffusion models.

    Args:
        n_variants: From 2 to 72.
        n_prompts: Number of prompts, at least 1.
        seed: Same seed, same table.
        images: Images a prompt, at least 1. A single one has no noise beside the prompt's.
        seed_noise: Standard deviation of the seeds' noise, in units of the prompt's own.

    Raises:
        SettingError: Too few or too many are asked for.

    Example:
        >>> table = synthetic_scores(n_variants=6, n_prompts=20)
        >>> table.metrics, table["quality"].values.shape
        (('quality', 'alignment'), (6, 20))
        >>> synthetic_scores(6, 20, images=2)["quality"].images.shape
        (6, 20, 2)

    """
    grid = [(b, s, k) for k in _STEPS for s in _SCHEDULERS for b in _BASES]
    if not 2 <= n_variants <= len(grid):
        raise SettingError(f"n_variants={n_variants}: expected 2 to {len(grid)} made-up variants")
    if n_prompts < 1:
        raise SettingError(f"n_prompts={n_prompts}: expected at least 1 made-up prompt")
    if images < 1:
        raise SettingError(f"images={images}: expected at least 1 made-up image a prompt")
    rng = np.random.default_rng(seed)
    grid = grid[:n_variants]
    variants = tuple(
        Variant(f"{b}/{s}{k}", {"base_model": b, "scheduler": s, "steps": k}) for b, s, k in grid
    )
    base = dict(zip(_BASES, rng.normal(size=len(_BASES)), strict=True))
    scheduler = dict(zip(_SCHEDULERS, 0.3 * rng.normal(size=len(_SCHEDULERS)), strict=True))
    quality = np.array([base[b] + scheduler[s] + 0.4 * np.log(k / 10) for b, s, k in grid])
    ids = tuple(str(number) for number in range(1, n_prompts + 1))
    texts = tuple(f"synthetic prompt {number}" for number in ids)
    prompts = PromptSet("synthetic", ids, texts)
    names = tuple(variant.name for variant in variants)
    matrices = {}
    for metric in ("quality", "alignment"):
        own = 0.8 * quality + 0.3 * rng.normal(size=len(grid))
        values, noise = _scores(own, n_prompts, rng)
        if images == 1:
            matrices[metric] = ScoreMatrix(metric, values, names, ids, prompt_set_hash=prompts.hash)
            continue
        scale = (seed_noise * noise)[None, :, None]
        single = values[:, :, None] + scale * _seed_noise(
            [b for b, _, _ in grid], noise, images, rng
        )
        matrices[metric] = ScoreMatrix.from_images(
            metric,
            single.astype(np.float32),
            names,
            ids,
            prompt_set_hash=prompts.hash,
            seeds=ImageSeeds(seed),
        )
    return ScoreTable(prompts, variants, matrices)


def _scores(
    quality: Floats,
    n_prompts: int,
    rng: np.random.Generator,
) -> tuple[Scores, Floats]:
    """Difficulty + slope * quality + four shared directions + heteroscedastic noise, and its sd."""
    n = len(quality)
    slope = rng.gamma(2.0, 0.5, n_prompts)
    noise = np.exp(rng.normal(0.7, 0.5, n_prompts))
    directions = rng.normal(size=(n, 4)) @ rng.normal(0.0, 0.5, (4, n_prompts))
    scores = np.outer(quality, slope) + directions + noise * rng.normal(size=(n, n_prompts))
    return np.asarray(scores + 2.0 * rng.normal(size=n_prompts), dtype=np.float32), noise


def _seed_noise(
    families: Sequence[str], noise: Floats, images: int, rng: np.random.Generator
) -> Floats:
    """Noise of each image's seed, of variance 1: float64 [variants, prompts, images]."""
    shape = (len(noise), images)
    of_all = rng.normal(size=shape)
    of_family = {family: rng.normal(size=shape) for family in dict.fromkeys(families)}
    own = rng.normal(size=(len(families), *shape))
    shared = np.stack([of_family[family] for family in families])
    total: Floats = np.sqrt(_OF_ALL) * of_all + np.sqrt(_OF_FAMILY) * shared
    total += np.sqrt(1 - _OF_ALL - _OF_FAMILY) * own
    return total
