import json
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import Figure, Line, Plot, Pointer, Series, Table, View, lines

SERIES = Series("a", (1, 2), (0.5, float("nan")), (0.4, 0.4), (0.6, np.float64("inf")))
PLOT = Plot("title", "x", "y", (SERIES,), (1, 2), pointer=Pointer(1, 0.5))
VIEW = View(
    (
        Line("a note", "note"),
        Line("a is best", "headline"),
        Line(""),
        Table(("\nmetric", "held-out\ntau"), [("clip", "0.5")], caption="random:8"),
        Figure([[PLOT, None]]),
        *lines(["mind this", "and this"], "warning"),
    )
)


def test_its_parts_are_found_by_what_they_are() -> None:
    assert VIEW.headline == "a is best"
    assert VIEW.warnings == ("mind this", "and this")
    assert [one.caption for one in VIEW.tables] == ["random:8"]
    assert VIEW.figures[0].panels[0][0] is PLOT
    assert View(()).headline == ""


def test_json_holds_everything_and_no_number_that_json_lacks() -> None:
    data: Any = json.loads(json.dumps(VIEW.to_dict(), allow_nan=False))
    assert list(data) == ["headline", "lines", "tables", "figures", "warnings"]
    assert data["headline"] == "a is best"
    assert data["lines"] == ["a note"]
    assert data["warnings"] == ["mind this", "and this"]
    (table,) = data["tables"]
    assert (table["titles"], table["rows"]) == (["metric", "held-out tau"], [["clip", "0.5"]])
    plot, nothing = data["figures"][0]["panels"][0]
    assert nothing is None
    assert plot["series"][0]["y"] == [0.5, None]
    assert plot["series"][0]["high"] == [0.6, None]
    assert plot["pointer"]["to"] is None


def test_it_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        VIEW.parts = ()  # type: ignore[misc]


def test_a_result_prints_as_its_view() -> None:
    class Result(Shown):
        def view(self) -> View:
            return VIEW

    assert str(Result()).splitlines()[:2] == ["a note", "a is best"]
    assert Result()._repr_markdown_().startswith("*a note*\n\n**a is best**\n\n### random:8\n")
    with pytest.raises(NotImplementedError):
        Shown().view()
