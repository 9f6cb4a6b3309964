"""What a command writes replaces its own earlier result, and nothing else unless asked.

A small hidden file keeps which command made what: in the result's folder, or beside the result
where that is a file. The same command goes on; another's result, one of other settings and files
from elsewhere are refused before anything is done, unless ``overwrite=true``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.json_data import read_json, write_json
from flasheval.base.run_folders import MADE_BY, shown_path
from flasheval.cli.configs import COMMON_KEYS
from flasheval.cli.verbs import VERBS, Output, Verb

__all__ = ["kept_output", "texts_in"]

_KEYS = ("out", "overwrite")
_SWEEP = " -m"
_WHOLE = "."  # the folder itself, beside the names of files in it
_SHOWN = 3


@contextmanager
def kept_output(
    verb: Verb, settings: Mapping[str, Any], words: Sequence[str] | None = None
) -> Iterator[None]:
    """Refuse to replace what the command did not make; note what the block writes as its own.

    Args:
        verb: The verb.
        settings: Its settings, plain data.
        words: The overrides of a whole sweep; None for one job.

    Raises:
        SettingError: The output holds something else, or is a file that the command reads.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     board = Path(folder, "board")
        ...     with kept_output(VERBS["rank"], {"out": str(board), "seed": 0}):
        ...         _ = Path(board, "rank.md").write_text("1. ours")
        ...     with kept_output(VERBS["rank"], {"out": str(board), "seed": 0}):  # the same
        ...         _ = Path(board, "rank.md").write_text("1. mine")
        ...     try:
        ...         with kept_output(VERBS["rank"], {"out": str(board), "seed": 1}):
        ...             pass
        ...     except SettingError as error:
        ...         print(str(error).replace(folder, "..."))
        out=.../board holds a leaderboard made with other settings (seed): name another out, or \
add overwrite=true to replace it

    """
    _refuse_own_input(settings)
    place = _place(verb, settings, words)
    if place is None:
        yield
        return
    empty = not place.holds_something()
    if not settings.get("overwrite"):
        place.refuse_others()
    fresh = empty and not _is_folder(place.record.parent)
    if empty:  # at once: what is killed is continued, and what it left there is ours
        place.claim()
    try:
        yield
    except BaseException:
        if empty and not place.holds_something():
            place.forget(fresh)
        raise
    place.note()


@dataclass(frozen=True)
class _Place:
    """Where a command's result is, and what would tell it from another's."""

    path: Path
    output: Output
    command: str
    told: Mapping[str, str]

    @property
    def record(self) -> Path:
        """The hidden file that keeps what was made by which command."""
        return (self.path.parent if self.output.is_file else self.path) / MADE_BY

    @property
    def _name(self) -> str:
        return self.path.name if self.output.is_file else _WHOLE

    def _entries(self) -> list[str]:
        """Return the names of all that the folder holds, but hidden files, settings and logs."""
        with suppress(OSError, ValueError):
            names = [one.name for one in self.path.iterdir() if not one.name.startswith(".")]
            return sorted(one for one in names if one != "config" and not one.endswith(".log"))
        return []

    def is_folder(self) -> bool:
        """Tell whether it is a folder; a name that no file can have is none."""
        return _is_folder(self.path)

    def holds_something(self) -> bool:
        """Tell whether there is anything to lose."""
        return _is_file(self.path) if self.output.is_file else bool(self._entries())

    def refuse_others(self) -> None:
        """Raise SettingError where something else than this command's result stands."""
        if not self.holds_something() or self._goes_on():
            return
        made = _read(self.record).get(self._name, {})
        command, told = made.get("command"), made.get("settings", {})
        verb = VERBS.get(str(command).removesuffix(_SWEEP))
        output = None if verb is None else _output(verb, sweep=str(command).endswith(_SWEEP))
        if output is None:
            reason = self._strangers()
        elif command != self.command:
            what = "a sweep" if str(command).endswith(_SWEEP) else output.what
            reason = f"holds {what}, made by flasheval {command}"
        elif other := [key for key in {**self.told, **told} if self.told.get(key) != told.get(key)]:
            what = "a sweep" if self.command.endswith(_SWEEP) else self.output.what
            reason = f"holds {what} made with other settings ({', '.join(other)})"
        elif self.output.is_file and made.get("sha256") not in (None, _sha256(self.path)):
            reason = f"holds {self.output.what} that was changed since it was made"
        else:
            return
        raise SettingError(
            f"out={shown_path(self.path)} {reason}: name another out, or add overwrite=true to "
            "replace it"
        )

    def claim(self) -> None:
        """Keep that this command makes what will stand there."""
        self._write({"command": self.command, "settings": dict(self.told)})

    def note(self) -> None:
        """Keep that this command made what stands there."""
        if self.holds_something() or self.is_folder():
            made: dict[str, Any] = {"command": self.command, "settings": dict(self.told)}
            if self.output.is_file:
                made["sha256"] = _sha256(self.path)
            self._write(made)

    def forget(self, fresh: bool) -> None:
        """Take back what `claim` kept, with its folder where that is fresh: nothing was made."""
        records = _read(self.record)
        if records.pop(self._name, None) is None:
            return
        with suppress(FlashevalError, OSError):
            if records:
                write_json(self.record, records)
            else:
                self.record.unlink()
                if fresh:
                    self.record.parent.rmdir()  # which refuses where anything else is in it

    def _write(self, made: dict[str, Any]) -> None:
        with suppress(FlashevalError):  # a folder that others may not write to
            write_json(self.record, {**_read(self.record), self._name: made})

    def _goes_on(self) -> bool:
        return any((self.path / name).is_file() for name in self.output.continues)

    def _strangers(self) -> str:
        by = f"that flasheval {self.command} did not make"
        if self.output.is_file:
            return f"is a file {by}"
        names = self._entries()
        more = ", ..." if len(names) > _SHOWN else ""
        return f"holds files {by} ({', '.join(names[:_SHOWN])}{more})"


def _place(verb: Verb, settings: Mapping[str, Any], words: Sequence[str] | None) -> _Place | None:
    output = _output(verb, sweep=words is not None)
    if output is None:
        return None
    found = settings.get("out") if output.place is None else resolve_name(output.place)(settings)
    if not found:
        return None
    neutral = (*_KEYS, *COMMON_KEYS, *output.neutral)
    if words is None:
        command, chosen = verb.name, {k: v for k, v in settings.items() if k not in neutral}
    else:
        told = sorted(word for word in words if word.partition("=")[0].lstrip("+") not in neutral)
        command, chosen = f"{verb.name}{_SWEEP}", {"its words": told}
    # What is empty is left out, so that a key that a later version adds is no difference.
    told_by_key = {key: _digest(value) for key, value in chosen.items() if not _is_empty(value)}
    return _Place(Path(found).expanduser(), output, command, told_by_key)


def _output(verb: Verb, *, sweep: bool) -> Output | None:
    """Return what a verb, or a sweep of its jobs, writes: a sweep always has a folder."""
    return Output("a sweep") if sweep and verb.output is None else verb.output


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _read(path: Path) -> dict[str, Any]:
    """Return what a record says; nothing where there is none, or where it is damaged."""
    try:
        found = read_json(path)
    except FlashevalError:
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {
        name: one
        for name, one in pairs
        if isinstance(one, dict) and isinstance(one.get("settings", {}), dict)
    }


def _refuse_own_input(settings: Mapping[str, Any]) -> None:
    """Refuse an `out` that is a file the command reads: it would be overwritten."""
    out = settings.get("out")
    if not isinstance(out, str) or not _is_file(Path(out).expanduser()):
        return
    target = Path(out).expanduser()
    ours = target.name in _read(target.parent / MADE_BY)
    for key, value in settings.items():
        for word in texts_in(value) if key != "out" else ():
            path = Path(word).expanduser()
            if _is_file(path) and path.samefile(target):
                raise SettingError(
                    f"out={out} is the file that {key} reads, and would be overwritten; name "
                    "another file"
                )
            if not ours and _is_folder(path) and path.samefile(target.parent):
                raise SettingError(
                    f"out={out} is a file of the folder that {key} reads, and would be "
                    "overwritten; name another file"
                )


def texts_in(value: Any) -> Iterator[str]:
    """Yield all strings in a setting.

    >>> list(texts_in({"name": "clip", "parts": ["a", 3]}))
    ['clip', 'a']
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from texts_in(one)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a word too long for a path, or with a null character
        return False
