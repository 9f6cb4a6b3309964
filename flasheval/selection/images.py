"""Which images of a prompt a search sees, and which its subset is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from flasheval.base.checks import checked_word
from flasheval.base.errors import SettingError
from flasheval.scores import ScoreTable
from flasheval.scores.matrix import ScoreMatrix, mean_of_images

__all__ = [
    "ImageUse",
    "ImagesAs",
    "check_several_images",
    "checked_images_as",
    "filled_images",
    "first_images",
    "image_halves",
    "image_values",
    "lacking_images",
]

ImagesAs = Literal["auto", "mean", "rows"]
"""How a search sees several images: see `flasheval.selection.request.SearchRequest`."""


@dataclass(frozen=True)
class ImageUse:
    """Which images of each prompt a search sees, and which its subset is judged by.

    Attributes:
        searched: Numbers of the images that the search sees, ascending; None for every one.
        judged: Numbers of the images whose mean is a subset score where the subset is judged.

    Example:
        >>> ImageUse((0,), (1,)).other_seeds, ImageUse(None, (0, 1)).other_seeds
        (True, False)

    """

    searched: tuple[int, ...] | None
    judged: tuple[int, ...]

    @property
    def other_seeds(self) -> bool:
        """Whether the subset is judged by images that the search did not see."""
        return self.searched is not None and not set(self.searched) & set(self.judged)

    @property
    def search_key(self) -> tuple[tuple[int, ...], int] | None:
        """What of it determines the subset: None where the search sees every image.

        >>> ImageUse((0, 1), (2,)).search_key, ImageUse(None, (0,)).search_key
        (((0, 1), 1), None)
        """
        return None if self.searched is None else (self.searched, len(self.judged))


def image_halves(images: int, used: int | None = None) -> ImageUse:
    """Search on the first half of the images, judge by the others.

    Of an odd number the search gets one more, as it has most to learn.

    Args:
        images: Images a prompt that there are, at least 2.
        used: Images a prompt that the subset is to be used with: so many of the others at most
            are judged by; None for all of them.

    Example:
        >>> image_halves(2), image_halves(5, used=1)
        (ImageUse(searched=(0,), judged=(1,)), ImageUse(searched=(0, 1, 2), judged=(3,)))

    """
    middle = (images + 1) // 2
    last = images if used is None else min(images, middle + used)
    judged = tuple(range(middle, last))
    return ImageUse(tuple(range(middle)), judged)


def first_images(images: int, used: int | None) -> ImageUse | None:
    """Search on every image, judge by the first few, which the subset is to be used with.

    Returns:
        None where that is all of them: nothing has to be parted then.

    Example:
        >>> first_images(4, 2), first_images(4, None), first_images(1, 3)
        (ImageUse(searched=None, judged=(0, 1)), None, None)

    """
    return None if used is None or used >= images else ImageUse(None, tuple(range(used)))


def image_values(matrix: ScoreMatrix, images: Sequence[int] | None) -> NDArray[np.float32]:
    """Return the mean score over some of the images of each prompt.

    Args:
        matrix: The scores.
        images: Numbers of the images, all of which `matrix.images` has; None for every one.

    Returns:
        [variants, prompts] of the matrix's own type; the mean over those images that there are,
        NaN where there is none of them.

    Example:
        >>> matrix = ScoreMatrix.from_images("clip", [[[1, 2, 6], [4, np.nan, 5]]], "a", "xy")
        >>> image_values(matrix, [0]).tolist(), image_values(matrix, [1, 2]).tolist()
        ([[1.0, 4.0]], [[4.0, 5.0]])

    """
    if images is None or matrix.images is None:
        return matrix.values
    means = mean_of_images(matrix.images[:, :, list(images)])
    return np.ascontiguousarray(means, dtype=matrix.values.dtype)


def filled_images(
    matrix: ScoreMatrix, images: Sequence[int], rows: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Return the scores of single images, one that is missing as the mean of its prompt's others.

    Args:
        matrix: Scores with images.
        images: Numbers of the images.
        rows: int64 positions of the variants; all by default.

    Returns:
        [variants, prompts, images] of the matrix's own type. A prompt that has none of the images
        gets its score in each of them.

    Example:
        >>> matrix = ScoreMatrix.from_images("clip", [[[1, 2, 6], [4, np.nan, 5]]], "a", "xy")
        >>> filled_images(matrix, [0, 1]).tolist()
        [[[1.0, 2.0], [4.0, 4.0]]]

    """
    every = matrix.values[:, :, None] if matrix.images is None else matrix.images
    chosen = every if rows is None else every[rows]
    found: NDArray[np.float32] = chosen[:, :, list(images)]
    gaps = np.isnan(found)
    if gaps.any():
        values = matrix.values if rows is None else matrix.values[rows]
        means = mean_of_images(found)
        means = np.where(np.isnan(means), values, means).astype(found.dtype)
        found = np.where(gaps, means[:, :, None], found)
    return np.ascontiguousarray(found)


def lacking_images(table: ScoreTable, use: ImageUse) -> NDArray[np.bool_]:
    """Tell which variants lack, on some prompt, every image of one side.

    Returns:
        bool [variants].

    Example:
        >>> scores = [[[1.0, 2.0], [3.0, np.nan]], [[1.0, 2.0], [3.0, 4.0]]]
        >>> table = ScoreTable.from_arrays(scores, variants=["a", "b"], prompts=["x", "y"])
        >>> lacking_images(table, image_halves(2)).tolist()
        [True, False]

    """
    lacking = np.zeros(len(table), dtype=bool)
    for matrix in table.matrices.values():
        for images in (use.searched, use.judged):
            lacking |= np.isnan(image_values(matrix, images)).any(axis=1)
    return lacking


def check_several_images(table: ScoreTable, setting: str, instead: str) -> None:
    """Raise SettingError unless every metric has several images a prompt.

    Args:
        table: The scores.
        setting: What asks for them, such as ``splits=seeds``.
        instead: What to do without.

    """
    one = [name for name, matrix in table.matrices.items() if matrix.images_per_prompt < 2]
    if one:
        of = "" if len(one) == len(table.metrics) else f" of {', '.join(one)}"
        raise SettingError(
            f"{setting}: the scores{of} have one image a prompt; score two or more "
            f"(images_per_prompt=2 of flasheval run), or {instead}"
        )


def checked_images_as(images_as: str) -> ImagesAs:
    """Return `images_as`; SettingError when it is none of the words.

    >>> checked_images_as("rows")
    'rows'
    """
    return checked_word("images_as", images_as, get_args(ImagesAs))
