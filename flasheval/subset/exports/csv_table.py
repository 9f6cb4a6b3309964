"""CSV: a row a prompt."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from flasheval.subset.exports.rows import rows
from flasheval.subset.exports.text_checks import refuse

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["Csv"]


@dataclass(frozen=True)
class Csv:
    """A header, then a row a prompt: the columns of JSON lines, ``sources`` and ``tags`` as JSON.

    Quoted as RFC 4180 says, all strings. A text with a null character is refused.
    """

    name: ClassVar[str] = "csv"
    binary: ClassVar[bool] = False
    suffix: ClassVar[None] = None

    def write(self, subset: Subset) -> bytes:
        """Return the file; see `Format`.

        >>> from flasheval.subset.subset import Method, Subset, SubsetPrompt
        >>> prompts = (SubsetPrompt("7", text="a cat"),)
        >>> subset = Subset("one", "pets", None, prompts, (), Method("random"))
        >>> print(Csv().write(subset).decode().splitlines()[0])
        "prompt_id","text","weight","multiplicity","text_sha256","sources"
        """
        table = rows(subset)
        refuse(subset, subset.texts, _fault, "csv")
        file = io.StringIO(newline="")
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerow(table[0])
        for row in table:
            writer.writerow(
                json.dumps(cell) if isinstance(cell, dict) else cell for cell in row.values()
            )
        return file.getvalue().encode()

    def how(self, path: str) -> tuple[str, ...]:
        r"""Return how to use it; see `Format`.

        >>> Csv().how("pets.csv")
        ('pandas.read_csv(\'pets.csv\', dtype={"prompt_id": str}, keep_default_na=False)',)
        """
        return (f'pandas.read_csv({path!r}, dtype={{"prompt_id": str}}, keep_default_na=False)',)


def _fault(text: str) -> str:
    return "it holds a null character, at which readers stop" if "\0" in text else ""
