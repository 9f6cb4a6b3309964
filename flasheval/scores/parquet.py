"""Saving and loading score tables as folders of plain Parquet files."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.columns import Columns
from flasheval.base.errors import ConflictError, DataError
from flasheval.base.files import atomic_write, made_safe
from flasheval.base.json_data import from_plain
from flasheval.base.table_files import read_columns
from flasheval.generators.image_time import ImageTime
from flasheval.generators.seeds import ImageSeeds
from flasheval.generators.variants import Factor, Variant
from flasheval.prompts import PromptSet, load_prompts, save_prompts
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.parts import TableParts

__all__ = ["is_saved_table", "load_table", "matrix_from_columns", "save_table", "write_matrix"]

_PROMPTS, _VARIANTS, _SCORES = "prompts.parquet", "variants.parquet", "scores"
_IMAGES = "images"
_KEY = "flasheval."
_METRICS, _MIXED = "flasheval.metrics", "flasheval.mixed_factors"
_SECONDS = "flasheval.seconds"  # an image, by variant, in the metadata of the variants

# 1, which is not written down: prompts, variants, and float32 scores. 2: the scores of images
# (images/<metric>.parquet, of the metrics listed here), and columns of float64 scores.
_SCHEMA_VERSION = 2
_SCHEMA, _WITH_IMAGES = "flasheval.schema_version", "flasheval.images"


def is_saved_table(folder: Path) -> bool:
    """Tell whether a folder looks like one that save_table wrote."""
    return (folder / _VARIANTS).exists() or (folder / _PROMPTS).exists()


def save_table(
    table: TableParts, folder: Path, *, overwrite: bool = False, half_images: bool = False
) -> Path:
    """Write a table into a folder; see ScoreTable.save."""
    import pyarrow.parquet as pq

    files: dict[str, str] = {}
    for metric in table.matrices:
        file = f"{made_safe(metric)}.parquet"
        clash = next((one for one, other in files.items() if other.lower() == file.lower()), None)
        if clash is not None:
            raise DataError(
                f"metrics {metric!r} and {clash!r} differ in case only, or in signs that no file's "
                "name can have, so their files would be one on some systems; rename one"
            )
        files[metric] = file
    if folder.exists() and not folder.is_dir():
        raise DataError(f"cannot write {folder}: it is a file; name a folder")
    strangers = {file.name for file in (folder / _SCORES).glob("*.parquet")} - set(files.values())
    if strangers and not overwrite:
        raise ConflictError(
            f"{folder / _SCORES} holds {', '.join(sorted(strangers))}, which this table lacks; "
            "save to a new folder, or merge with ScoreTable.load of that one first; "
            "overwrite=True removes them"
        )
    for name in strangers:
        (folder / _SCORES / name).unlink(missing_ok=True)
        (folder / _IMAGES / name).unlink(missing_ok=True)
    save_prompts(table.prompts, folder / _PROMPTS)
    for metric, file in files.items():
        write_matrix(table.matrices[metric], folder / _SCORES / file)
        images = table.matrices[metric].images
        if images is None:
            (folder / _IMAGES / file).unlink(missing_ok=True)
        else:
            kept = images.astype(np.float16) if half_images else images
            _write_images(table.matrices[metric], kept, folder / _IMAGES / file)
    with atomic_write(folder / _VARIANTS) as temporary:
        pq.write_table(
            _variants_table(table), temporary, compression="zstd", write_page_checksum=True
        )
    return folder


def write_matrix(matrix: ScoreMatrix, path: Path) -> Path:
    """Write one matrix as a wide Parquet file and return its path.

    The file has one row a prompt: ``prompt_id``, then one float32 column a variant (float64 where
    the matrix is ``exact``). Its metadata holds metric, direction, scorer and prompt set; the
    scores of single images are not in it. Raises DataError when it cannot be written.

    >>> import tempfile
    >>> matrix = ScoreMatrix("clip", [[0.25, 0.5]], ("sd15",), ("1", "2"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     columns = read_columns(write_matrix(matrix, Path(folder) / "clip.parquet"))
    ...     columns.names, columns.metadata["flasheval.metric"]
    (('prompt_id', 'sd15'), 'clip')
    """
    import pyarrow as pa

    described = {
        "metric": matrix.metric,
        "higher_is_better": json.dumps(matrix.higher_is_better),
        "scorer": matrix.scorer,
        "scorer_version": matrix.scorer_version,
        "prompt_set_hash": matrix.prompt_set_hash,
        "exact": json.dumps(True) if matrix.exact else None,
        "run_seed": None if matrix.seeds is None else str(matrix.seeds.run_seed),
        "variant_seeds": json.dumps(True) if matrix.seeds and matrix.seeds.variant_seeds else None,
    }
    metadata = {_KEY + key: value for key, value in described.items() if value is not None}
    return _write_wide(matrix, map(pa.array, matrix.values), metadata, path)


def _write_images(matrix: ScoreMatrix, images: NDArray[np.floating[Any]], path: Path) -> Path:
    """Write the scores of single images: as the means, with a list of k numbers in each cell."""
    import pyarrow as pa

    lists = (
        pa.FixedSizeListArray.from_arrays(pa.array(row.ravel()), row.shape[1]) for row in images
    )
    return _write_wide(matrix, lists, {_KEY + "metric": matrix.metric}, path)


def _write_wide(
    matrix: ScoreMatrix, columns: Iterable[Any], metadata: Mapping[str, str], path: Path
) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        [pa.array(matrix.prompt_ids, pa.string()), *columns], names=["prompt_id", *matrix.variants]
    )
    with atomic_write(path) as temporary:
        # Scores hardly repeat, so dictionaries would cost time and save nothing.
        pq.write_table(
            table.replace_schema_metadata(metadata),
            temporary,
            compression="zstd",
            use_dictionary=False,
            write_page_checksum=True,
        )
    return path


def load_table(
    folder: Path,
) -> tuple[PromptSet, tuple[Variant, ...], dict[str, ScoreMatrix]]:
    """Read a folder that save_table wrote; see ScoreTable.load."""
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder with saved scores")
    prompts = load_prompts(folder / _PROMPTS)
    described = read_columns(folder / _VARIANTS, "table of variants")
    variants, listed = _read_variants(described)
    with_images = _with_images(described)
    paths = {path.stem: path for path in sorted((folder / _SCORES).glob("*.parquet"))}
    stems = [made_safe(metric) for metric in listed]
    lost = [stem for stem in stems if stem not in paths]
    if lost:
        raise DataError(
            f"{folder / _SCORES / lost[0]}.parquet, listed in {_VARIANTS}, is missing; copy it back"
        )
    names = tuple(variant.name for variant in variants)
    matrices: dict[str, ScoreMatrix] = {}
    for stem in dict.fromkeys((*stems, *paths)):
        columns = read_columns(paths[stem], "score file")
        matrix = _aligned(matrix_from_columns(columns), names, prompts, columns.path)
        if matrix.metric in matrices:
            raise ConflictError(f"{columns.path} is a second file of metric {matrix.metric!r}")
        if matrix.metric in with_images:
            matrix = _add_images(matrix, folder / _IMAGES / paths[stem].name)
        matrices[matrix.metric] = matrix
    if not matrices:
        raise DataError(f"{folder / _SCORES} holds no score files (<metric>.parquet)")
    return prompts, variants, matrices


def matrix_from_columns(
    columns: Columns,
    *,
    metric: str | None = None,
    id_column: str = "prompt_id",
    leave_out: tuple[str, ...] = (),
) -> ScoreMatrix:
    r"""Return the matrix of a wide file: ``id_column``, and a column of scores a variant.

    The metric's name is the one given, else the file's own, else its stem. Raises DataError
    naming the file and what is wrong in it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "clip.csv"
    ...     _ = file.write_text("prompt_id,sd15\n1,0.25\n2,0.5\n")
    ...     matrix = matrix_from_columns(read_columns(file))
    >>> matrix.metric, matrix.variants, matrix.values.tolist()
    ('clip', ('sd15',), [[0.25, 0.5]])
    """
    path = columns.path
    said = {k.removeprefix(_KEY): v for k, v in columns.metadata.items() if k.startswith(_KEY)}
    id_column = columns.pick(id_column, (), "prompt ids")
    names = tuple(name for name in columns.names if name not in (id_column, *leave_out))
    if not names:
        raise DataError(f"{path} has no columns of scores beside {id_column!r}")
    if columns.n_rows == 0:
        raise DataError(f"{path} holds no scores, only column names")
    direction = said.get("higher_is_better", "true")
    if direction not in ("true", "false"):
        raise DataError(f"{path}: higher_is_better is {direction!r}; expected true or false")
    exact = said.get("exact") == "true"
    return ScoreMatrix(
        metric or said.get("metric") or path.stem,
        columns.floats(names, exact=exact),
        names,
        columns.ids(id_column),
        higher_is_better=direction == "true",
        scorer=said.get("scorer"),
        scorer_version=said.get("scorer_version"),
        prompt_set_hash=said.get("prompt_set_hash"),
        exact=exact,
        seeds=_seeds(said, path),
    )


def _seeds(said: Mapping[str, str], path: Path) -> ImageSeeds | None:
    """Return how the images' seeds were made, as a file of scores says it."""
    seed = said.get("run_seed")
    if seed is None:
        return None
    try:
        return ImageSeeds(int(seed), said.get("variant_seeds") == "true")
    except ValueError as error:
        raise DataError(f"{path}: run_seed is {seed[:40]!r}; expected a whole number") from error


def _with_images(columns: Columns) -> list[str]:
    """Return the metrics that have the scores of single images; check the schema version."""
    version = columns.metadata.get(_SCHEMA, "1")
    if not version.isdigit() or not 1 <= int(version) <= _SCHEMA_VERSION:
        raise DataError(
            f"{columns.path} has the schema version {version}, this flasheval reads up to "
            f"{_SCHEMA_VERSION}; update flasheval"
        )
    found: list[str] = _metadata_list(columns, _WITH_IMAGES)
    return found


def _add_images(matrix: ScoreMatrix, path: Path) -> ScoreMatrix:
    """Return the matrix with the scores of its images, read a variant at a time."""
    columns = read_columns(path, "file of the images' scores")
    if columns.names != ("prompt_id", *matrix.variants):
        raise DataError(f"{path} does not have the variants of its metric's scores; save it again")
    if columns.ids("prompt_id") != matrix.prompt_ids:
        raise DataError(f"{path} does not have the prompts of its metric's scores; save it again")
    images: NDArray[np.float32] | None = None
    for row, name in enumerate(matrix.variants):
        (cells,) = columns.fetch([name])
        width = getattr(cells.type, "list_size", 0)
        if not width or cells.null_count or (images is not None and images.shape[2] != width):
            raise DataError(
                f"{path}: column {name!r} is {cells.type}; expected lists of one length"
            )
        if images is None:
            images = np.empty((*matrix.values.shape, width), dtype=matrix.values.dtype)
        images[row] = cells.combine_chunks().flatten().to_numpy().reshape(-1, width)
    return replace(matrix, images=images)


def _aligned(
    matrix: ScoreMatrix, names: tuple[str, ...], prompts: PromptSet, path: Path
) -> ScoreMatrix:
    if matrix.prompt_ids != prompts.ids or matrix.variants != names:
        raise DataError(
            f"{path} does not have the variants and prompts of the folder's {_VARIANTS} and "
            f"{_PROMPTS}, in their order; it comes from another table: save that one again"
        )
    if not prompts.may_be(matrix.prompt_set_hash):
        raise ConflictError(
            f"{path} was measured on other prompt texts than the folder's {_PROMPTS} holds"
        )
    return matrix


def _variants_table(table: TableParts) -> Any:
    import pyarrow as pa

    columns: dict[str, Any] = {
        "name": pa.array([variant.name for variant in table.variants], pa.string())
    }
    mixed = []
    for key in dict.fromkeys(key for variant in table.variants for key in variant.factors):
        values = tuple(variant.factors.get(key) for variant in table.variants)
        column = _typed(values)
        if column is None:
            mixed.append(key)
            column = pa.array([None if v is None else _json(v) for v in values], pa.string())
        columns[key] = column
    metadata = {_METRICS: _json(list(table.matrices)), _MIXED: _json(mixed)}
    matrices = table.matrices.values()
    with_images = [matrix.metric for matrix in matrices if matrix.images is not None]
    if with_images or any(matrix.exact for matrix in matrices):
        metadata[_SCHEMA] = str(_SCHEMA_VERSION)
        metadata[_WITH_IMAGES] = _json(with_images)
    times = {one.name: _known(one.time) for one in table.variants if one.time is not None}
    if times:
        metadata[_SECONDS] = _json(times)
    return pa.table(columns).replace_schema_metadata(metadata)


def _typed(values: tuple[Factor, ...]) -> Any:
    """Return a factor as an Arrow column, None where one column type cannot hold it exactly."""
    import pyarrow as pa

    if len({type(value) for value in values if value is not None}) != 1:
        return None
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError):  # an integer beyond 64 bits
        return None


def _known(time: ImageTime) -> dict[str, Any]:
    return {key: value for key, value in asdict(time).items() if value is not None}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _read_variants(columns: Columns) -> tuple[tuple[Variant, ...], list[str]]:
    """Return the variants of a file and the metrics it lists, none where another tool made it."""
    names = columns.ids(columns.pick("name", (), "variants' names"))
    listed, mixed = _metadata_list(columns, _METRICS), _metadata_list(columns, _MIXED)
    factors: list[dict[str, Factor]] = [{} for _ in names]
    for key in (name for name in columns.names if name != "name"):
        values = columns.plain(key)
        if values is None:
            raise DataError(f"{columns.path}: the factor {key!r} does not hold plain values")
        for row, value in zip(factors, values, strict=True):
            row[key] = json.loads(value) if key in mixed and value is not None else value
    repeated = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if repeated is not None:
        raise DataError(f"{columns.path} has the variant {repeated!r} more than once")
    times = _times(columns)
    return tuple(map(Variant, names, factors, map(times.get, names))), listed


def _times(columns: Columns) -> dict[str, ImageTime]:
    """Return how long an image of each variant takes, as far as the file says it."""
    source = f"the seconds of {columns.path}"
    try:
        content = json.loads(columns.metadata.get(_SECONDS, "{}"))
    except ValueError as error:
        raise DataError(f"{columns.path}: its metadata is damaged: {error}") from error
    found: dict[str, ImageTime] = from_plain(dict[str, ImageTime], content, source=source)
    return found


def _metadata_list(columns: Columns, key: str) -> list[str]:
    try:
        found: list[str] = json.loads(columns.metadata.get(key, "[]"))
    except ValueError as error:
        raise DataError(f"{columns.path}: its metadata is damaged: {error}") from error
    return found
