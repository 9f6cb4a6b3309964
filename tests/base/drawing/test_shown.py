"""Results show themselves: one line, the command's text, plain data, a frame."""

import json
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from flasheval.base.drawing.shown import Shown, frame_of
from flasheval.base.drawing.view import Line, Table, View
from flasheval.base.errors import SettingError


@dataclass(repr=False)
class Answer(Shown):
    name: str
    values: object = ()

    kind = "answer"

    def view(self) -> View:
        table = Table(("name", "a title"), [(self.name, "0.5" * 60)])
        return View((Line(f"{self.name} is best", "headline"), table, Line("m" * 200, "warning")))

    def _brief(self) -> str:
        return f"{self.name} of 3"

    def _rows(self) -> list[dict[str, object]]:
        return [{"name": self.name, "score": None}]


def test_a_repr_is_one_short_line_whatever_the_name() -> None:
    assert repr(Answer("a")) == "<Answer: a of 3>"
    for name in ("a\nb" * 100, "x" * 10**6, "\x1b[31m\u202e" * 50):
        assert len(repr(Answer(name))) <= 100
        assert repr(Answer(name)).isprintable()


def test_it_prints_what_the_terminal_prints_and_folds_nothing() -> None:
    lines = str(Answer("[red]a[/red]")).splitlines()
    assert lines[0] == "[red]a[/red] is best"
    assert lines[2].split() == ["[red]a[/red]", "0.5" * 60]
    assert lines[3] == f"warning: {'m' * 200}"


def test_its_data_is_plain_and_says_what_it_is() -> None:
    values = {"b": np.array([0.1, np.nan, -np.inf]), "a": (np.float64(1 / 3), np.int64(2), None)}
    data = Answer("a", values).to_dict()
    assert list(data) == ["kind", "schema", "headline", "name", "values"]
    assert (data["kind"], data["schema"], data["headline"]) == ("answer", 1, "a is best")
    assert data["values"] == {"b": [0.1, None, None], "a": [1 / 3, 2, None]}
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert Answer("a", Answer("b")).to_dict()["values"]["kind"] == "answer"  # what lies within too


def test_a_frame_needs_pandas_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = Answer("a").to_pandas()
    assert frame.to_dict("records")[0]["name"] == "a"
    assert np.isnan(frame_of([{"x": 1.5}, {"x": None}])["x"][1])
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SettingError, match=r"pip install pandas$"):
        Answer("a").to_pandas()
