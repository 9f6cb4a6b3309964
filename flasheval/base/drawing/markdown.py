"""Views and tables as Markdown, for files and notebooks: names in them stay text.

What a name holds becomes no HTML, emphasis, link, code, heading or formula; see `inline`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flasheval.base.drawing.view import Line, Table, View
from flasheval.base.text import visible

__all__ = ["inline", "markdown", "markdown_table"]

_FORMS = {
    "headline": "**{}**",
    "note": "*{}*",
    "chapter": "## {}",
    "section": "### {}",
}
_LISTED = ("item", "alert", "warning")
# Of signs that mean something only where they stand, those that stand there: `a_b`, `2 < 3`, `[1]`
# and `5 $` are read as they are by every reader.
_MARKS = re.compile(
    r"""[\\`*|]|~~|<(?=[A-Za-z/!?])|&(?=\#?\w+;)|\](?=[(\[:])|(?<![^\W_])_|_(?![^\W_])|\$(?=\S)
    |^(?:\#{1,6}(?=\s|$)|>|[+-](?=\s|$)|[-=]+$|\d+(?=[.)](?:\s|$)))""",
    re.VERBOSE,
)


def markdown(view: View, *, image: str | Sequence[str] = "") -> str:
    r"""Return a view as Markdown.

    Args:
        view: The view.
        image: File of its figure, or a file for each; a figure without one is not shown.

    Example:
        >>> markdown(View((Line("a is best", "headline"), Line("b|c failed", "item"))))
        '**a is best**\n\n- b\\|c failed\n'

    """
    blocks: list[str] = []
    images = [image] if isinstance(image, str) else [*image]
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
            blocks += [f"### {inline(part.caption)}"] if part.caption else []
            blocks.append("\n".join(_table(part)))
        elif images and images[0]:
            blocks.append(f"![{inline(part.caption)}]({images.pop(0)})")
        before = look
    return "\n\n".join(blocks) + "\n"


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table of Markdown cells; names come through `inline` first.

    >>> markdown_table(["a", "b"], [["1", "**x**"]])
    ['| a | b |', '| --- | --- |', '| 1 | **x** |']
    """
    head, *body = ("| " + " | ".join(row) + " |" for row in (titles, *rows))
    return [head, "|" + " --- |" * len(titles), *body]


def inline(text: str) -> str:
    r"""Return a text as Markdown on one line that shows the same text.

    >>> print(inline("<b>a</b> is *best*, sd_xl|b"))
    &lt;b>a&lt;/b> is \*best\*, sd_xl\|b
    """
    return _MARKS.sub(_escaped, visible(" ".join(text.split())))


def _escaped(found: re.Match[str]) -> str:
    mark = found[0]
    if mark.isdigit():  # of a numbered list
        return f"{mark}\\"
    return {"<": "&lt;", "&": "&amp;", "~~": "\\~\\~"}.get(mark, f"\\{mark}")


def _table(table: Table) -> list[str]:
    titles, *rows = ([*map(_cell, row)] for row in (table.one_line_titles, *table.rows))
    return markdown_table(titles, rows)


def _cell(text: str) -> str:
    return text if text == "-" else inline(text)  # no number, and no list within a cell


def _line(line: Line) -> str:
    if line.look == "code":
        text = visible(line.text)
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        return f"{fence}bash\n{text}\n{fence}"
    if line.look in _LISTED:
        return f"- {inline(line.text)}"
    return _FORMS.get(line.look, "{}").format(inline(line.text))
