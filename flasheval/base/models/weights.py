"""Finding checkpoints: the path and the revision of their files; nothing is loaded."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flasheval.base.errors import DataError
from flasheval.base.extras import pip_command
from flasheval.base.json_data import read_json
from flasheval.base.resources import miniature_dir
from flasheval.base.suggest import nearest

__all__ = ["SHIPPED", "Weights", "local_path", "locate", "locate_file", "shipped_parts"]

SHIPPED = "miniature:"
"""Prefix of the names of checkpoints that come with the package, as in ``miniature:clip``."""

# The shipped pipelines share these, so that each is stored once.
_PARTS_OF_SHIPPED = {
    "vae": f"{SHIPPED}vae",
    "vqvae": f"{SHIPPED}vq",
    "text_encoder": f"{SHIPPED}clip",
    "tokenizer": f"{SHIPPED}clip",
}

# What a pipeline or scorer is made of; anything else in a folder does not change its numbers.
_PARTS = (".safetensors", ".json", ".txt", ".model")
_SINGLE_FILES = (".safetensors", ".pt", ".pth", ".bin")
_HASH_LENGTH = 24
_HASH_MARK = "sha256:"


@dataclass(frozen=True)
class Weights:
    """A checkpoint that was found.

    Attributes:
        name: The folder or the Hub's name, as it was given.
        path: The local folder or file to load from; the Hub's name where it is to be downloaded.
        revision: ``sha256:...`` of a local folder's files or of a file, the commit of a Hub
            checkpoint.

    >>> local = Weights("out/step-200", "out/step-200", "sha256:0fb1e5d2c9")
    >>> local.label, local.commit
    ('step-200@0fb1e5d2', None)

    """

    name: str
    path: str
    revision: str

    @property
    def commit(self) -> str | None:
        """The commit to load from the Hub; None for local files."""
        return None if self.revision.startswith(_HASH_MARK) else self.revision

    @property
    def label(self) -> str:
        """The name and the first 8 digits of the revision.

        >>> name = "openai/clip-vit-large-patch14"
        >>> Weights(name, name, "32bd64288804d66eefd0ccbe215aa642df71cc41").label
        'openai/clip-vit-large-patch14@32bd6428'
        """
        name = self.name if self.commit else Path(self.path).resolve().name
        return f"{name}@{self.revision.removeprefix(_HASH_MARK)[:8]}"


def locate(
    name: str,
    revision: str | None = None,
    *,
    marker: str = "config.json",
    tested: Mapping[str, str] | None = None,
) -> Weights:
    """Find a checkpoint: a local folder, the Hub's cache, or the Hub.

    The revision of a local folder is the hash of its files (safetensors, JSON, texts,
    vocabularies), so weights that are overwritten in place count as new ones.

    Args:
        name: A folder, a Hub name such as ``openai/clip-vit-large-patch14``, or one that is
            shipped, such as ``miniature:clip``.
        revision: A Hub commit, tag or branch; None is the newest. Not for folders.
        marker: A file that every such checkpoint has.
        tested: The revisions to take where none is given, by the Hub's name.

    Raises:
        DataError: There is no such folder or Hub repository, or the Hub cannot be reached.

    >>> found = locate("miniature:clip")
    >>> found.name, found.revision.startswith("sha256:"), found.commit
    ('miniature:clip', True, None)
    >>> locate("no-such-folder")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: checkpoint no-such-folder: there is no such folder; a ...

    """
    folder = local_path(name)
    if folder.is_dir():
        if revision is not None:
            raise DataError(f"checkpoint {name} is a folder, which has no revision; leave it out")
        if not (folder / marker).is_file():
            raise DataError(f"checkpoint {name}: the folder has no {marker}; is it the right one?")
        return Weights(name, str(folder), _HASH_MARK + _folder_hash(folder)[:_HASH_LENGTH])
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise DataError(f"checkpoint {name}: there is no such folder; a Hub name is OWNER/NAME")
    return Weights(name, name, _commit(name, revision or (tested or {}).get(name), marker))


def locate_file(
    name: str,
    file: str,
    revision: str | None = None,
    *,
    tested: Mapping[str, str] | None = None,
) -> Weights:
    """Find a checkpoint that is a single file: a local one, or one of a Hub repository.

    The revision of a local file is the hash of its content, whatever its name. A file on the Hub
    is downloaded now, unless it is in the cache.

    Args:
        name: The file, a folder with it, or a Hub name.
        file: Its name in a folder or on the Hub.
        revision: A Hub commit, tag or branch; None is the newest. Not for what is local.
        tested: The revisions to take where none is given, by the Hub's name.

    Raises:
        DataError: There is no such file or Hub repository, or the Hub cannot be reached.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "head.pth").write_bytes(b"weights")
    ...     locate_file(folder, "head.pth").revision
    'sha256:9a129038d9a00aed0cf6a7ea'

    """
    path = local_path(name)
    if path.is_dir():
        path /= file
        if not path.is_file():
            raise DataError(f"checkpoint {name}: the folder has no {file}; is it the right one?")
    if not path.is_file():
        if path.suffix in _SINGLE_FILES:
            raise DataError(f"checkpoint {name}: there is no such file")
        return locate(name, revision, marker=file, tested=tested)
    if revision is not None:
        raise DataError(f"checkpoint {name} is local and has no revision; leave it out")
    try:
        state = path.stat()
        digest = _file_hash(path, state.st_size, state.st_mtime_ns).hex()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    return Weights(name, str(path), _HASH_MARK + digest[:_HASH_LENGTH])


def local_path(name: str) -> Path:
    """Return the path of a checkpoint's name: the name itself, or the path of a shipped one.

    Raises DataError, listing the shipped ones, for an unknown name after ``miniature:``.

    >>> local_path("miniature:clip").name, local_path("out/clip").name
    ('clip', 'clip')
    """
    if not name.startswith(SHIPPED):
        return Path(name).expanduser()
    shipped = miniature_dir()
    known = sorted(path.name for path in shipped.iterdir() if path.is_dir())
    if name.removeprefix(SHIPPED) not in known:
        names = [SHIPPED + one for one in known]
        raise DataError(f"checkpoint {name}: shipped are {', '.join(names)}{nearest(name, names)}")
    return shipped / name.removeprefix(SHIPPED)


def shipped_parts(name: str) -> dict[str, str]:
    """Return the shipped checkpoints of the parts that a shipped pipeline is stored without.

    Nothing for any other checkpoint. Raises DataError as `local_path` does.

    >>> shipped_parts("miniature:large-final")["vae"], shipped_parts("out/step-200")
    ('miniature:vae', {})
    >>> shipped_parts("miniature:masked-final")["vqvae"]
    'miniature:vq'
    """
    if not name.startswith(SHIPPED):
        return {}
    folder = local_path(name)
    index = folder / "model_index.json"
    if not index.is_file():
        return {}
    has = read_json(index)
    return {
        part: where
        for part, where in _PARTS_OF_SHIPPED.items()
        if part in has and not (folder / part).is_dir()
    }


def _folder_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in _PARTS):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in parts):
            digest.update("/".join(parts).encode() + b"\0")
            try:
                state = path.stat()
                digest.update(_file_hash(path, state.st_size, state.st_mtime_ns))
            except OSError as error:
                raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    return digest.hexdigest()


@lru_cache(maxsize=4096)
def _file_hash(path: Path, size: int, changed: int) -> bytes:
    """Return the sha256 of a file; many variants of one checkpoint ask for it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _commit(name: str, revision: str | None, marker: str) -> str:
    """Return the commit of a Hub checkpoint, from the cache where it is there."""
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise DataError(
            f"checkpoint {name} is not a local folder, and fetching from the Hub needs: "
            f"{pip_command('huggingface_hub')}"
        ) from error
    try:
        with _hub_silenced():
            found = hf_hub_download(
                name, marker, revision=revision, local_files_only=_Hub.out_of_reach
            )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        # Each try takes half a minute where there is no network: the first one is enough.
        _Hub.out_of_reach |= isinstance(error, LocalEntryNotFoundError)
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(
            f"checkpoint {name}: it is not a local folder, and the Hub does not give it ({reason})"
        ) from error
    return Path(found).parents[len(Path(marker).parts) - 1].name


class _Hub:
    """What this process has learnt of the Hub."""

    out_of_reach = False


@contextmanager
def _hub_silenced() -> Iterator[None]:
    """Keep the lines about tries that failed off the terminal; the last one raises."""
    logger = logging.getLogger("huggingface_hub")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
