"""The subsets that come with the package, and the names that only they have."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from flasheval.base.errors import DataError, SettingError
from flasheval.base.resources import bundled
from flasheval.subset.subset import Subset

__all__ = ["SHIPPED", "load_named", "own_name", "shipped_namesake"]

SHIPPED = "shipped with flasheval"
"""What `Subset.found` says of a subset that comes with the package."""


def load_named(path: Path, name: str) -> Subset:
    """Read and check a manifest that must hold the subset of this name.

    Raises DataError for one that is damaged, or another subset's.

    >>> load_named(bundled()["coco-shared-50"], "coco-shared-50").size
    50
    """
    subset = _load(path, _stamp(path))
    if subset.name != name:
        raise DataError(
            f'{path} holds the subset "{subset.name}", not "{name}"; it was renamed or replaced: '
            "fetch it again"
        )
    return subset


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file does; None where it cannot be read, which `load` says."""
    with suppress(OSError):
        told = path.stat()
        return told.st_mtime_ns, told.st_size
    return None


@lru_cache(maxsize=256)
def _load(path: Path, stamp: tuple[int, int] | None) -> Subset:
    """Read a manifest once; `stamp` tells the file from what stood there before."""
    return Subset.load(path)


def own_name(name: str, key: str = "name") -> str:
    """Return the name of a new subset, which no shipped one may have, in any case of letters.

    ``key`` is the setting that says it. Raises SettingError for the name of a shipped one.

    >>> own_name("coco-clip-frequency-50")
    'coco-clip-frequency-50'
    >>> own_name("coco-CLIP-50")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: name=coco-CLIP-50 is the name of a shipped subset; ...
    """
    if _shipped(name) is not None:
        raise SettingError(
            f"{key}={name} is the name of a shipped subset; choose another, such as {key}=my-{name}"
        )
    return name


def shipped_namesake(subset: Subset) -> Subset | None:
    """Return the shipped subset of the same name, in any case of letters; None where there is none.

    Raises DataError where it is damaged.

    >>> from dataclasses import replace
    >>> coco = load_named(bundled()["coco-shared-50"], "coco-shared-50")
    >>> shipped_namesake(coco) == coco, shipped_namesake(replace(coco, name="mine"))
    (True, None)
    """
    name = _shipped(subset.name)
    return None if name is None else load_named(bundled()[name], name)


def _shipped(name: str) -> str | None:
    """Return the shipped subset's name that a name is, but for the case of its letters."""
    folded = {one.casefold(): one for one in bundled()}
    return folded.get(name.casefold())
