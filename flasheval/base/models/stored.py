"""Weights stored as one file of tensors by name, in PyTorch's format or safetensors."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.errors import DataError
from flasheval.base.models.weights import Weights

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["read_state", "size"]


def read_state(weights: Weights, file: str) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint found by `locate_file`, on the CPU, as they are stored.

    Nothing but tensors is unpickled. A training checkpoint's ``state_dict`` is taken out of it.

    Args:
        weights: The checkpoint.
        file: The file's name on the Hub.

    Raises:
        DataError: The file cannot be read, or does not hold tensors by name.

    """
    import torch

    try:
        if weights.commit is None:
            path = Path(weights.path)
        else:
            from huggingface_hub import hf_hub_download

            path = Path(hf_hub_download(weights.path, file, revision=weights.commit))
        found = _read(path)
    except Exception as error:  # pickle, zipfile, safetensors and the Hub each raise their own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"checkpoint {weights.name}: it cannot be read ({reason})") from error
    state = found.get("state_dict", found) if isinstance(found, Mapping) else None
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    ):
        raise DataError(
            f"checkpoint {weights.name}: it holds a {type(found).__name__}, not tensors by name"
        )
    return dict(state)


def size(state: Mapping[str, Tensor], name: str, axis: int, source: str) -> int:
    """Return the length of a tensor along an axis; DataError when there is no such tensor or axis.

    >>> import numpy as np
    >>> state = {"head.weight": np.zeros((1, 768))}
    >>> size(state, "head.weight", 1, "aesthetic.pth")
    768
    >>> size(state, "head.bias", 0, "aesthetic.pth")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: checkpoint aesthetic.pth: it has no head.bias; is it the ...
    """
    if name not in state or state[name].ndim <= axis:
        raise DataError(f"checkpoint {source}: it has no {name}; is it the right file?")
    return state[name].shape[axis]


def _read(path: Path) -> Any:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    import torch

    with warnings.catch_warnings(action="ignore"):  # of a file's age; what is wrong with it raises
        return torch.load(path, map_location="cpu", weights_only=True)
