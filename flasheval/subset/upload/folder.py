"""Writing a folder so that it appears only when it is complete."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath

from flasheval.base.errors import DataError, SettingError
from flasheval.base.run_folders import MADE_BY

__all__ = ["files_in", "whole_folder"]


@contextmanager
def whole_folder(out: Path, *, replaced: Sequence[str] = ()) -> Iterator[Path]:
    """Yield a folder to fill; it becomes ``out`` when the block ends without error.

    The new folder lies beside ``out`` and replaces it by renaming, so nobody sees half of it. When
    the block raises, it is removed and ``out`` stays as it was. An ``out`` with the same files
    already is left alone. The block must flush its files to the disk itself.

    Raises DataError when ``out`` holds a file that the new folder lacks, as it would be lost or
    uploaded (those that a pattern of ``replaced`` matches may go), and when it cannot be written;
    SettingError for the working folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_folder(Path(folder) / "out") as new:
    ...         (new / "README.md").touch()
    ...     files_in(Path(folder))
    ['out/README.md']
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
        _refuse_others(target, new, out, replaced)
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
    """Return the files in a folder and below, sorted, as relative paths with ``/``.

    The hidden file that keeps which command made the folder is none of them.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "data").mkdir()
    ...     (Path(folder) / "data" / "a.csv").touch()
    ...     (Path(folder) / "README.md").touch()
    ...     files_in(Path(folder))
    ['README.md', 'data/a.csv']
    """
    paths = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return sorted(path.relative_to(folder).as_posix() for path in paths if path != folder / MADE_BY)


def _refuse_others(target: Path, new: Path, out: Path, replaced: Sequence[str]) -> None:
    if not target.is_dir():
        return
    lost = set(files_in(target)) - set(files_in(new))
    others = sorted(name for name in lost if not any(map(PurePath(name).match, replaced)))
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
