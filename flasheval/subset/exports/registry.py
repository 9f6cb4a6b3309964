"""The formats by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flasheval.base.registry import Registry
from flasheval.subset.exports.ai_toolkit import AiToolkit
from flasheval.subset.exports.csv_table import Csv
from flasheval.subset.exports.diffusers_words import DiffusersWords
from flasheval.subset.exports.format import Format
from flasheval.subset.exports.json_lines import JsonLines
from flasheval.subset.exports.kohya import Kohya
from flasheval.subset.exports.parquet_table import Parquet
from flasheval.subset.exports.plain_text import PlainText

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["FORMATS", "export", "make_format"]

FORMATS: Registry[Format] = Registry(
    "format",
    "flasheval.exports",
    Format,
    [JsonLines, Csv, Parquet, PlainText, Kohya, AiToolkit, DiffusersWords],
)
"""The formats by name."""


def make_format(entry: object, settings: Mapping[str, object] | None = None) -> Format:
    """Return a format with its settings, checked.

    Args:
        entry: A name; a mapping of settings with the ``name``; or a format already made.
        settings: Settings beside a name.

    Raises:
        SettingError: No such format, no such setting of it, or a value that cannot be.

    >>> make_format("kohya", {"width": 768}).width
    768
    >>> make_format("kohia")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: there is no format 'kohia'; ... did you mean 'kohya'?

    """
    return FORMATS.make(entry, settings)


def export(
    subset: Subset,
    format: str | Mapping[str, object] | Format,
    settings: Mapping[str, object] | None = None,
) -> bytes:
    r"""Return a subset as the bytes of a file that another tool reads.

    Args:
        subset: One that knows its texts.
        format: ``jsonl``, ``csv``, ``parquet``, ``text``, ``kohya``, ``ai-toolkit`` or
            ``diffusers``; or an object such as ``Kohya(width=768)``.
        settings: The format's settings, as docs/exports.md names them.

    Returns:
        Text is UTF-8. What a format drops of a text or of its weight is told by a warning.

    Raises:
        SettingError: No such format or setting.
        DataError: Texts that are not known, or one that the format cannot carry.

    >>> from flasheval.prompts import PromptSet
    >>> from flasheval.subset import Method, Subset
    >>> pets = PromptSet("pets", ("1", "2"), ("a cat", "a dog"))
    >>> subset = Subset.choose(pets, [1, 0], name="two", metrics=(), method=Method("random"),
    ...                        with_texts=True)
    >>> export(subset, "kohya", {"width": 768, "seed": 0}).decode().splitlines()
    ['a dog --w 768 --d 2647012970', 'a cat --w 768 --d 2839049726']

    """
    return make_format(format, settings).write(subset)
