"""Views and tables in a terminal; where there is none, lines are as long as they are.

A table folds its cells between words only. Where a terminal is too narrow for that it becomes a
list, so that no name and no number is ever cut in two. Names may hold anything. A `Terminal`
prints them as they are, `[...]` and `:x:` too, and what a terminal would obey as its number; every
console of ours is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Column
from rich.table import Table as RichTable
from rich.text import Text

from flasheval.base.drawing.text_plot import text_plot
from flasheval.base.drawing.view import Figure, Line, Table, View
from flasheval.base.text import visible

__all__ = ["Terminal", "as_text", "drawn", "plain_table", "warning_lines"]

_STYLES = {"headline": "bold", "faint": "dim", "note": "magenta", "warning": "yellow"}
_STYLES |= {"alert": "yellow", "chapter": "bold", "section": "bold"}
_ENDLESS = 100_000  # letters of a line that nobody's terminal folds
_GAP = 2  # letters between two columns


class Terminal(Console):
    r"""A console on which no text is markup, an emoji's name or a command to the terminal.

    Takes what rich's own takes. Where nothing says how wide it is, as in a pipe or a file, no line
    is folded; the environment's COLUMNS says it there too.

    >>> Terminal().print("[/oops]", Text("\x1b[31mred"))
    [/oops] \x1b[31mred
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)
        if self._width is None and not self.is_terminal:
            self.width = _ENDLESS

    def print(self, *objects: Any, **settings: Any) -> None:
        """Print as rich does, but crop no line that was not to be folded."""
        super().print(*objects, **({"crop": False} | settings))

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Return what is printed, made visible, but for what rich itself tells the terminal.

        Lines of text break between words only: a name too long for one has it for itself.
        """
        if isinstance(renderable, Text):
            renderable = _in_whole_words(renderable, options or self.options)
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
    r"""Return rows under titles; the first `left` columns stand left, the others right.

    No cell is read as markup; a `Text` brings its own style. Where not even the longest words of
    all columns fit side by side, it is printed as a list, a row after the other.

    >>> as_text(plain_table(("model", "held-out tau"), [("a-long-name", "0.95")]), width=20)
    'a-long-name\n  held-out tau  0.95\n'
    """
    table = _Fitting(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    for number, title in enumerate(titles):
        table.add_column(
            _text(title),
            justify="left" if number < left else "right",
            vertical="bottom" if "\n" in title else "top",
        )
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else _text(cell) for cell in row))
    return table


def warning_lines(warnings: Sequence[str]) -> list[RenderableType]:
    """Return each warning as a yellow line."""
    return [_line(Line(warning, "warning")) for warning in warnings]


def as_text(*parts: RenderableType | View, width: int | None = None) -> str:
    r"""Return what would be printed, without colour, for files; without a width no line is folded.

    >>> as_text(View((Line("a line", "headline"), Line("[b]"))), "the last")
    'a line\n[b]\nthe last\n'
    """
    stream = StringIO()
    console = Terminal(file=stream, width=width or _ENDLESS, color_system=None)
    for part in parts:
        shown = drawn(part) if isinstance(part, View) else part
        console.print(shown, soft_wrap=isinstance(part, str))
    lines = (line.rstrip() for line in stream.getvalue().splitlines())
    return "".join(f"{line}\n" for line in lines)


def _in_whole_words(text: Text, options: ConsoleOptions) -> Text:
    """Return a text that rich folds between words: with its breaks where a word is too long."""
    longest = max(map(cell_len, text.plain.split()), default=0)
    if longest <= options.max_width or options.no_wrap or text.no_wrap:
        return text
    lines = [
        piece
        for line in text.split(allow_blank=True)
        for piece in line.divide(_breaks(line.plain, options.max_width))
    ]
    for line in lines:
        line.rstrip()
    return Text("\n", end=text.end, no_wrap=True, overflow="ignore").join(lines)


def _breaks(line: str, width: int) -> list[int]:
    """Return where the lines begin that a line of words is parted into, but for the first.

    >>> _breaks("a name-too-long b c", 6)
    [2, 16]
    """
    starts, used = [], 0
    for word in re.finditer(r"\s*\S+", line):
        if used and used + cell_len(word[0]) > width:
            starts.append(word.start() + len(word[0]) - len(word[0].lstrip()))
            used = cell_len(word[0].strip())
        else:
            used += cell_len(word[0])
    return starts


class _Fitting(RichTable):
    """A table that folds between words only, and becomes a list where that does not fit."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width - _GAP * (len(self.columns) - 1)
        widths = [_widths(console, options, column) for column in self.columns]
        if sum(least for least, _ in widths) > room:
            yield from self._as_list()
            return
        for column, width in zip(self.columns, _shared_out(widths, room), strict=True):
            column.width = width
        yield from super().__rich_console__(console, options)

    def _as_list(self) -> Iterator[RenderableType]:
        titles = [_text(" ".join(str(column.header).split()), "dim") for column in self.columns]
        left = sum(column.justify == "left" for column in self.columns)
        head = min(max(left, 1), len(titles) - 1)
        for row in zip(*(column.cells for column in self.columns), strict=True):
            first = [cell if isinstance(cell, Text) else Text(str(cell)) for cell in row[:head]]
            joint = Text(" " * _GAP, no_wrap=True, overflow="ignore")
            yield joint.join(cell for cell in first if cell.plain)
            for title, cell in zip(titles[head:], row[head:], strict=True):
                yield Text.assemble("  ", title, " " * _GAP, cell)


def _widths(console: Console, options: ConsoleOptions, column: Column) -> tuple[int, int]:
    """Return the letters of a column's longest word, and of its longest line."""
    wide = options.update_width(_ENDLESS)
    measured = [Measurement.get(console, wide, one) for one in (column.header, *column.cells)]
    return max(one.minimum for one in measured), max(one.maximum for one in measured)


def _shared_out(widths: Sequence[tuple[int, int]], room: int) -> list[int]:
    """Return the widths of columns that share some room: what a column must give, the widest give.

    >>> _shared_out([(4, 9), (5, 20)], room=21)
    [9, 12]
    """
    given = [most for _, most in widths]
    while (excess := sum(given) - room) > 0:
        slack = [width - least for width, (least, _) in zip(given, widths, strict=True)]
        widest = max((given[i] for i, left in enumerate(slack) if left > 0))
        place = next(i for i, left in enumerate(slack) if left > 0 and given[i] == widest)
        below = max((width for width in given if width < widest), default=0)
        given[place] -= max(1, min(excess, slack[place], widest - below))
    return given


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
