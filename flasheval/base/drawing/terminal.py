"""Views and tables in a terminal, made for 80 columns.

Names may hold anything. A `Terminal` prints them as they are, `[...]` and `:x:` too, and what a
terminal would obey as its number; every console of ours is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.table import Table as RichTable
from rich.text import Text

from flasheval.base.drawing.text_plot import text_plot
from flasheval.base.drawing.view import Figure, Line, Table, View
from flasheval.base.text import visible

__all__ = ["Terminal", "as_text", "drawn", "plain_table", "warning_lines"]

_STYLES = {"headline": "bold", "faint": "dim", "note": "magenta", "warning": "yellow"}
_WIDEST = 100_000
_STYLES |= {"alert": "yellow", "chapter": "bold", "section": "bold"}


class Terminal(Console):
    r"""A console on which no text is markup, an emoji's name or a command to the terminal.

    Takes what rich's own takes.

    >>> Terminal().print("[/oops]", Text("\x1b[31mred"))
    [/oops] \x1b[31mred
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Return what is printed, made visible, but for what rich itself tells the terminal."""
        for one in super().render(renderable, options):
            yield one if one.control else Segment(visible(one.text), one.style)


def drawn(view: View) -> RenderableType:
    """Return a view as rich prints it: text stays as it is, `[...]` in a name too.

    Of its plots only those of a frontier are shown, see `text_plot`.
    """
    parts: list[RenderableType] = []
    for part in view.parts:
        if isinstance(part, Line):
            parts.append(_line(part))
        elif isinstance(part, Figure):
            for plot in (one for row in part.panels for one in row if one is not None):
                if lines := text_plot(plot):
                    parts += map(_text, ["", *lines])
        else:
            parts += [_text(part.caption)] if part.caption else []
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
            _text(title),
            justify="left" if number < left else "right",
            overflow="fold",
            vertical="bottom" if "\n" in title else "top",
        )
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else _text(cell) for cell in row))
    return table


def warning_lines(warnings: Sequence[str]) -> list[RenderableType]:
    """Return each warning as a yellow line."""
    return [_line(Line(warning, "warning")) for warning in warnings]


def as_text(*parts: RenderableType | View, width: int | None = 80) -> str:
    r"""Return what would be printed, without colour, for files; None folds no line.

    >>> as_text(View((Line("a line", "headline"), Line("[b]"))), "the last")
    'a line\n[b]\nthe last\n'
    """
    stream = StringIO()
    console = Terminal(file=stream, width=width or _WIDEST, color_system=None)
    for part in parts:
        shown = drawn(part) if isinstance(part, View) else part
        console.print(shown, soft_wrap=isinstance(part, str))
    lines = (line.rstrip() for line in stream.getvalue().splitlines())
    return "".join(f"{line}\n" for line in lines)


def _line(line: Line) -> Text:
    text = f"warning: {line.text}" if line.look == "warning" else line.text
    return _text(text, _STYLES.get(line.look, ""))


def _table(table: Table) -> RichTable:
    rows = [
        [_text(cell, "bold" if i == table.strong else "") for i, cell in enumerate(row)]
        for row in table.rows
    ]
    return plain_table(table.titles, rows, left=table.left)


def _text(text: str, style: str = "") -> Text:
    """Return a text, made visible before it is laid out, so that columns are wide enough."""
    return Text(visible(text), style)
