"""Comparing several variants with one reference by all set metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from flasheval.base.drawing.shown import Shown
from flasheval.base.errors import DataError
from flasheval.base.files import atomic_write
from flasheval.set_metrics.arrays import as_features
from flasheval.set_metrics.extrapolated import FrechetInfinity, frechet_infinity
from flasheval.set_metrics.feature_sets import Features, FeatureSets
from flasheval.set_metrics.frechet import frechet_distance
from flasheval.set_metrics.kid import kernel_distance, kernel_distance_of_subsets
from flasheval.set_metrics.per_variant import each_variant
from flasheval.set_metrics.references import Reference

__all__ = ["SetComparison", "VariantDistance", "compare_sets"]

_WHOLE = 5_000
"""The most images a side for which the kernel distance uses all images (its cost is m x n)."""
_PART, _PARTS = 1_000, 100  # of more, the mean over random parts, as KID is commonly reported


@dataclass(frozen=True)
class VariantDistance:
    """The distances of one variant's images from the reference; lower is better.

    Attributes:
        variant: The variant's name.
        images: Number of its images.
        frechet: The Frechet distance.
        infinity: The Frechet distance extrapolated to infinitely many images; None when it was
            not requested, with too few images, and when the reference is a variant.
        infinity_error: The standard error of ``infinity``.
        kid: The unbiased kernel distance, paired when the reference is a variant on the same
            prompts; None when the reference's images are unknown, or only some are paired.

    """

    variant: str
    images: int
    frechet: float
    infinity: float | None
    infinity_error: float | None
    kid: float | None


@dataclass(frozen=True, repr=False)
class SetComparison(Shown):
    """The distances of several variants from one reference.

    Attributes:
        metric: The Frechet distance's name, such as ``Frechet CLIP``.
        reference: The reference's name.
        distances: One for each variant, the nearest first.
        warnings: Warnings, one line each.

    """

    kind = "distances"

    metric: str
    reference: str
    distances: tuple[VariantDistance, ...]
    warnings: tuple[str, ...]

    def _brief(self) -> str:
        nearest = f", nearest {self.distances[0].variant}" if self.distances else ""
        return f"{self.metric} of {len(self.distances)} variants from {self.reference}{nearest}"

    def _rows(self) -> list[dict[str, object]]:
        return list(map(asdict, self.distances))

    def save(self, path: str | Path) -> None:
        """Write the distances as Parquet, one row a variant. Raises DataError on failure.

        >>> import tempfile
        >>> import pyarrow.parquet as pq
        >>> rows = (VariantDistance("a", 40, 0.1, None, None, 0.01),)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     SetComparison("Frechet CLIP", "real", rows, ()).save(f"{folder}/distances.parquet")
        ...     pq.read_table(f"{folder}/distances.parquet").to_pylist()[0]["frechet"]
        0.1
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {"variant": pa.string(), "images": pa.int64()}
        names = [one.name for one in fields(VariantDistance)]
        about = {"metric": self.metric, "reference": self.reference, "higher_is_better": "false"}
        schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in names], about)
        table = pa.Table.from_pylist([asdict(row) for row in self.distances], schema)
        with atomic_write(path) as temporary:
            pq.write_table(table, temporary)


def compare_sets(
    sets: FeatureSets,
    reference: Reference,
    *,
    extrapolate: bool = True,
    seed: int = 0,
    threads: int = 1,
    done: Callable[[int], None] | None = None,
) -> SetComparison:
    """Compare every variant with a reference, which is skipped when it is itself a variant.

    Args:
        sets: The variants' features.
        reference: The reference to compare with.
        extrapolate: Whether to extrapolate the Frechet distance, which costs 15 more distances.
            It needs more than 2 (d + 1) images, because below d the bias is not linear in 1 / n,
            and images independent of the reference's, which images of the same prompts are not.
        seed: Seed of all randomness; the same for every variant, so that variants with equally
            many images use the same random subsets.
        threads: Number of variants computed at a time; it does not change the results.
        done: Called with the number of variants that are done.

    Raises:
        DataError: No variant but the reference, fewer than two images, or features that are not
            finite.

    >>> rng = np.random.default_rng(0)
    >>> sets = FeatureSets(("a", "b"), [rng.normal(size=(40, 2)), 1 + rng.normal(size=(40, 2))],
    ...                    ((), ()), "toy", "1")
    >>> found = compare_sets(sets, Reference.of("real", rng.normal(size=(500, 2))))
    >>> [(row.variant, round(row.frechet, 1)) for row in found.distances]
    [('a', 0.1), ('b', 1.9)]

    """
    rows = reference.others(sets.names)
    if not rows:
        raise DataError(f"{reference.name} is the only variant; name another reference")
    extrapolate = extrapolate and reference.ids is None

    def one(number: int) -> VariantDistance:
        row = rows[number]
        values = as_features(sets.features[row], width=reference.statistics.width)
        infinity = error = None
        if extrapolate and _enough(*values.shape):
            line = _line(values, reference, seed)
            infinity, error = line.value, line.standard_error
        return VariantDistance(
            sets.names[row],
            len(values),
            frechet_distance(values, reference.statistics).value,
            infinity,
            error,
            _kid(values, sets.ids[row], reference, seed),
        )

    names = [sets.names[row] for row in rows]
    found = each_variant(one, len(rows), threads, names=names, done=done)
    ordered = tuple(sorted(found, key=lambda one: one.frechet))
    warnings = _warnings(sets, reference, ordered, extrapolate)
    return SetComparison(f"Frechet {sets.label}", reference.name, ordered, tuple(warnings))


def _line(values: Features, reference: Reference, seed: int) -> FrechetInfinity:
    smallest = max(values.shape[1] + 1, len(values) // 10)
    rng = np.random.default_rng(seed)
    return frechet_infinity(values, reference.statistics, rng, smallest=smallest)


def _enough(images: int, width: int) -> bool:
    return images > 2 * (width + 1) and images >= width + 16  # 15 sizes above the width


def _kid(values: Features, ids: tuple[str, ...], reference: Reference, seed: int) -> float | None:
    theirs = reference.features
    if theirs is None:
        return None
    paired = reference.ids is not None and not set(ids).isdisjoint(reference.ids)
    if paired and ids != reference.ids:
        return None
    if max(len(values), len(theirs)) <= _WHOLE:
        return kernel_distance(values, theirs, paired=paired)
    rng = np.random.default_rng(seed)
    if not paired:
        size = min(_PART, len(values), len(theirs))
        return kernel_distance_of_subsets(values, theirs, rng, size=size, subsets=_PARTS).value
    found = []
    for _ in range(_PARTS):  # no prompt on both sides
        order = rng.permutation(len(values))
        found.append(kernel_distance(values[order[:_PART]], theirs[order[_PART : 2 * _PART]]))
    return float(np.mean(found))


def _warnings(
    sets: FeatureSets,
    reference: Reference,
    rows: tuple[VariantDistance, ...],
    extrapolate: bool,
) -> list[str]:
    width, found = reference.statistics.width, list(sets.left_out)
    counts = [row.images for row in rows]
    few = [count for count in (*counts, reference.statistics.n) if count and count <= width]
    if few:
        found.append(
            f"{min(few):,} images are too few for a covariance of {width:,} features: the Frechet "
            "distances are biased upwards; compare only those of equally many images"
        )
    if len(set(counts)) > 1:
        found.append(
            f"the variants have different numbers of images ({min(counts):,} to {max(counts):,}): "
            "the Frechet distance falls with their number; compare by KID or the extrapolation"
        )
    short = sum(not _enough(count, width) for count in counts)
    if extrapolate and short:
        who = "no variant is" if short == len(rows) else f"{short} of {len(rows)} variants are not"
        found.append(
            f"{who} extrapolated to infinitely many images: with {width:,} features that takes "
            f"more than {max(2 * width + 2, width + 15):,}"
        )
    return found
