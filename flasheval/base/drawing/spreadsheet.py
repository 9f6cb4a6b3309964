"""CSV for people, who open it in a spreadsheet: no cell is a formula or a command.

Files of data (scores, prompts, exports) are written elsewhere, with every name to the byte.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from flasheval.base.text import visible

__all__ = ["csv_for_people"]

_FORMULA = (*"=+-@\t", *map(chr, (0xFF1D, 0xFF0B, 0xFF0D, 0xFF20)))  # and their wide forms


def csv_for_people(rows: Iterable[Sequence[object]]) -> str:
    r"""Return rows as CSV, the titles first; text that a spreadsheet would run begins with `'`.

    That is text beginning with `=`, `+`, `-`, `@` or a tab. Numbers stay, negative ones too.

    >>> csv_for_people([("variant", "mean"), ("=1+1", -0.5), ("sd\x1b", None)])
    "variant,mean\n'=1+1,-0.5\nsd\\x1b,\n"
    """
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows(
        [_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
    )
    return file.getvalue()


def _cell(text: str) -> str:
    text = visible(text)
    # What stands in for no number is one character, and runs nothing.
    return f"'{text}" if text.startswith(_FORMULA) and len(text) > 1 and not _number(text) else text


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
