"""Prompt ids as a setting gives them: a list, or a file of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.base.files import read_text

if TYPE_CHECKING:
    from flasheval.prompts import PromptSet

__all__ = ["read_ids"]


def read_ids(value: object, key: str, prompts: PromptSet | None = None) -> tuple[str, ...]:
    """Return the prompt ids a setting names, in order.

    Args:
        value: None for none; a list of ids; or the name of a file that holds a JSON list of ids,
            a subset manifest, or one id a line (blank lines do not count).
        key: The setting's name, for messages.
        prompts: The prompt set the ids are of: it must have all ids of a list, and a manifest's
            texts must be those it has under them.

    Raises:
        SettingError: Another value, or a list with an id twice or one that is not in `prompts`.
        DataError: A file that cannot be read, holds something else or an id twice, or a manifest
            of other prompts.

    Example:
        >>> read_ids([17, "b"], "require")
        ('17', 'b')

    """
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        ids = _distinct(value, f"{key}=[...]", SettingError)
        _require_known(ids, key, prompts)
        return ids
    if not isinstance(value, str) or not value.strip():
        raise SettingError(
            f"{key}={value}: expected a list of prompt ids such as [12,31], or a file of them"
        )
    path = Path(value)
    if path.suffix.lower() == ".json":
        return _from_json(path, prompts)

    lines = (line.strip() for line in read_text(path, "file of prompt ids").splitlines())
    return _distinct([line for line in lines if line], str(path))


def _require_known(ids: tuple[str, ...], key: str, prompts: PromptSet | None) -> None:
    try:
        if prompts is not None:
            prompts.index_of(ids)
    except DataError as error:
        raise SettingError(f"{key}=[...]: {error}") from error


def _from_json(path: Path, prompts: PromptSet | None) -> tuple[str, ...]:
    from flasheval.base.json_data import read_json

    content = read_json(path)
    if isinstance(content, Mapping):
        from flasheval.subset import Subset

        subset = Subset.from_dict(content, source=str(path))
        subset.verify(prompts)  # equal ids may be other prompts
        return subset.ids
    if not isinstance(content, list):
        raise DataError(f"{path}: expected a JSON list of prompt ids, or a subset manifest")
    return _distinct(content, str(path))


def _distinct(
    entries: list[Any] | tuple[Any, ...], where: str, error: type[FlashevalError] = DataError
) -> tuple[str, ...]:
    for entry in entries:
        if isinstance(entry, bool) or not isinstance(entry, str | int):
            raise error(f"{where}: {entry!r} is no prompt id; expected strings or integers")
    ids = tuple(str(entry) for entry in entries)
    if not ids:
        raise error(f"{where} holds no prompt ids; expected at least one")
    if len(set(ids)) < len(ids):
        seen: set[str] = set()
        twice = next(name for name in ids if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise error(f"{where} names prompt {twice!r} more than once; name each once")
    return ids
