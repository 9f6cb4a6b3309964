"""Records of many numbers have a repr of one short line."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from flasheval.base.drawing.brief import Brief


@dataclass(repr=False)
class Row(Brief):
    name: str
    values: object
    kept: object = field(default=(), repr=False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (np.zeros((64, 2000), dtype=np.float32), "<float32 [64, 2000]>"),
        (tuple(range(5000)), "<5000>"),
        ((0.5, 0.25), "(0.5, 0.25)"),
        ({"a": 1}, "<1>"),
        ((), "()"),
        (None, "None"),
        (0.1, "0.1"),
        ("two\nlines", r"'two\nlines'"),
    ],
)
def test_a_value_stands_as_what_it_is(value: object, shown: str) -> None:
    assert repr(Row("a", value, kept="not shown")) == f"Row(name='a', values={shown})"


def test_no_value_makes_it_long_or_more_than_a_line() -> None:
    for value in ("x" * 10**6, "\n" * 99, Row("b" * 99, "c" * 99), "\x1b[31m" * 99):
        shown = repr(Row("a" * 1000, value))
        assert len(shown) <= 160
        assert shown.isprintable()
