"""A table of scores from columns: the layout is decided, then every score put into its cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.columns import Columns
from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.base.files import content_stem
from flasheval.base.text import plain_name
from flasheval.generators.variants import Factor, Variant
from flasheval.prompts import PromptSet, text_hash
from flasheval.prompts.loading import as_prompts
from flasheval.prompts.tags import cell_of
from flasheval.scores.importers.asked import Asked, ask, found_column
from flasheval.scores.importers.column_names import (
    GENERIC_SCORES,
    is_metric,
    is_nothing,
    is_summary,
)
from flasheval.scores.importers.layout import Layout, layout_of
from flasheval.scores.importers.official_names import official_factors
from flasheval.scores.importers.result import ImportResult
from flasheval.scores.importers.settings import (
    Direction,
    Prompts,
    direction_of,
    finish,
)
from flasheval.scores.importers.summaries import summaries
from flasheval.scores.importers.values_of_cells import images_of_metric, values_in_cells
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.table import ScoreTable

__all__ = ["TableSettings", "read_table", "table_of"]

_MAX_SCORES = 1 << 32  # 16 GiB of float32: more is a mistaken column, not a table
_SAID = "flasheval."  # keys of a Parquet file's metadata
_NAMES = ("name", "id", "prompt_id", "prompt", "text", "caption")  # what no factor is called


@dataclass(frozen=True)
class TableSettings:
    """What may be said of one table; see flasheval.scores.load_scores."""

    prompts: Prompts = None
    metric: str | None = None
    higher_is_better: Direction = None
    asked: Asked = Asked()  # noqa: RUF009 - frozen
    factors: tuple[str, ...] = ()
    files_are: str | None = None


def table_of(
    columns: Columns,
    *,
    prompts: Prompts = None,
    metric: str | None = None,
    higher_is_better: Direction = None,
    columns_setting: object = None,
    drop: object = (),
) -> ScoreTable:
    """Return the table of scores in columns of any layout; see `read_table`.

    >>> from pathlib import Path
    >>> import pyarrow as pa
    >>> cells = {"model": ["a", "a"], "prompt_id": [1, 2], "CLIP": [0.5, 0.25], "seed": [7, 7]}
    >>> table = pa.table(cells)
    >>> columns = Columns(Path("t.csv"), tuple(cells), 2,
    ...                   lambda names: [table.column(name) for name in names], str)
    >>> found = table_of(columns)
    >>> found.metrics, found.variant_names, found.prompts.ids
    (('CLIP',), ('a',), ('1', '2'))
    """
    asked = ask(columns_setting, drop or None)
    return read_table(columns, TableSettings(prompts, metric, higher_is_better, asked)).table


def read_table(columns: Columns, settings: TableSettings) -> ImportResult:
    """Read one table, with a line that says how.

    Raises:
        DataError: A cell, a column or a layout that cannot be read, or could be in two ways.
        ConflictError: A prompt with two texts, or a direction that the file contradicts.
        SettingError: A setting that cannot be.

    """
    if columns.n_rows == 0:
        raise DataError(f"{columns.path} holds no scores, only column names")
    try:
        return _Reading(columns, settings).result()
    except (DataError, ConflictError) as error:
        if str(columns.path) in str(error) or isinstance(error, SettingError):
            raise
        raise type(error)(f"{columns.path}: {error}") from error


@dataclass
class _Axis:
    """Labels, and for each row its place among them; no places where the columns are the axis."""

    labels: tuple[str, ...]
    places: NDArray[np.int64] | None


class _Reading:
    """One table being read."""

    def __init__(self, columns: Columns, settings: TableSettings) -> None:
        self.columns, self.settings = columns, settings
        self.layout = layout_of(columns, settings.asked, settings.files_are)
        self.notes = list(self.layout.notes)
        self.stem = content_stem(columns.path)
        self.factors: dict[str, list[Factor]] = {}
        self.extras: dict[str, tuple[str, ...]] = {}
        self.texts: tuple[str, ...] | None = None
        self.images: NDArray[Any] | None = None
        self.most = 1

    def result(self) -> ImportResult:
        layout = self.layout
        self.variants = self._variant_axis()
        self.prompts = self._prompt_axis()
        if layout.loose:
            self.layout = layout = self._tightened()
        self.metrics = self._metric_axis()
        values = self._values()
        self._describe(values.shape)
        values = self._without_summaries(values)
        table = self._table(values)
        return ImportResult(table, how=self._how(table))

    # The axes.

    def _across(self, which: str) -> bool:
        return self.layout.across == which

    def _variant_axis(self) -> _Axis:
        if self._across("variant"):
            return _Axis(tuple(name.strip() for name in self.layout.scores), None)
        names = self.layout.variant
        if not names:
            return _Axis((self.stem,), np.zeros(self.columns.n_rows, dtype=np.int64))
        return _Axis(*self._joined(names))

    def _joined(self, names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        labels, places = self.columns.codes(names[0])
        for name in names[1:]:
            more, other = self.columns.codes(name)
            cells = places * len(more) + other
            kept, first, places = np.unique(cells, return_index=True, return_inverse=True)
            order = np.argsort(first)
            rank = np.empty_like(order)
            rank[order] = np.arange(len(order))
            places = rank[places]
            pairs = [divmod(int(cell), len(more)) for cell in kept[order]]
            labels = tuple(f"{labels[one]}/{more[two]}" for one, two in pairs)
        return labels, places

    def _prompt_axis(self) -> _Axis:
        layout, columns = self.layout, self.columns
        if self._across("prompt"):
            return _Axis(tuple(name.strip() for name in layout.scores), None)
        if layout.prompt is not None:
            axis = _Axis(*columns.codes(layout.prompt))
            self._find_texts(axis)
            return axis
        rows = np.arange(columns.n_rows, dtype=np.int64)
        if layout.text is None:
            self.notes.append("prompts are numbered by row (columns={prompt:NAME} names them)")
            return _Axis(tuple(map(str, range(1, columns.n_rows + 1))), rows)
        texts, places = columns.codes(layout.text)
        if self._across("variant") and not layout.repeats and layout.metric is None:
            texts, places = (
                columns.texts(layout.text),
                rows,
            )  # equal texts stay prompts of their own
        return self._numbered(texts, places)

    def _numbered(self, texts: tuple[str, ...], places: NDArray[np.int64]) -> _Axis:
        """Return prompts that have texts only, with ids of the prompts given or numbers."""
        self.texts = texts
        if self.settings.prompts is not None:
            known = as_prompts(self.settings.prompts)
            ids = dict(zip(reversed(known.text_hashes or ()), reversed(known.ids), strict=False))
            found = [ids.get(text_hash(text)) for text in texts]
            if all(found) and len(set(found)) == len(found):
                return _Axis(tuple(str(one) for one in found), places)
        self.notes.append("the table has texts and no ids: prompts are numbered in its order")
        return _Axis(tuple(map(str, range(1, len(texts) + 1))), places)

    def _find_texts(self, axis: _Axis) -> None:
        name = self.layout.text
        if name is None or axis.places is None:
            return
        every = self.columns.texts(name)
        first = _first_rows(axis)
        texts = tuple(every[row] for row in first.tolist())
        if len(every) > len(texts):
            (codes,) = [np.asarray(self.columns.codes(name)[1])]
            for row in np.flatnonzero(codes != codes[first][axis.places]).tolist():
                prompt = int(axis.places[row])
                if text_hash(texts[prompt]) != text_hash(every[row]):
                    raise ConflictError(
                        f"{self.columns.path} {self.columns.where(row)}: prompt "
                        f"{axis.labels[prompt]!r} has another {name} than in an earlier row; one "
                        "id is one text"
                    )
        self.texts = texts

    def _metric_axis(self) -> _Axis:
        layout, metric = self.layout, self.settings.metric
        zeros = np.zeros(self.columns.n_rows, dtype=np.int64)
        if layout.metric is not None:
            if metric is not None:
                raise SettingError(
                    f"{self.columns.path} has a column {layout.metric!r}; leave out "
                    f"metric={metric!r} and choose from the table instead"
                )
            labels, places = self.columns.codes(layout.metric)
            if self._across("metric") and len(layout.scores) > 1:
                raise DataError(
                    f"{self.columns.path} has a column {layout.metric!r} of metrics and columns "
                    f"{',  '.join(map(repr, layout.scores[:4]))}; say which holds the scores: "
                    "columns={score:NAME}"
                )
            return _Axis(labels, places)
        said = self.columns.metadata.get(f"{_SAID}metric")
        if self._across("metric"):
            names = [name.strip() for name in layout.scores]
            if len(names) > 1 and metric is not None:
                raise SettingError(
                    f"metric={metric!r} cannot name all {len(names)} columns of scores "
                    f"({', '.join(names[:4])}) of {self.columns.path}; leave it out"
                )
            generic = plain_name(names[0]) in GENERIC_SCORES
            if len(names) == 1 and metric is not None:
                names = [metric]
            elif generic and len(names) == 1 and self.settings.files_are != "variant":
                names = [said or self.stem]
            return _Axis(tuple(names), None)
        return _Axis((metric or said or self.stem,), zeros)

    # The scores.

    def _tightened(self) -> Layout:
        """Take out of loose columns of scores what describes a variant or a prompt alone."""
        layout = self.layout
        several = len(self.variants.labels) > 1, len(self.prompts.labels) > 1
        kept: list[str] = []
        told: list[str] = []
        for name in layout.scores:
            sure = is_metric(name)
            if not sure and all(several):
                codes = self._coded(name)
                if codes is not None and (
                    self._follows(codes, self.variants) or self._follows(codes, self.prompts)
                ):
                    continue
            if not sure and self._numbers_rows(name):
                continue
            kept.append(name)
        kept = self._without_mean_of_metrics(kept, told)
        if not kept:
            raise DataError(
                f"{self.columns.path} has no column of scores: "
                f"{', '.join(map(repr, layout.scores[:4]))} are the same for all rows of a variant "
                "or of a prompt; name it: columns={score:NAME}"
            )
        others = (*layout.others, *(n for n in layout.scores if n not in kept and n not in told))
        if self.settings.asked.scores:
            return layout
        return replace(layout, scores=tuple(kept), others=others)

    def _without_mean_of_metrics(self, names: list[str], told: list[str]) -> list[str]:
        named = [name for name in names if is_summary(name)]
        rest = [name for name in names if name not in named]
        if not named or len(rest) < 2:
            return names
        values = self.columns.floats([*rest, *named])
        mean = values[: len(rest)].mean(axis=0, dtype=np.float64)
        spread = float(np.nanstd(values[: len(rest)])) or 1.0
        for name, own in zip(named, values[len(rest) :], strict=True):
            if np.nanmax(np.abs(own - mean), initial=0) <= 0.02 * spread:
                told.append(name)
                self.notes.append(
                    f"left out {name!r}, the mean of the other metrics (columns={{score:[...]}} "
                    "keeps it)"
                )
        return [name for name in names if name not in told]

    def _numbers_rows(self, name: str) -> bool:
        if self.columns.n_rows < 3:
            return False
        values = self.columns.floats([name])[0]
        return any(
            np.array_equal(values, np.arange(self.columns.n_rows) + begin) for begin in (0, 1)
        )

    def _coded(self, name: str) -> NDArray[np.int64] | None:
        import pyarrow as pa

        (array,) = self.columns.fetch([name])
        if pa.types.is_nested(array.type):
            return None
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        if pa.types.is_null(array.type):
            return np.zeros(len(array), dtype=np.int64)
        coded = array.dictionary_encode("encode")
        return np.asarray(coded.indices.to_numpy(), dtype=np.int64)

    def _coded_lists(self, name: str) -> NDArray[np.int64] | None:
        """Code a column of lists or objects, such as a prompt's skills; None where it is none."""
        described = self.columns.described(name)
        if not described:
            return None
        rows = [tuple(map(cell_of, row)) for row in zip(*described.values(), strict=True)]
        places: dict[tuple[str, ...], int] = {}
        return np.array([places.setdefault(row, len(places)) for row in rows], dtype=np.int64)

    def _follows(self, codes: NDArray[np.int64], axis: _Axis) -> bool:
        """Tell whether a column says the same in all rows of a label."""
        if axis.places is None:
            return False
        return bool(np.array_equal(codes[_first_rows(axis)][axis.places], codes))

    def _values(self) -> NDArray[Any]:
        """Return the scores [metrics, variants, prompts]; float64 where they are so large."""
        shape = tuple(len(axis.labels) for axis in (self.metrics, self.variants, self.prompts))
        if np.prod(shape, dtype=np.float64) > _MAX_SCORES:
            raise DataError(
                f"{self.columns.path} would make {shape[0]} metrics x {shape[1]} variants x "
                f"{shape[2]} prompts; is one of the columns misnamed?"
            )
        layout = self.layout
        if layout.metric is None and not layout.repeats and self._unique_rows():
            values = self._scores()
            if values.ndim == 2 and self._across("variant"):
                return values[None]
            if values.ndim == 2 and self._across("prompt"):
                return values.T[None]
        return self._placed(shape)

    def _unique_rows(self) -> bool:
        """Tell whether each row is the one of its variant or prompt, in the axis's order."""
        axis = self.prompts if self._across("variant") else self.variants
        places = axis.places
        if places is None or len(places) != len(axis.labels):
            return False
        return bool(np.array_equal(places, np.arange(len(places))))

    def _scores(self) -> NDArray[Any]:
        """Return the columns of scores, [columns, rows] or [columns, rows, values]."""
        names = self.layout.scores
        kinds = self.columns.kinds(names)
        if "list" not in kinds:
            return self.columns.floats(names)
        lists = [
            self.columns.lists(name) if kind == "list" else self.columns.floats([name]).T
            for name, kind in zip(names, kinds, strict=True)
        ]
        most = max(one.shape[1] for one in lists)
        kind = np.result_type(*lists)
        out = np.full((len(names), self.columns.n_rows, most), np.nan, dtype=kind)
        for place, one in enumerate(lists):
            out[place, :, : one.shape[1]] = one
        return out

    def _placed(self, shape: tuple[int, ...]) -> NDArray[Any]:
        scores = self._scores()
        if self._across("repeat"):
            scores = np.moveaxis(scores, 0, -1)[None]  # the columns are values of one metric
        size = int(np.prod(shape))
        axes = (self.metrics, self.variants, self.prompts)
        cells = np.zeros((1, self.columns.n_rows), dtype=np.int64)
        for axis, length in zip(axes, shape, strict=True):
            places = np.arange(len(axis.labels))[:, None] if axis.places is None else axis.places
            cells = cells * length + places
        cells = np.broadcast_to(cells, scores.shape[:2])
        if scores.ndim == 3:
            cells = np.broadcast_to(cells[:, :, None], scores.shape)
        self._refuse_repeated_ids(cells)
        layout_repeats = self.layout.repeats
        several = bool(layout_repeats) or scores.ndim == 3
        means, images, self.most = values_in_cells(
            np.ascontiguousarray(cells).reshape(-1),
            scores.reshape(-1),
            size,
            repeated=several,
            numbers=self._numbers(scores.shape),
        )
        if self.most > 1 and not several:
            self._explain_repeats(cells)
        if layout_repeats and self.most == 1 and self.layout.across in ("variant", "prompt"):
            self.notes.append(
                f"left out {', '.join(map(repr, layout_repeats))}, no {self.layout.across} by name "
                f"(columns={{{self.layout.across}:[...]}} takes it for one)"
            )
        self.images = None if images is None else images.reshape(*shape, images.shape[1])
        return means.reshape(shape)

    def _numbers(self, shape: tuple[int, ...]) -> NDArray[np.int64] | None:
        """Return the number of each score's image, seed or rater; None where nothing tells it."""
        if not self.layout.repeats and len(shape) == 2:
            return None
        numbers = np.zeros(shape[1], dtype=np.int64)
        for name in self.layout.repeats:
            codes = self._coded(name)
            if codes is not None:
                numbers = numbers * (int(codes.max()) + 1) + codes
        if len(shape) == 3:
            numbers = numbers[:, None] * shape[2] + np.arange(shape[2])
        return np.broadcast_to(numbers, shape).reshape(-1)

    def _refuse_repeated_ids(self, cells: NDArray[np.int64]) -> None:
        """Refuse two rows of one prompt (or variant) where each has one row."""
        layout = self.layout
        if layout.across not in ("variant", "prompt") or layout.repeats:
            return
        rows = cells[0, :] if cells.ndim == 2 else cells[0, :, 0]
        kept, first, counts = np.unique(rows, return_index=True, return_counts=True)
        if len(kept) == len(rows):
            return
        row = int(first[np.argmax(counts > 1)])
        axis = self.prompts if layout.across == "variant" else self.variants
        what = "id" if layout.across == "variant" else "variant"
        label = axis.labels[int(axis.places[row])] if axis.places is not None else "?"
        raise DataError(
            f"{self.columns.path} has the {what} {label!r} more than once; mend it, or name the "
            "column that tells the rows apart, for their mean: columns={seed:NAME}"
        )

    def _explain_repeats(self, cells: NDArray[np.int64]) -> None:
        """Say that a cell has several values; stop where an unknown column tells them apart."""
        rows = cells.reshape(cells.shape[0], -1)[0][: self.columns.n_rows]
        for name in self.layout.others:
            codes = self._coded(name)
            if codes is None or is_nothing(name) or self._follows(codes, self.prompts):
                continue
            if self._follows(codes, self.variants):
                continue
            pairs = rows * (int(codes.max()) + 1) + codes
            apart = len(np.unique(pairs))
            if apart > len(np.unique(rows)) and codes.max() < max(2, self.columns.n_rows // 2):
                variant = "+".join((*self.layout.variant, name))
                raise DataError(
                    f"{self.columns.path} has up to {self.most} scores of one variant and prompt, "
                    f"and column {name!r} tells them apart: a part of the variant "
                    f"(columns={{variant:{variant}}}), or values to take the mean of "
                    f"(columns={{seed:{name}}})? say which"
                )
        self.notes.append(
            "no column says what tells those values apart (columns={variant:A+B} joins two columns)"
        )

    # Labels and descriptions.

    def _describe(self, shape: tuple[int, ...]) -> None:
        """Sort further columns: factors of variants, extras of prompts; name those left out."""
        columns, left = self.columns, []
        wanted = [found_column(columns, name, "factor") for name in self.settings.factors]
        taken = (*self.layout.scores, *self.layout.variant, self.layout.prompt, self.layout.text)
        for name in dict.fromkeys((*wanted, *self.layout.others)):
            codes = None if name in taken and name not in wanted else self._coded(name)
            if codes is None:
                lists = None if name in taken else self._coded_lists(name)
                if lists is not None and self._follows(lists, self.prompts):
                    self._add_extra(name)
                else:
                    left.append(name)
            elif name in wanted or (
                len(self.variants.labels) > 1 and self._follows(codes, self.variants)
            ):
                self._add_factor(name, wanted=name in wanted)
            elif self._follows(codes, self.prompts) and not self._is_score(name):
                self._add_extra(name)
            else:
                left.append(name)
        numbers = [
            name.strip()
            for name, kind in zip(left, columns.kinds(left), strict=True)
            if kind in ("number", "percent", "truth") and not is_nothing(name)
        ]
        if numbers:
            self.notes.append(
                f"left out {', '.join(map(repr, numbers[:4]))} (columns={{score:[...]}} takes "
                "other columns for scores)"
            )

    def _is_score(self, name: str) -> bool:
        """Tell whether a column that is left beside columns of variants holds scores too."""
        return self._across("variant") and self.columns.kinds([name])[0] in ("number", "percent")

    def _add_factor(self, name: str, *, wanted: bool) -> None:
        values = self.columns.factors(name)
        if values is None:
            raise DataError(f"{self.columns.path}: the factor {name!r} does not hold plain values")
        places = self.variants.places
        if places is None:
            raise DataError(
                f"{self.columns.path}: {name!r} cannot be a factor, as each column is a variant"
            )
        first = _first_rows(self.variants)
        if wanted:
            for row, (place, value) in enumerate(zip(places.tolist(), values, strict=True)):
                known = values[int(first[place])]
                if known != value:
                    raise ConflictError(
                        f"{self.columns.path} {self.columns.where(row)}: variant "
                        f"{self.variants.labels[place]!r} has {name}={value!r} but {known!r} in an "
                        "earlier row"
                    )
        key = name.strip()
        if wanted or (key and plain_name(key) not in _NAMES):
            self.factors[key] = [_finite(values[row]) for row in first.tolist()]

    def _add_extra(self, name: str) -> None:
        if not name.strip() or plain_name(name) in _NAMES:
            return
        first = _first_rows(self.prompts).tolist()
        for key, values in self.columns.described(name).items():
            self.extras.setdefault(key.strip(), tuple(cell_of(values[row]) for row in first))

    def _without_summaries(self, values: NDArray[Any]) -> NDArray[Any]:
        """Leave out averages and what `drop` names, and say which."""
        asked = self.settings.asked
        plain = {plain_name(name) for name in asked.drop} - {""}
        for axis, which, name in ((1, self.variants, "variant"), (2, self.prompts, "prompt")):
            flat = np.moveaxis(values, axis, 0).reshape(len(which.labels), -1)
            labels = which.labels
            if name == "prompt" and self.layout.prompt is None and self.texts is not None:
                labels = self.texts
            kept_all = bool(asked.variants or asked.prompts) and self._across(name)
            given = set() if kept_all else set(summaries(flat, labels, anywhere=name == "variant"))
            dropped: set[int] = set()
            if plain:
                dropped = {
                    place for place, label in enumerate(labels) if plain_name(label) in plain
                }
            places = sorted(given | dropped)
            if not places:
                continue
            if given - dropped:
                shown = ", ".join(repr(labels[place]) for place in sorted(given - dropped)[:4])
                self.notes.append(f"left out {shown}: an average or the like, no {name}")
            keep = np.setdiff1d(np.arange(len(labels)), places)
            if not keep.size:
                raise DataError(f"drop leaves no {name}")
            values = np.take(values, keep, axis=axis)
            if self.images is not None:
                self.images = np.take(self.images, keep, axis=axis)
            self._keep(name, keep.tolist())
        self._refuse_unknown_drops()
        return values

    def _refuse_unknown_drops(self) -> None:
        for one in self.settings.asked.drop:
            known = (*self.columns.names, *self.variants.labels, *self.prompts.labels)
            if one in known or plain_name(one) in self._gone or self.settings.files_are is not None:
                continue
            if plain_name(one) not in {plain_name(name) for name in known}:
                raise DataError(f"drop names {one!r}, which is no column, variant or prompt")

    @property
    def _gone(self) -> set[str]:
        return getattr(self, "_dropped", set())

    def _keep(self, name: str, keep: list[int]) -> None:
        which = self.variants if name == "variant" else self.prompts
        labels = which.labels
        gone = set(labels) - {labels[place] for place in keep}
        if name == "prompt" and self.texts is not None:
            gone |= set(self.texts)
        self._dropped = self._gone | {plain_name(label) for label in gone}
        which.labels = tuple(labels[place] for place in keep)
        if name == "variant":
            self.factors = {k: [v[place] for place in keep] for k, v in self.factors.items()}
            return
        if self.texts is not None:
            self.texts = tuple(self.texts[place] for place in keep)
        self.extras = {k: tuple(v[place] for place in keep) for k, v in self.extras.items()}

    def _table(self, values: NDArray[Any]) -> ScoreTable:
        settings, said = self.settings, self._said()
        for label in self.variants.labels:
            if not label:
                raise DataError("a variant's name must be a non-empty string, not ''")
        prompts = PromptSet(self.stem, self.prompts.labels, self.texts, extras=self.extras)
        variants = tuple(
            Variant(
                name,
                {**official_factors(name), **{k: v[place] for k, v in self.factors.items()}},
            )
            for place, name in enumerate(self.variants.labels)
        )
        names = tuple(variant.name for variant in variants)
        known = said.get("prompt_set_hash")
        if prompts.texts is not None and known is not None and not prompts.may_be(known):
            raise ConflictError("the scores were measured on other texts than the table holds")
        matrices = {
            metric: ScoreMatrix(
                metric,
                values[place],
                names,
                prompts.ids,
                higher_is_better=direction_of(
                    metric, settings.higher_is_better, self._direction(said)
                ),
                scorer=said.get("scorer"),
                scorer_version=said.get("scorer_version"),
                prompt_set_hash=prompts.hash if prompts.texts is not None else known,
                images=images_of_metric(None if self.images is None else self.images[place]),
            )
            for place, metric in enumerate(self.metrics.labels)
        }
        table = ScoreTable(prompts, variants, matrices)
        # One file of several has some of the metrics that the setting names.
        one_of_several = settings.files_are == "metric"
        given = None if one_of_several else settings.higher_is_better
        return finish(table, settings.prompts, given)

    def _said(self) -> dict[str, str]:
        return {
            key.removeprefix(_SAID): value
            for key, value in self.columns.metadata.items()
            if key.startswith(_SAID)
        }

    def _direction(self, said: dict[str, str]) -> bool | None:
        word = said.get("higher_is_better")
        if word not in (None, "true", "false"):
            raise DataError(f"higher_is_better is {word!r}; expected true or false")
        return None if word is None else word == "true"

    def _how(self, table: ScoreTable) -> str:
        layout = self.layout
        words = {
            "variant": "a wide table (a column a variant)",
            "prompt": "a turned table (a row a variant, a column a prompt)",
            "metric": "a table with a row a variant and prompt",
            "repeat": "a table with a row a variant and prompt",
        }
        kind = words[layout.across]
        if not layout.variant and layout.across in ("metric", "repeat"):
            kind = "a table of one variant, named after the file"
        parts = [f"{len(table)} variants, {table.n_prompts:,} prompts"]
        if len(table.metrics) > 1 or layout.metric or layout.across == "metric":
            parts.append(f"metrics {', '.join(table.metrics)}"[:80])
        if self.most > 1:
            parts.append(f"the mean of up to {self.most} values a cell")
        described = [*self.factors, *self.extras]
        if self.factors:
            parts.append(f"factors {', '.join(self.factors)}"[:80])
        if self.extras and described:
            parts.append(f"tags {', '.join(self.extras)}"[:80])
        return "; ".join((f"read as {kind}: {', '.join(parts)}", *self.notes))


def _first_rows(axis: _Axis) -> NDArray[np.int64]:
    """Return the first row of each label, int64 [labels]."""
    places: Any = axis.places
    first = np.zeros(len(axis.labels), dtype=np.int64)
    first[places[::-1]] = np.arange(len(places) - 1, -1, -1)
    return first


def _finite(value: Any) -> Factor:
    if isinstance(value, float) and not np.isfinite(value):
        return None
    plain: Factor = value
    return plain
