"""What a result with a view gets from it: how it prints, in a terminal and in a notebook."""

from __future__ import annotations

from flasheval.base.drawing.view import View

__all__ = ["Shown"]


class Shown:
    """A result that prints as its view.

    Example:
        >>> from flasheval.base.drawing.view import Line
        >>> class Answer(Shown):
        ...     def view(self) -> View:
        ...         return View((Line("a is best", "headline"),))
        >>> print(Answer(), Answer()._repr_markdown_())
        a is best **a is best**
        <BLANKLINE>

    """

    def view(self) -> View:
        """Return what it shows, as plain data."""
        raise NotImplementedError

    def __str__(self) -> str:
        from flasheval.base.drawing.terminal import as_text

        return as_text(self.view()).rstrip("\n")

    def _repr_markdown_(self) -> str:
        from flasheval.base.drawing.markdown import markdown

        return markdown(self.view())
