"""Settings of an image that trainers' formats share, and the check of them."""

from __future__ import annotations

from dataclasses import dataclass

from flasheval.base.errors import SettingError
from flasheval.generators.seeds import image_seed

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

    Raises SettingError for a number that cannot be.

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

    def __post_init__(self) -> None:
        for key in ("width", "height", "steps"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise SettingError(f"{key}={value}: expected a whole number above 0")
        if self.guidance is not None and self.guidance < 0:
            raise SettingError(f"guidance={self.guidance}: expected a number from 0")

    def seed_of(self, prompt_id: str) -> int | None:
        """Return the seed of a prompt's image; None leaves it to the trainer.

        >>> ImageSettings(seed=0).seed_of("37"), ImageSettings().seed_of("37")
        (3151561419, None)
        """
        return None if self.seed is None else image_seed(self.seed, prompt_id)
