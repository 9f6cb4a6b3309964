"""Score tables: the score matrices of several metrics over the same variants and prompts."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.arguments import checked_class
from flasheval.base.checks import checked_names, checked_word
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import View
from flasheval.base.errors import DataError, SettingError
from flasheval.base.suggest import nearest
from flasheval.base.text import first_few
from flasheval.generators.image_time import ImageTime
from flasheval.generators.seeds import ImageSeeds
from flasheval.generators.variants import Factor, Variant
from flasheval.prompts import PromptSet
from flasheval.scores.frames import DEFAULT_NAME, table_parts, tidy_frame
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.merging import attach_prompts, merge_tables
from flasheval.scores.parquet import load_table, save_table
from flasheval.scores.table_view import table_data, table_view
from flasheval.scores.twins import first_of_twins, twin_groups

__all__ = [
    "Incomplete",
    "ScoreMatrix",
    "ScoreTable",
]

Incomplete = Literal["drop", "prompts", "error"]
"""How to treat variants that are not measured on every prompt: see ScoreTable.complete."""

_METRICS = 5  # named in a line
_NEARLY = 0.9  # share of prompts from which a variant is worth leaving out prompts for


@checked_class
@dataclass(frozen=True, eq=False, repr=False)
class ScoreTable(Shown):
    """Score matrices of several metrics over the same variants and prompts.

    Every matrix has the variants and the prompts of the table, in its order; what was not
    measured is NaN. ``len(table)`` is the number of variants and ``table["clip"]`` a matrix.
    Tables with equal ``content_hash`` hold the same. Raises DataError when there is no variant
    or metric, a name is repeated, or a matrix is not aligned.

    >>> prompts = PromptSet("pets", ("1", "2"), ("A cat.", "A dog."))
    >>> matrix = ScoreMatrix("clip", [[0.2, 0.4], [0.3, np.nan]], ("x", "y"), prompts.ids)
    >>> table = ScoreTable(prompts, (Variant("x"), Variant("y")), {"clip": matrix})
    >>> complete, dropped = table.complete()
    >>> complete.variant_names, dropped
    (('x',), ('y',))
    """

    kind = "score_table"

    prompts: PromptSet
    variants: tuple[Variant, ...]
    matrices: Mapping[str, ScoreMatrix]

    def __post_init__(self) -> None:
        object.__setattr__(self, "variants", tuple(self.variants))
        object.__setattr__(self, "matrices", dict(self.matrices))
        names = self.variant_names
        if not names:
            raise DataError("a score table needs at least one variant; there is none")
        if not self.matrices:
            raise DataError("a score table needs the scores of at least one metric; there is none")
        for metric, matrix in self.matrices.items():
            if matrix.metric != metric:
                raise DataError(f"the scores of {matrix.metric!r} are filed under {metric!r}")
            for what, have, want in (
                ("variants", matrix.variants, names),
                ("prompts", matrix.prompt_ids, self.prompts.ids),
            ):
                if have != want:
                    raise DataError(
                        f"the {what} of metric {metric!r} are not those of the table, in its order"
                    )

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> synthetic_scores().metrics
        ('quality', 'alignment')
        """
        return tuple(self.matrices)

    @cached_property
    def variant_names(self) -> tuple[str, ...]:
        """The names of the variants, in row order."""
        return tuple(variant.name for variant in self.variants)

    @property
    def n_prompts(self) -> int:
        """The number of prompts."""
        return len(self.prompts)

    def __len__(self) -> int:
        return len(self.variants)

    def __getitem__(self, metric: str) -> ScoreMatrix:
        if metric not in self.matrices:
            known = ", ".join(self.metrics)
            raise SettingError(
                f"there are no scores for metric {metric!r}; there are: {known}"
                f"{nearest(str(metric), self.metrics)}"
            )
        return self.matrices[metric]

    def coverage(self) -> dict[str, NDArray[np.float64]]:
        """Return for each metric the share of prompts measured: float64 [n_variants].

        >>> matrix = ScoreMatrix("clip", [[0.2, 0.4], [0.3, np.nan]], ("x", "y"), ("1", "2"))
        >>> pets, variants = PromptSet("pets", ("1", "2")), (Variant("x"), Variant("y"))
        >>> table = ScoreTable(pets, variants, {"clip": matrix})
        >>> table.coverage()["clip"].tolist()
        [1.0, 0.5]
        """
        return {metric: matrix.coverage for metric, matrix in self.matrices.items()}

    def factor(self, name: str) -> tuple[Factor, ...]:
        """Return each variant's value of a factor, None where a variant lacks it.

        Raises SettingError, listing the factors there are, when no variant has it.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> synthetic_scores(n_variants=3, n_prompts=5).factor("base_model")
        ('alpha', 'bravo', 'charlie')
        >>> synthetic_scores().factor("schedule")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: no variant has the factor 'schedule'; there are: ...
        """
        known = {key: None for variant in self.variants for key in variant.factors}
        if name not in known:
            have = ", ".join(known) or (
                "none; columns of a long table become factors with: flasheval import long "
                "factors=[COLUMN]"
            )
            raise SettingError(
                f"no variant has the factor {name!r}; there are: {have}{nearest(name, known)}"
            )
        return tuple(variant.factors.get(name) for variant in self.variants)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Seconds an image of each variant, float64 [n_variants]; NaN where they are not known.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> synthetic_scores(2, 6).with_times({"alpha/DDIM10": ImageTime(0.5)}).seconds.tolist()
        [0.5, nan]
        """
        return np.array([variant.seconds for variant in self.variants], dtype=np.float64)

    def with_times(self, times: Mapping[str, ImageTime]) -> "ScoreTable":
        """Return the table with how long an image of some variants takes; others keep their own.

        Nothing that is searched or hashed changes. Raises SettingError for an unknown variant.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(4, 6)
        >>> timed = table.with_times({"alpha/DDIM10": ImageTime(0.5, "NVIDIA H200", batch=8)})
        >>> timed.variants[0].time.device, timed.content_hash == table.content_hash
        ('NVIDIA H200', True)
        """
        self._places(list(times))
        variants = tuple(
            replace(variant, time=times.get(variant.name, variant.time))
            for variant in self.variants
        )
        return ScoreTable(self.prompts, variants, self.matrices)

    def with_metrics(self, names: Sequence[str]) -> "ScoreTable":
        """Return the table with these metrics only, in this order; SettingError for an unknown one.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> synthetic_scores(4, 6).with_metrics(["alignment"]).metrics
        ('alignment',)
        """
        if isinstance(names, str):
            names = [names]
        return ScoreTable(self.prompts, self.variants, {name: self[name] for name in names})

    def with_variants(self, chosen: Sequence[str] | ArrayLike) -> "ScoreTable":
        """Return the table with these variants only, by name or by row, in this order.

        Raises SettingError for one that is unknown, DataError for one given twice and for none.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(4, 6)
        >>> table.with_variants([2, 0]).variant_names, len(table.with_variants(["alpha/DDIM10"]))
        (('charlie/DDIM10', 'alpha/DDIM10'), 1)
        """
        rows = self._places(chosen)
        variants = tuple(self.variants[row] for row in rows)
        names = tuple(variant.name for variant in variants)
        return ScoreTable(
            self.prompts,
            variants,
            {
                metric: replace(
                    matrix,
                    values=matrix.values[rows],
                    variants=names,
                    images=None if matrix.images is None else matrix.images[rows],
                )
                for metric, matrix in self.matrices.items()
            },
        )

    def other_metrics(self, part: "ScoreTable") -> list[ScoreMatrix]:
        """Return the matrices that ``part`` lacks and that have no NaN for its variants.

        Only those matrices are copied; ``part`` holds variants of this table.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(4, 6)
        >>> [matrix.metric for matrix in table.other_metrics(table.with_metrics("quality"))]
        ['alignment']
        """
        names = [name for name in self.metrics if name not in part.metrics]
        if not names:
            return []
        same = self.with_metrics(names).with_variants(part.variant_names)
        return [m for m in same.matrices.values() if not np.isnan(m.values).any()]

    def _places(self, chosen: Sequence[str] | ArrayLike) -> list[int]:
        array = np.asarray(chosen)
        if array.size and array.ndim == 1 and array.dtype.kind in "UO":
            position = {name: row for row, name in enumerate(self.variant_names)}
            for name in array.tolist():
                if name not in position:
                    raise SettingError(
                        f"there is no variant {name!r} among the {len(self)}"
                        f"{nearest(str(name), position)}"
                    )
            array = np.array([position[name] for name in array.tolist()])
        if array.size and (array.ndim != 1 or array.dtype.kind not in "iu"):
            raise DataError(f"variants are chosen by name or by row number, not by {array.dtype}")
        rows: list[int] = array.tolist() if array.size else []
        for row in rows:
            if not 0 <= row < len(self):
                raise DataError(f"there is no row {row}: the table has {len(self)} variants")
        if len(set(rows)) != len(rows):
            raise DataError("a variant is chosen more than once; choose each once")
        return rows

    def take_prompts(self, indices: ArrayLike) -> "ScoreTable":
        """Return the table for the prompts at these positions only, in this order.

        Raises DataError for a position outside the prompt set or given twice.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> part = synthetic_scores(4, 6).take_prompts([5, 0])
        >>> part.prompts.ids, part["quality"].values.shape
        (('6', '1'), (4, 2))
        """
        prompts = self.prompts.take(indices)
        columns = np.asarray(indices, dtype=np.int64)
        return ScoreTable(
            prompts,
            self.variants,
            {
                metric: replace(
                    matrix,
                    values=np.take(matrix.values, columns, axis=1),
                    images=None if matrix.images is None else np.take(matrix.images, columns, 1),
                    prompt_ids=prompts.ids,
                    prompt_set_hash=prompts.hash if prompts.text_hashes else None,
                )
                for metric, matrix in self.matrices.items()
            },
        )

    def with_prompts(self, prompts: PromptSet) -> "ScoreTable":
        """Return the table with texts and extras looked up in ``prompts`` by id.

        The prompts of the table and their order stay. Raises DataError for an id ``prompts``
        lacks, ConflictError where a known hash says that the text is another.

        >>> matrix = ScoreMatrix("clip", [[0.25, 0.5]], ("x",), ("1", "2"))
        >>> table = ScoreTable(PromptSet("ids", ("1", "2")), (Variant("x"),), {"clip": matrix})
        >>> pets = PromptSet("pets", ("2", "1", "0"), ("A dog.", "A cat.", "A hen."))
        >>> table.with_prompts(pets).prompts.texts
        ('A cat.', 'A dog.')
        """
        found, matrices = attach_prompts(self, prompts)
        return ScoreTable(found, self.variants, matrices)

    def complete(
        self,
        metrics: str | Sequence[str] | None = None,
        incomplete: Incomplete = "drop",
    ) -> tuple["ScoreTable", tuple[str, ...]]:
        """Return the table of the variants measured on every prompt, and the names left out.

        Counts and keeps the metric or metrics named only (all of them by default), and leaves out
        the prompts on which one of these is measured for no variant at all: some benchmarks
        measure a metric on the prompts of its category only. With
        ``incomplete="error"`` a variant that is not complete raises DataError with its
        coverage; so does a table in which none is. ``incomplete="prompts"`` keeps the variants
        measured on 90% of the prompts or more, and leaves out the prompts that one of them lacks:
        for runs in which a few images failed.

        >>> rows = [[1, 2, 3], [1, np.nan, 3]]
        >>> matrix = ScoreMatrix("clip", rows, ("x", "y"), ("1", "2", "3"))
        >>> ids = PromptSet("pets", matrix.prompt_ids)
        >>> table = ScoreTable(ids, (Variant("x"), Variant("y")), {"clip": matrix})
        >>> table.complete(incomplete="error")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: 1 of 2 variants are not measured on every prompt in ...
        """
        checked_word("incomplete", incomplete, get_args(Incomplete))
        names = checked_names("metric", metrics)
        table = self if names is None else self.with_metrics(names)
        if incomplete != "error":
            table = table.on_measured_prompts()
        if incomplete == "prompts":
            return table._without_gaps()
        coverage = np.min(list(table.coverage().values()), axis=0)
        missing = [
            (name, f"{name} ({share:.1%})")
            for name, share in zip(table.variant_names, coverage, strict=True)
            if share < 1
        ]
        if missing and (incomplete == "error" or len(missing) == len(table)):
            shown = ", ".join(label for _, label in missing[:5])
            more = ", ..." if len(missing) > 5 else ""
            advice = (
                "measure them, leave them out or choose other metrics"
                if incomplete == "error"
                else f"no variant is left; {table.keepable() or 'measure what is missing'}"
            )
            raise DataError(
                f"{len(missing)} of {len(table)} variants are not measured on every prompt in "
                f"{', '.join(table.metrics)}: {shown}{more}; {advice}"
            )
        if missing:
            table = table.with_variants(np.flatnonzero(coverage >= 1))
        return table, tuple(name for name, _ in missing)

    def keepable(self, metrics: str | Sequence[str] | None = None) -> str:
        """Say what ``incomplete="prompts"`` would keep; empty where it keeps no more variants.

        >>> matrix = ScoreMatrix("clip", [[1.0] * 10, [2.0] * 9 + [np.nan]], "xy", "abcdefghij")
        >>> ids = PromptSet("pets", matrix.prompt_ids)
        >>> table = ScoreTable(ids, (Variant("x"), Variant("y")), {"clip": matrix})
        >>> table.keepable()
        'incomplete=prompts would keep all 2 on 9 of 10 prompts'
        """
        names = checked_names("metric", metrics)
        table = (self if names is None else self.with_metrics(names)).on_measured_prompts()
        rows, missing = table._nearly_complete()
        complete = int((np.min(list(table.coverage().values()), axis=0) >= 1).sum())
        left = table.n_prompts - int(missing.sum())
        if len(rows) <= complete or not left:
            return ""
        count = f"all {len(self)}" if len(rows) == len(self) else f"{len(rows)} of {len(self)}"
        return f"incomplete=prompts would keep {count} on {left:,} of {self.n_prompts:,} prompts"

    def on_measured_prompts(self) -> "ScoreTable":
        """Return the table without the prompts on which a metric is measured for no variant.

        Raises DataError where the metrics have no prompt in common.

        >>> matrix = ScoreMatrix("clip", [[1, np.nan, 2], [3, np.nan, 4]], "xy", "abc")
        >>> ids = PromptSet("pets", matrix.prompt_ids)
        >>> table = ScoreTable(ids, (Variant("x"), Variant("y")), {"clip": matrix})
        >>> table.on_measured_prompts().prompts.ids
        ('a', 'c')
        """
        some = {
            name: np.logical_or.reduce([~np.isnan(row) for row in matrix.values])
            for name, matrix in self.matrices.items()
        }
        measured = np.logical_and.reduce(list(some.values()))
        if measured.all() or not all(one.any() for one in some.values()):
            return self
        if not measured.any():
            counts = ", ".join(f"{name} on {int(one.sum()):,}" for name, one in some.items())
            raise DataError(
                f"no prompt is measured in all of the metrics ({counts} of {self.n_prompts:,} "
                "prompts); choose one, or some that share prompts: metric=NAME"
            )
        return self.take_prompts(np.flatnonzero(measured))

    def _nearly_complete(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the rows worth leaving out prompts for, and the prompts that one of them lacks."""
        coverage = np.min(list(self.coverage().values()), axis=0)
        rows = np.flatnonzero(coverage >= _NEARLY)
        missing = np.zeros(self.n_prompts, dtype=bool)
        for matrix in self.matrices.values():
            for row in rows:
                missing |= np.isnan(matrix.values[row])
        return rows, missing

    def _without_gaps(self) -> tuple["ScoreTable", tuple[str, ...]]:
        """Return the table of nearly complete variants on the prompts that all of them have."""
        coverage = np.min(list(self.coverage().values()), axis=0)
        rows, missing = self._nearly_complete()
        if not rows.size:
            raise DataError(
                f"no variant is measured on {_NEARLY:.0%} of the prompts in "
                f"{', '.join(self.metrics)}; the best has {coverage.max():.1%}: measure more"
            )
        if missing.all():
            raise DataError(
                "no prompt is measured for all of the variants; measure what is missing first"
            )
        dropped = tuple(self.variant_names[i] for i in np.flatnonzero(coverage < _NEARLY))
        table = self.with_variants(rows) if dropped else self
        return (table.take_prompts(np.flatnonzero(~missing)) if missing.any() else table), dropped

    @property
    def seeds(self) -> ImageSeeds | None:
        """How the seeds of the images were made; None where it is not known or differs by metric.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> synthetic_scores(4, 6).seeds is None
        True
        """
        known = {matrix.seeds for matrix in self.matrices.values()}
        return known.pop() if len(known) == 1 else None

    @property
    def images_per_prompt(self) -> int:
        """The images a prompt that every metric knows the scores of; 1 where they are not kept.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> synthetic_scores(4, 6).images_per_prompt
        1
        """
        return min(matrix.images_per_prompt for matrix in self.matrices.values())

    @cached_property
    def content_hash(self) -> str:
        """The sha256 over prompt ids and texts, variants, metrics, directions and every value.

        The scores of single images are part of it where there are some. The order of the metrics
        does not count; that of variants and prompts does.
        """
        digest = hashlib.sha256(self.prompts.hash.encode())
        for variant in self.variants:
            digest.update(variant.fingerprint.encode())
        for metric in sorted(self.matrices):
            matrix = self.matrices[metric]
            digest.update(repr((metric, matrix.higher_is_better)).encode())
            for row in matrix.values:
                digest.update(_spelled(row))
            if matrix.images is not None:
                digest.update(repr(("images", matrix.images.shape[2])).encode())
                for row in matrix.images:
                    digest.update(_spelled(row))
        return digest.hexdigest()

    @property
    def exact_metrics(self) -> tuple[str, ...]:
        """The metrics whose scores are kept in float64."""
        return tuple(name for name, matrix in self.matrices.items() if matrix.exact)

    @cached_property
    def first_of_twins(self) -> NDArray[np.int64]:
        """For each variant the row of the first with the same scores in every metric: int64 [n].

        Its own row where it has no twin; see flasheval.scores.twins.first_of_twins.
        """
        return first_of_twins([matrix.values for matrix in self.matrices.values()])

    def twins_among(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Return the place, among these variants, of the first with the same scores: int64 [n].

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(4, 20)
        >>> table.twins_among(table.variant_names[1:]).tolist()
        [0, 1, 2]
        """
        heads = self.first_of_twins[self._places(names)]
        _, places, which = np.unique(heads, return_index=True, return_inverse=True)
        return np.asarray(places[which], dtype=np.int64)

    def distinct(self, twins: NDArray[np.int64]) -> "ScoreTable":
        """Return the table with the first of each group of twins; ``twins`` as `twins_among` says.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> len(synthetic_scores(4, 20).distinct(np.array([0, 1, 0, 3])))
        3
        """
        first = np.unique(twins)
        return self if len(first) == len(self) else self.with_variants(first)

    def named_twins(self, twins: NDArray[np.int64] | None = None) -> tuple[tuple[str, ...], ...]:
        """Return the names of the variants with the same scores, group by group.

        ``twins`` are the table's own unless given.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> synthetic_scores(4, 20).named_twins(np.array([0, 1, 0, 3]))
        (('alpha/DDIM10', 'charlie/DDIM10'),)
        """
        groups = twin_groups(self.first_of_twins if twins is None else twins)
        return tuple(tuple(self.variant_names[row] for row in group) for group in groups)

    def merge(self, other: "ScoreTable") -> "ScoreTable":
        """Return the union of variants, metrics and prompts of two tables.

        This table's order comes first, then what only the other has. A score may be in both
        when it is equal, or NaN in one. Raises ConflictError when the two disagree: another text
        under one id, another score, direction, scorer or factor; and when texts are unknown
        and the ids alone do not show that the prompt sets are the same.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(4, 6)
        >>> halves = table.with_variants([0, 1]), table.with_variants([2, 3])
        >>> halves[0].merge(halves[1]).content_hash == table.content_hash
        True
        """
        return ScoreTable(*merge_tables(self, other))

    def save(
        self, folder: str | Path, *, overwrite: bool = False, half_images: bool = False
    ) -> Path:
        """Write the table as Parquet files into a folder and return the folder.

        ``prompts.parquet``, ``variants.parquet`` (name and one column a factor; seconds an image
        in its metadata) and
        ``scores/<metric>.parquet``: ``prompt_id`` first, then one float32 column a variant, NaN
        kept (float64 where a matrix is ``exact``). Where a metric has the scores of single images,
        ``images/<metric>.parquet`` has a list of them in each cell, with ``half_images`` as float16
        in half the room. Raises DataError when a name cannot be a file's or a file cannot be
        written, and ConflictError when the folder holds metrics that the table lacks, which
        ``overwrite`` removes.

        >>> import tempfile
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = synthetic_scores(4, 6).save(folder)
        ...     sorted(path.name for path in written.rglob("*.parquet"))
        ['alignment.parquet', 'prompts.parquet', 'quality.parquet', 'variants.parquet']
        """
        return save_table(self, Path(folder), overwrite=overwrite, half_images=half_images)

    @classmethod
    def load(cls, folder: str | Path) -> "ScoreTable":
        """Read a folder written by save.

        Raises DataError in one line for a folder or file that is missing, damaged or not
        aligned with the rest.

        >>> import tempfile
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(4, 6)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ScoreTable.load(table.save(folder)).content_hash == table.content_hash
        True
        """
        return ScoreTable(*load_table(Path(folder)))

    @classmethod
    def from_arrays(
        cls,
        scores: Any,
        *,
        variants: Sequence[str | Variant],
        prompts: Sequence[str | int] | PromptSet,
        metric: str = "score",
        higher_is_better: bool | Mapping[str, bool] = True,
        texts: Sequence[str] | None = None,
        factors: Mapping[str, Mapping[str, Factor]] | None = None,
        name: str = DEFAULT_NAME,
    ) -> "ScoreTable":
        """Return the table of an array [variants, prompts], or of one for each metric.

        Args:
            scores: A numpy array, a torch tensor or a list of lists; or a mapping of metric to
                these. NaN or None is not measured, True is 1. An array [variants, prompts, k] has
                the scores of k images of a prompt, whose mean is taken.
            variants: The rows' names, or `Variant` objects.
            prompts: The columns' ids, or a `PromptSet`.
            metric: The metric's name, where ``scores`` is one array.
            higher_is_better: The direction, for all metrics or for each.
            texts: The prompts' texts, where ``prompts`` are ids.
            factors: A mapping of variant to its factors: ``{"sd15": {"base_model": "sd"}}``.
            name: The prompt set's name, where ``prompts`` are ids.

        Raises:
            DataError: An array of another shape, or without numbers; a name that is repeated.
            SettingError: A metric or variant that is not there.

        Example:
            >>> scores = np.array([[0.31, 0.35, 0.29], [0.33, 0.36, np.nan]])
            >>> table = ScoreTable.from_arrays(
            ...     scores, variants=["sd15", "sdxl"], prompts=["p0", "p1", "p2"], metric="CLIP"
            ... )
            >>> table.metrics, table.variant_names, table.prompts.ids
            (('CLIP',), ('sd15', 'sdxl'), ('p0', 'p1', 'p2'))
            >>> both = {"CLIP": scores, "FD": [[3, 2, 1], [1, 2, 3]]}
            >>> table = ScoreTable.from_arrays(
            ...     both,
            ...     variants=["sd15", "sdxl"],
            ...     prompts=[0, 1, 2],
            ...     higher_is_better={"FD": False},
            ... )
            >>> table["FD"].higher_is_better, table["FD"].values[0].tolist()
            (False, [3.0, 2.0, 1.0])

        """
        parts = table_parts(
            scores, variants, prompts, metric, higher_is_better, texts, factors, name
        )
        return cls(*parts)

    def to_pandas(self) -> Any:
        """Return a tidy pandas frame: a row for each variant and prompt, a column for each metric.

        The columns are ``variant``, ``prompt_id``, ``prompt`` (the text, where it is known) and
        the metrics. `flasheval.load_scores` gives the table back: the directions, scorers, factors
        and seconds an image are in the frame's ``attrs``; hashes of unknown texts and further
        columns of the prompts are not kept. Raises SettingError where pandas is not installed.

        >>> table = ScoreTable.from_arrays([[0.25, 0.5]], variants=["sd15"], prompts=["p0", "p1"])
        >>> table.to_pandas()
          variant prompt_id  score
        0    sd15        p0   0.25
        1    sd15        p1   0.50
        """
        return tidy_frame(self)

    def view(self) -> View:
        """Return what `flasheval show` prints: factors, metrics, best and worst variants."""
        return table_view(self)

    def _brief(self) -> str:
        size = f"{len(self):,} variants x {self.n_prompts:,} prompts of {self.prompts.name}"
        return f"{size}; {first_few(self.metrics, _METRICS)}"

    def _data(self) -> dict[str, Any]:
        return table_data(self)


def _spelled(row: NDArray[np.float32]) -> bytes:
    """Return numbers as bytes to hash, with one spelling for NaN, whose spare bits may differ."""
    spelled = np.where(np.isnan(row), row.dtype.type(np.nan), row)
    return spelled.astype(row.dtype.newbyteorder("<")).tobytes()
