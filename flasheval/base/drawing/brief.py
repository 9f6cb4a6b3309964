"""A repr of one short line for records that may hold thousands of numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields

import numpy as np

from flasheval.base.text import shortened, visible

__all__ = ["Brief"]

_LINE, _VALUE, _FEW = 160, 40, 3


class Brief:
    """A dataclass whose repr is one line of at most 160 letters, whatever it holds.

    Arrays stand as their type and shape, long lists as their length.

    >>> from dataclasses import dataclass
    >>> @dataclass(repr=False)
    ... class Row(Brief):
    ...     name: str
    ...     values: np.ndarray
    ...     others: tuple[int, ...] = ()
    >>> Row("a", np.zeros((64, 2000)), tuple(range(50)))
    Row(name='a', values=<float64 [64, 2000]>, others=<50>)
    """

    def __repr__(self) -> str:
        shown = (one for one in fields(self) if one.repr)  # type: ignore[arg-type] # of subclasses
        pairs = ", ".join(f"{one.name}={_short(getattr(self, one.name))}" for one in shown)
        return shortened(f"{type(self).__name__}({pairs})", _LINE)


def _short(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} {list(value.shape)}>"
    if isinstance(value, str):
        return shortened(visible(repr(value[: 2 * _VALUE])), _VALUE)
    if isinstance(value, Collection):
        few = len(value) <= _FEW and not isinstance(value, Mapping)
        shown = repr(value) if few and all(isinstance(one, int | float) for one in value) else ""
        return shown if shown and len(shown) <= _VALUE else f"<{len(value)}>" if value else "()"
    return shortened(visible(" ".join(repr(value).split())), _VALUE)
