"""Other metrics and families that a search may use, always of the search variants alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import sha256_of, sha256_of_array
from flasheval.base.errors import DataError
from flasheval.scores.matrix import mean_of_images

__all__ = ["Hints"]


@dataclass(frozen=True)
class Hints:
    """Further knowledge of the variants that a method may borrow from.

    Attributes:
        scores: float32 [variants, prompts] of other metrics, on the prompts of those served.
        groups: The family of each variant, such as its base model; None where not known.
        images: Of each of these metrics [variants, prompts, images], the scores of single images,
            or None where they are not known; empty where those of none are.

    Example:
        >>> hints = Hints((np.eye(2, 5),), groups=("sd", "sdxl"))
        >>> len(hints.scores), hints.groups, Hints().groups
        (1, ('sd', 'sdxl'), None)

    """

    scores: tuple[NDArray[np.float32], ...] = ()
    groups: tuple[str, ...] | None = None
    images: tuple[NDArray[np.float32] | None, ...] = ()

    def seen(self, images: Sequence[int] | None) -> Hints:
        """Return what a search may look at that sees some of the images of each prompt.

        Metrics whose images are not told apart are left out then: their scores are means of images
        that the search must not see.

        Args:
            images: Numbers of the images; None for every one.

        Example:
            >>> single = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
            >>> hints = Hints((single.mean(axis=2), np.eye(2, 3)), images=(single, None))
            >>> hints.seen([1]).scores[0].tolist(), len(hints.seen([1]).scores)
            ([[1.0, 3.0, 5.0], [7.0, 9.0, 11.0]], 1)
            >>> len(hints.seen(None).scores)
            2

        """
        if images is None:
            return replace(self, images=())
        seen = []
        for block in self.images:
            if block is not None and block.shape[2] > max(images):
                seen.append(mean_of_images(block[:, :, list(images)]).astype(block.dtype))
        return Hints(tuple(seen), self.groups)

    def take(self, rows: NDArray[np.int64]) -> Hints:
        """Keep some variants only, and the metrics that tell those apart.

        Example:
            >>> hints = Hints((np.eye(3, dtype=np.float32),), ("a", "a", "b"))
            >>> hints.take(np.array([0, 2])).groups
            ('a', 'b')

        """
        groups = None if self.groups is None else tuple(self.groups[row] for row in rows)
        return Hints(tuple(block[rows] for block in self.scores), groups).telling()

    def complete(self) -> Hints:
        """Leave out metrics that lack scores.

        Example:
            >>> len(Hints((np.array([[1.0, np.nan], [2.0, 3.0]]),)).complete().scores)
            0

        """
        whole = tuple(block for block in self.scores if np.isfinite(block).all())
        return replace(self, scores=whole, images=())

    def telling(self) -> Hints:
        """Leave out metrics in which all variants tie, because they tell none apart.

        Example:
            >>> flat, telling = np.ones((2, 3)), np.arange(6).reshape(2, 3)
            >>> len(Hints((flat, telling)).telling().scores)
            1

        """
        means = [block.mean(axis=1, dtype=np.float64) for block in self.scores]
        told = [block for block, mean in zip(self.scores, means, strict=True) if np.ptp(mean) > 0]
        return replace(self, scores=tuple(told), images=())

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise DataError unless everything is there, finite, and of the served scores' shape.

        Example:
            >>> Hints((np.eye(2, 5),)).check((2, 5))
            >>> Hints(groups=("sd", "sdxl")).check((3, 5))
            Traceback (most recent call last):
            flasheval.base.errors.DataError: hints: 2 families for 3 variants

        """
        for block in self.scores:
            if block.shape != shape:
                raise DataError(f"hints: scores have shape {block.shape}, expected {shape}")
            if not np.isfinite(block).all():
                raise DataError("hints: scores are missing (NaN) or infinite; leave them out")
        if self.groups is not None and len(self.groups) != shape[0]:
            raise DataError(f"hints: {len(self.groups)} families for {shape[0]} variants")

    def fingerprint(self) -> str:
        """Hash of all of it, for the names of stored searches.

        Example:
            >>> Hints(groups=("sd",)).fingerprint() == Hints(groups=("sdxl",)).fingerprint()
            False

        """
        blocks = [sha256_of_array(block) for block in self.scores]
        parts: list[object] = [blocks, None if self.groups is None else list(self.groups)]
        single = [block for block in self.images if block is not None]
        if single:
            parts += [sha256_of_array(block) for block in single]
        return sha256_of(parts)
