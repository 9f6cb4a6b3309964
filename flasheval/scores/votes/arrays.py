"""What votes are made of: labels, and one entry a vote in arrays of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.errors import DataError
from flasheval.generators.variants import check_name
from flasheval.prompts import PromptSet

__all__ = ["VoteArrays"]

Ints = NDArray[np.signedinteger[Any]]

_MOST = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class VoteArrays:
    """Choices between two variants' images of one prompt; every array has one entry a vote.

    Attributes:
        variants: Names of the variants.
        prompts: The prompts voted on.
        first: int32 [votes], place of the first variant in ``variants``.
        second: int32 [votes], that of the second, never the same.
        prompt: int32 [votes], place of the prompt in ``prompts``.
        outcome: int8 [votes]: 1 where the first won, -1 where the second won, 0 for a tie.
        raters: Names of those who voted.
        rater: int32 [votes], place of the rater in ``raters``, -1 where it is not known; None where
            none is.
        both_bad: bool [votes], ties in which both were called bad; None where nobody said so.
        left: int8 [votes]: 1 where the first was shown left, -1 where the second was, 0 where it
            is not known; None where it never is.
        seconds: float32 [votes], how long it took, NaN where not known; None where it never is.
        images: int32 [votes, 2], numbers of the two images, from 0, -1 where not known; None where
            they never are.

    Raises:
        DataError: Arrays of unequal length or another kind, a place outside its labels, a repeated
            or empty name, a vote between a variant and itself, or no vote at all.

    """

    variants: tuple[str, ...]
    prompts: PromptSet
    first: Ints
    second: Ints
    prompt: Ints
    outcome: Ints
    raters: tuple[str, ...] = ()
    rater: Ints | None = None
    both_bad: NDArray[np.bool_] | None = None
    left: Ints | None = None
    seconds: NDArray[np.float32] | None = None
    images: Ints | None = None

    def __post_init__(self) -> None:
        variants, raters = tuple(self.variants), tuple(self.raters)
        for name in variants:
            check_name("variant", name)
        if not isinstance(self.prompts, PromptSet):
            raise DataError("prompts of votes: expected a PromptSet")
        for what, names in (("variant", variants), ("rater", raters)):
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise DataError(f"the {what} {twice!r} is named twice; name each once")
        first = _places("first", self.first, None, 0, len(variants))
        n = len(first)
        if not n:
            raise DataError("there are no votes")
        second = _places("second", self.second, n, 0, len(variants))
        if (same := first == second).any():
            row = int(np.argmax(same))
            raise DataError(f"vote {row + 1} is between {variants[first[row]]!r} and itself")
        found: dict[str, Any] = {
            "variants": variants,
            "raters": raters,
            "first": first,
            "second": second,
            "prompt": _places("prompt", self.prompt, n, 0, len(self.prompts)),
            "outcome": _places("outcome", self.outcome, n, -1, 2, np.int8),
            "rater": _maybe("rater", self.rater, n, -1, len(raters)),
            "left": _maybe("left", self.left, n, -1, 2, np.int8),
            "both_bad": _flags(self.both_bad, n),
            "seconds": _times(self.seconds, n),
            "images": _maybe("images", self.images, n, -1, _MOST, columns=2),
        }
        if found["both_bad"] is not None and (found["outcome"][found["both_bad"]] != 0).any():
            raise DataError("both_bad is true of a vote that somebody won; it is for ties")
        for name, value in found.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.first)

    def labels(self, codes: Sequence[int]) -> tuple[str, ...]:
        """Return the names of variants by their places.

        >>> pets = PromptSet("pets", ("1",))
        >>> VoteArrays(("a", "b"), pets, [0], [1], [0], [1]).labels([1])
        ('b',)
        """
        return tuple(self.variants[code] for code in codes)


def _places(
    name: str,
    given: ArrayLike,
    n: int | None,
    low: int,
    high: int,
    kind: type[np.integer[Any]] = np.int32,
    columns: int = 0,
) -> NDArray[Any]:
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise DataError(f"{name} of votes: expected one list of whole numbers") from error
    if array.size == 0:
        array = array.astype(kind)
    shape = (len(array) if array.ndim else -1,) if n is None else (n,)
    wanted = (*shape, columns) if columns else shape
    if array.dtype.kind not in "iu" or array.shape != wanted:
        raise DataError(
            f"{name} of votes is {array.dtype} of shape {array.shape}; expected whole numbers, "
            f"{columns or 'one'} for each vote"
        )
    if array.size and (array.min() < low or array.max() >= high):
        bad = int(array[(array < low) | (array >= high)].flat[0])
        raise DataError(f"{name} of votes has {bad}; expected numbers from {low} to {high - 1}")
    return array.astype(kind)  # a copy: the caller's array stays the caller's


def _maybe(
    name: str,
    given: ArrayLike | None,
    n: int,
    low: int,
    high: int,
    kind: type[np.integer[Any]] = np.int32,
    columns: int = 0,
) -> NDArray[Any] | None:
    """Return an array checked; None where there is none, or where it says nothing."""
    if given is None:
        return None
    array = _places(name, given, n, low, high, kind, columns)
    nothing = 0 if name == "left" else -1
    return None if (array == nothing).all() else array


def _flags(given: ArrayLike | None, n: int) -> NDArray[np.bool_] | None:
    if given is None:
        return None
    array = np.array(given)
    if array.dtype != np.bool_ or array.shape != (n,):
        raise DataError("both_bad of votes: expected true or false for each vote")
    return array if array.any() else None


def _times(given: ArrayLike | None, n: int) -> NDArray[np.float32] | None:
    if given is None:
        return None
    array = np.array(given)
    if array.dtype.kind not in "fiu" or array.shape != (n,):
        raise DataError("seconds of votes: expected a number for each vote")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    if (array < 0).any() or np.isinf(array).any():
        raise DataError("seconds of votes: expected numbers from 0 on")
    return None if np.isnan(array).all() else array
