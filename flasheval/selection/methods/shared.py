"""`shared`: one subset that serves every metric, by the sum of their balanced losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flasheval.selection.methods.balanced import Balanced

__all__ = ["Shared"]


@dataclass(frozen=True)
class Shared(Balanced):
    """The balanced loss summed over metrics, with fewer passes; made for several metrics at once.

    Where no metric is named it searches on all of the table's, and the search of one metric's
    subset may borrow the others.

    Example:
        >>> Shared().together, Shared().passes, Shared(passes=2).passes
        (True, 4, 2)

    """

    passes: int = 4

    name: ClassVar[str] = "shared"
    together: ClassVar[bool] = True
