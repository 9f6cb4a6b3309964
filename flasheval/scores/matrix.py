"""Score matrices: one metric's scores of variants on prompts, with their labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.arguments import checked_class
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import Line, Table, View
from flasheval.base.errors import DataError
from flasheval.generators.seeds import ImageSeeds
from flasheval.generators.variants import check_name
from flasheval.scores.precision import as_scores

__all__ = ["ScoreMatrix", "mean_of_images", "sign_of"]

_COPIED = 1 << 28  # bytes: above these a copy may not fit beside the scores
# A mean, or float16 scores of images, may have been rounded: shares of a score's size, and of the
# largest of the variant's, for float16 has few digits for those close to 0.
_CLOSE, _CLOSE_TO_ZERO = 5e-4, 1e-6
_SHOWN = 20  # variants in a view


def sign_of(higher_is_better: bool) -> int:
    """Return what a metric's scores are multiplied by so that more is better: 1 or -1.

    >>> sign_of(True), sign_of(False)
    (1, -1)
    """
    return 1 if higher_is_better else -1


def mean_of_images(images: ArrayLike) -> NDArray[np.float64]:
    """Return the mean over the last axis of what is there, NaN where nothing is.

    >>> mean_of_images([[[0.25, 0.75], [0.5, np.nan]]]).tolist()
    [[0.5, 0.5]]
    """
    array = np.asarray(images)
    means = np.empty(array.shape[:-1])
    for row, mean in zip(array, means, strict=True):  # a variant at a time: no copy of them all
        there = ~np.isnan(row)
        total = np.sum(row, axis=-1, where=there, dtype=np.float64)
        count = there.sum(axis=-1)
        mean[...] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return means


def _kept(array: NDArray[np.float32], given: NDArray[Any]) -> NDArray[np.float32]:
    """Return an array read-only, which no change of the array given reaches.

    Read-only, as a selector that centred its input in place would spoil the table for the next one.
    """
    owners = [array]
    while isinstance(owners[-1].base, np.ndarray):
        owners.append(owners[-1].base)
    open_ones = [one for one in owners if one.flags.writeable]
    if open_ones and np.may_share_memory(array, given) and array.nbytes <= _COPIED:
        array = array.copy()
        open_ones = [array]
    for one in open_ones:
        one.flags.writeable = False
    return array.view()


@checked_class
@dataclass(frozen=True, eq=False, repr=False)
class ScoreMatrix(Shown):
    """The scores of one metric: float32 [n_variants, n_prompts], NaN where not measured.

    ``values`` may be given as any real array; they are kept as float32 in C order and read-only.
    An array that is so already is not copied; one that could be written to is copied up to 256 MB,
    and made read-only itself above that.
    Scores that need more digits than float32 has stay float64; ``exact`` says so.
    ``variants`` label the rows, ``prompt_ids`` the columns. ``prompt_set_hash`` is the hash of
    the prompt set the scores were measured on, where known. ``images`` are the scores of single
    images, [n_variants, n_prompts, k], NaN where there are fewer than k; ``values`` are their
    means, see ``from_images``. ``seeds`` tells how the images' seeds were made, where known.
    Raises DataError for a wrong shape, repeated labels, an infinite
    score (with its variant and prompt), and a value that is not the mean of its images.

    >>> m = ScoreMatrix("clip", [[0.2, 0.4], [0.3, np.nan]], ("x", "y"), ("1", "2"))
    >>> m.coverage.tolist(), m.full_means.round(3).tolist()
    ([1.0, 0.5], [0.3, nan])
    """

    kind = "score_matrix"

    metric: str
    values: NDArray[np.float32]
    variants: tuple[str, ...]
    prompt_ids: tuple[str, ...]
    higher_is_better: bool = True
    scorer: str | None = None
    scorer_version: str | None = None
    prompt_set_hash: str | None = None
    images: NDArray[np.float32] | None = None
    exact: bool = False
    seeds: ImageSeeds | None = None

    def __post_init__(self) -> None:
        check_name("metric", self.metric)
        object.__setattr__(self, "higher_is_better", bool(self.higher_is_better))
        object.__setattr__(self, "variants", tuple(self.variants))
        object.__setattr__(self, "prompt_ids", tuple(self.prompt_ids))
        object.__setattr__(self, "values", self._checked(self.values))
        object.__setattr__(self, "exact", self.values.dtype == np.float64)
        if self.images is not None:
            object.__setattr__(self, "images", self._checked_images(self.images))

    @classmethod
    def from_images(
        cls,
        metric: str,
        images: ArrayLike,
        variants: Sequence[str],
        prompt_ids: Sequence[str],
        *,
        higher_is_better: bool = True,
        scorer: str | None = None,
        scorer_version: str | None = None,
        prompt_set_hash: str | None = None,
        seeds: ImageSeeds | None = None,
    ) -> "ScoreMatrix":
        """Build a matrix of means from the scores of single images (or seeds, or raters).

        ``images`` is [n_variants, n_prompts, k], NaN where there are fewer than k. They are kept
        beside the means where k is above 1. Raises DataError as the class does.

        >>> m = ScoreMatrix.from_images("clip", [[[0.25, 0.75], [0.5, np.nan]]], ["x"], ["1", "2"])
        >>> m.values.tolist(), m.images.shape
        ([[0.5, 0.5]], (1, 2, 2))
        """
        array = np.asarray(images)
        if array.dtype.kind not in "fiu" or array.ndim != 3 or not array.shape[2]:
            raise DataError(
                f"metric {metric!r}: the scores of images are {array.dtype} of shape "
                f"{array.shape}; expected numbers [variants, prompts, images]"
            )
        several = array.shape[2] > 1
        means: NDArray[Any] = mean_of_images(array) if several else array[..., 0]
        return cls(
            metric,
            means,
            tuple(variants),
            tuple(prompt_ids),
            higher_is_better,
            scorer,
            scorer_version,
            prompt_set_hash,
            images=array if several else None,
            seeds=seeds,
        )

    def _checked(self, given: ArrayLike) -> NDArray[np.float32]:
        array = np.asarray(given)
        if array.dtype.kind not in "fiu":
            raise DataError(f"metric {self.metric!r}: scores must be numbers, not {array.dtype}")
        shape = (len(self.variants), len(self.prompt_ids))
        if array.shape != shape:
            raise DataError(
                f"metric {self.metric!r}: the scores have shape {array.shape}; expected {shape}, "
                "a row for each variant and a column for each prompt"
            )
        if len(set(self.variants)) != len(self.variants):
            repeated = next(v for i, v in enumerate(self.variants) if v in self.variants[:i])
            raise DataError(f"metric {self.metric!r} has the variant {repeated!r} more than once")
        values = as_scores(array, exact=self.exact)
        self._check_finite(values)
        return _kept(values, array)

    def _check_finite(self, values: NDArray[np.float32]) -> None:
        for variant, row in zip(self.variants, values, strict=True):  # a row at a time: no copy
            infinite = np.isinf(row)
            if infinite.any():
                infinite = infinite if row.ndim == 1 else infinite.any(axis=1)
                prompt = self.prompt_ids[int(np.argmax(infinite))]
                raise DataError(
                    f"metric {self.metric!r}: the score of variant {variant!r} on prompt "
                    f"{prompt!r} is infinite in float32; use NaN for what was not measured"
                )

    def _checked_images(self, given: ArrayLike) -> NDArray[np.float32]:
        array = np.asarray(given)
        if array.dtype.kind not in "fiu" or array.ndim != 3 or array.shape[:2] != self.values.shape:
            raise DataError(
                f"metric {self.metric!r}: the scores of images are {array.dtype} of shape "
                f"{array.shape}; expected numbers of shape {self.values.shape} + (images,)"
            )
        with np.errstate(over="ignore"):
            images = np.ascontiguousarray(array, dtype=self.values.dtype)
        self._check_finite(images)
        for variant, row, value in zip(self.variants, images, self.values, strict=True):
            mean = mean_of_images(row[None])[0]
            size = np.nan_to_num(np.abs(row)).max(axis=1, initial=0.0)
            far = np.abs(mean - value) > _CLOSE * size + _CLOSE_TO_ZERO * size.max(initial=0.0)
            # A score may be there without its images, but not images without a score.
            wrong = ~np.isnan(mean) & (np.isnan(value) | far)
            if wrong.any():
                prompt = self.prompt_ids[int(np.argmax(wrong))]
                raise DataError(
                    f"metric {self.metric!r}: the score of variant {variant!r} on prompt "
                    f"{prompt!r} is not the mean of its images; use ScoreMatrix.from_images"
                )
        return _kept(images, array)

    @property
    def images_per_prompt(self) -> int:
        """The most images that a score is the mean of; 1 where single images are not told apart."""
        return 1 if self.images is None else self.images.shape[2]

    @cached_property
    def coverage(self) -> NDArray[np.float64]:
        """The share of prompts measured, for each variant: float64 [n_variants]."""
        width = max(1, len(self.prompt_ids))
        return np.array([1.0 - np.isnan(row).sum() / width for row in self.values])

    @cached_property
    def full_means(self) -> NDArray[np.float64]:
        """The mean over all prompts, for each variant: float64 [n_variants], NaN if incomplete."""
        if not self.prompt_ids:
            return np.full(len(self.variants), np.nan)
        return np.asarray(self.values.mean(axis=1, dtype=np.float64))

    @property
    def sign(self) -> int:
        """1 where a higher score is better, -1 where a lower one is: see `sign_of`."""
        return sign_of(self.higher_is_better)

    def view(self) -> View:
        """Return its size and direction, and the variants by their means, the best first."""
        return View((Line(f"{self._brief()} is better", "headline"), self._best_first()))

    def _best_first(self) -> Table:
        means = self.sign * self.full_means
        order = np.argsort(-means, kind="stable")[:_SHOWN].tolist()
        rows = [
            (
                self.variants[row],
                "-" if np.isnan(means[row]) else f"{self.full_means[row]:.4g}",
                f"{self.coverage[row]:.1%}",
            )
            for row in order
        ]
        more = len(self.variants) - len(rows)
        rest = [(f"... and {more:,} more", "", "")] if more else []
        return Table(("variant", "full mean", "scores there"), [*rows, *rest])

    def _brief(self) -> str:
        better = "higher" if self.higher_is_better else "lower"
        size = f"{len(self.variants):,} variants x {len(self.prompt_ids):,} prompts"
        images = f" x {self.images_per_prompt} images" if self.images is not None else ""
        return f"{self.metric}, {size}{images}, {better}"

    def _data(self) -> dict[str, object]:
        rows = zip(self.variants, self.full_means, self.coverage, strict=True)
        return {
            "metric": self.metric,
            "higher_is_better": self.higher_is_better,
            "scorer": self.scorer,
            "scorer_version": self.scorer_version,
            "prompts": len(self.prompt_ids),
            "prompt_set_hash": self.prompt_set_hash,
            "images_per_prompt": self.images_per_prompt,
            "seeds": self.seeds,
            "variants": [
                {"name": name, "mean": mean, "coverage": share} for name, mean, share in rows
            ],
        }

    def _rows(self) -> dict[str, object]:
        n, m = self.values.shape
        return {
            "variant": np.repeat(np.array(self.variants, dtype=object), m),
            "prompt_id": np.tile(np.array(self.prompt_ids, dtype=object), n),
            self.metric: self.values.reshape(-1),
        }
