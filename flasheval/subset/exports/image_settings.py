"""Settings of an image that trainers' formats share, and the check of them."""

from __future__ import annotations

from dataclasses import dataclass

from flasheval.base.errors import SettingError
from flasheval.generators.seeds import image_seed
from flasheval.subset.evidence import Record
from flasheval.subset.image_plan import checked_seeds, plan_images

__all__ = ["ImageSettings"]


@dataclass(frozen=True)
class ImageSettings:
    """Settings for a trainer's sample images; None leaves a setting to the trainer.

    Attributes:
        width: In pixels.
        height: In pixels.
        steps: Steps of the sampler.
        guidance: Guidance scale.
        negative_prompt: One text for every prompt.
        seed: A run's seed: each prompt gets the seed that `flasheval evaluate seed=...` gives its
            image, so that images can be compared from one training to the next.
        seeds: ``search`` for the run seed of the images searched on, ``other`` for another, in
            place of a ``seed``.
        images_per_prompt: How often each prompt stands there, each time with the seed of another
            image; needs ``seed`` or ``seeds``.

    Raises SettingError for a number or word that cannot be.

    >>> ImageSettings(width=768, guidance=-1.0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: guidance=-1.0: expected a number from 0

    """

    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance: float | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    seeds: str | None = None
    images_per_prompt: int = 1

    def __post_init__(self) -> None:
        for key in ("width", "height", "steps"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise SettingError(f"{key}={value}: expected a whole number above 0")
        if self.guidance is not None and self.guidance < 0:
            raise SettingError(f"guidance={self.guidance}: expected a number from 0")
        if self.seeds is not None:
            checked_seeds(self.seeds)
        if self.images_per_prompt < 1 or (self.images_per_prompt > 1 and not self.seeded):
            raise SettingError(
                f"images_per_prompt={self.images_per_prompt}: expected at least 1 image a prompt, "
                "and seed or seeds for several, else all would be alike"
            )

    @property
    def seeded(self) -> bool:
        """Whether each image has a seed of its own."""
        return self.seed is not None or self.seeds is not None

    def images_of(self, record: Record, prompt_id: str) -> tuple[int | None, ...]:
        """Return the seeds of a prompt's images; one None leaves it to the trainer.

        >>> ImageSettings(seed=0, images_per_prompt=2).images_of(Record(), "37")
        (3151561419, 1218427715)
        >>> from flasheval.generators.seeds import ImageSeeds
        >>> ImageSettings(seeds="search").images_of(Record(seeds=ImageSeeds(1)), "37")
        (92636357,)
        """
        if not self.seeded:
            return (None,)
        plan = plan_images(
            record, images_per_prompt=1, seeds=self.seeds or "search", seed=self.seed
        )
        run_seed = plan.seeds.run_seed
        return tuple(image_seed(run_seed, prompt_id, k) for k in range(self.images_per_prompt))
