"""Views and tables in a terminal, made for 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from flasheval.base.drawing.view import Figure, Line, Table, View

__all__ = ["as_text", "drawn", "plain_table", "warning_lines"]

_STYLES = {"headline": "bold", "faint": "dim", "note": "magenta", "warning": "yellow"}
_STYLES |= {"alert": "yellow", "chapter": "bold", "section": "bold"}


def drawn(view: View) -> RenderableType:
    """Return a view as rich prints it: text stays as it is, `[...]` in a name too."""
    parts: list[RenderableType] = []
    for part in view.parts:
        if isinstance(part, Line):
            parts.append(_line(part))
        elif not isinstance(part, Figure):
            parts += [Text(part.caption)] if part.caption else []
            parts.append(_table(part))
    return Group(*parts)


def plain_table(
    titles: Sequence[str], rows: Sequence[Sequence[str | Text]], *, left: int = 1
) -> RichTable:
    """Return rows under titles; the first `left` columns stand left, the others right.

    No cell is read as markup; a `Text` brings its own style.
    """
    table = RichTable(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for number, title in enumerate(titles):
        table.add_column(
            Text(title),
            justify="left" if number < left else "right",
            overflow="fold",
            vertical="bottom" if "\n" in title else "top",
        )
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table


def warning_lines(warnings: Sequence[str]) -> list[RenderableType]:
    """Return each warning as a yellow line."""
    return [_line(Line(warning, "warning")) for warning in warnings]


def as_text(*parts: RenderableType | View, width: int = 80) -> str:
    r"""Return what would be printed, without colour, for files.

    >>> as_text(View((Line("a line", "headline"), Line("[b]"))), "the last")
    'a line\n[b]\nthe last\n'
    """
    stream = StringIO()
    console = Console(file=stream, width=width, color_system=None, highlight=False)
    for part in parts:
        shown = drawn(part) if isinstance(part, View) else part
        console.print(shown, soft_wrap=isinstance(part, str), markup=False)
    lines = (line.rstrip() for line in stream.getvalue().splitlines())
    return "".join(f"{line}\n" for line in lines)


def _line(line: Line) -> Text:
    text = f"warning: {line.text}" if line.look == "warning" else line.text
    return Text(text, style=_STYLES.get(line.look, ""))


def _table(table: Table) -> RichTable:
    rows = [
        [Text(cell, style="bold" if i == table.strong else "") for i, cell in enumerate(row)]
        for row in table.rows
    ]
    return plain_table(table.titles, rows, left=table.left)
