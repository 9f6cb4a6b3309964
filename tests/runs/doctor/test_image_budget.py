"""How a budget is divided over prompts and images, against brute force over drawn scores."""

import math
from itertools import combinations

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.generators.seeds import ImageSeeds
from flasheval.runs.doctor.image_budget import (
    best_images,
    budget_line,
    budget_plans,
    pilot_components,
)
from flasheval.scores import ScoreMatrix, ScoreTable, load_scores
from flasheval.subset.two_stage import Components, components_of


def table(images: np.ndarray, seeds: ImageSeeds | None = None) -> ScoreTable:
    names = [f"v{i}" for i in range(images.shape[0])]
    ids = [str(i) for i in range(images.shape[1])]
    matrix = ScoreMatrix.from_images("clip", images, names, ids, seeds=seeds)
    return load_scores(matrix)


def drawn(rng: np.random.Generator, variants: int, prompts: int, images: int) -> np.ndarray:
    """Differences of two have variance 2 (0.5) between prompts, and 2 (1) of an image, paired."""
    difficulty = rng.normal(0, 3, (1, prompts, 1)) + rng.normal(0, 1.5, (1, prompts, images))
    own = rng.normal(0, math.sqrt(0.5), (variants, prompts, 1))
    return difficulty + own + rng.normal(0, 1, (variants, prompts, images))


@pytest.mark.parametrize(
    ("seeds", "within"),
    [
        (ImageSeeds(0), 2.0),
        (None, 2 * (1 + 1.5**2)),
        (ImageSeeds(0, variant_seeds=True), 2 * (1 + 1.5**2)),
    ],
)
def test_a_pilot_tells_both_variances_and_pairs_only_seeds_known_to_be_shared(seeds, within):
    found = pilot_components(table(drawn(np.random.default_rng(0), 8, 800, 3), seeds), "clip")
    assert found.within == pytest.approx(within, rel=0.05)
    if seeds is not None and not seeds.variant_seeds:
        assert found.between == pytest.approx(1.0, rel=0.1)


def test_the_error_promised_is_the_one_that_drawing_prompts_and_images_gives():
    rng = np.random.default_rng(1)
    pilot = pilot_components(table(drawn(rng, 6, 500, 2), ImageSeeds(0)), "clip")
    plans = {plan.images: plan for plan in budget_plans(pilot, 48)}
    for images in (1, 4, 8):
        plan = plans[images]
        assert plan.prompts == 48 // images
        scores = [drawn(rng, 2, plan.prompts, images).mean(axis=(1, 2)) for _ in range(3000)]
        gaps = [a - b for a, b in scores]
        assert np.std(gaps) == pytest.approx(plan.error, rel=0.08)


def test_the_best_plan_is_that_of_trying_all():
    rng = np.random.default_rng(2)
    for _ in range(100):
        components = Components(*rng.uniform(0.05, 3, 2))
        image, prompt = rng.uniform(0.5, 2), rng.uniform(0, 20)
        budget = 200 * (image + prompt)
        best = budget_plans(components, budget, image_cost=image, prompt_cost=prompt)[0]
        every = [
            (components.error(n, m), m)
            for m in range(1, 60)
            if (n := math.floor(budget / (prompt + m * image))) > 1
        ]
        assert best.error <= min(every)[0] * 1.02  # whole numbers of prompts
        ideal = best_images(components, image, prompt)
        assert abs(min(every)[1] - ideal) <= 0.3 * ideal + 1


def test_without_prompts_left_more_images_pay():
    plans = budget_plans(Components(1.0, 4.0), 200, prompts_in_all=40)
    assert (plans[0].prompts, plans[0].images) == (40, 5)
    assert all(plan.prompts <= 40 and plan.prompts * plan.images <= 200 for plan in plans)
    assert budget_line("200 images", plans, "clip").startswith("for 200 images: 40 prompts x 5 im")
    assert budget_plans(Components(0.0, 1.0), 10)[0].images == 1
    assert best_images(Components(0.0, 1.0), 1.0, 2.0) == math.inf


def test_what_cannot_be_told_is_one_line():
    rng = np.random.default_rng(3)
    with pytest.raises(DataError, match="one score of each prompt in clip; expected those of sev"):
        pilot_components(table(drawn(rng, 3, 5, 1)), "clip")
    with pytest.raises(DataError, match="no two variants in clip"):
        pilot_components(table(drawn(rng, 1, 5, 2)), "clip")
    for asked in ({"budget": 1}, {"budget": 10, "image_cost": 0}, {"budget": -5}):
        with pytest.raises(SettingError, match="budget="):
            budget_plans(Components(1.0, 1.0), **asked)


def test_the_pairs_of_a_pilot_are_spread_over_all_variants():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(24, 40, 2))
    images[14:] *= 5  # the last ones are noisier
    names, ids = [f"v{row}" for row in range(24)], [str(one) for one in range(40)]
    scores = load_scores(ScoreMatrix.from_images("m", images, names, ids))

    def within(rows):
        pairs = combinations(rows, 2)
        found = [components_of(images[i], images[j], paired=False) for i, j in pairs]
        return np.mean([one.within for one in found])

    expected = within(range(24))
    assert pilot_components(scores, "m").within == pytest.approx(expected, rel=0.05)
    images[:12, :, 1] = np.nan  # half of them have one image
    scores = load_scores(ScoreMatrix.from_images("m", images, names, ids))
    assert pilot_components(scores, "m").within == pytest.approx(within(range(12, 24)))
