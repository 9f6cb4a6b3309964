"""Docstrings made ready for Markdown: doctests become code, roles of reST become names."""

from __future__ import annotations

import re
from typing import Any

import griffe

__all__ = ["Docstrings", "as_markdown"]

_ROLE = re.compile(r":(?:mod|func|class|meth|attr|data):`~?([^`]+)`")


class Docstrings(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    r"""Return a docstring with its doctests fenced: `>>>` alone would be a quotation of quotations.

    >>> as_markdown(">>> 1 + 1\n2")
    '```pycon\n>>> 1 + 1\n2\n```'
    """
    lines: list[str] = []
    indent: str | None = None  # of the doctest that is open
    for line in _ROLE.sub(r"`\1`", text).splitlines():
        if indent is None and line.lstrip().startswith(">>>"):
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(f"{indent}```pycon")
        elif indent is not None and not line.strip():
            lines.append(f"{indent}```")
            indent = None
        lines.append(line)
    if indent is not None:
        lines.append(f"{indent}```")
    return "\n".join(lines)
