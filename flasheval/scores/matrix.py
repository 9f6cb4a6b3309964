"""Score matrices: one metric's scores of variants on prompts, with their labels."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.errors import DataError
from flasheval.generators.variants import check_name

__all__ = ["ScoreMatrix"]


@dataclass(frozen=True, eq=False)
class ScoreMatrix:
    """The scores of one metric: float32 [n_variants, n_prompts], NaN where not measured.

    ``values`` may be given as any real array; they are kept as float32 in C order and read-only
    (not copied when they are so already: do not write into the array given).
    ``variants`` label the rows, ``prompt_ids`` the columns. ``prompt_set_hash`` is the hash of
    the prompt set the scores were measured on, where known. Raises DataError for a wrong shape,
    repeated labels, and an infinite score (with its variant and prompt).

    >>> m = ScoreMatrix("clip", [[0.2, 0.4], [0.3, np.nan]], ("x", "y"), ("1", "2"))
    >>> m.coverage.tolist(), m.full_means.round(3).tolist()
    ([1.0, 0.5], [0.3, nan])
    """

    metric: str
    values: NDArray[np.float32]
    variants: tuple[str, ...]
    prompt_ids: tuple[str, ...]
    higher_is_better: bool = True
    scorer: str | None = None
    scorer_version: str | None = None
    prompt_set_hash: str | None = None

    def __post_init__(self) -> None:
        check_name("metric", self.metric)
        object.__setattr__(self, "higher_is_better", bool(self.higher_is_better))
        object.__setattr__(self, "variants", tuple(self.variants))
        object.__setattr__(self, "prompt_ids", tuple(self.prompt_ids))
        object.__setattr__(self, "values", self._checked(self.values))

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
        with np.errstate(over="ignore"):  # what is too large for float32 is found just below
            values = np.ascontiguousarray(array, dtype=np.float32).view()
        for variant, row in zip(self.variants, values, strict=True):  # a row at a time: no copy
            infinite = np.isinf(row)
            if infinite.any():
                prompt = self.prompt_ids[int(np.argmax(infinite))]
                raise DataError(
                    f"metric {self.metric!r}: the score of variant {variant!r} on prompt "
                    f"{prompt!r} is infinite in float32; use NaN for what was not measured"
                )
        # A selector that centred its input in place would spoil the table for the next one.
        values.flags.writeable = False
        return values

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
    def oriented(self) -> NDArray[np.float32]:
        """The values, negated when lower is better, so that higher always is.

        >>> ScoreMatrix("lpips", [[0.25, 0.5]], ("x",), ("1", "2"), higher_is_better=False).oriented
        array([[-0.25, -0.5 ]], dtype=float32)
        """
        return self.values if self.higher_is_better else -self.values
