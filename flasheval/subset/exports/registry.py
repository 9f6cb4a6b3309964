"""The formats by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flasheval.base.errors import DataError, SettingError
from flasheval.base.json_data import check_names, from_plain
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

FORMATS: dict[str, type[Any]] = {
    one.name: one for one in (JsonLines, Csv, Parquet, PlainText, Kohya, AiToolkit, DiffusersWords)
}
"""The formats by name."""


def make_format(name: str, settings: Mapping[str, object] | None = None) -> Format:
    """Return a format with its settings, checked.

    Raises:
        SettingError: No such format, no such setting of it, or a value that cannot be.

    >>> make_format("kohya", {"width": 768}).width
    768
    >>> make_format("kohia")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: there is no format 'kohia'; ... did you mean 'kohya'?

    """
    settings = settings or {}
    check_names(FORMATS, name, settings, "format", f"format {name!r}")
    try:
        made: Format = from_plain(FORMATS[name], settings, source=f"format {name}")
    except (DataError, SettingError) as error:
        prefix = "" if isinstance(error, DataError) else f"format {name}: "
        raise SettingError(f"{prefix}{error}") from None
    return made


def export(
    subset: Subset, format: str | Format, settings: Mapping[str, object] | None = None
) -> bytes:
    r"""Return a subset as the bytes of a file that another tool reads.

    Args:
        subset: One that knows its texts.
        format: ``jsonl``, ``csv``, ``parquet``, ``text``, ``kohya``, ``ai-toolkit`` or
            ``diffusers``; or one that `make_format` made, without settings.
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
    return (make_format(format, settings) if isinstance(format, str) else format).write(subset)
