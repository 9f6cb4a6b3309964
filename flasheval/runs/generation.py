"""Making the images of one unit, in batches."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flasheval.base.models.batches import Batches
from flasheval.generators.generator import Batch, Generator
from flasheval.generators.images import ImageFault, to_images

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Made", "make_images"]

_HASHED = 4  # images of a unit that tell variants with the same images


@dataclass(frozen=True)
class Made:
    """The images of a unit, with the time and size of each batch.

    Attributes:
        images: The images, an ImageFault in place of one that is faulty.
        seconds: Wall time of each batch.
        sizes: Images of each batch.
        evaluations: Network evaluations for one image; None if unknown.
        remarks: Settings that the generator said change nothing, with reasons.
        batch: Images made at a time, those of other units among them; None where none was made.

    """

    images: list[Image | ImageFault]
    seconds: tuple[float, ...]
    sizes: tuple[int, ...]
    evaluations: int | None
    remarks: Mapping[str, str] = field(default_factory=dict)
    batch: int | None = None

    @cached_property
    def digest(self) -> str | None:
        """A hash of the pixels of the first images, 24 hex digits; None where all are faulty.

        >>> from PIL import Image
        >>> grey, white = (Image.new("RGB", (8, 8), colour) for colour in ("grey", "white"))
        >>> one, same, other = (Made([image], (), (), None) for image in (grey, grey, white))
        >>> one.digest == same.digest, one.digest == other.digest
        (True, False)
        """
        first = self.images[:_HASHED]
        if all(isinstance(image, ImageFault) for image in first):
            return None
        found = hashlib.blake2b(digest_size=12)
        for image in first:
            if isinstance(image, ImageFault):
                found.update(b"fault")
            else:
                found.update(repr(image.size).encode() + image.tobytes())
        return found.hexdigest()

    def every(self, step: int, first: int) -> Made:
        """Return each ``step``-th image from number ``first`` on, and its share of every batch.

        >>> made = Made(["a0", "a1", "b0", "b1"], (3.0, 1.0), (3, 1), None)
        >>> made.every(2, 0).images, made.every(2, 0).seconds, made.every(2, 1).sizes
        (['a0', 'b0'], (2.0,), (1, 1))
        """
        seconds, sizes, start = [], [], 0
        for took, size in zip(self.seconds, self.sizes, strict=True):
            count = len(range(start + (first - start) % step, start + size, step))
            if count:
                seconds.append(took * count / size)
                sizes.append(count)
            start += size
        return replace(
            self, images=self.images[first::step], seconds=tuple(seconds), sizes=tuple(sizes)
        )


def make_images(
    generator: Generator,
    batch: Batch,
    batches: Batches,
    done: Callable[[int], None] | None = None,
) -> Made:
    """Make the images of a unit; `done` is told how many are there. Raises what the generator does.

    >>> from flasheval.generators.function import FunctionGenerator
    >>> grey = FunctionGenerator(lambda prompts, seeds: [None for _ in prompts], evaluations=1)
    >>> made = make_images(grey, Batch(("1", "2", "3"), ("a", "b", "c"), (7, 8, 9)), Batches(2))
    >>> made.sizes, made.evaluations, made.images[0]
    ((2, 1), 1, ImageFault(reason='no image'))
    """

    def work(part: slice) -> tuple[list[Any], float, int | None]:
        begun = time.perf_counter()
        asked = batch[part]
        images = to_images(generator.generate(asked), len(asked))
        if done is not None:
            done(part.stop)
        return images, time.perf_counter() - begun, generator.evaluations

    made = batches.over(len(batch), work)
    return Made(
        [image for images, _, _ in made for image in images],
        tuple(seconds for _, seconds, _ in made),
        tuple(len(images) for images, _, _ in made),
        made[-1][2] if made else None,
        dict(getattr(generator, "remarks", {})),
        max((len(images) for images, _, _ in made), default=None),
    )
