"""What every public result gets from its view: how it shows itself, in Python and in a notebook.

A result says what it is (`kind`), what it shows (`view`), its numbers (`_data`) and its rows
(`_rows`); everything else follows from these in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, ClassVar

from flasheval.base.drawing.view import Line, Part, Table, View, lines
from flasheval.base.errors import SettingError
from flasheval.base.extras import pip_command
from flasheval.base.json_data import plain_data
from flasheval.base.text import shortened, visible

__all__ = ["ENVELOPE", "Shown", "frame_of"]

ENVELOPE = ("kind", "schema", "headline")
"""The keys that come first in every `to_dict`, and are no data of the result's own."""

_LINE = 100  # letters of a repr
_ROWS = 20  # of a table


class Shown:
    """A result that shows itself.

    Attributes:
        kind: What it is, one word for programs.
        schema: Version of the form of its `to_dict`; it grows when a key changes its meaning or
            goes, not when one is added.

    Example:
        >>> from flasheval.base.drawing.view import Line
        >>> class Answer(Shown):
        ...     kind = "answer"
        ...     def view(self) -> View:
        ...         return View((Line("a is best", "headline"),))
        ...     def _brief(self) -> str:
        ...         return "a of 3"
        ...     def _data(self) -> dict[str, object]:
        ...         return {"share": float("nan")}
        >>> print(Answer(), repr(Answer()))
        a is best <Answer: a of 3>
        >>> Answer().to_dict()
        {'kind': 'answer', 'schema': 1, 'headline': 'a is best', 'share': None}

    """

    kind: ClassVar[str]
    schema: ClassVar[int] = 1

    def view(self) -> View:
        """Return what it shows, as plain data: what it is, its first rows, its warnings."""
        return View((Line(self._brief(), "headline"), *self._first_rows(), *self._warning_lines()))

    def _first_rows(self) -> list[Part]:
        """Return the first rows as a table, their numbers short; nothing where there are none."""
        found = self._rows()
        rows = [] if isinstance(found, Mapping) else list(found)
        if not rows:
            return []
        cells = [list(map(_cell, row.values())) for row in rows[:_ROWS]]
        more = len(rows) - _ROWS
        rest = [Line(f"and {more:,} more: to_pandas() has all", "faint")] if more > 0 else []
        titles = [key.replace("_", " ") for key in rows[0]]
        return [Line(""), Table(titles, cells), *rest]

    def _warning_lines(self) -> list[Line]:
        return lines(getattr(self, "warnings", ()), "warning")

    def _brief(self) -> str:
        """Return what it is and its size in a few words, quickly and whatever it holds."""
        raise NotImplementedError

    def _data(self) -> Mapping[str, object]:
        """Return what `to_dict` holds, in its order: the fields of a dataclass, if not said."""
        return {one.name: getattr(self, one.name) for one in fields(self)}  # type: ignore[arg-type]

    def _rows(self) -> Iterable[Mapping[str, object]] | Mapping[str, Any]:
        """Return what `to_pandas` makes a frame of: rows, or whole columns."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON: every float in full, what is not finite None.

        ``kind``, ``schema`` and ``headline`` come first; keys keep their order and meaning until
        ``schema`` grows.
        """
        said = self.view().headline or self._brief()
        data: dict[str, Any] = plain_data(self._data())
        return dict(zip(ENVELOPE, (self.kind, self.schema, said), strict=True)) | data

    def to_pandas(self) -> Any:
        """Return its rows as a pandas frame, in numbers; SettingError where pandas is missing."""
        return frame_of(self._rows())

    def __repr__(self) -> str:
        said = visible(" ".join(self._brief().split()))
        name = type(self).__name__
        return f"<{name}: {shortened(said, _LINE - len(name) - 4)}>"

    def __str__(self) -> str:
        from flasheval.base.drawing.terminal import as_text

        return as_text(self.view(), width=None).rstrip("\n")

    def _repr_html_(self) -> str:
        from flasheval.base.drawing.html import html

        return html(self.view())

    def _repr_markdown_(self) -> str:
        from flasheval.base.drawing.markdown import markdown

        return markdown(self.view())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def frame_of(rows: Iterable[Mapping[str, object]] | Mapping[str, Any]) -> Any:
    """Return rows, or columns, as a pandas frame.

    Raises SettingError where pandas is not installed.

    >>> frame_of([{"name": "a", "score": 0.5}, {"name": "b", "score": None}])
      name  score
    0    a    0.5
    1    b    NaN
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise SettingError(f"a pandas frame needs pandas: {pip_command('pandas')}") from error
    return pd.DataFrame(dict(rows) if isinstance(rows, Mapping) else list(rows))
