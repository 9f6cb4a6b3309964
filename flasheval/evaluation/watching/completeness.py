"""Checking that a checkpoint is completely written, and hashing its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError
from flasheval.evaluation.watching.checkpoint_files import INDEX, Checkpoint, index_parts

__all__ = ["content_of", "safetensors_header", "unfinished"]

_WITHOUT_WEIGHTS = ("tokenizer_config.json", "scheduler_config.json", "preprocessor_config.json")
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".msgpack")
_MOST_HEADER = 100_000_000  # bytes, as in safetensors itself


def unfinished(checkpoint: Checkpoint, elsewhere: Collection[str] = ()) -> str | None:
    """Return what a checkpoint still lacks, in a few words, or None when it is complete.

    Args:
        checkpoint: A result of `find_checkpoints`.
        elsewhere: Parts of a pipeline that it need not have, because they are replaced.

    Raises DataError for faults that waiting does not repair: a link or name that leads elsewhere.

    >>> import tempfile
    >>> from flasheval.evaluation.watching.checkpoint_files import find_checkpoints
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "step-20.safetensors").write_bytes(b"half")
    ...     unfinished(find_checkpoints(Path(folder))[0])
    'step-20.safetensors is not whole: its header is not whole'

    """
    if checkpoint.outside:
        raise DataError(
            f"{checkpoint.outside} is a link that leads out of the watched folder, and is not "
            "followed; watch the folder it leads to"
        )
    path = checkpoint.path
    try:
        if checkpoint.kind == "pipeline":
            named = [part for part in index_parts(path / INDEX) if part not in elsewhere]
            lacks = [found for part in named if (found := _part_lacks(path / part))]
        elif checkpoint.kind == "parts":
            lacks = [found for part in checkpoint.parts if (found := _part_lacks(path / part))]
        else:
            files = [path if path.is_file() else path / name for name in checkpoint.files]
            lacks = [found for file in files if (found := _file_lacks(file))]
    except OSError as error:  # gone, or not to be read yet
        return error.strerror or str(error)
    except ValueError:
        return f"{INDEX} is not whole"
    return lacks[0] if lacks else None


def content_of(checkpoint: Checkpoint) -> str:
    """Return the sha256 of a checkpoint's files and their names, in hex. Raises OSError.

    >>> import tempfile
    >>> from flasheval.evaluation.watching.checkpoint_files import find_checkpoints
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "step-20.ckpt")
    ...     _ = path.write_bytes(b"old")
    ...     one = find_checkpoints(Path(folder), loader=True)[0]
    ...     before = content_of(one)
    ...     _ = path.write_bytes(b"new")
    ...     content_of(one) == before
    False
    """
    digest = hashlib.sha256()
    for name in sorted(checkpoint.files):
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0")
        path = checkpoint.path if checkpoint.path.is_file() else checkpoint.path / name
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def safetensors_header(path: Path) -> Mapping[str, Any]:
    """Return the header of a safetensors file: type, shape and offsets of each tensor, by name.

    The form is https://github.com/huggingface/safetensors#format: eight bytes with the header's
    length, the header in JSON, and the tensors, to whose last byte the offsets reach.

    Raises ValueError when the header does not fit the file, as in one that is cut short.

    >>> import tempfile
    >>> header = b'{"w": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.safetensors")
    ...     _ = path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    ...     safetensors_header(path)["w"]["shape"]
    [2]
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, _MOST_HEADER):
            raise ValueError("its header is not whole")
        header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("its header is not one of safetensors")
    tensors = {name: one for name, one in header.items() if name != "__metadata__"}
    try:
        end = max((int(one["data_offsets"][1]) for one in tensors.values()), default=0)
    except (TypeError, KeyError, IndexError, ValueError, AttributeError):
        raise ValueError("its header is not one of safetensors") from None
    if 8 + length + end != size:
        raise ValueError(f"it has {size:,} bytes; its header says {8 + length + end:,}")
    return tensors


def _part_lacks(folder: Path) -> str | None:
    """Return what a part of a pipeline lacks."""
    if not folder.is_dir():
        return f"{folder.name} is not there yet"
    names = sorted(path.name for path in folder.iterdir())
    configs = [name for name in names if name.endswith("config.json")]
    if not configs:
        return f"{folder.name} has no configuration yet"
    for name in configs:
        if not _is_json(folder / name):
            return f"{folder.name}/{name} is not whole"
    for name in names:
        if name.endswith(".safetensors.index.json"):
            lacks = _shards_lack(folder, name)
            if lacks:
                return lacks
    is_model = "config.json" in names and not {*_WITHOUT_WEIGHTS} & {*names}
    if is_model and not any(name.endswith(_WEIGHTS) for name in names):
        return f"{folder.name} has no weights yet"
    return next((found for name in names if (found := _file_lacks(folder / name))), None)


def _shards_lack(folder: Path, index: str) -> str | None:
    if not _is_json(folder / index):
        return f"{folder.name}/{index} is not whole"
    body = json.loads((folder / index).read_text("utf-8"))
    weights = body.get("weight_map") if isinstance(body, dict) else None
    if not isinstance(weights, dict):
        raise DataError(f"{folder.name}/{index} is not an index of weights")
    for name in sorted({str(value) for value in weights.values()}):
        if Path(name).name != name or name in ("", ".", ".."):
            raise DataError(f"{folder.name}/{index} names {name[:80]!r}, which leads elsewhere")
        if not (folder / name).is_file():
            return f"{folder.name}/{name} is not there yet"
    return None


def _file_lacks(path: Path) -> str | None:
    """Return what is wrong with a file of weights; any other counts as whole."""
    if path.suffix != ".safetensors":
        return None
    try:
        safetensors_header(path)
    except ValueError as error:
        reason = str(error) if type(error) is ValueError else "its header is not JSON"
        return f"{path.name} is not whole: {reason}"
    return None


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text("utf-8"))
    except ValueError:
        return False
    return True
