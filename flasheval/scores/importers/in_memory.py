"""Scores in memory: frames, Arrow tables, data sets, arrays, records and mappings.

No library is imported to recognise its objects: they are told by the module of their type.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.base.json_data import from_plain
from flasheval.base.json_tables import table_in
from flasheval.base.text import plain_name
from flasheval.generators.image_time import ImageTime
from flasheval.prompts import PromptSet
from flasheval.scores.frames import DEFAULT_NAME, FRAME_NOTES, numbers_of
from flasheval.scores.importers.column_names import (
    Role,
    is_metric,
    look_of,
    role_of,
)
from flasheval.scores.importers.npz import ID_KEYS, METRIC_KEYS, TEXT_KEYS, VARIANT_KEYS
from flasheval.scores.importers.official_names import official_variant
from flasheval.scores.importers.settings import Direction, direction_of
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.table import ScoreTable

__all__ = ["from_memory", "kind_of", "named_by_kind", "path_of", "with_default_name"]

DEFAULT_METRIC = "score"
"""What a metric is called that neither the object nor a setting names."""

_UNNAMED_INDEX = "__index_level_0__"  # pandas' name for it in an Arrow table
_NUMBERED = re.compile(r"(prompts?|p|id|q|images?|img|sample)?[-_ #]?\d+", re.IGNORECASE)

_ARRAYS = "flasheval.ScoreTable.from_arrays(scores, variants=[...], prompts=[...])"
_FORMS = (
    "scores are read from a path, a pandas or polars frame, an Arrow table, a datasets.Dataset, a "
    "list of records, a dict of dicts, a mapping of metric to any of these, or a ScoreTable"
)


def kind_of(source: Any) -> str:
    """Return an object's kind in words, for messages.

    >>> kind_of(np.zeros((2, 3))), kind_of([{"a": 1}]), kind_of({})
    ('the numpy ndarray', 'the list', 'the dict')
    """
    module = type(source).__module__.partition(".")[0]
    name = type(source).__name__
    return f"the {name}" if module == "builtins" else f"the {module} {name}"


def path_of(source: Any) -> Path:
    """Return what stands for the path of an object's columns.

    >>> path_of([]).as_posix()
    'the list/score'
    """
    return _path_of(kind_of(source))


def _path_of(kind: str) -> Path:
    return Path(kind) / DEFAULT_METRIC  # a metric without a name is called like a file's stem


@contextmanager
def named_by_kind(source: Any) -> Iterator[None]:
    """Name the object by its kind in the messages of what reads its columns."""
    kind = kind_of(source)
    try:
        yield
    except FlashevalError as error:
        raise type(error)(str(error).replace(str(_path_of(kind)), kind)) from error


def with_default_name(table: ScoreTable) -> ScoreTable:
    """Give prompts that are called after no file the name they have in ScoreTable.from_arrays."""
    if table.prompts.name != DEFAULT_METRIC:
        return table
    return ScoreTable(replace(table.prompts, name=DEFAULT_NAME), table.variants, table.matrices)


def from_memory(
    source: Any, prompts: PromptSet | None, metric: str | None, higher_is_better: Direction
) -> Columns | ScoreTable | Mapping[str, Any]:
    """Return an object as columns, as a table, or as a mapping of metric to objects.

    ``prompts``, where known, tell which names are those of prompts. Raises DataError for an
    object that holds no scores with their names, SettingError for one that is none of the kinds.

    >>> scores = {"sd15": {"p0": 0.25, "p1": 0.5}, "sdxl": {"p0": 0.5}}
    >>> table = from_memory(scores, None, "CLIP", None)
    >>> table.variant_names, table["CLIP"].values.tolist()
    (('sd15', 'sdxl'), [[0.25, 0.5], [0.5, nan]])
    """
    library = type(source).__module__.partition(".")[0]
    if isinstance(source, ScoreTable):
        return source
    if isinstance(source, ScoreMatrix):
        return _of_matrix(source, metric)
    if library == "pandas":
        return _of_pandas(source, prompts)
    if library == "datasets":
        return _of_dataset(source, prompts)
    if library == "polars" and hasattr(source, "collect"):
        source = source.collect()
    if library == "numpy" and getattr(source.dtype, "names", None):
        return _of_columns({name: source[name] for name in source.dtype.names}, source, prompts)
    if isinstance(source, Mapping):
        return _of_mapping(source, prompts, metric, higher_is_better)
    if library in ("numpy", "torch"):
        raise DataError(
            f"{kind_of(source)} of shape {tuple(source.shape)} has no names; use {_ARRAYS}"
        )
    if hasattr(source, "__arrow_c_stream__"):
        return _of_arrow(source, prompts)
    if isinstance(source, Sequence) and not isinstance(source, str | bytes):
        return _of_sequence(source, prompts)
    raise SettingError(f"{_FORMS}; an object of type {type(source).__name__!r} is none of these")


def _of_matrix(matrix: ScoreMatrix, metric: str | None) -> ScoreTable:
    if metric is not None:
        matrix = replace(matrix, metric=metric)
    variants = tuple(map(official_variant, matrix.variants))
    return ScoreTable(PromptSet(DEFAULT_NAME, matrix.prompt_ids), variants, {matrix.metric: matrix})


# Columns: the neutral form.


def _columns(
    source: Any,
    names: Sequence[str],
    n_rows: int,
    fetch: Callable[[str], Any],
    prompts: PromptSet | None,
) -> Columns:
    """Return columns under the object's kind; ``fetch`` gives a column as an Arrow array."""
    kind = kind_of(source)
    for number, name in enumerate(names):
        if name in names[:number]:
            raise DataError(f"{kind} has the column {name!r} more than once; name each once")
    if not n_rows or not names:
        raise DataError(f"{kind} is empty: {n_rows} rows and {len(names)} columns; give scores")

    def fetched(wanted: Sequence[str]) -> list[Any]:
        return [_plain(fetch(name)) for name in wanted]

    columns = Columns(_path_of(kind), tuple(names), n_rows, fetched, lambda row: f"row {row + 1}")
    return _with_ids(columns, kind, prompts)


def _plain(array: Any) -> Any:
    """Return an Arrow column in one piece or several, without dictionaries; True is 1."""
    import pyarrow as pa

    if not isinstance(array, pa.ChunkedArray):
        array = pa.chunked_array([array])
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    return array.cast(pa.uint8()) if pa.types.is_boolean(array.type) else array


def _with_ids(columns: Columns, kind: str, prompts: PromptSet | None) -> Columns:
    """Give the prompts numbers where every column holds scores: the rows have no names then."""
    if _say_rows(columns.names) or not all(_is_numeric(columns, name) for name in columns.names):
        return columns
    if _are_prompts(columns.names, prompts):
        raise DataError(
            f"{kind} has columns named like prompts ({', '.join(columns.names[:3])}, ...) and rows "
            "without names: it was taken for one row a variant; add a column 'variant'"
        )
    import pyarrow as pa

    numbers = pa.chunked_array([pa.array(np.arange(columns.n_rows))])
    return _replaced(
        columns,
        ("prompt_id", *columns.names),
        lambda name: numbers if name == "prompt_id" else columns.fetch([name])[0],
    )


def _is_numeric(columns: Columns, name: str) -> bool:
    import pyarrow as pa

    kind = columns.fetch([name])[0].type
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    return any(test(kind) for test in tests)


def _replaced(columns: Columns, names: tuple[str, ...], fetch: Callable[[str], Any]) -> Columns:
    return replace(columns, names=names, fetch=lambda wanted: [fetch(name) for name in wanted])


# Frames and tables.


def _of_pandas(frame: Any, prompts: PromptSet | None) -> Columns | ScoreTable | Mapping[str, Any]:
    kind = kind_of(frame)
    if not hasattr(frame, "ndim") or not hasattr(frame, "index"):
        raise SettingError(f"{_FORMS}; {kind} is none of these")
    if frame.ndim == 1:
        if frame.index.nlevels == 1:
            raise DataError(
                f"{kind} has one score a label, without the names of both variants and prompts; "
                "give a frame with the columns variant, prompt_id and score"
            )
        frame = frame.to_frame(frame.name if isinstance(frame.name, str) else DEFAULT_METRIC)
    if frame.empty:
        raise DataError(f"{kind} is empty; give a frame with scores")
    if frame.columns.nlevels > 1:
        return _by_metric(frame, kind)
    if frame.index.nlevels > 1:
        frame = _index_as_columns(frame, kind)
    notes = frame.attrs.get(FRAME_NOTES)
    if isinstance(notes, Mapping) and {"variant", "prompt_id"} <= set(frame.columns):
        return _tidy_again(frame, notes)
    index, frame = _named_index(frame, kind, prompts)
    labels = [*([] if index is None else [index]), *map(_label, frame.columns)]
    series: dict[str, Any] = dict(zip(map(_label, frame.columns), _series(frame), strict=True))
    if index is not None:
        series.setdefault(index, frame.index)

    def fetch(name: str) -> Any:
        return _arrow(series[name], kind, name)

    return _columns(frame, labels, len(frame), fetch, prompts)


def _series(frame: Any) -> list[Any]:
    return [frame.iloc[:, place] for place in range(frame.shape[1])]


def _label(name: Any) -> str:
    return name if isinstance(name, str) else str(name)


def _by_metric(frame: Any, kind: str) -> dict[str, Any]:
    """Return the frames of a pivot by metric: columns of two levels, metric and variant."""
    names = [[str(name)] for name in frame.columns.names]
    if frame.columns.nlevels > 2:
        raise DataError(
            f"{kind} has columns of {frame.columns.nlevels} levels; expected two: metric, variant"
        )
    outer = 1 if role_of("metric", names[1]) or _say_rows(names[0]) else 0
    metrics = list(dict.fromkeys(frame.columns.get_level_values(outer)))
    return {_label(metric): frame.xs(metric, axis=1, level=outer) for metric in metrics}


def _index_as_columns(frame: Any, kind: str) -> Any:
    if None in frame.index.names:
        raise DataError(
            f"{kind} has an index of {frame.index.nlevels} levels that are not all named; name "
            "them: frame.rename_axis(['variant', 'prompt_id'])"
        )
    return frame.reset_index()


def _named_index(frame: Any, kind: str, prompts: PromptSet | None) -> tuple[str | None, Any]:
    """Return the name under which the index is a column, None where it only counts the rows."""
    names = list(map(_label, frame.columns))
    name = None if frame.index.name is None else _label(frame.index.name)
    if name is not None and plain_name(name) in map(plain_name, names):
        return None, frame
    across = [] if frame.columns.name is None else [_label(frame.columns.name)]
    if name is not None and _say_rows([name]):
        return name, frame
    counted = frame.index.tolist() == list(range(len(frame)))
    if name is None and (counted or _say_rows(names)):
        if counted and frame.columns.tolist() == list(range(frame.shape[1])):
            raise DataError(
                f"{kind} of shape {frame.shape} names neither variants nor prompts; use {_ARRAYS}"
            )
        return None, frame
    if role_of("variant", across):
        return "prompt_id", frame
    if _say_rows(across):
        return "variant", frame
    labels = tuple(map(_label, frame.index)), tuple(map(_label, frame.columns))
    rows_are_prompts = _first_are_prompts(*labels, prompts)
    if rows_are_prompts is None and len(labels[0]) > len(labels[1]):
        rows_are_prompts = True  # a benchmark has more prompts than variants
    if rows_are_prompts is None:
        raise DataError(
            f"{kind} has {len(frame)} rows and {frame.shape[1]} columns, and it does not say which "
            "are the prompts: name the index by frame.rename_axis('prompt_id') if it holds the "
            "prompts, by frame.rename_axis('variant') if it holds the variants"
        )
    return ("prompt_id" if rows_are_prompts else "variant"), frame


def _say_rows(names: Sequence[str]) -> bool:
    """Tell whether a column by its name says which variant or prompt a row is of."""
    return any(role_of(role, names) for role in _ROW_ROLES)


_ROW_ROLES: tuple[Role, ...] = ("variant", "prompt", "text")


def _tidy_again(frame: Any, notes: Mapping[str, Any]) -> ScoreTable:
    """Return the table of a frame that ScoreTable.to_pandas made."""
    metrics = {name: said for name, said in notes["metrics"].items() if name in frame.columns}
    for name in frame.columns:
        if name not in ("variant", "prompt_id", "prompt", *metrics):
            raise DataError(
                f"{kind_of(frame)} has the column {name!r} beside those that ScoreTable.to_pandas "
                "made; drop it, or empty frame.attrs to have the frame read afresh"
            )
    rows, variants = _codes(frame["variant"])
    places, ids = _codes(frame["prompt_id"])
    flat = np.asarray(rows) * len(ids) + np.asarray(places)
    if len(np.unique(flat)) != len(flat):
        raise DataError(
            f"{kind_of(frame)} has several rows of one variant and prompt; keep one of each"
        )
    scores = {}
    for name in metrics:
        values = np.full(len(variants) * len(ids), np.nan)
        values[flat] = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        scores[name] = values.reshape(len(variants), len(ids))
    texts = None
    if "prompt" in frame.columns:
        known = dict(zip(places, frame["prompt"], strict=True))
        texts = [known[place] for place in range(len(ids))]
    factors = {key: value for key, value in notes["factors"].items() if key in variants}
    table = ScoreTable.from_arrays(
        scores,
        variants=variants,
        prompts=ids,
        texts=texts,
        factors=factors,
        higher_is_better={name: said["higher_is_better"] for name, said in metrics.items()},
    )
    matrices = {
        name: replace(table[name], scorer=said["scorer"], scorer_version=said["scorer_version"])
        for name, said in metrics.items()
    }
    times = {
        key: from_plain(ImageTime, said, source=f"{kind_of(frame)}, times of {key}")
        for key, said in notes.get("times", {}).items()
        if key in variants
    }
    return ScoreTable(table.prompts, table.variants, matrices).with_times(times)


def _codes(labels: Iterable[Any]) -> tuple[list[int], list[str]]:
    """Return each row's place among the distinct labels, and these in order of appearance."""
    place: dict[str, int] = {}
    return [place.setdefault(_label(label), len(place)) for label in labels], list(place)


def _of_dataset(data: Any, prompts: PromptSet | None) -> Columns | Mapping[str, Any]:
    kind = kind_of(data)
    if isinstance(data, Mapping):  # a DatasetDict
        if len(data) != 1:
            raise DataError(f"{kind} has the splits {', '.join(data)}; give one of them")
        return _of_dataset(next(iter(data.values())), prompts)
    if not hasattr(data, "with_format") or not hasattr(data, "num_rows"):
        raise SettingError(f"{kind} cannot be read at once; give a datasets.Dataset")
    table = data.with_format("arrow")[:]
    return _columns(data, table.column_names, table.num_rows, table.column, prompts)


def _of_arrow(source: Any, prompts: PromptSet | None) -> Columns:
    import pyarrow as pa

    table = pa.table(source)
    names = list(table.column_names)
    if _UNNAMED_INDEX in names:  # what pandas' unnamed index became
        rest = [name for name in names if name != _UNNAMED_INDEX]
        if _say_rows(rest):
            table, names = table.select(rest), rest
        else:
            rows = tuple(map(str, table.column(_UNNAMED_INDEX).to_pylist()))
            variants_in_rows = _first_are_prompts(rows, rest, prompts) is False
            names[names.index(_UNNAMED_INDEX)] = "variant" if variants_in_rows else "prompt_id"
            table = table.rename_columns(names)
    return _columns(source, names, table.num_rows, table.column, prompts)


# Records, mappings and sequences.


def _of_sequence(source: Sequence[Any], prompts: PromptSet | None) -> Columns:
    kind = kind_of(source)
    if not source:
        raise DataError(f"{kind} is empty; give a list of records, or a frame")
    if all(isinstance(item, Mapping) for item in source):
        return _of_records(source, source, prompts)
    at = next(i for i, item in enumerate(source) if not isinstance(item, Mapping))
    if any(isinstance(item, Mapping) for item in source):
        raise DataError(
            f"{kind} was taken for a list of records, but item {at + 1} is {source[at]!r:.40}; "
            "give a mapping of names to values for each row"
        )
    raise DataError(
        f"{kind} of {len(source)} items such as {source[0]!r:.40} has no names; "
        f"use {_ARRAYS}, or give a list of records"
    )


def _of_records(
    records: Sequence[Mapping[Any, Any]], source: Any, prompts: PromptSet | None
) -> Columns:
    names = list(dict.fromkeys(key for record in records for key in record))
    data = {name: [record.get(name) for record in records] for name in names}
    return _of_columns(data, source, prompts)


def _of_columns(data: Mapping[Any, Any], source: Any, prompts: PromptSet | None) -> Columns:
    kind = kind_of(source)
    lengths = {_label(name): len(column) for name, column in data.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} {length}" for name, length in list(lengths.items())[:4])
        raise DataError(
            f"{kind} was taken for columns of a table, but they differ in length ({told}); "
            "give each a value for every row"
        )
    columns = {_label(name): column for name, column in data.items()}
    arrays: dict[str, Any] = {}

    def fetch(name: str) -> Any:
        if name not in arrays:
            arrays[name] = _arrow(columns[name], kind, name)
        return arrays[name]

    n_rows = next(iter(lengths.values()), 0)
    return _columns(source, list(map(_label, data)), n_rows, fetch, prompts)


def _of_mapping(
    source: Mapping[Any, Any],
    prompts: PromptSet | None,
    metric: str | None,
    higher_is_better: Direction,
) -> Columns | ScoreTable | Mapping[str, Any]:
    if not source:
        raise SettingError("the mapping of metric to scores is empty")
    named = _labelled_arrays(source, metric, higher_is_better)
    if named is not None:
        return named
    values = list(source.values())
    if all(_library(value) == "pandas" and value.ndim == 1 for value in values):
        return _of_pandas(sys.modules["pandas"].DataFrame(dict(source)), prompts)
    if all(map(_is_vector, values)):
        return _of_columns(source, source, prompts)
    if all(isinstance(value, Mapping) for value in values):
        inner = [item for value in values for item in value.values()]
        if inner and all(map(_is_scalar, inner)):
            return _of_dicts(source, prompts, metric or DEFAULT_METRIC, higher_is_better)
        nested = _of_nested(source, prompts)
        if nested is not None:
            return nested
    for name, value in source.items():
        if _is_scalar(value) and not isinstance(value, str):
            raise DataError(
                f"{kind_of(source)} holds {value!r:.40} under {name!r}, which is neither a file "
                "nor a table of scores; give {variant: {prompt: score}}, or {metric: table}"
            )
        if _is_rows_of_numbers(value):
            raise DataError(
                f"{kind_of(source)} holds lists of numbers under {name!r}, and the places in them "
                f"have no names; add prompt_id beside {next(iter(value))!r}, or use {_ARRAYS}"
            )
    return {_label(name): value for name, value in source.items()}


def _is_rows_of_numbers(value: Any) -> bool:
    """Tell whether an object is {name: list of numbers} without a column of ids."""
    if not isinstance(value, Mapping) or not all(map(_is_vector, value.values())):
        return False
    return bool(value) and not _say_rows(list(map(_label, value)))


def _library(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def _is_vector(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_scalar, value))
    if isinstance(value, str) or getattr(getattr(value, "dtype", None), "names", None):
        return False
    return len(getattr(value, "shape", ())) == 1


def _is_scalar(value: Any) -> bool:
    return (
        value is None
        or isinstance(value, str | int | float)
        or (hasattr(value, "item") and getattr(value, "ndim", None) == 0)
    )


def _of_dicts(
    source: Mapping[Any, Mapping[Any, Any]],
    prompts: PromptSet | None,
    metric: str,
    higher_is_better: Direction,
) -> Columns | ScoreTable:
    """Read {variant: {prompt: score}}, {prompt: {variant: score}}, {id: record} or {column: ...}.

    The last is what pandas' to_dict gives: {column: {row: value}}.
    """
    outer = list(map(_label, source))
    inner = list(dict.fromkeys(_label(key) for row in source.values() for key in row))
    if _say_rows(outer):
        keys = list(dict.fromkeys(key for row in source.values() for key in row))
        columns = {name: [row.get(key) for key in keys] for name, row in source.items()}
        return _of_columns(columns, source, prompts)
    outer_are_prompts = _first_are_prompts(outer, inner, prompts)
    if any(isinstance(item, str) for row in source.values() for item in row.values()):
        known = role_of("prompt", inner)
        role = "variant" if outer_are_prompts is False else "prompt_id"
        rows = [{**({} if known else {role: name}), **row} for name, row in source.items()]
        return _of_records(rows, source, prompts)
    if _look(inner, prompts) == "metric" and len(inner) > 1:
        raise DataError(
            f"{kind_of(source)} was taken for {{variant: {{metric: score}}}}, as {inner[0]!r} is a "
            "metric's name: means only, no score a prompt; give {variant: {prompt: {metric: "
            "score}}}, or a list of records"
        )
    if outer_are_prompts is None and len(outer) > len(inner):  # more variants than prompts?
        raise DataError(
            f"{kind_of(source)} has {len(outer)} keys of {len(inner)} scores, and it does not say "
            "which are the prompts: taken for {variant: {prompt: score}} it has few prompts, taken "
            "for {prompt: {variant: score}} its order is unusual; give prompts=, a PromptSet"
        )
    place = {name: number for number, name in enumerate(inner)}
    values = np.full((len(outer), len(inner)), np.nan)
    for line, scores in zip(values, source.values(), strict=True):
        for name, score in scores.items():
            line[place[_label(name)]] = np.nan if score is None else float(score)
    turned = bool(outer_are_prompts)
    return ScoreTable.from_arrays(
        values.T if turned else values,
        variants=[official_variant(name) for name in (inner if turned else outer)],
        prompts=outer if turned else inner,
        metric=metric,
        higher_is_better=direction_of(metric, higher_is_better, None),
    )


def _of_nested(source: Mapping[Any, Any], prompts: PromptSet | None) -> Columns | None:
    """Read names three deep, in any order of variant, prompt and metric, as a JSON file of them is.

    Returns None for {metric: ...}, which is read metric by metric.
    """
    rows = [row for value in source.values() for row in value.values()]
    if not all(isinstance(row, Mapping) and all(map(_is_scalar, row.values())) for row in rows):
        return None
    levels = (
        source,
        *(dict.fromkeys(key for one in part for key in one) for part in (source.values(), rows)),
    )
    outer, middle, inner = (_look(list(map(_label, names)), prompts) for names in levels)
    others_tell = middle in ("prompt", "metric") or inner == "metric"
    if outer == "metric" or (outer is None and not others_tell):
        return None
    named = table_in({_label(name): value for name, value in source.items()})
    return None if named is None else _of_columns(dict(zip(*named, strict=True)), source, prompts)


def _look(names: Sequence[str], prompts: PromptSet | None) -> str | None:
    """Return what names look like: `metric`, `variant` or `prompt`; None where nothing tells."""
    if prompts is not None and set(names) <= set(prompts.ids):
        return "prompt"
    if len(names) == 1 and is_metric(names[0]):
        return "metric"
    found = look_of(names)
    return None if found is None else found.removesuffix("s")


def _labelled_arrays(
    source: Mapping[Any, Any], metric: str | None, higher_is_better: Direction
) -> ScoreTable | None:
    """Return the table of arrays and their labels, in one mapping, as an .npz has them."""
    keys = {key.lower(): key for key in source if isinstance(key, str)}
    row_key = next((keys[key] for key in VARIANT_KEYS if key in keys), None)
    column_key = next((keys[key] for key in (*ID_KEYS, "prompts") if key in keys), None)
    if row_key is None or column_key is None or not _is_names(source[row_key]):
        return None
    known = {row_key, column_key}
    said: dict[str, Any] = {}
    meaning = {**dict.fromkeys(TEXT_KEYS, "texts"), **dict.fromkeys(METRIC_KEYS, "metrics")}
    for key in (*meaning, "metric", "higher_is_better", "factors", "scores"):
        if key in keys and keys[key] not in known:
            known.add(keys[key])
            said.setdefault(meaning.get(key, key), source[keys[key]])
    arrays = said.get("scores")
    if arrays is None:
        arrays = {_label(key): value for key, value in source.items() if key not in known}
        if not arrays:
            return None
    elif "metrics" in said:
        names = [_label(name) for name in _items(said["metrics"])]
        stacked = numbers_of(arrays)
        if stacked.ndim not in (3, 4) or len(stacked) != len(names):
            raise DataError(
                f"{kind_of(source)}: 'scores' has shape {stacked.shape}, but there are "
                f"{len(names)} metrics; expected [metrics, variants, prompts] or, with several "
                "images, [metrics, variants, prompts, images]"
            )
        arrays = dict(zip(names, stacked, strict=True))
    if not isinstance(arrays, Mapping):
        arrays = {metric or str(said.get("metric", DEFAULT_METRIC)): arrays}
    texts = said.get("texts")
    columns = source[column_key]
    own = said.get("higher_is_better")
    if own is not None and not isinstance(own, Mapping):
        each = np.broadcast_to(np.asarray(own, dtype=bool), len(arrays)).tolist()
        own = dict(zip(arrays, each, strict=True))
    return ScoreTable.from_arrays(
        arrays,
        variants=[official_variant(_label(name)) for name in _items(source[row_key])],
        prompts=columns if isinstance(columns, PromptSet) else _items(columns),
        texts=None if texts is None else [_label(text) for text in _items(texts)],
        factors=said.get("factors"),
        higher_is_better={
            name: direction_of(name, higher_is_better, None if own is None else own.get(name))
            for name in arrays
        },
    )


def _is_names(value: Any) -> bool:
    return not isinstance(value, str | Mapping) and _is_vector(value)


def _items(labels: Any) -> list[Any]:
    return labels.tolist() if hasattr(labels, "tolist") else list(labels)


# Which names are whose.


def _are_prompts(names: Sequence[str], prompts: PromptSet | None) -> bool:
    """Tell whether names are those of prompts: known ids, numbers, or sentences."""
    if prompts is not None and set(names) <= set(prompts.ids):
        return True
    if all(_NUMBERED.fullmatch(name) for name in names):
        return True
    return sum(name.count(" ") >= 2 for name in names) > len(names) / 2


def _first_are_prompts(
    first: Sequence[str], second: Sequence[str], prompts: PromptSet | None
) -> bool | None:
    """Tell which of two rows of names are the prompts, None where names do not tell."""
    found = _are_prompts(first, prompts), _are_prompts(second, prompts)
    return found[0] if found[0] != found[1] else None


def _arrow(values: Any, kind: str, name: str) -> Any:
    """Return a column of an object as an Arrow array."""
    import pyarrow as pa

    if type(values).__module__.partition(".")[0] == "torch":
        values = numbers_of(values, f"{kind}: column {name!r}")
    if isinstance(values, list | tuple):
        values = [value.item() if hasattr(value, "item") else value for value in values]
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    items = list(values)
    if all(isinstance(item, str | int) and not isinstance(item, bool) for item in items):
        return pa.array(list(map(str, items)), pa.string())
    kinds = " and ".join(sorted({type(item).__name__ for item in items})[:4])
    raise DataError(
        f"{_path_of(kind)}: column {name!r} holds {kinds}; expected numbers, or texts for ids"
    )
