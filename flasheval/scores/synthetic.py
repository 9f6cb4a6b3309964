"""A seeded synthetic score table, for trying things out without measured scores.

It is not data: no model was run. The numbers imitate what real score matrices look like: overall
quality, a few shared directions, and prompt noise that swamps both.
"""

from __future__ import annotations

import numpy as np

from flasheval.base.errors import SettingError
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.table import ScoreTable

__all__ = ["synthetic_scores"]

_BASES = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")
_SCHEDULERS = ("DDIM", "PNDM", "DPM")
_STEPS = (10, 20, 50)


def synthetic_scores(n_variants: int = 48, n_prompts: int = 1000, seed: int = 0) -> ScoreTable:
    """Make a table of two metrics, `quality` and `alignment`, over made-up variants.

    Variants come from a grid of base model, scheduler and steps, cut to `n_variants`; a prompt
    has its own difficulty, slope and noise.

    Args:
        n_variants: From 2 to 72.
        n_prompts: Number of prompts, at least 1.
        seed: Same seed, same table.

    Raises:
        SettingError: Too few or too many are asked for.

    Example:
        >>> table = synthetic_scores(n_variants=6, n_prompts=20)
        >>> table.metrics, table["quality"].values.shape
        (('quality', 'alignment'), (6, 20))

    """
    grid = [(b, s, k) for k in _STEPS for s in _SCHEDULERS for b in _BASES]
    if not 2 <= n_variants <= len(grid):
        raise SettingError(f"n_variants={n_variants}: expected 2 to {len(grid)} made-up variants")
    if n_prompts < 1:
        raise SettingError(f"n_prompts={n_prompts}: expected at least 1 made-up prompt")
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
        values = _scores(own, n_prompts, rng)
        matrices[metric] = ScoreMatrix(metric, values, names, ids, prompt_set_hash=prompts.hash)
    return ScoreTable(prompts, variants, matrices)


def _scores(
    quality: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    n_prompts: int,
    rng: np.random.Generator,
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Difficulty + slope * quality + four shared directions + heteroscedastic noise."""
    n = len(quality)
    slope = rng.gamma(2.0, 0.5, n_prompts)
    noise = np.exp(rng.normal(0.7, 0.5, n_prompts))
    directions = rng.normal(size=(n, 4)) @ rng.normal(0.0, 0.5, (4, n_prompts))
    scores = np.outer(quality, slope) + directions + noise * rng.normal(size=(n, n_prompts))
    return np.asarray(scores + 2.0 * rng.normal(size=n_prompts), dtype=np.float32)
