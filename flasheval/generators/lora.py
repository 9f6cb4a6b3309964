"""The revision of a LoRA: a commit on the Hub, or the hash of its files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from flasheval.base.errors import DataError
from flasheval.base.models.weights import locate

if TYPE_CHECKING:
    pass

__all__ = ["lora_revision"]


def lora_revision(name: str) -> str:
    """Return a LoRA's commit on the Hub, or the hash of its local files.

    ``name`` is a safetensors file, a folder of them, or OWNER/NAME on the Hub. Raises DataError
    when it cannot be found or read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "style.safetensors"
    ...     _ = file.write_bytes(b"weights")
    ...     lora_revision(str(file)) == lora_revision(folder)
    True
    """
    path = Path(name).expanduser()
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    if path.exists() and files:
        digest = hashlib.sha256()
        for file in files:
            try:
                digest.update(hashlib.sha256(file.read_bytes()).digest())
            except OSError as error:
                raise DataError(f"lora={name}: cannot read {file}: {error.strerror}") from error
        return f"sha256:{digest.hexdigest()[:24]}"
    if path.suffix or name.count("/") != 1:
        raise DataError(f"lora={name}: there is no such file; expected safetensors")
    return locate(name, marker="pytorch_lora_weights.safetensors").revision
