"""Failures of units: one small file each, removed when the unit succeeds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flasheval.base.files import atomic_write
from flasheval.base.json_data import from_plain, to_plain

__all__ = ["Failure", "FailureLog", "unscored", "with_reason"]


@dataclass(frozen=True)
class Failure:
    """Why a unit, or a whole variant, could not be done.

    Attributes:
        variant: The variant's name.
        stage: ``plan``, ``load``, ``generate`` or the name of the metric.
        reason: The error in one line.
        unit: The unit's name; empty for the whole variant.
        first_id: The first prompt of the unit.
        n_prompts: Number of prompts in the unit.
        image: The images' number among those of their prompt.

    >>> Failure("sd15/DDIM10", "load", "no such checkpoint").unit == ""  # the whole variant
    True

    """

    variant: str
    stage: str
    reason: str
    unit: str = ""
    first_id: str = ""
    n_prompts: int = 0
    image: int = 0

    def of_variant(self) -> Failure:
        """Return the failure of the whole variant that follows from this one.

        >>> one = Failure("sd15", "generate", "out of memory", "0a1b", first_id="7", n_prompts=32)
        >>> one.of_variant().reason
        'out of memory (several units in a row: the rest is left out)'
        """
        more = "" if self.stage == "load" else " (several units in a row: the rest is left out)"
        return Failure(self.variant, self.stage, self.reason + more)


class FailureLog:
    """The folder of failures of a run.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = FailureLog(Path(folder))
    ...     log.write("sd15", Failure("sd15", "CLIP", "out of memory", "0a1b"))
    ...     print([failure.reason for failure in log.all()])
    ...     log.clear("sd15", "0a1b")
    ...     print(list(log.all()))
    ['out of memory']
    []
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, slug: str, failure: Failure) -> None:
        """Save a failure; it replaces an earlier one of the same unit.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     log = FailureLog(Path(folder))
        ...     for reason in ("out of memory", "no such file"):
        ...         log.write("sd15", Failure("sd15", "CLIP", reason, "0a1b"))
        ...     [failure.reason for failure in log.all()]
        ['no such file']
        """
        with atomic_write(self._path(slug, failure.unit)) as temporary:
            temporary.write_text(json.dumps(to_plain(failure), ensure_ascii=False), "utf-8")

    def clear(self, slug: str, unit: str) -> None:
        """Remove the failure of a unit, if there is one."""
        self._path(slug, unit).unlink(missing_ok=True)

    def forget(self, slug: str) -> None:
        """Remove every failure of a variant, before it is tried again.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     log = FailureLog(Path(folder))
        ...     log.write("sd15", Failure("sd15", "CLIP", "out of memory", "0a1b"))
        ...     log.forget("sd15")
        ...     list(log.all())
        []
        """
        for path in (self._folder / slug).glob("*.json"):
            path.unlink(missing_ok=True)

    def all(self) -> Iterator[Failure]:
        """Yield every failure, in the order of the variants' folders; damaged files are skipped."""
        for path in sorted(self._folder.glob("*/*.json")):
            try:
                yield from_plain(Failure, json.loads(path.read_text("utf-8")), source=str(path))
            except Exception:  # noqa: S112 - the unit is undone, which is what counts
                continue

    def _path(self, slug: str, unit: str) -> Path:
        return self._folder / slug / f"{unit or 'variant'}.json"


def unscored(count: int, images: int) -> str:
    """Return how many images have no score, as the head of an answer; nothing where all have.

    Example:
        >>> unscored(44, 100), unscored(0, 100)
        ('Not complete, 44 of 100 images have no score', '')

    """
    return f"Not complete, {count:,} of {images:,} images have no score" if count else ""


def with_reason(known: str | None, why: str) -> str:
    """Return why an image has no score: a metric's reason beside those of other metrics.

    >>> with_reason(None, "A gives no score"), with_reason("no image", "no image")
    ('A gives no score', 'no image')
    >>> with_reason("A gives no score", "B gives no score")
    'A gives no score; B gives no score'
    """
    if known is None:
        return why
    return known if why in known.split("; ") else f"{known}; {why}"
