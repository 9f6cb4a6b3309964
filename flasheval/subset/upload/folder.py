"""Writing a folder whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flasheval.base.errors import DataError, SettingError

__all__ = ["files_in", "whole_folder"]


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder to fill; it becomes ``out`` only when the block ends well.

    It lies beside ``out`` and takes its place by renaming, so nobody sees a half of it; where the
    block raises it goes, and ``out`` stays as it was. A folder that holds the same already is left
    alone. The block's files must be flushed to the disk by itself.

    Raises DataError where the folder that is there holds a file that the new one does not, as it
    would be lost or uploaded, and where it cannot be written; SettingError for the working folder.
    """
    target = out.resolve()
    if target == Path.cwd() or target in Path.cwd().parents:
        raise SettingError(f"out={out} is the working folder or above it; name a folder inside it")
    if target.exists() and not target.is_dir():
        raise DataError(f"out={out} is a file; name a folder")
    token = secrets.token_hex(6)
    new, old = target.parent / f".tmp-{token}", target.parent / f".tmp-{token}-old"
    try:
        new.mkdir(parents=True)
        yield new
        _refuse_others(target, new, out)
        if not _same(target, new):
            if target.exists():
                os.rename(target, old)
            os.rename(new, target)
    except OSError as error:
        raise DataError(
            f"out={out} cannot be written: {error.strerror or error}; choose another folder"
        ) from error
    finally:
        with suppress(OSError):
            if old.exists() and not target.exists():  # interrupted between the two names
                os.rename(old, target)
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)


def files_in(folder: Path) -> list[str]:
    """Return what lies in a folder and below that is no folder, relative, in order, with ``/``."""
    paths = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def _refuse_others(target: Path, new: Path, out: Path) -> None:
    if not target.is_dir():
        return
    others = sorted(set(files_in(target)) - set(files_in(new)))
    if others:
        shown = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
        count = "a file that is" if len(others) == 1 else f"{len(others)} files that are"
        raise DataError(
            f"out={out} holds {count} not of this publication ({shown}) and would be uploaded "
            "with it; remove it, or choose another folder"
        )


def _same(target: Path, new: Path) -> bool:
    names = files_in(new)
    return (
        target.is_dir()
        and files_in(target) == names
        and all((target / name).read_bytes() == (new / name).read_bytes() for name in names)
    )
