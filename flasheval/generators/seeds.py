"""The seed of an image: from the run's seed, the prompt's id and the image's number alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from flasheval.base.errors import SettingError

__all__ = ["ImageSeeds", "checked_images_per_prompt", "image_seed"]

_MOST_IMAGES = 10_000


def image_seed(seed: int, prompt_id: str, image: int = 0) -> int:
    """Return the seed of an image, an integer in [0, 2**32).

    It is the first four bytes of the sha256 of ``seed/prompt_id``, followed by a line with the
    image's number from the second image on. So an image does not depend on the order, the batch
    or the subset it is generated in, nor on how many images its prompt has.

    Args:
        seed: The run's seed.
        prompt_id: The prompt's id.
        image: The image's number among those of the prompt, from 0.

    >>> image_seed(0, "37"), image_seed(1, "37"), image_seed(0, "37", 1)
    (3151561419, 92636357, 1218427715)

    """
    text = f"{seed}/{prompt_id}" if image == 0 else f"{seed}/{prompt_id}\n{image}"
    return _hashed(text)


def _hashed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def checked_images_per_prompt(images_per_prompt: Any) -> int:
    """Return a number of images a prompt that can be made; SettingError for anything else.

    >>> checked_images_per_prompt(0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: images_per_prompt=0: expected a whole number from 1 to \
10,000
    """
    whole = isinstance(images_per_prompt, Integral) and not isinstance(images_per_prompt, bool)
    if not whole or not 1 <= images_per_prompt <= _MOST_IMAGES:
        raise SettingError(
            f"images_per_prompt={images_per_prompt!r}: expected a whole number from 1 to "
            f"{_MOST_IMAGES:,}"
        )
    return int(images_per_prompt)


@dataclass(frozen=True)
class ImageSeeds:
    """How the seeds of all images of a run, or of an evaluation, are made.

    Attributes:
        run_seed: The seed that they are made from.
        variant_seeds: Whether each variant has seeds of its own; else all variants share them, so
            that the same image of a prompt starts from the same noise in every variant.

    >>> seeds = ImageSeeds(1)
    >>> seeds.of("37"), seeds.of("37", 1) == ImageSeeds(1).of("37", 1)
    (92636357, True)

    """

    run_seed: int = 0
    variant_seeds: bool = False

    def of(self, prompt_id: str, image: int = 0, variant: str = "") -> int:
        """Return the seed of a prompt's image; see `image_seed`.

        Args:
            prompt_id: The prompt's id.
            image: The image's number, from 0.
            variant: The variant's name, which counts where each has seeds of its own.

        >>> shared, own = ImageSeeds(), ImageSeeds(variant_seeds=True)
        >>> shared.of("37", variant="a") == shared.of("37", variant="b")
        True
        >>> own.of("37", variant="a") == own.of("37", variant="b")
        False

        """
        if not self.variant_seeds:
            return image_seed(self.run_seed, prompt_id, image)
        text = f"{self.run_seed}/{prompt_id}\n{image}\n{variant}"
        return _hashed(text)

    def __str__(self) -> str:
        each = ", another for each variant" if self.variant_seeds else ""
        return f"run seed {self.run_seed}{each}"
