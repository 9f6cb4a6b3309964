"""What a selector is given: the scores of the search variants, and nothing of the held-out ones."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.scores.precision import loses_scores
from flasheval.selection.images import ImagesAs
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.statistics import PromptStatistics, prompt_statistics

__all__ = ["Kept", "Problem", "checked_size", "checked_whole", "in_reach", "make_problem"]

T = TypeVar("T")
Kept = dict[Hashable, tuple[Hashable, Any]]
_LEAST, _MOST = 2.0**-20, 2.0**20


@dataclass(frozen=True)
class Problem:
    """One subset search.

    Attributes:
        scores: One float32 array [search variants, prompts] per metric, all aligned, no NaN; see
            `in_reach` for what is done to those that float32 arithmetic cannot bear.
        metrics: The metrics' names, for messages.
        size: Prompts to choose in all, those required included.
        required: int64 indices of prompts every candidate must contain, in order.
        allowed: int64 indices of the other prompts a selector may choose from, ascending.
        warm_start: int64 indices of a subset to start from, or None.
        hints: What a method may borrow from, of the same variants.
        images: One float32 array [search variants, prompts, images] per metric, the scores of
            single images, no NaN; None where each prompt has one.
        images_used: Images a prompt that the subset is to be used with; None for as many.
        images_as: What `search_rows` gives.
        features: float64 [features, prompts], what is known of the prompts beside their scores,
            such as their tags, centred over prompts; None for nothing.
        kinds: int64 [prompts], the kind of each prompt where the subset is to have each kind's
            share, see `few.places_by_kind`; None where it need not.
        kept: What `keep` keeps of these scores for the stages of a nested search; None where
            there are none. `dataclasses.replace` does not hand it on, `stage` does.

    Example:
        >>> problem = make_problem([np.tri(3, 5)], ["clip"], size=2, required=[4], forbidden=[0])
        >>> problem.n_variants, problem.n_prompts, problem.allowed.tolist()
        (3, 5, [1, 2, 3])

    """

    scores: tuple[NDArray[np.float32], ...]
    metrics: tuple[str, ...]
    size: int
    required: NDArray[np.int64]
    allowed: NDArray[np.int64]
    warm_start: NDArray[np.int64] | None = None
    hints: Hints = field(default_factory=Hints)
    images: tuple[NDArray[np.float32], ...] | None = None
    images_used: int | None = None
    images_as: ImagesAs = "auto"
    features: NDArray[np.float64] | None = None
    kinds: NDArray[np.int64] | None = None
    kept: Kept | None = field(default=None, init=False, repr=False, compare=False)

    def keep(self, name: Hashable, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept under a name and made for this key; make it where there is none.

        Nothing is kept but in a nested search, and under a name what was made last.

        Example:
            >>> problem = make_problem([np.tri(3, 5)], ["clip"], size=2).stage(1, np.array([]), {})
            >>> [problem.keep("sum", key, lambda made=key: made) for key in (1, 2)]
            [1, 2]

        """
        if self.kept is None:
            return make()
        if name not in self.kept or self.kept[name][0] != key:
            self.kept[name] = (key, make())
        found: T = self.kept[name][1]
        return found

    def stage(self, size: int, chosen: NDArray[np.int64], kept: Kept) -> Problem:
        """Return the same search for another size, with what was chosen so far required.

        Example:
            >>> problem = make_problem([np.tri(3, 5)], ["clip"], size=2)
            >>> problem.stage(3, np.array([4, 1]), {}).allowed.tolist()
            [0, 2, 3]

        """
        allowed = np.setdiff1d(self.allowed, chosen)
        stage = replace(self, size=size, required=chosen, allowed=allowed)
        object.__setattr__(stage, "kept", kept)
        return stage

    @property
    def n_variants(self) -> int:
        """Number of search variants."""
        return int(self.scores[0].shape[0])

    @property
    def n_prompts(self) -> int:
        """Number of prompts in the whole set."""
        return int(self.scores[0].shape[1])

    @property
    def n_free(self) -> int:
        """Number of prompts still to choose once the required ones are in.

        Example:
            >>> make_problem([np.tri(3, 5)], ["clip"], size=4, required=[0, 1, 1]).n_free
            2

        """
        return self.size - len(self.required)

    def targets(self) -> list[NDArray[np.float64]]:
        """Each metric's full-set mean per search variant, float64 [search variants].

        Example:
            >>> make_problem([np.arange(6).reshape(2, 3)], ["clip"], size=1).targets()
            [array([1., 4.])]

        """
        return [block.mean(axis=1, dtype=np.float64) for block in self.scores]

    def take(self, rows: NDArray[np.int64]) -> Problem:
        """Return the search on some of the variants alone.

        Example:
            >>> make_problem([np.tri(3, 5)], ["clip"], size=1).take(np.array([0, 2])).n_variants
            2

        """
        images = self.images
        return replace(
            self,
            scores=tuple(block[rows] for block in self.scores),
            hints=self.hints.take(rows),
            images=None if images is None else tuple(block[rows] for block in images),
        )

    def search_rows(self) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float64]]]:
        """Return the rows that a method fits rankings of, and the targets they should rank by.

        A row is a variant, or, with several images a prompt, one image of a variant (unless
        `images_as` is ``mean``): image j of the search variant v is row v * images + j. Each
        variant has as many rows as any other, so it counts once. All its rows have one target, the
        mean over all of its images, so they are tied in it, and its own images make no pair. What
        the variants have in common of an image, the seed's share in a prompt's difficulty, is
        taken out, so that images of different seeds compare.

        Returns:
            By metric float32 [rows, prompts], and float64 [rows].

        Example:
            >>> single = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
            >>> problem = make_problem([single.mean(axis=2)], ["clip"], size=1, images=[single])
            >>> rows, targets = problem.search_rows()
            >>> rows[0].tolist()
            [[-3.0, -3.0, -3.0], [-3.0, -3.0, -3.0], [3.0, 3.0, 3.0], [3.0, 3.0, 3.0]]
            >>> targets[0].tolist()
            [2.5, 2.5, 8.5, 8.5]

        """
        if self.images is None or self.images_as == "mean":
            return list(self.scores), self.targets()
        rows = []
        for block in self.images:
            centred = block - block.mean(axis=0, dtype=np.float64)
            by_row = centred.transpose(0, 2, 1).reshape(-1, block.shape[1])
            rows.append(np.ascontiguousarray(by_row, dtype=np.float32))
        count = self.images[0].shape[2]
        return rows, [np.repeat(target, count) for target in self.targets()]

    def statistics(self, metric: int) -> PromptStatistics:
        """Return every prompt's slope and noise in the metric of this number.

        The noise is that of as many images as the subset is to be used with.

        Example:
            >>> scores = np.random.default_rng(0).normal(size=(12, 50))
            >>> make_problem([scores], ["clip"], size=1).statistics(0).noise.shape
            (50,)

        """
        images = None if self.images is None else self.images[metric]
        return prompt_statistics(self.scores[metric], images=images, images_used=self.images_used)

    def start_prompts(self) -> NDArray[np.int64] | None:
        """Return the warm start's free prompts (allowed, in order, at most `n_free`), or None.

        Example:
            >>> start = [3, 1, 4, 0]
            >>> problem = make_problem([np.tri(3, 5)], ["clip"], 2, forbidden=[3], warm_start=start)
            >>> problem.start_prompts()  # 3 is forbidden, and only two prompts are asked for
            array([1, 4])

        """
        if self.warm_start is None:
            return None
        keep = self.warm_start[np.isin(self.warm_start, self.allowed)]
        return np.asarray(keep[: self.n_free], dtype=np.int64)


def make_problem(
    scores: Sequence[NDArray[np.float32]],
    metrics: Sequence[str],
    size: int,
    *,
    required: Sequence[int] = (),
    forbidden: Sequence[int] = (),
    warm_start: Sequence[int] | None = None,
    hints: Hints | None = None,
    images: Sequence[NDArray[np.float32]] | None = None,
    images_used: int | None = None,
    images_as: ImagesAs = "auto",
    features: NDArray[np.float64] | None = None,
    kinds: NDArray[np.int64] | None = None,
) -> Problem:
    """Check the pieces of a search and put them together.

    Args:
        scores: One array [search variants, prompts] per metric, without NaN; cast to float32,
            see `in_reach`.
        metrics: One name per array.
        size: Prompts to choose, from 1 to the number of prompts not forbidden.
        required: Indices of prompts that must be in; one given twice counts once, here and below.
        forbidden: Indices of prompts that must stay out.
        warm_start: Indices of a subset to start from; those required or forbidden are passed over.
        hints: What a method may borrow from, of the same variants; nothing by default. Metrics in
            which all variants tie are left out.
        images: One array [search variants, prompts, images] per metric, without NaN; None where
            each prompt has one image.
        images_used: Images a prompt that the subset is to be used with; None for as many.
        images_as: Whether methods that can see each image as a row of its own do.
        features: float64 [features, prompts], centred over prompts; None for none.
        kinds: int64 [prompts], kinds whose shares are to be held; None for none.

    Raises:
        SettingError: `size` does not fit, or a prompt is both required and forbidden.
        DataError: Fewer than two variants, a NaN or infinity, a metric in which all variants tie,
            an index outside the prompts, or hints or images that do not fit.

    Example:
        >>> import numpy as np
        >>> scores = np.arange(12, dtype=np.float32).reshape(3, 4)
        >>> make_problem([scores], ["clip"], size=2, forbidden=[0]).allowed
        array([1, 2, 3])

    """
    blocks = tuple(in_reach(block) for block in scores)
    if not blocks:
        raise SettingError("no metric to search on: name at least one")
    for name, block in zip(metrics, blocks, strict=True):
        _check_block(name, block, blocks[0].shape)
    n_prompts = blocks[0].shape[1]
    required_ids = _prompts("required", required, n_prompts)
    forbidden_ids = np.sort(_prompts("forbidden", forbidden, n_prompts))
    both = np.intersect1d(required_ids, forbidden_ids)
    if both.size:
        raise SettingError(
            f"{both.size} prompts are both required and forbidden (first: prompt number "
            f"{both[0] + 1}): take them out of one of the two lists"
        )
    free = np.ones(n_prompts, dtype=bool)
    free[required_ids] = False
    free[forbidden_ids] = False
    allowed = np.flatnonzero(free).astype(np.int64)
    size = checked_size(size, len(required_ids), len(allowed))
    start = None if warm_start is None else _prompts("warm_start", warm_start, n_prompts)
    hints = hints or Hints()
    hints.check(blocks[0].shape)
    hints = replace(hints, scores=tuple(in_reach(block) for block in hints.scores)).telling()
    return Problem(
        blocks,
        tuple(metrics),
        size,
        required_ids,
        allowed,
        start,
        hints,
        None if images is None else tuple(map(_image_block, metrics, scores, images)),
        images_used,
        images_as,
        features,
        kinds,
    )


def in_reach(block: NDArray[Any]) -> NDArray[np.float32]:
    """Return scores as float32 that methods can square and divide by; rankings stay as they are.

    Scores all below 2^-20 or with some above 2^20 are multiplied by a power of 2, and from those
    that only float64 can tell apart their common mean is taken out first. Others are cast, no more.

    Example:
        >>> in_reach(np.array([[2.0**-30], [2.0**-31]])).tolist()
        [[0.5], [0.25]]
        >>> in_reach(np.array([[16777216.0], [16777217.0]])).tolist()
        [[-0.5], [0.5]]

    """
    return _moved(np.asarray(block), *_reach(block))


def _reach(block: NDArray[Any]) -> tuple[float, float]:
    """Return what is taken off scores and what they are then multiplied by, see `in_reach`."""
    values = np.asarray(block)
    off, factor = 0.0, 1.0
    if values.dtype.kind != "f" or values.ndim != 2:
        return off, factor
    if values.dtype == np.float64 and loses_scores(values):
        off = values.mean()
        values = values - off
    most = max((float(np.abs(row).max(initial=0.0)) for row in values), default=0.0)
    if np.isfinite(most) and most > 0 and not _LEAST <= most < _MOST:
        factor = 2.0 ** -np.frexp(most)[1]
    return off, factor


def _moved(values: NDArray[Any], off: float, factor: float) -> NDArray[np.float32]:
    if off:
        values = values - off
    if factor != 1:
        values = values * values.dtype.type(factor)
    return np.ascontiguousarray(values, dtype=np.float32)


def _image_block(
    name: str, block: NDArray[np.float32], images: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Move the scores of images as those of their variants are moved, and check them."""
    if images.ndim != 3 or images.shape[:2] != block.shape or not np.isfinite(images).all():
        raise DataError(
            f"metric '{name}': the scores of images have shape {images.shape}, expected "
            f"{block.shape} + (images,) without NaN"
        )
    return _moved(images, *_reach(block))


def _prompts(what: str, indices: Sequence[int], n_prompts: int) -> NDArray[np.int64]:
    """Distinct prompt indices in the order given."""
    chosen = np.asarray(list(dict.fromkeys(indices)), dtype=np.int64)
    outside = chosen[(chosen < 0) | (chosen >= n_prompts)]
    if outside.size:
        raise DataError(f"{what}: prompt index {outside[0]} is outside 0 to {n_prompts - 1}")
    return chosen


def _check_block(name: str, block: NDArray[np.float32], shape: tuple[int, ...]) -> None:
    if block.ndim != 2 or block.shape != shape:
        raise DataError(f"metric '{name}': scores have shape {block.shape}, expected {shape}")
    if block.shape[0] < 2:
        raise DataError(
            f"metric '{name}': {block.shape[0]} search variant; a ranking needs at least 2"
        )
    means = block.mean(axis=1, dtype=np.float64)
    if not np.isfinite(means).all():
        raise DataError(
            f"metric '{name}': scores are missing (NaN) or infinite; keep complete variants only, "
            "for example with incomplete=drop"
        )
    if np.ptp(means) == 0.0:
        raise DataError(
            f"metric '{name}': all {block.shape[0]} search variants have the same full score, "
            "so there is no ranking to reproduce; use another metric or more variants"
        )


def checked_whole(size: object) -> int:
    """Return a size that is a whole number from 1 on; SettingError for anything else.

    >>> checked_whole(50)
    50
    """
    if not isinstance(size, int | np.integer) or isinstance(size, bool):
        raise SettingError(f"size={size!r}: expected a whole number of prompts")
    if size < 1:
        raise SettingError(f"size={size}: a subset needs at least 1 prompt")
    return int(size)


def checked_size(size: object, n_required: int, n_allowed: int) -> int:
    """Return a size that can be chosen from so many prompts; SettingError for any other.

    >>> checked_size(50, n_required=1, n_allowed=19)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: size=50 is above the 20 prompts to choose from: lower \
size, or forbid fewer
    """
    size = checked_whole(size)
    if size < n_required:
        raise SettingError(
            f"size={size} is smaller than the {n_required} required prompts: raise size to at "
            f"least {n_required}, or require fewer"
        )
    if size > n_required + n_allowed:
        raise SettingError(
            f"size={size} is above the {n_required + n_allowed} prompts to choose from: "
            "lower size, or forbid fewer"
        )
    return size
