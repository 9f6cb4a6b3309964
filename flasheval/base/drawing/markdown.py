"""Views and tables as Markdown, for files and notebooks."""

from __future__ import annotations

from collections.abc import Sequence

from flasheval.base.drawing.view import Line, Table, View

__all__ = ["markdown", "markdown_table"]

_FORMS = {
    "headline": "**{}**",
    "note": "*{}*",
    "chapter": "## {}",
    "section": "### {}",
    "code": "```bash\n{}\n```",
}
_LISTED = ("item", "alert", "warning")


def markdown(view: View, *, image: str = "") -> str:
    r"""Return a view as Markdown.

    Args:
        view: The view.
        image: File of its figure; without one figures are not shown.

    Example:
        >>> markdown(View((Line("a is best", "headline"), Line("b|c failed", "item"))))
        '**a is best**\n\n- b\\|c failed\n'

    """
    blocks: list[str] = []
    before = None
    for part in view.parts:
        look = part.look if isinstance(part, Line) else None
        if isinstance(part, Line):
            if not part.text:
                continue
            text = _line(part)
            if look in _LISTED and look == before:
                blocks[-1] += f"\n{text}"
                continue
            if look == "warning" and before != "chapter":
                blocks.append("Warnings:")
            blocks.append(text)
        elif isinstance(part, Table):
            blocks += [f"### {part.caption}"] if part.caption else []
            blocks.append("\n".join(_table(part)))
        elif image:
            blocks.append(f"![{part.caption}]({image})")
        before = look
    return "\n\n".join(blocks) + "\n"


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table; a bar within a cell is escaped.

    >>> markdown_table(["a", "b"], [["1", "x"]])
    ['| a | b |', '| --- | --- |', '| 1 | x |']
    """
    return _table(Table(titles, rows))


def _table(table: Table) -> list[str]:
    rows = (table.one_line_titles, *table.rows)
    head, *body = ("| " + " | ".join(map(_one_line, row)) + " |" for row in rows)
    return [head, "|" + " --- |" * len(table.titles), *body]


def _line(line: Line) -> str:
    if line.look in _LISTED:
        return f"- {_one_line(line.text)}"
    return _FORMS.get(line.look, "{}").format(line.text)


def _one_line(text: str) -> str:
    return " ".join(text.splitlines()).replace("|", "\\|")
