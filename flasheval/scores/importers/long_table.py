"""Importer of long tables: one row for each variant, prompt and metric."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.columns import Columns
from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.base.files import content_stem
from flasheval.base.table_files import read_columns
from flasheval.generators.variants import Factor, Variant
from flasheval.prompts import PromptSet, text_hash
from flasheval.scores.importers.official_names import official_factors
from flasheval.scores.importers.result import ImportResult
from flasheval.scores.importers.settings import direction_of, finish
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.table import ScoreTable

__all__ = ["LongTable", "is_long"]

_VARIANT = ("variant", "model")
_SCORE = ("score", "value")
_PROMPT = ("prompt_id", "prompt")
_TEXT = ("text", "caption")
_MAX_SCORES = 1 << 32  # 16 GiB of float32: more is a mistaken column, not a table


def is_long(columns: Columns) -> bool:
    """Tell whether a table is long: it has a column of variants and a column of scores."""
    return all(any(name in columns.names for name in usual) for usual in (_VARIANT, _SCORE))


@dataclass(frozen=True)
class LongTable:
    r"""Read a long table: CSV, TSV, Parquet, or JSON lines.

    Columns ``variant`` (or ``model``), ``prompt_id`` (or ``prompt``), ``metric`` (without it the
    one metric is named by the setting, else by the file's stem) and ``score`` (or ``value``);
    ``text`` or ``caption`` gives the texts. Variants, prompts and metrics keep the order in which
    they first appear; what has no row, or an empty or NaN score, is not measured.

    Attributes:
        prompts: A PromptSet or its file, for the texts.
        metric: The metric's name, where there is no such column.
        higher_is_better: The direction, for all metrics or for each.
        factors: A column that becomes a factor of the variants, or several.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "long.csv"
    ...     rows = ["model,prompt_id,metric,score", "sd15,1,clip,0.25", "sdxl,2,clip,0.5"]
    ...     _ = file.write_text("\n".join(rows))
    ...     table = LongTable().read(file).table
    >>> table.variant_names, table["clip"].values.tolist()
    (('sd15', 'sdxl'), [[0.25, nan], [nan, 0.5]])

    """

    name: ClassVar[str] = "long"
    prompts: Any = None
    metric: str | None = None
    higher_is_better: Any = None
    factors: Any = ()

    def read(self, source: str | Path | Columns) -> ImportResult:
        """Read the table.

        Raises ConflictError when one cell has two scores, a prompt two texts or a variant two
        values of a factor, and DataError for anything unreadable.
        """
        columns = (
            source if isinstance(source, Columns) else read_columns(Path(source), "long table")
        )
        path = columns.path
        if columns.n_rows == 0:
            raise DataError(f"{path} holds no scores, only column names")
        variant_names, rows = _codes(columns.ids(columns.pick(None, _VARIANT, "variants")))
        prompt_ids, places = _codes(columns.ids(columns.pick(None, _PROMPT, "prompt ids")))
        metric_names, kinds = _metric_codes(columns, self.metric)
        scores = columns.floats([columns.pick(None, _SCORE, "scores")])[0]
        shape = (len(metric_names), len(variant_names), len(prompt_ids))
        if np.prod(shape, dtype=np.float64) > _MAX_SCORES:
            raise DataError(
                f"{path} would make {shape[0]} metrics x {shape[1]} variants x {shape[2]} prompts; "
                "is one of the columns misnamed?"
            )
        values = np.full(shape, np.nan, dtype=scores.dtype)
        _fill(
            columns,
            values,
            (kinds, rows, places),
            scores,
            (metric_names, variant_names, prompt_ids),
        )
        try:
            variants = _variants(columns, variant_names, rows, self.factors)
            prompt_set = PromptSet(
                content_stem(path), prompt_ids, _texts(columns, prompt_ids, places)
            )
            matrices = {
                name: ScoreMatrix(
                    name,
                    values[kind],
                    variant_names,
                    prompt_ids,
                    higher_is_better=direction_of(name, self.higher_is_better, None),
                    prompt_set_hash=prompt_set.hash if prompt_set.texts is not None else None,
                )
                for kind, name in enumerate(metric_names)
            }
            table = ScoreTable(prompt_set, variants, matrices)
        except DataError as error:
            raise type(error)(
                str(error) if str(path) in str(error) else f"{path}: {error}"
            ) from error
        return ImportResult(finish(table, self.prompts, self.higher_is_better))


def _codes(labels: Sequence[Any]) -> tuple[tuple[Any, ...], NDArray[np.int64]]:
    """Return the distinct labels in order of appearance and each row's place among them."""
    place: dict[Any, int] = {}
    codes = np.fromiter(
        (place.setdefault(label, len(place)) for label in labels), np.int64, len(labels)
    )
    return tuple(place), codes


def _metric_codes(
    columns: Columns, metric: str | None
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    if "metric" in columns.names:
        if metric is not None:
            raise SettingError(
                f"{columns.path} has a column 'metric'; leave out metric={metric!r} and choose "
                "from the table instead"
            )
        return _codes(columns.ids("metric"))
    metric = content_stem(columns.path) if metric is None else metric  # as wide tables do
    return (metric,), np.zeros(columns.n_rows, dtype=np.int64)


def _fill(
    columns: Columns,
    values: NDArray[np.float32],
    place: tuple[NDArray[np.int64], ...],
    scores: NDArray[np.float32],
    labels: tuple[tuple[str, ...], ...],
) -> None:
    """Put each score into its cell; a cell with two different scores is a conflict."""
    measured = np.flatnonzero(~np.isnan(scores))
    cells = np.ravel_multi_index(place, values.shape)[measured]
    flat = values.reshape(-1)
    flat[cells] = scores[measured]
    differ = measured[flat[cells] != scores[measured]]
    if differ.size:
        row = int(differ[0])
        name, variant, prompt = (
            known[code[row]] for known, code in zip(labels, place, strict=True)
        )
        last = flat[np.ravel_multi_index(tuple(code[row] for code in place), values.shape)]
        raise ConflictError(
            f"{columns.path} {columns.where(row)}: variant {variant!r} on prompt {prompt!r} has "
            f"the {name} score {scores[row]:.7g} here but {last:.7g} in a later row "
            f"({differ.size} such rows); keep one"
        )


def _texts(
    columns: Columns, prompt_ids: tuple[str, ...], places: NDArray[np.int64]
) -> tuple[str, ...] | None:
    usual = _TEXT if "prompt_id" not in columns.names else (*_TEXT, "prompt")
    name = next((name for name in usual if name in columns.names), None)
    if name is None:
        return None
    texts: list[str | None] = [None] * len(prompt_ids)
    for row, (place, text) in enumerate(zip(places.tolist(), columns.texts(name), strict=True)):
        known = texts[place]
        if known is None:
            texts[place] = text
        elif known != text and text_hash(known) != text_hash(text):
            raise ConflictError(
                f"{columns.path} {columns.where(row)}: prompt {prompt_ids[place]!r} has another "
                f"{name} than in an earlier row; one id is one text"
            )
    return tuple([text or "" for text in texts])


def _variants(
    columns: Columns, names: tuple[str, ...], rows: NDArray[np.int64], factors: Sequence[str]
) -> tuple[Variant, ...]:
    given: dict[str, dict[str, Factor]] = {name: {} for name in names}
    for factor in [factors] if isinstance(factors, str) else factors:
        columns.pick(factor, (), "factor")
        values = columns.factors(factor)
        if values is None:
            raise DataError(f"{columns.path}: the factor {factor!r} does not hold plain values")
        for row, (variant, value) in enumerate(zip(rows.tolist(), values, strict=True)):
            known = given[names[variant]].setdefault(factor, value)
            if known != value:
                raise ConflictError(
                    f"{columns.path} {columns.where(row)}: variant {names[variant]!r} has "
                    f"{factor}={value!r} but {known!r} in an earlier row"
                )
    return tuple(Variant(name, {**official_factors(name), **given[name]}) for name in names)
