"""A result as plain data: lines, tables and series that every drawing of it is made from.

Terminal, notebook, Markdown, JSON and PNG are drawn from one `View`, so they cannot differ. Names
stand in it as they are: what a drawing would read as markup, the drawing escapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from flasheval.base.drawing.brief import Brief
from flasheval.base.json_data import plain_data

__all__ = ["Figure", "Line", "Part", "Plot", "Pointer", "Series", "Table", "View", "lines"]

Ends = tuple[float | None, float | None]


class Line(NamedTuple):
    """A line of text and what it is; an empty one parts what stands above and below it."""

    text: str
    look: Literal[
        "headline",
        "text",
        "faint",
        "note",
        "warning",
        "alert",
        "item",
        "chapter",
        "section",
        "code",
    ] = "text"


@dataclass(frozen=True, repr=False)
class Table(Brief):
    """Rows of text under titles.

    Attributes:
        titles: Of the columns; a line break parts the lines of a title.
        rows: The cells, a row each.
        left: So many columns stand left, the others right.
        strong: The column that counts, if one does.
        caption: What the rows are.

    """

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1
    strong: int | None = None
    caption: str = ""

    @property
    def one_line_titles(self) -> list[str]:
        """The titles, each on one line."""
        return [" ".join(title.split()) for title in self.titles]


@dataclass(frozen=True, repr=False)
class Series(Brief):
    """Numbers of one name.

    Attributes:
        name: What a legend calls them; empty where it does not.
        x: Where they stand.
        y: The numbers.
        low: Lower end of each one's range, if they have one.
        high: Its upper end.
        look: `points` with bars; the `random` curve with its band; `searched`, which flatters;
            a `guide` for the eye; a `level` over the whole width; a `scatter` of points alone; a
            `frontier`, whose points are named and joined by steps.
        band: What a legend calls the range.
        labels: What each point of a scatter or a frontier is called.

    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    look: Literal["points", "random", "searched", "guide", "level", "scatter", "frontier"] = (
        "points"
    )
    band: str = ""
    labels: Sequence[str] = ()


@dataclass(frozen=True)
class Pointer:
    """A ring around a point, and where a level line from it leads, with what that means."""

    x: float
    y: float
    to: float | None = None
    text: str = ""


@dataclass(frozen=True, repr=False)
class Plot(Brief):
    """Series on one pair of axes.

    Attributes:
        title: One line or more.
        x_label: What x is.
        y_label: What y is.
        series: What is drawn.
        x_ends: The least and the greatest x; on a logarithmic axis it ends there.
        y_ends: Where the axis of y ends; None leaves it open.
        x_log: Whether the axis of x is logarithmic.
        y_log: The same of y.
        x_ticks: The only ticks of x, if given.
        rows: Names of the rows y = 0, 1, ... from the top; ranges of points then lie along x.
        pointer: The point that counts, if one does.

    """

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_ends: tuple[float, float]
    y_ends: Ends = (None, None)
    x_log: bool = False
    y_log: bool = False
    x_ticks: Sequence[float] = ()
    rows: Sequence[str] = ()
    pointer: Pointer | None = None


@dataclass(frozen=True, repr=False)
class Figure(Brief):
    """Plots in rows, under one title and one legend; None leaves a place empty."""

    panels: Sequence[Sequence[Plot | None]]
    title: str = ""
    caption: str = ""


Part = Line | Table | Figure


@dataclass(frozen=True, repr=False)
class View(Brief):
    """What a result shows, in order.

    Example:
        >>> view = View((Line("a is best", "headline"), Table(("name", "score"), [("a", "0.5")])))
        >>> view.headline
        'a is best'
        >>> view.to_dict()["tables"][0]["rows"]
        [['a', '0.5']]

    """

    parts: tuple[Part, ...]

    @property
    def headline(self) -> str:
        """The one sentence a reader came for; empty where there is none."""
        return next(iter(self._texts("headline")), "")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know, one line each."""
        return self._texts("warning")

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables, in order."""
        return tuple(one for one in self.parts if isinstance(one, Table))

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures, in order."""
        return tuple(one for one in self.parts if isinstance(one, Figure))

    def to_dict(self) -> dict[str, Any]:
        """Return the view as JSON data; a number that is not finite is None."""
        others = ("headline", "warning")
        found = [one for one in self.parts if isinstance(one, Line) and one.look not in others]
        content = {
            "headline": self.headline,
            "lines": [one.text for one in found if one.text],
            "tables": [asdict(one) | {"titles": one.one_line_titles} for one in self.tables],
            "figures": list(map(asdict, self.figures)),
            "warnings": self.warnings,
        }
        return dict(plain_data(content))

    def _texts(self, look: str) -> tuple[str, ...]:
        return tuple(one.text for one in self.parts if isinstance(one, Line) and one.look == look)


def lines(texts: Iterable[str], look: Any = "text") -> list[Line]:
    """Return texts as lines of one look.

    >>> lines(["mind this"], "warning")
    [Line(text='mind this', look='warning')]
    """
    return [Line(text, look) for text in texts]
