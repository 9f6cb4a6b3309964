"""Which looks at two models to take: more prompts or more images, by what each takes off the error.

A look is at the first N prompts with m images of each. The error of a difference there has the
variance B / N + W / (N m) (`flasheval.subset.two_stage`), so what a further step takes off, for
each second it costs, is known from the two variances alone. The difference itself never has a say
in where the next look is: for normal scores the variances tell nothing of it, so the looks are as
if they had been fixed beforehand, and the error allowed may be shared out over them as they come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from flasheval.base.errors import SettingError
from flasheval.subset.two_stage import Components

__all__ = ["LookAt", "LooksByCost", "as_looks", "plan_looks"]


class LookAt(NamedTuple):
    """A look: the first so many prompts, and so many images of each; None for all there are."""

    prompts: int
    images: int | None = None

    @property
    def made(self) -> int:
        """Images made by then, where one a prompt counts for all there are.

        >>> LookAt(10, 4).made, LookAt(10).made
        (40, 10)
        """
        return self.prompts * (self.images or 1)


@dataclass(frozen=True)
class LooksByCost:
    """Looks chosen as they come: at more prompts or more images, whichever pays better.

    Attributes:
        sizes: Numbers of prompts there may be a look at, ascending.
        images: The most images of a prompt.
        image_seconds: What one image costs.
        prompt_seconds: What a further prompt costs beside its images.

    Raises SettingError for sizes that do not ascend, no image, and costs below 0.

    >>> looks = LooksByCost((10, 20, 50), images=4)
    >>> looks.first, looks.last
    (LookAt(prompts=10, images=2), LookAt(prompts=50, images=4))
    >>> looks.after(LookAt(50, 2), Components(1.0, 1.0))
    LookAt(prompts=50, images=3)
    >>> LooksByCost((20, 10), images=4)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: looks=[20, 10]: expected ascending numbers of prompts

    """

    sizes: tuple[int, ...]
    images: int
    image_seconds: float = 1.0
    prompt_seconds: float = 0.0

    def __post_init__(self) -> None:
        as_looks(self.sizes)
        if self.images < 1:
            raise SettingError(f"images={self.images}: expected at least 1 image a prompt")
        if not 0 < self.image_seconds < math.inf or not 0 <= self.prompt_seconds < math.inf:
            raise SettingError(
                f"image_seconds={self.image_seconds}, prompt_seconds={self.prompt_seconds}: "
                "expected seconds, above 0 for an image"
            )

    @property
    def first(self) -> LookAt:
        """The first look: at two images of each prompt where there are, to tell their noise."""
        return LookAt(self.sizes[0], min(2, self.images))

    @property
    def last(self) -> LookAt:
        """The last look there can be."""
        return LookAt(self.sizes[-1], self.images)

    def after(self, look: LookAt, components: Components | None) -> LookAt | None:
        """Return the look to take next; None after the last.

        Args:
            look: The last one.
            components: The two variances of the difference, as known by then; where they are not
                known more prompts come first.

        """
        steps = self._steps(look)
        if not steps:
            return None
        if components is None:
            return steps[0]

        def gain(step: LookAt) -> float:
            now, then = (components.error(n, m or 1) ** 2 for n, m in (look, step))
            return (now - then) / self._seconds(look, step)

        return max(steps, key=gain)  # the first of equal ones: more prompts

    def _steps(self, look: LookAt) -> list[LookAt]:
        images = look.images or 1
        larger = [size for size in self.sizes if size > look.prompts]
        steps = [LookAt(larger[0], images)] if larger else []
        return steps + ([LookAt(look.prompts, images + 1)] if images < self.images else [])

    def _seconds(self, look: LookAt, step: LookAt) -> float:
        prompts = step.prompts - look.prompts
        return self.image_seconds * (step.made - look.made) + self.prompt_seconds * prompts


def plan_looks(
    sizes: Sequence[int],
    images: int,
    components: Components,
    *,
    image_seconds: float = 1.0,
    prompt_seconds: float = 0.0,
) -> tuple[LookAt, ...]:
    """Return looks fixed beforehand, by the variances of a pilot: each step the one that pays best.

    Args:
        sizes: Numbers of prompts there may be a look at, ascending; the subset's calibrated ones.
        images: The most images of a prompt.
        components: The two variances of a difference, from other models or an earlier comparison.
        image_seconds: What one image costs.
        prompt_seconds: What a further prompt costs beside its images.

    Raises:
        SettingError: As `LooksByCost`.

    >>> [tuple(look) for look in plan_looks((10, 50), 3, Components(4.0, 1.0))]
    [(10, 1), (50, 1), (50, 2), (50, 3)]
    >>> [tuple(look) for look in plan_looks((10, 50), 3, Components(0.01, 1.0))]
    [(10, 1), (10, 2), (10, 3), (50, 3)]

    """
    plan = LooksByCost(tuple(sizes), images, image_seconds, prompt_seconds)
    found = [LookAt(plan.sizes[0], 1)]
    while (step := plan.after(found[-1], components)) is not None:
        found.append(step)
    return tuple(found)


def as_looks(looks: Sequence[int | str | Sequence[int]]) -> tuple[LookAt, ...]:
    """Return looks given as numbers of prompts, as pairs with images, or as words such as 10x4.

    Raises SettingError for looks that do not grow, and for some with and some without images.

    >>> as_looks([10, 20]), as_looks(["10x1", "10x4"])[1], as_looks([(10, 1), (20, 1)])[1]
    ((LookAt(prompts=10, images=None), LookAt(prompts=20, images=None)), \
LookAt(prompts=10, images=4), LookAt(prompts=20, images=1))
    """
    found = tuple(_look(one, looks) for one in looks)
    kinds = {look.images is None for look in found}
    grow = all(
        now.prompts >= last.prompts and (now.images or 1) >= (last.images or 1) and now != last
        for last, now in pairwise(found)
    )
    if not found or len(kinds) > 1 or not grow or found[0].prompts < 1:
        raise SettingError(f"looks={_told(looks)}: expected ascending numbers of prompts")
    return found


def _look(given: int | str | Sequence[int], looks: Sequence[object]) -> LookAt:
    if isinstance(given, int):
        return LookAt(given)
    parts = given.split("x") if isinstance(given, str) else list(given)
    try:
        prompts, *images = (int(part) for part in parts)
    except (TypeError, ValueError):
        prompts, images = 0, []
    if prompts < 1 or len(images) > 1 or any(one < 1 for one in images):
        raise SettingError(
            f"looks={_told(looks)}: expected numbers of prompts, or of prompts x images, as 10x4"
        )
    return LookAt(prompts, *images)


def _told(looks: Sequence[object]) -> str:
    shown = [list(one) if isinstance(one, tuple) else one for one in looks]
    return str(shown).replace("'", "")
