"""Reading and writing files; every failure becomes a DataError of one line."""

import errno
import gzip
import logging
import lzma
import os
import re
import secrets
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from flasheval.base.errors import DataError

__all__ = [
    "as_text",
    "atomic_write",
    "content_stem",
    "content_suffix",
    "made_safe",
    "read_bytes",
    "read_text",
    "refuse_dense_zip",
    "require_file",
    "safe_name",
    "slug",
    "write_text",
]

_log = logging.getLogger(__name__)

_COMPRESSED = (".xz", ".gz")
_PART = 1 << 20  # bytes unpacked at a time
_MUCH = 1 << 26  # bytes that may be unpacked whatever they were packed to
_DENSEST = 200  # times its packed size: far more than texts and numbers unfold to
_LONGEST = 150  # bytes of a name, so that a suffix fits into the 255 of a file system


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path to write to; it becomes ``path`` when the block ends without error.

    The temporary file lies in the same folder (made when absent), is fsynced and renamed, so
    a reader sees the old file or the whole new one, never a part. A link is followed; a pipe or a
    device is refused. When the block raises, the temporary file goes and ``path`` stays as it was.
    Any OSError, in the block too, becomes a DataError naming ``path``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(Path(folder) / "a.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    named, path = path, Path(path)
    if os.path.islink(path):  # or the link would be lost and its target stay old
        path = Path(os.path.realpath(path))
    # Short on purpose: a long target name must not make the temporary one too long.
    temporary = path.parent / f".tmp-{secrets.token_hex(6)}"
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if os.path.islink(path) or (path.exists() and not path.is_file()):
            raise OSError(errno.EINVAL, "it is a pipe, a device or a link to itself")
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
        _log.debug("wrote %s", path)
        with suppress(OSError):  # some file systems cannot sync a folder; the rename stands
            _flush(path.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(
            f"cannot write {named}: {reason}; choose a file that can be written"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: str | Path, text: str) -> Path:
    r"""Write a text in UTF-8, whole or not at all, with its line feeds as they are.

    Half a character, which UTF-8 cannot hold, becomes a question mark. Raises DataError when the
    file cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder) / "a.txt", "whole").read_text()
    'whole'
    """
    with atomic_write(path) as temporary:
        temporary.write_bytes(text.encode("utf-8", "replace"))
    return Path(path)


def require_file(path: str | Path, what: str = "file") -> Path:
    """Return ``path`` when it is a file that is not empty.

    ``what`` is the kind of file expected, for the message. Raises DataError when the path is
    missing, a folder, or empty.

    >>> require_file("no-such.csv", "score file")
    Traceback (most recent call last):
    flasheval.base.errors.DataError: no-such.csv does not exist; expected a score file
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder; expected a {what}")
        if not path.exists():
            raise DataError(f"{path} does not exist; expected a {what}")
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty; expected a {what}")
    except (OSError, ValueError) as error:  # a name too long, or with a null character
        raise DataError(f"cannot read {str(path)!r}: {error}; expected a {what}") from error
    return path


def read_bytes(path: str | Path, what: str = "file") -> bytes:
    """Return the bytes of a file, unpacked when its name ends in ``.xz`` or ``.gz``.

    Raises DataError when it is missing, a folder, empty, unreadable or cut short.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     packed = Path(folder) / "a.txt.gz"
    ...     _ = packed.write_bytes(gzip.compress(b"A cat."))
    ...     read_bytes(packed)
    b'A cat.'
    """
    path = require_file(path, what)
    try:
        with path.open("rb") as file:
            packed = path.suffix.lower() in _COMPRESSED
            data = _unpacked(file, path) if packed else file.read()
    except gzip.BadGzipFile as error:
        raise _damaged(path, error) from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except (lzma.LZMAError, EOFError, zlib.error) as error:
        raise _damaged(path, error) from error
    if not data:
        raise DataError(f"{path} holds nothing once unpacked; expected a {what}")
    return data


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} cannot be unpacked ({error}); it is damaged or cut short: fetch it again"
    )


def _unpacked(file: BinaryIO, path: Path) -> bytes:
    """Return what a compressed file holds; one that is made to fill the memory is refused early."""
    is_xz = path.suffix.lower() == ".xz"
    parts, size = [], 0
    with lzma.LZMAFile(file) if is_xz else gzip.GzipFile(fileobj=file) as whole:
        while part := whole.read(_PART):
            parts.append(part)
            size += len(part)
            if size > _MUCH and size > _DENSEST * file.tell():
                raise _too_dense(path)
    return b"".join(parts)


def refuse_dense_zip(path: Path) -> None:
    """Raise DataError for a zip (an .npz, an .xlsx) that is made to fill the memory.

    A file that is no zip, or a damaged one, is left to whoever reads it.

    >>> refuse_dense_zip(Path("no-such.npz"))
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(one.file_size for one in archive.infolist())
        packed = path.stat().st_size
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return
    if size > _MUCH and size > _DENSEST * packed:
        raise _too_dense(path)


def _too_dense(path: Path) -> DataError:
    return DataError(
        f"{path} unfolds to over {_DENSEST} times its size, which no table or text does; if it is "
        "meant, unpack it first and save it without compression"
    )


def read_text(path: str | Path, what: str = "text file") -> str:
    r"""Return the text of a UTF-8 file exactly as it is, less a byte-order mark.

    Raises DataError as read_bytes does, and when the bytes are not UTF-8.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.txt"
    ...     _ = file.write_bytes(b"\xef\xbb\xbfA cat.\r\n")
    ...     read_text(file)
    'A cat.\r\n'
    """
    return as_text(read_bytes(path, what), path)


def as_text(data: bytes, path: str | Path) -> str:
    """Return the text of bytes in UTF-8, less a byte-order mark; ``path`` is for the message.

    Raises DataError when the bytes are not UTF-8.

    >>> as_text(b"A cat.", "a.txt")
    'A cat.'
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text (byte {error.start} is {data[error.start]:#04x}); "
            "convert it to UTF-8 first"
        ) from error


def content_suffix(path: str | Path) -> str:
    """Return a file name's suffix in lower case, ignoring a final ``.xz`` or ``.gz``.

    >>> content_suffix("prompts.JSONL.xz")
    '.jsonl'
    """
    return _without_compression(path).suffix.lower()


def content_stem(path: str | Path) -> str:
    """Return a file's name without its suffix and without a final ``.xz`` or ``.gz``.

    >>> content_stem("data/coco-prompts.jsonl.xz")
    'coco-prompts'
    """
    return _without_compression(path).stem


def _without_compression(path: str | Path) -> Path:
    path = Path(path)
    return path.with_suffix("") if path.suffix.lower() in _COMPRESSED else path


def slug(text: str, *, allowed: str = ".+-", filler: str = "_", most: int = 120) -> str:
    """Return a text as a part of a file's name: letters, digits, `_` and `allowed` stay.

    >>> slug("COCO, 50 prompts"), slug("ViT-B/32", filler="-")
    ('COCO_50_prompts', 'ViT-B-32')
    """
    return re.sub(rf"[^\w{re.escape(allowed)}]+", filler, text)[:most]


def safe_name(name: str, what: str = "name") -> str:
    """Return ``name`` when it can be a file name that stays in its folder.

    Raises DataError for path separators, ``..``, a leading dot, control characters, and names
    that are empty or longer than 150 bytes.

    >>> safe_name("CLIP")
    'CLIP'
    >>> safe_name("../x", "metric")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: the metric '../x' cannot be a file name; use letters, ...
    """
    if not _is_safe(name):
        raise DataError(
            f"the {what} {name!r} cannot be a file name; use letters, digits, '-', '_', '+' and "
            "inner spaces or dots"
        )
    return name


def made_safe(name: str, end: str = "") -> str:
    r"""Return a name and its `end` as they are where a file may be called so, else like them.

    Then each sign that has no place in a file's name becomes `_`, and the name is cut so that its
    end fits; a name of no letter becomes `unnamed`.

    >>> made_safe("CLIP", "-50"), made_safe("[/oops]", "-50"), made_safe("..", "-50")
    ('CLIP-50', '[_oops]-50', '_-50')
    """
    if _is_safe(name + end):
        return name + end
    kept = "".join("_" if _is_odd(sign) else sign for sign in name)
    room = _LONGEST - len(end.encode())
    cut = re.sub(r"^[.\s]+", "_", kept).encode("utf-8", "replace")[:room]
    return (cut.decode("utf-8", "ignore") + end).rstrip() or "unnamed"


def _is_safe(name: str) -> bool:
    short = len(name.encode("utf-8", "replace")) <= _LONGEST
    ends = name == name.strip() and not name.startswith(".")
    return bool(name) and short and ends and not any(map(_is_odd, name))


def _is_odd(sign: str) -> bool:
    return sign in '/\\:*?"<>|' or not sign.isprintable()
