"""How many prompts, and images of each, a budget is best spent on, by the noise of a pilot.

With B between prompts and W between the images of one (`flasheval.subset.two_stage`), prompts that
cost c and images that cost i each, a budget of N (c + m i) leaves the least error at

    m = sqrt((c / i) (W / B))

images of each prompt (Cochran 1977, Sampling Techniques, 3rd ed., 10.6). So where prompts cost
nothing of their own, one image of each is best as long as there are prompts left; more images pay
where there are not, or where a prompt costs much, as when a person writes or rates it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from flasheval.base.errors import DataError, SettingError
from flasheval.scores import ScoreTable
from flasheval.subset.two_stage import Components, components_of

__all__ = ["BudgetPlan", "best_images", "budget_line", "budget_plans", "pilot_components"]

_PAIRS = 200  # of variants, enough for two means
_IMAGES = (1, 2, 4, 8, 16)
_MOST = 1e12  # images or seconds: above these no budget is meant


@dataclass(frozen=True)
class BudgetPlan:
    """Prompts, images of each, and the standard error of a difference that they leave."""

    prompts: int
    images: int
    error: float


def pilot_components(table: ScoreTable, metric: str) -> Components:
    """Return both variances of a paired difference, as means over pairs of a pilot's variants.

    Images pair where the table knows that variants share their seeds.

    Args:
        table: Scores with those of several images of each prompt.
        metric: One of its metrics.

    Raises:
        DataError: One variant, or no two images of a prompt.

    Example:
        >>> import numpy as np
        >>> from flasheval.scores import ScoreMatrix, load_scores
        >>> rows = np.array([[[1.0, 3.0], [5.0, 7.0], [3.0, 5.0]], [[0.0, 0.0]] * 3])
        >>> matrix = ScoreMatrix.from_images("clip", rows, ["a", "b"], ["1", "2", "3"])
        >>> pilot_components(load_scores(matrix), "clip")
        Components(between=3.0, within=2.0)

    """
    matrix = table[metric]
    if matrix.images is None:
        raise DataError(
            f"the pilot has one score of each prompt in {metric}; expected those of several images "
            "(images_per_prompt=2 of flasheval run)"
        )
    paired = matrix.seeds is not None and not matrix.seeds.variant_seeds
    several = ((~np.isnan(matrix.images)).sum(axis=2) > 1).sum(axis=1) > 1
    pairs = list(combinations(np.flatnonzero(several).tolist(), 2))
    spread = np.linspace(0, len(pairs) - 1, min(len(pairs), _PAIRS)).round().astype(int)
    taken = [pairs[place] for place in spread]
    found = [components_of(matrix.images[i], matrix.images[j], paired=paired) for i, j in taken]
    known = [one for one in found if one is not None]
    if not known:
        raise DataError(
            f"the pilot has no two variants in {metric} with two prompts and several images; "
            "score more"
        )
    return Components(
        math.fsum(one.between for one in known) / len(known),
        math.fsum(one.within for one in known) / len(known),
    )


def best_images(components: Components, image_cost: float, prompt_cost: float) -> float:
    """Return how many images of each prompt leave the least error, a number that need not be whole.

    Args:
        components: Both variances.
        image_cost: What an image costs, above 0.
        prompt_cost: What a prompt costs beside its images, in the same unit.

    >>> best_images(Components(1.0, 4.0), image_cost=1.0, prompt_cost=9.0)
    6.0
    >>> best_images(Components(1.0, 4.0), image_cost=1.0, prompt_cost=0.0)
    1.0

    """
    if components.between == 0:
        return math.inf if components.within and prompt_cost else 1.0
    ratio = prompt_cost / image_cost * components.within / components.between
    return max(1.0, math.sqrt(ratio))


def budget_plans(
    components: Components,
    budget: float,
    *,
    image_cost: float = 1.0,
    prompt_cost: float = 0.0,
    prompts_in_all: int | None = None,
) -> tuple[BudgetPlan, ...]:
    """Return ways to spend a budget, the one with the least error first.

    There is one for 1, 2, 4, 8 and 16 images of each prompt, for the best number, and for as many
    as go to all prompts, where two prompts can be had at all.

    Args:
        components: Both variances of a difference.
        budget: Images, or seconds where costs are in seconds, for one model.
        image_cost: What an image costs.
        prompt_cost: What a prompt costs beside its images.
        prompts_in_all: Prompts that there are. What is left over of a budget is not spent.

    Raises:
        SettingError: Costs that cannot be, or a budget too small for two prompts.

    >>> for plan in budget_plans(Components(0.0042, 0.0119), 200)[:3]:
    ...     print(plan.prompts, plan.images, round(plan.error, 4))
    200 1 0.009
    100 2 0.0101
    50 4 0.012

    """
    if not 0 < image_cost < math.inf or not 0 <= prompt_cost < math.inf or not budget < _MOST:
        raise SettingError(
            f"budget={budget:g} at {image_cost:g} for an image and {prompt_cost:g} for a prompt: "
            "expected numbers above 0"
        )
    best = best_images(components, image_cost, prompt_cost)
    counts = set(_IMAGES)
    if best < math.inf:
        counts |= {math.floor(best), math.ceil(best)}
    if prompts_in_all is not None:
        counts.add(max(1, math.floor((budget / prompts_in_all - prompt_cost) / image_cost)))
    plans = []
    for images in counts:
        # A cost computed from seconds must not lose a prompt to rounding.
        prompts = math.floor(budget / (prompt_cost + images * image_cost) * (1 + 1e-12))
        prompts = prompts if prompts_in_all is None else min(prompts, prompts_in_all)
        if prompts > 1:
            plans.append(BudgetPlan(prompts, images, components.error(prompts, images)))
    if not plans:
        raise SettingError(f"budget={budget:g}: too little for two prompts; expected more")
    return tuple(sorted(plans, key=lambda plan: (plan.error, plan.images)))


def budget_line(budget: str, plans: Sequence[BudgetPlan], metric: str) -> str:
    """Return the first three plans in one line.

    >>> plans = BudgetPlan(200, 1, 0.009), BudgetPlan(50, 4, 0.012)
    >>> budget_line("200 images", plans, "clip")
    'for 200 images: 200 prompts x 1 image, or 50 x 4: the error of a difference in clip is 0.009 \
or 0.012'
    """
    first, *others = plans[:3]
    said = f"{first.prompts} prompts x {first.images} image{'' if first.images == 1 else 's'}"
    ways = ", or ".join([said, *(f"{one.prompts} x {one.images}" for one in others)])
    errors = " or ".join(f"{one.error:.3g}" for one in (first, *others))
    return f"for {budget}: {ways}: the error of a difference in {metric} is {errors}"
