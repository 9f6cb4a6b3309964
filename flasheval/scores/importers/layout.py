"""The layout of one table of scores: which columns are variants, prompts, metrics and scores.

Everything that decides is here: the columns' names, what they hold, and a look at their cells.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from flasheval.base.cells import CellError, Kind, all_whole, is_text, numbers_in
from flasheval.base.columns import Columns
from flasheval.base.errors import DataError
from flasheval.base.text import plain_name
from flasheval.scores.importers.asked import Asked, found_column, joined_columns
from flasheval.scores.importers.column_names import (
    GENERIC_SCORES,
    Look,
    is_metric,
    is_nothing,
    is_repeat,
    is_summary,
    look_of,
    repeats_in_columns,
    role_of,
)

__all__ = ["Layout", "layout_of"]

Across = Literal["variant", "prompt", "metric", "repeat"]
"""What the columns of scores are."""

_NUMBERS: tuple[Kind, ...] = ("number", "percent", "truth", "list")
_WEAK_VARIANT = ("name", "method", "run", "run_name", "experiment", "config", "setting", "arm")
_LARGE = 20  # times the other columns' largest score: no score of the same metric
_ROWS = 5  # rows from which cells tell what a column is


@dataclass(frozen=True)
class Layout:
    """Where in a table everything stands.

    ``scores`` are the columns of scores, one for each variant, prompt, metric or repeat as
    ``across`` says. ``variant`` are the columns that together name a row's variant (none: the file
    does, or the columns). ``prompt`` are the ids (None: made), ``text`` the texts. ``repeats`` tell
    apart several values of one cell. ``others`` may describe variants or prompts. ``loose`` says
    that columns of scores may turn out to describe a variant or a prompt. ``notes`` are to be told.
    """

    across: Across
    scores: tuple[str, ...]
    variant: tuple[str, ...] = ()
    prompt: str | None = None
    text: str | None = None
    metric: str | None = None
    repeats: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    loose: bool = False
    notes: tuple[str, ...] = ()


def layout_of(columns: Columns, asked: Asked, files_are: str | None = None) -> Layout:
    """Decide the layout of a table.

    Args:
        columns: The table.
        asked: What the settings say of it.
        files_are: `variant` or `metric` where the table is one file of a folder and its file is
            that; `wide` where columns that are called like metrics are variants all the same.

    Raises:
        DataError: The table could be read two ways, or in none.

    >>> import pyarrow as pa
    >>> from pathlib import Path
    >>> table = pa.table({"Model": ["a", "a"], "prompt": ["x", "y"], "CLIP": [0.5, 0.25]})
    >>> columns = Columns(Path("t.csv"), ("Model", "prompt", "CLIP"), 2,
    ...                   lambda names: [table.column(name) for name in names], str)
    >>> found = layout_of(columns, Asked())
    >>> found.across, found.variant, found.prompt, found.scores
    ('metric', ('Model',), 'prompt', ('CLIP',))

    """
    return _Deciding(columns, asked, files_are).layout()


class _Deciding:
    """One decision: the columns that nothing has claimed yet, and what is to be told."""

    def __init__(self, columns: Columns, asked: Asked, files_are: str | None) -> None:
        self.columns, self.asked, self.files_are = columns, asked, files_are
        self.path = columns.path
        drop = {plain_name(name) for name in asked.drop} | set(asked.drop)
        self.names = [
            name
            for name in columns.names
            if name not in drop and (plain_name(name) or "?") not in drop
        ]
        self.kinds = dict(zip(self.names, columns.kinds(self.names), strict=True))
        self.notes: list[str] = []
        self.unnamed: list[str] = []
        for name in list(self.names):
            if _is_unnamed(name) and not self._is_asked(name):
                self.names.remove(name)
                if not self._counts_rows(name) and self.kinds[name] != "empty":
                    self.unnamed.append(name)

    def layout(self) -> Layout:
        asked = self.asked
        self.repeats = tuple(self._column(name, "repeats") for name in asked.repeats)
        self.metric = self._metric()
        self.text = self._column(asked.text, "texts") if asked.text else None
        self.prompt = self._column(asked.prompt, "prompt ids") if asked.prompt else None
        if asked.variants:
            self._labels()
            return self._across("variant", asked.variants)
        self.variant = (
            tuple(name for one in asked.variant for name in joined_columns(self.columns, one))
            or self._variant()
        )
        if asked.prompts:
            return self._across("prompt", asked.prompts)
        if self.variant and not self.prompt and self._is_turned():
            return self._across("prompt", ("*",))
        self._labels()
        if len(self.unnamed) == 2 and not self.variant and not self.prompt:
            return self._three_deep()
        if self.variant and (self.prompt or self.text):
            return self._rows()
        if self.variant:
            return self._without_prompts()
        if self.prompt or self.text:
            return self._without_variants()
        return self._without_either()

    def _refuse_unnamed(self) -> None:
        """Stop at scores in a column without a name; whole numbers are an index."""
        for name in self.unnamed:
            if self.kinds[name] in ("number", "percent") and not self._whole(name):
                raise DataError(f"{self.path} has scores in a column without a name; name it")

    # The columns with a role.

    def _column(self, name: str, what: str) -> str:
        return found_column(self.columns, name, what)

    def _is_asked(self, name: str) -> bool:
        asked = self.asked
        return name in (*asked.variant, asked.prompt, asked.text, asked.metric, *asked.scores)

    def _label(self, name: str) -> bool:
        """Tell whether a column can label rows: texts or whole numbers."""
        if self.kinds[name] in ("text", "truth"):
            return True
        if self.kinds[name] == "empty":  # the message will say that an id is missing
            return plain_name(name) in ("variant", "model", "prompt_id")
        return self.kinds[name] == "number" and self._whole(name)

    def _variant(self) -> tuple[str, ...]:
        found = [name for name in role_of("variant", self.names) if self._label(name)]
        found = [name for name in found if name not in (self.prompt, self.text, self.metric)]
        return tuple(found[:1])

    def _metric(self) -> str | None:
        if self.asked.metric:
            return self._column(self.asked.metric, "metrics")
        found = [name for name in role_of("metric", self.names) if self.kinds[name] == "text"]
        return found[0] if found else None

    def _labels(self) -> None:
        """Find the columns of prompt ids and of texts that were not asked for."""
        free = [name for name in self.names if name not in self._claimed()]
        if self.text is None:
            texts = [name for name in role_of("text", free) if self.kinds[name] == "text"]
            sure = [n for n in texts if plain_name(n) not in ("prompt", "prompts", "input")]
            loose = [n for n in texts if n not in sure]
            if self.asked.prompt is None and loose and not self._texty(loose[0]):
                ids = [name for name in role_of("prompt", free) if self._label(name)]
                strong = [n for n in ids if plain_name(n) not in ("index", "idx", "id", "key")]
                if not strong and not (ids and len(loose) == 1 and self._groups(ids[0], loose[0])):
                    self.prompt = loose.pop(0)  # short labels that are called prompts are ids
            self.text = next(iter([*loose, *sure]), None)
        if self.prompt is None:
            free = [name for name in self.names if name not in self._claimed()]
            for name in role_of("prompt", free):
                if self._label(name) and not self._numbers_rows_of(name):
                    self.prompt = name
                    break
        if self.prompt is None and self.text is None:
            numbers = [
                name
                for name in role_of("text", self.names)
                if name not in self._claimed() and self._label(name)
            ]
            self.prompt = numbers[0] if numbers else None
        if self.prompt is None and len(self.unnamed) == 1 and (self.variant_or_none or self.text):
            self.prompt = self.unnamed.pop(0)

    @property
    def variant_or_none(self) -> tuple[str, ...]:
        return getattr(self, "variant", ())

    def _claimed(self) -> tuple[str | None, ...]:
        return (
            *(self.prompt, self.text, self.metric),
            *self.variant_or_none,
            *self.repeats,
            *self.asked.scores,
        )

    def _free(self) -> list[str]:
        claimed = set(self._claimed())
        return [name for name in self.names if name not in claimed]

    # What the cells say.

    def _texty(self, name: str) -> bool:
        """Tell whether cells are sentences, not ids."""
        (array,) = self.columns.look([name])
        cells = [cell for cell in array.to_pylist() if isinstance(cell, str) and cell.strip()]
        return bool(cells) and 2 * sum(len(cell.split()) > 1 for cell in cells) > len(cells)

    def _sample(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return a look at columns as numbers, float64 [names, rows]; NaN for anything else."""
        looks = self.columns.look(names)
        rows = max((len(array) for array in looks), default=0)
        out = np.full((len(names), rows), np.nan)
        for row, array in zip(out, looks, strict=True):
            row[: len(array)] = _as_numbers(array, self.columns.commas)
        return out

    def _whole(self, name: str) -> bool:
        (array,) = self.columns.look([name])
        if is_text(array.type):  # a summary row may stand among the numbers
            return all_whole(array)
        values = _as_numbers(array, commas=False)
        values = values[~np.isnan(values)]
        return bool(values.size and (values == np.round(values)).all())

    def _counts_rows(self, name: str) -> bool:
        """Tell whether a column is the rows' numbers, from 0 or 1."""
        (array,) = self.columns.look([name])
        values = _as_numbers(array, commas=False)[:_LOOKED]
        begin = np.arange(len(values))
        return bool(values.size) and any(np.array_equal(values, begin + one) for one in (0, 1))

    def _distinct(self, name: str) -> int:
        return len(self.columns.codes(name)[0])

    def _groups(self, ids: str, texts: str) -> bool:
        """Tell whether the texts have one id each: the ids are the prompts', not the rows'."""
        return self._distinct(ids) == self._distinct(texts)

    def _numbers_rows_of(self, name: str) -> bool:
        """Tell whether ids are each row's own though the rows repeat their texts or variants."""
        rows = self.columns.n_rows
        if not self.variant_or_none or self.text is None or rows < 2:
            return False
        return self._distinct(name) == rows and self._distinct(self.text) < rows

    # The layouts.

    def _rows(self) -> Layout:
        """Return a layout of rows of variant and prompt: a column of scores, or one a metric."""
        free = self._free()
        asked = tuple(self._column(name, "scores") for name in self.asked.scores)
        generic = [
            name for name in role_of("score", free) if self.kinds[name] in (*_NUMBERS, "empty")
        ]
        repeats = self._repeats(free)
        free = [name for name in free if name not in repeats]
        numbers = [name for name in free if self.kinds[name] in _NUMBERS]
        among = repeats_in_columns(numbers)
        if not asked and not generic and not numbers:
            asked = tuple(role_of("score", free)[:1])  # the message will name a cell
        if not (asked or generic or numbers):
            raise DataError(
                f"{self.path} has no column of scores beside {', '.join(map(repr, self._shown()))}"
            )
        if asked or generic:
            scores, loose = asked or tuple(generic[:1]), False
            if not asked:
                more = [n for n in numbers if n not in scores and not is_nothing(n)]
                self._maybe_scores = tuple(more)
        elif among and all(
            name in among or is_nothing(name) or is_summary(name) for name in numbers
        ):
            others = tuple(name for name in free if name not in among and not is_summary(name))
            self.notes.append(
                f"{len(among)} columns ({among[0]}, ...) are values of one score: their mean "
                f"(columns={{score:[{among[0]},{among[1]}]}} makes them metrics)"
            )
            return self._made("repeat", tuple(among), repeats, others)
        else:
            scores, loose = tuple(n for n in numbers if not is_nothing(n)), True
            if not scores:
                raise DataError(
                    f"{self.path} has no column of scores: {', '.join(map(repr, numbers))} "
                    f"{'is' if len(numbers) == 1 else 'are'} known for something else; name it: "
                    "columns={score:NAME}"
                )
        others = tuple(name for name in free if name not in scores)
        return self._made("metric", scores, repeats, others, loose=loose)

    def _across(self, across: Across, asked: Sequence[str]) -> Layout:
        """Return a layout of a column for each variant, or for each prompt."""
        free = self._free()
        repeats = self._repeats(free)
        what = f"{across}s"
        if tuple(asked) == ("*",):
            scores = [
                name
                for name in free
                if self.kinds[name] in (*_NUMBERS, "empty") and name not in repeats
            ]
            if not (self.asked.variants or self.asked.prompts):
                scores = self._scores_among(scores, across)
        else:
            scores = [self._column(name, what) for name in asked]
        scores = [name for name in scores if name not in self._claimed()]
        if not scores:
            raise DataError(
                f"{self.path} has no columns of scores beside "
                f"{', '.join(map(repr, self._shown())) or 'its labels'}"
            )
        others = tuple(name for name in free if name not in scores and name not in repeats)
        return self._made(across, tuple(scores), repeats, others)

    def _is_turned(self) -> bool:
        """Tell whether each row is a variant, and the columns are prompts."""
        numbers = self._score_columns()
        if len(numbers) < 2 or self._distinct(self.variant[0]) < self.columns.n_rows:
            return False
        return look_of(numbers) == "prompts"

    def _score_columns(self) -> list[str]:
        return [
            name
            for name in self._free()
            if self.kinds[name] in _NUMBERS and not is_nothing(name) and not is_summary(name)
        ]

    def _without_prompts(self) -> Layout:
        numbers = self._score_columns()
        name = self.variant[0]
        if self._distinct(name) == self.columns.n_rows:
            look = look_of(numbers)
            if look is None and len(numbers) > max(8, 2 * self.columns.n_rows):
                return self._across("prompt", ("*",))
            self._stop(
                f"a row a {name} and a column a metric, which are means and no scores of prompts",
                None,
                "a row a variant and a column a prompt",
                f"columns={{variant:{name},prompt:'*'}}",
            )
        candidates = [
            one
            for one in self._free()
            if self.kinds[one] == "text" and not is_nothing(one) and self._is_key(one)
        ]
        if len(candidates) == 1:
            self.prompt = candidates[0]
            self.notes.append(
                f"prompts are column {candidates[0]!r} (else columns={{prompt:NAME}})"
            )
            if self._texty(candidates[0]):
                self.prompt, self.text = None, candidates[0]
            return self._rows()
        raise DataError(
            f"{self.path} has rows of {name!r} but no column of prompts that its name tells; name "
            f"it: columns={{variant:{name},prompt:NAME}}; it has: {self._has()}"
        )

    def _is_key(self, name: str) -> bool:
        """Tell whether variant and this column together name a row."""
        _, rows = self.columns.codes(self.variant[0])
        try:
            labels, places = self.columns.codes(name)
        except DataError:
            return False
        cells = rows * len(labels) + places
        return len(np.unique(cells)) == len(cells) and len(labels) < len(cells)

    def _without_variants(self) -> Layout:
        """Decide whether columns are variants, or metrics of the variant that the file is."""
        numbers = [name for name in self._free() if self.kinds[name] in _NUMBERS]
        scores = [n for n in numbers if not is_nothing(n) and not is_summary(n)]
        among = repeats_in_columns(scores)
        if self.files_are == "variant" or (self.asked.scores and self.files_are is None):
            return self._rows()
        generic = [name for name in scores if plain_name(name) in GENERIC_SCORES]
        if self.files_are is None and scores and all(map(is_metric, scores)):
            if len(scores) == 1 and (generic or self.metric):
                return self._rows()
            if len(scores) == 1:
                self.notes.append(
                    f"{scores[0]!r} is taken for the metric of one variant, named after the file "
                    "(columns={variant:'*'} takes it for a variant)"
                )
                return self._rows()
            self._stop(
                f"the metrics {', '.join(scores[:4])} of one variant",
                f"columns={{score:[{','.join(scores[:4])}]}}",
                f"the variants {', '.join(scores[:4])}",
                "columns={variant:'*'}",
            )
        if self.files_are is None and among and set(among) == set(scores):
            self._stop(
                f"several values of one variant's score ({', '.join(scores[:3])})",
                f"columns={{score:[{','.join(scores[:3])}]}}",
                f"the variants {', '.join(scores[:3])}",
                "columns={variant:'*'}",
            )
        return self._across("variant", ("*",))

    def _without_either(self) -> Layout:
        """Decide by the labels of rows and columns: no name tells prompts or variants."""
        texts = [name for name in self._free() if self.kinds[name] == "text"]
        rows = self.unnamed or texts[:1]
        numbers = self._score_columns()
        if self.asked.scores and rows:
            self.prompt = rows[0]
            return self._rows()
        if not rows or not numbers:
            try:
                found = self.columns.pick(None, ("prompt_id", "id", "prompt"), "prompt ids")
                raise DataError(
                    f"{self.path}: column {found!r} holds neither texts nor whole numbers"
                )
            except DataError as error:
                raise DataError(
                    f"{error}; name it: columns={{prompt:NAME}}, or columns={{variant:'*'}} for a "
                    "column a variant and prompts numbered by row"
                ) from None
        name = rows[0]
        labels = [label for label in self.columns.ids(name) if label]
        down, over = look_of(labels[:500]), look_of(numbers)
        called = plain_name(name) in _WEAK_VARIANT
        if self.files_are == "wide":
            down, over = "prompts", "variants"
        if over == "metrics" and down != "metrics":
            self._stop(
                f"the metrics {', '.join(numbers[:3])} of one variant, a row a prompt",
                f"columns={{prompt:{name or 'NAME'},score:[{','.join(numbers[:3])}]}}",
                f"means of metrics, a row a variant ({labels[0]}, ...)",
                None,
            )
        many = len(labels) >= 3 * len(numbers), len(numbers) >= 3 * len(labels)
        as_rows = (down == "prompts") + (over == "variants") + (not called and many[0])
        as_columns = (over == "prompts") + (down == "variants") + (called or many[1])
        if as_rows > as_columns and not (down == "variants" or over == "prompts"):
            self._take_rows(name)
            if down != "prompts" and over != "variants":
                self.notes.append(self._either(name, turned=False))
            return self._across("variant", ("*",))
        if as_columns > as_rows and not (down == "prompts" or over == "variants"):
            self.variant = (name,)
            if over != "prompts" and down != "variants":
                self.notes.append(self._either(name, turned=True))
            return self._across("prompt", ("*",))
        shown = repr(name) if name.strip() else "the first column"
        self._stop(
            f"a row a prompt ({shown}: {labels[0]}, ...) and a column a variant "
            f"({', '.join(numbers[:3])})",
            "columns={variant:'*'}"
            if not name.strip()
            else f"columns={{prompt:{name},variant:'*'}}",
            "a row a variant and a column a prompt",
            "columns={prompt:'*'}"
            if not name.strip()
            else f"columns={{variant:{name},prompt:'*'}}",
        )
        return None

    def _take_rows(self, name: str) -> None:
        if self.kinds[name] == "text" and self._texty(name):
            self.text = name
        else:
            self.prompt = name

    def _either(self, name: str, turned: bool) -> str:
        other = "columns={variant:'*'}" if turned else "columns={prompt:'*'}"
        return f"told from their number only ({other} reads it the other way)"

    def _three_deep(self) -> Layout:
        """Decide on objects three deep: names tell which level is metrics, and which prompts."""
        first, second = self.unnamed
        keys: str | None = None  # the columns
        scores = self._score_columns()
        labels = {
            first: self.columns.codes(first)[0],
            second: self.columns.codes(second)[0],
            keys: scores,
        }
        roles: tuple[Look, ...] = ("metrics", "prompts", "variants")
        fitting = [
            order
            for order in itertools.permutations(labels)
            if sum(_looks(labels[level], role) for level, role in zip(order, roles, strict=True))
            >= 2
        ]
        if len(fitting) == 1:
            ((metric, prompt, variant),) = fitting
            self.metric, self.prompt = metric, prompt
            self.variant = () if variant is None else (variant,)
            across: Across = (
                "metric" if metric is None else "prompt" if prompt is None else "variant"
            )
            others = tuple(name for name in self._free() if name not in scores)
            return self._made(across, tuple(scores), (), others)
        raise DataError(
            f"{self.path} is three objects deep, and its keys do not tell which are variants, "
            "prompts and metrics; write a table with the columns variant, prompt_id, metric, score"
        )

    def _made(
        self,
        across: Across,
        scores: tuple[str, ...],
        repeats: tuple[str, ...],
        others: tuple[str, ...],
        *,
        loose: bool = False,
    ) -> Layout:
        self._refuse_unnamed()
        return Layout(
            across,
            scores,
            self.variant_or_none,
            self.prompt,
            self.text,
            self.metric,
            (*self.repeats, *repeats),
            tuple(name for name in others if name not in self._claimed()),
            loose,
            tuple(self.notes),
        )

    # What is no variant.

    def _repeats(self, free: Sequence[str]) -> tuple[str, ...]:
        """Return the columns that tell apart several values of a cell."""
        if self.repeats:
            return ()
        return tuple(
            name
            for name in free
            if is_repeat(name)
            and name not in self.asked.scores
            and (self.kinds[name] == "text" or (self.kinds[name] == "number" and self._whole(name)))
        )

    def _scores_among(self, names: Sequence[str], across: Across) -> list[str]:
        """Leave out columns that are no variants (or prompts), and say so; stop where unclear."""
        kept = []
        for name in names:
            if is_nothing(name) and self.kinds[name] != "empty" and self._whole(name):
                self.notes.append(
                    f"left out {name!r}, no {across} by name (columns={{{across}:[...]}} takes it "
                    "for one)"
                )
            elif self.kinds[name] == "empty" and is_nothing(name):
                continue
            else:
                kept.append(name)
        truths = [name for name in kept if self.kinds[name] == "truth"]
        if truths and any(self.kinds[name] in ("number", "percent") for name in kept):
            self.notes.append(f"left out {truths[0]!r}: truth values among numbers")
            kept = [name for name in kept if name not in truths]
        self._refuse_odd([name for name in kept if not is_summary(name)])
        return kept

    def _refuse_odd(self, names: Sequence[str]) -> None:
        """Stop at a column whose numbers are of another kind than those of the other columns."""
        if len(names) < 3:
            return
        values = self._sample(names)
        with np.errstate(all="ignore"):
            whole = np.where(np.isnan(values), 0, values == np.round(values)).mean(axis=1)
            largest = np.nanmax(np.abs(np.nan_to_num(values)), axis=1)
        fractions = whole < 0.2
        for place, name in enumerate(names):
            others = np.delete(np.arange(len(names)), place)
            mine = values[place][~np.isnan(values[place])]
            if len(mine) < _ROWS:
                continue
            among = values[others]
            if np.isnan(among).all():
                continue
            low, high = np.nanmin(among), np.nanmax(among)
            counted = bool((mine == np.round(mine)).all()) and fractions[others].mean() > 0.5
            constant = bool((mine == mine[0]).all())
            inside = (set(mine.tolist()) <= {0.0, 1.0} or constant) and (
                low - (high - low) <= mine.min() and mine.max() <= high + (high - low)
            )
            huge = float(np.median(np.abs(mine))) > _LARGE * max(
                float(np.median(largest[others])), 1e-30
            )
            if (counted and not inside) or huge:
                why = "whole numbers" if counted else "far larger numbers"
                self._stop(
                    f"column {name!r} ({why}, unlike the others) as no variant",
                    f"drop=[{name}]",
                    "as one",
                    "columns={variant:'*'}",
                )

    def _stop(self, one: str, key: str | None, other: str, other_key: str | None) -> NoReturn:
        def said(reading: str, way: str | None) -> str:
            return reading if way is None else f"{reading} ({way})"

        raise DataError(
            f"{self.path} can be read two ways: {said(one, key)}, or {said(other, other_key)}; "
            "say which"
        )

    def _has(self) -> str:
        names = self.columns.names
        return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")

    def _shown(self) -> list[str]:
        return [name for name in self._claimed() if name is not None]


_LOOKED = 200  # rows from the head


def _looks(labels: Sequence[str], role: Look) -> bool:
    if role == "metrics" and len(labels) == 1:
        return is_metric(labels[0])
    return look_of(labels) == role


def _is_unnamed(name: str) -> bool:
    plain = plain_name(name)
    return plain == "" or plain.startswith("unnamed_") or plain == "index_level_0"


def _as_numbers(array: object, commas: bool) -> NDArray[np.float64]:
    """Return cells as numbers, NaN for what is none."""
    import pyarrow as pa

    cells: pa.Array = array
    kind = cells.type
    blank = np.full(len(cells), np.nan)
    try:
        if is_text(kind):
            numbers = numbers_in(cells, commas=commas).array
        elif pa.types.is_boolean(kind):
            numbers = cells.cast(pa.int8()).cast(pa.float64())
        else:
            numbers = cells.cast(pa.float64())
    except (CellError, pa.ArrowException):
        return blank
    return np.asarray(numbers, dtype=np.float64)
