"""A LoRA: its revision, and fusing it into a pipeline that it fits."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.base.models.weights import locate
from flasheval.base.text import first_few

__all__ = ["fuse_lora", "lora_revision", "module_of"]

# How training scripts end the name of a module: .lora_A.weight, .lora_down.weight, .lora.up.weight
_ENDING = re.compile(r"\.(?:lora[._]|alpha$|dora_scale$).*$")
# The names of attention's layers in files of the first diffusers, and those of today.
_OLD = re.compile(r"(?:\.processor)?\.to_(q|k|v|out)_lora\..*$")


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


def module_of(key: str) -> str:
    """Return the name of the module that a key of a LoRA's weights belongs to.

    >>> module_of("unet.mid_block.attn1.to_q.lora_A.weight")
    'unet.mid_block.attn1.to_q'
    >>> module_of("unet.mid_block.attn1.processor.to_out_lora.down.weight")
    'unet.mid_block.attn1.to_out.0'
    """
    old = _OLD.search(key)
    if old is None:
        return _ENDING.sub("", key)
    of_text = "self_attn" in key
    name = f"{old[1]}_proj" if of_text else f"to_{old[1]}" + (".0" if old[1] == "out" else "")
    return f"{key[: old.start()]}.{name}"


def fuse_lora(pipeline: Any, name: str, scale: float, partial: bool) -> None:
    """Add a LoRA to a pipeline's weights: as fast as without, and it can be quantised.

    diffusers leaves out what fits no module, and says so in its log alone; the images would be
    those of the base, or nearly, under the LoRA's name.

    Args:
        pipeline: The loaded pipeline.
        name: A safetensors file, a folder of them, or OWNER/NAME on the Hub.
        scale: Its strength.
        partial: Whether a LoRA is taken of which only some modules fit.

    Raises:
        SettingError: The pipeline takes no LoRA.
        DataError: It cannot be loaded, fits nothing, or fits in part and `partial` is false.

    """
    if not hasattr(pipeline, "load_lora_weights"):
        raise SettingError(f"lora={name}: {type(pipeline).__name__} takes none")
    try:
        path = Path(name).expanduser()
        more = {} if path.exists() else {"revision": lora_revision(name)}
        keys = _load(pipeline, str(path), more)
        _check(pipeline, name, {module_of(key) for key in keys}, partial)
        pipeline.fuse_lora(lora_scale=scale)
        pipeline.unload_lora_weights()
    except FlashevalError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise DataError(f"lora={name} cannot be loaded: {reason}") from error


def _load(pipeline: Any, path: str, more: dict[str, Any]) -> list[str]:
    """Load a LoRA and return the names of its weights, as diffusers has turned them into its own.

    Only the loader itself knows how it reads the file (kohya's and others' names, too), so what it
    reads is listened to.
    """
    keys: list[str] = []
    read = pipeline.lora_state_dict

    def listening(*args: Any, **kwargs: Any) -> Any:
        found = read(*args, **kwargs)
        keys.extend(found[0] if isinstance(found, tuple) else found)
        return found

    pipeline.lora_state_dict = listening
    try:
        pipeline.load_lora_weights(path, **more)
    finally:
        del pipeline.lora_state_dict
    return keys


def _check(pipeline: Any, name: str, modules: Collection[str], partial: bool) -> None:
    there = _modules_with_lora(pipeline)
    unused = sorted(one for one in modules if _plain(one) not in there)
    if not unused and modules:
        return
    shown = first_few(unused)
    if len(unused) == len(modules):
        what = f": {shown}" if shown else ""
        raise DataError(
            f"lora={name}: none of its {len(modules)} modules fit {type(pipeline).__name__}"
            f"{what}; is it a LoRA of another model?"
        )
    if not partial:
        raise DataError(
            f"lora={name}: {len(unused)} of its {len(modules)} modules fit no part of "
            f"{type(pipeline).__name__} and would be left out: {shown}; lora_partial=true uses "
            "the others"
        )


def _modules_with_lora(pipeline: Any) -> set[str]:
    """Return the modules a LoRA was put into, with and without the name of their part."""
    found: set[str] = set()
    for part, component in pipeline.components.items():
        if not hasattr(component, "named_modules"):
            continue
        weights = {one for one, _ in component.named_parameters()}  # of norms, which are replaced
        layers = {one for one, layer in component.named_modules() if hasattr(layer, "lora_A")}
        for one in layers | weights:
            found |= {_plain(one), _plain(f"{part}.{one}")}
    return found


def _plain(module: str) -> str:
    """Drop a level that transformers has put into names and taken out again."""
    return module.replace(".text_model.", ".").removeprefix("text_model.")
