"""Shares of variance against a simulation and against least squares by hand."""

import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.scores.variance import variance_shares

SIZES = {"model": 1.0, "prompt": 4.0, "both": 2.0, "own": 1.5, "shared": 0.5}


def _scores(rng, models, prompts, images, **sizes):
    spread = {name: np.sqrt(value) for name, value in (SIZES | sizes).items()}
    return (
        spread["model"] * rng.normal(size=(models, 1, 1))
        + spread["prompt"] * rng.normal(size=(1, prompts, 1))
        + spread["both"] * rng.normal(size=(models, prompts, 1))
        + spread["shared"] * rng.normal(size=(1, prompts, images))
        + spread["own"] * rng.normal(size=(models, prompts, images))
    )


@pytest.mark.parametrize("images", [2, 4])
def test_the_components_of_a_simulation_are_found(images):
    rng = np.random.default_rng(images)
    found = [variance_shares(_scores(rng, 40, 200, images), shared_seeds=True) for _ in range(20)]
    total = sum(SIZES.values())
    for name, want in (
        ("seed_noise", (SIZES["own"] + SIZES["shared"]) / total),
        ("shared_noise", SIZES["shared"] / total),
        ("model_by_prompt", SIZES["both"] / total),
        ("prompt", SIZES["prompt"] / total),
        ("model", SIZES["model"] / total),
    ):
        values = np.array([getattr(one, name) for one in found])
        error = values.std(ddof=1) / np.sqrt(len(values))
        assert abs(values.mean() - want) < 4 * error + 0.01, name
    sums = [one.seed_noise + one.model_by_prompt + one.prompt + one.model for one in found]
    assert sums == pytest.approx([1.0] * 20)


def test_the_mean_squares_are_those_of_a_table_by_hand():
    images = np.random.default_rng(3).normal(size=(4, 6, 3))
    found = variance_shares(images)
    cells = images.mean(axis=2)
    within = images.var(axis=2, ddof=1).mean()
    rows, columns = cells.mean(axis=1), cells.mean(axis=0)
    residual = cells - rows[:, None] - columns[None] + cells.mean()
    both = (residual**2).sum() / (3 * 5)
    parts = [
        within,
        max(0, both - within / 3),
        max(0, columns.var(ddof=1) - both / 4),
        max(0, rows.var(ddof=1) - both / 6),
    ]
    shares = np.array(parts) / sum(parts)
    assert [found.seed_noise, found.model_by_prompt, found.prompt, found.model] == pytest.approx(
        shares.tolist()
    )
    assert found.shared_noise == 0


def test_what_is_missing_is_left_out_and_too_little_gives_nothing():
    images = _scores(np.random.default_rng(0), 5, 8, 2)
    holed = images.copy()
    holed[2, 3, 1] = np.nan
    assert variance_shares(holed) == variance_shares(np.delete(images, 3, axis=1))
    for few in (images[:1], images[:, :1], images[:, :, :1], np.full((3, 4, 2), np.nan)):
        assert variance_shares(few) is None
    assert variance_shares(np.ones((3, 4, 2))) is None
    with pytest.raises(DataError, match="models, prompts, images"):
        variance_shares(images[0])
