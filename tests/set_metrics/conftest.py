from collections.abc import Callable

import numpy as np
import pytest


def _make_features(
    n_variants: int = 16, n_prompts: int = 120, width: int = 12, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return features [variants, prompts, width] and reference features [500, width].

    A variant shifts what a prompt shows along a few directions, and spreads it.
    """
    rng = np.random.default_rng(seed)
    content = rng.normal(size=(n_prompts, width))
    quality = rng.uniform(0, 1, size=(n_variants, 1, 1))
    direction = rng.normal(size=(n_variants, 1, width)) + rng.normal(size=width)
    noise = rng.normal(size=(n_variants, n_prompts, width))
    features = content * (1 - 0.3 * quality) + 0.3 * quality * direction + 0.4 * noise
    return features.astype(np.float32), rng.normal(size=(500, width))


@pytest.fixture(scope="session")
def make_features() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """A function: make_features(n_variants, n_prompts, width, seed)."""
    return _make_features
