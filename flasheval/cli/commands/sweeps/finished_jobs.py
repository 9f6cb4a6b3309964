"""The finished jobs of a sweep: small records, so that the same command does only what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasheval.base.canonical import canonical_value, sha256_of
from flasheval.base.errors import FlashevalError
from flasheval.base.json_data import from_plain, read_json, to_plain, write_json
from flasheval.base.version import __version__
from flasheval.cli.commands.context import SUMMARIES, EvaluationSummary, SearchSummary
from flasheval.cli.outputs import texts_in

__all__ = ["FinishedJob"]

_FOLDER = ".finished"
_NEUTRAL = ("out", "overwrite", "images", "tracker")  # what a job writes, not what it finds


@dataclass(frozen=True)
class FinishedJob:
    """The record of one job in the folder of its sweep; it is there once the job is done.

    A record holds what the job read as it was then, by names, sizes and times of files, so that a
    job whose scores or model have changed since is done again.

    Attributes:
        path: The record's file.
        read: What determines the result, as one hash.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     job = FinishedJob.of(Path(folder), {"size": 10})
        ...     job.summary() is None
        True

    """

    path: Path
    read: str

    @classmethod
    def of(cls, sweep: Path, settings: Mapping[str, Any]) -> FinishedJob:
        """Return the record that a job with these settings has, whether it is there or not."""
        asked = {key: value for key, value in settings.items() if key not in _NEUTRAL}
        read = {"flasheval": __version__, "files": sorted(_files(asked, sweep))}
        name = sha256_of(canonical_value(asked, digits=17), digits=17)[:16]
        return cls(sweep / _FOLDER / f"{name}.json", sha256_of(read))

    def summary(self) -> SearchSummary | EvaluationSummary | None:
        """Return what the job measured; None where it is not done, or its result is gone."""
        with suppress(FlashevalError, KeyError, TypeError):
            said = read_json(self.path)
            kind = SUMMARIES[said["kind"]]
            found: Any = from_plain(kind, said["summary"], source=str(self.path))
            if said["read"] == self.read and Path(found.result).exists():
                kept: SearchSummary | EvaluationSummary = found
                return kept
        return None

    def keep(self, summary: SearchSummary | EvaluationSummary) -> None:
        """Write down that the job is done."""
        said = {"kind": type(summary).__name__, "read": self.read, "summary": to_plain(summary)}
        write_json(self.path, said)


def _files(settings: Mapping[str, Any], sweep: Path) -> Iterator[str]:
    """Yield name, size and time of every file that a setting names, is a folder of, or code of."""
    for word in texts_in(settings):
        for name in {word, word.rpartition(":")[0]} - {""}:
            with suppress(OSError, ValueError):
                path = Path(name).expanduser()
                inside = path.is_dir() and not sweep.resolve().is_relative_to(path.resolve())
                for one in path.rglob("*") if inside else [path]:
                    if one.is_file():
                        state = one.stat()
                        yield f"{one}:{state.st_size}:{state.st_mtime_ns}"
