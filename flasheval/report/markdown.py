"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["markdown_table"]


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table; a bar within a cell is escaped.

    >>> markdown_table(["a", "b"], [["1", "x"]])
    ['| a | b |', '| --- | --- |', '| 1 | x |']
    """
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (titles, *rows)]
    head, *body = ("| " + " | ".join(row) + " |" for row in cells)
    return [head, "|" + " --- |" * len(titles), *body]
