"""Seconds an image that a user brings: a file, a mapping, or a column of the scores themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import content_suffix
from flasheval.base.json_data import read_json
from flasheval.base.suggest import nearest
from flasheval.base.table_files import TABLE_SUFFIXES, read_columns
from flasheval.base.text import first_few, plain_name
from flasheval.generators.image_time import ImageTime
from flasheval.scores.importers.column_names import role_of
from flasheval.scores.importers.in_memory import from_memory
from flasheval.scores.table import ScoreTable

__all__ = ["fast_enough", "with_seconds"]

_NAMES = (
    *("seconds", "seconds_per_image", "sec_per_image", "s_per_image", "seconds_image", "s_image"),
    *("image_seconds", "time_per_image", "latency", "latency_s", "inference_time", "runtime"),
    *("time", "time_s", "duration", "sec", "s", "cost"),
)
_DEVICES, _BATCHES = ("device", "hardware", "gpu"), ("batch", "batch_size")
_FORM = "expected two columns, the variants' names and seconds an image"


def with_seconds(table: ScoreTable, given: Any) -> tuple[ScoreTable, list[str]]:
    """Return a table with the seconds given, and what is to be told, a line each.

    Args:
        table: The scores.
        given: A file of two columns, variants and seconds an image (with a column `device` or
            `batch`, if it has one); a mapping of variant to seconds; a frame; or the name of a
            column of the scores: a factor of the variants, or a metric, of which the median over
            the prompts is taken. None gives the table back.

    Raises:
        SettingError: No such file or column.
        DataError: A file that cannot be read so, seconds that are no positive number, or none of
            the table's variants in it.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> timed, told = with_seconds(synthetic_scores(2, 6), {"alpha/DDIM10": 0.5, "gamma": 1})
        >>> timed.seconds.tolist()
        [0.5, nan]
        >>> told
        ['seconds: none for 1 of 2 variants (bravo/DDIM10); 1 is in no scores (gamma)']

    """
    if given is None:
        return table, []
    if isinstance(given, str | Path):
        return _named(table, str(given))
    if isinstance(given, Mapping):
        return _joined(table, _of_mapping(given, "seconds"), "seconds")
    columns = from_memory(given, None, None, None)
    if not isinstance(columns, Columns):
        raise SettingError(
            f"seconds={type(given).__name__}: {_FORM}, as a file, a mapping, a frame"
        )
    return _joined(table, _of_columns(columns, "seconds"), "seconds")


def fast_enough(table: ScoreTable, max_seconds: float | None) -> tuple[ScoreTable, list[str]]:
    """Return the table of the variants that take no more seconds, and a line on those left out.

    Raises SettingError for a limit that is no positive number, where no seconds are known, and
    where no variant remains.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> timed, _ = with_seconds(synthetic_scores(2, 6), {"alpha/DDIM10": 0.5})
        >>> fast_enough(timed, 1)[1]
        ['max_seconds=1: left out 0 variants as slower, 1 without seconds']
        >>> fast_enough(timed, 0.25)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: max_seconds=0.25: no variant is that fast; of 1 with ...

    """
    if max_seconds is None:
        return table, []
    if not 0 < max_seconds < np.inf:
        raise SettingError(f"max_seconds={max_seconds:g}: expected a positive number of seconds")
    seconds = table.seconds
    known = np.flatnonzero(~np.isnan(seconds))
    if not known.size:
        raise SettingError(
            f"max_seconds={max_seconds:g}: the scores know no seconds an image; give them with "
            "seconds=FILE (variants and seconds), or collect them with flasheval run"
        )
    kept = np.flatnonzero(seconds <= max_seconds)
    if not kept.size:
        fastest = known[np.argmin(seconds[known])]
        raise SettingError(
            f"max_seconds={max_seconds:g}: no variant is that fast; of {known.size} with seconds "
            f"the fastest is {table.variant_names[fastest]}, {seconds[fastest]:.3g}"
        )
    slower, unknown = known.size - kept.size, len(table) - known.size
    if not slower + unknown:
        return table, []
    return table.with_variants(kept), [
        f"max_seconds={max_seconds:g}: left out {slower} variants as slower, {unknown} without "
        "seconds"
    ]


def _named(table: ScoreTable, name: str) -> tuple[ScoreTable, list[str]]:
    factors = {key for variant in table.variants for key in variant.factors}
    path = Path(name)
    if not path.is_file() and name in factors:
        values = zip(table.variant_names, table.factor(name), strict=True)
        return _joined(table, _of_mapping(dict(values), f"factor {name!r}"), "seconds")
    if not path.is_file() and name in table.metrics:
        return _of_metric(table, name)
    if not path.exists() and content_suffix(path) not in TABLE_SUFFIXES:
        known = sorted(factors | set(table.metrics))
        raise SettingError(
            f"seconds={name}: neither a file nor a column of the scores; they have: "
            f"{', '.join(known)}{nearest(name, known)}"
        )
    if content_suffix(path) == ".json" and path.is_file():
        content = read_json(path)
        if isinstance(content, Mapping) and any(isinstance(v, Real) for v in content.values()):
            return _joined(table, _of_mapping(content, name), name)
    return _joined(table, _of_columns(read_columns(path, "table of seconds"), name), name)


def _of_metric(table: ScoreTable, name: str) -> tuple[ScoreTable, list[str]]:
    """Take the median over the prompts, of a metric that is then no metric any more."""
    others = [metric for metric in table.metrics if metric != name]
    if not others:
        raise SettingError(f"seconds={name}: the scores have no other metric to rank by")
    matrix = table[name]
    times = {
        variant: float(np.nanmedian(row))
        for variant, row in zip(matrix.variants, matrix.values.astype(np.float64), strict=True)
        if not np.isnan(row).all()
    }
    found = _of_mapping(times, f"metric {name!r}")
    return _joined(table.with_metrics(others), found, "seconds")


def _of_mapping(given: Mapping[Any, Any], where: str) -> dict[str, ImageTime]:
    found = {}
    for name, value in given.items():
        if isinstance(value, ImageTime):
            found[str(name)] = value
        elif value is None or (isinstance(value, Real) and np.isnan(float(value))):
            continue
        elif (
            isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < np.inf
        ):
            raise DataError(
                f"{where}: variant {name!r} has {value!r}; expected a positive number of seconds"
            )
        else:
            found[str(name)] = ImageTime(float(value))
    return found


def _of_columns(columns: Columns, where: str) -> dict[str, ImageTime]:
    variant, seconds = _two_columns(columns, where)
    names = columns.ids(variant)
    (values,) = columns.floats([seconds], exact=True)
    if plain_name(seconds).endswith(("_ms", "milliseconds")):
        values = values / 1000
    devices = _described(columns, _DEVICES, (variant, seconds))
    batches = _described(columns, _BATCHES, (variant, seconds))
    found: dict[str, ImageTime] = {}
    for row, (name, value) in enumerate(zip(names, values.tolist(), strict=True)):
        if np.isnan(value):
            continue
        if name in found:
            raise DataError(
                f"{where} {columns.where(row)}: {name!r} has seconds already; expected one row for "
                "each variant"
            )
        if value <= 0:
            raise DataError(
                f"{where} {columns.where(row)}: {seconds} is {value:g}; expected a positive number"
            )
        batch, device = batches[row], devices[row]
        found[name] = ImageTime(
            value,
            None if device is None else str(device),
            batch if isinstance(batch, int) and batch > 0 else None,
        )
    return found


def _two_columns(columns: Columns, where: str) -> tuple[str, str]:
    kinds = dict(zip(columns.names, columns.kinds(columns.names), strict=True))
    numbers = [name for name, kind in kinds.items() if kind == "number"]
    named = {plain_name(name): name for name in reversed(columns.names)}
    known = [named[one] for each in _NAMES for one in (each, f"{each}_ms") if one in named]
    variants = role_of("variant", columns.names) or [
        *(name for name in columns.names if plain_name(name) in ("name", "method")),
        *(name for name in columns.names if name not in numbers and name not in known),
        *columns.names,
    ]
    variant = variants[0]
    left = [name for name in known if name != variant] or [
        name for name in numbers if name != variant
    ]
    if not left or (len(left) > 1 and left[0] not in known):
        have = ", ".join(columns.names[:12])
        raise DataError(f"{where}: {_FORM} (a column called seconds); it has: {have}")
    return variant, left[0]


def _described(columns: Columns, called: Sequence[str], taken: Sequence[str]) -> list[Any]:
    name = next((n for n in columns.names if plain_name(n) in called and n not in taken), None)
    values = None if name is None else columns.factors(name)
    return [None] * columns.n_rows if values is None else values


def _joined(
    table: ScoreTable, times: Mapping[str, ImageTime], where: str
) -> tuple[ScoreTable, list[str]]:
    names = set(table.variant_names)
    strange = [name for name in times if name not in names]
    mine = {name: time for name, time in times.items() if name in names}
    if not mine:
        like = nearest(strange[0], names) if strange else ""
        raise DataError(
            f"{where}: no variant of the scores has seconds in it; it names "
            f"{first_few(strange) or 'none'}, the scores {first_few(table.variant_names)}{like}"
        )
    kept = [replace(one, time=None) for one in table.variants]  # the seconds given stand alone
    timed = ScoreTable(table.prompts, tuple(kept), table.matrices).with_times(mine)
    missing = [name for name in table.variant_names if name not in mine]
    told = []
    if missing:
        told.append(f"none for {len(missing)} of {len(table)} variants ({first_few(missing)})")
    if strange:
        are = "is" if len(strange) == 1 else "are"
        told.append(f"{len(strange)} {are} in no scores ({first_few(strange)})")
    return timed, [f"{where}: {'; '.join(told)}"] if told else []
