"""Text for people: plain tables for 80 columns, warnings, Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    pass

__all__ = [
    "as_text",
    "markdown_table",
    "plain_table",
    "shortened",
    "warning_lines",
]

DASH = "\N{EN DASH}"


def plain_table(
    titles: Sequence[str], rows: Sequence[Sequence[str | Text]], *, left: int = 1
) -> Table:
    """Return rows of text under titles; the first `left` columns stand left, the others right."""
    table = _table(titles, left=left)
    for row in rows:
        table.add_row(*row)
    return table


def warning_lines(warnings: Sequence[str]) -> list[RenderableType]:
    """Return each warning as a yellow line."""
    return [Text(f"warning: {warning}", style="yellow") for warning in warnings]


def as_text(*parts: RenderableType | Mapping[str, str], width: int = 80) -> str:
    r"""Return what would be printed, without colour, for files.

    >>> as_text(Text("a line", style="red"))
    'a line\n'
    """
    stream = StringIO()
    console = Console(file=stream, width=width, color_system=None, highlight=False)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str), markup=False)
    lines = (line.rstrip() for line in stream.getvalue().splitlines())
    return "".join(f"{line}\n" for line in lines)


def _table(titles: Sequence[str], *, left: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for number, title in enumerate(titles):
        table.add_column(
            title,
            justify="left" if number < left else "right",
            overflow="fold",
            vertical="bottom" if "\n" in title else "top",
        )
    return table


def shortened(name: str, width: int) -> str:
    """Return a name cut to a width, with dots where it is longer."""
    return name if len(name) <= width else name[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table; a bar within a cell is escaped.

    >>> markdown_table(["a", "b"], [["1", "x"]])
    ['| a | b |', '| --- | --- |', '| 1 | x |']
    """
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (titles, *rows)]
    head, *body = ("| " + " | ".join(row) + " |" for row in cells)
    return [head, "|" + " --- |" * len(titles), *body]
