"""The small network on top of an embedding that two scorers share: five linear layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Head", "read_head"]

# Places in the published nn.Sequential, with dropout in between, and the widths they map to.
_LAYERS = {0: 1024, 2: 128, 4: 64, 6: 16, 7: 1}


@dataclass(frozen=True)
class Head:
    """Linear layers from an embedding to a number, without activations in between.

    >>> Head(((np.eye(2), np.zeros(2)), (np.array([[1.0, 2.0]]), np.array([0.5]))))([[3, 4]])
    array([11.5])
    """

    layers: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]

    def __call__(self, embeddings: Any) -> NDArray[np.float64]:
        """Return one number an embedding: [n, width] to float64 [n]."""
        found = np.asarray(embeddings, dtype=np.float64)
        for weight, bias in self.layers:
            found = found @ weight.T + bias
        return found[:, 0]


def read_head(state: Mapping[str, Tensor], prefix: str, width: int, source: str) -> Head:
    """Read the head from stored tensors ``{prefix}0.weight``, ``{prefix}0.bias`` and so on.

    Args:
        state: The tensors by name.
        prefix: What the names start with, such as ``layers.``.
        width: The width of the embeddings.
        source: The checkpoint's name, for messages.

    Raises:
        DataError: A tensor is missing, has another shape than published, or there are more.

    >>> read_head({}, "layers.", 768, "head.pth")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: checkpoint head.pth: layers.0.weight is missing; the ...

    """
    layers, into = [], width
    for place, out in _LAYERS.items():
        weight = _tensor(state, f"{prefix}{place}.weight", (out, into), source)
        bias = _tensor(state, f"{prefix}{place}.bias", (out,), source)
        layers.append((weight, bias))
        into = out
    known = {f"{prefix}{place}.{kind}" for place in _LAYERS for kind in ("weight", "bias")}
    more = sorted(name for name in state if name.startswith(prefix) and name not in known)
    if more:
        raise DataError(f"checkpoint {source}: {more[0]} is none of the published head's layers")
    return Head(tuple(layers))


def _tensor(
    state: Mapping[str, Tensor], name: str, shape: tuple[int, ...], source: str
) -> NDArray[np.float64]:
    found = tuple(state[name].shape) if name in state else None
    if found != shape:
        what = "is missing" if found is None else f"has the shape {list(found)}"
        raise DataError(
            f"checkpoint {source}: {name} {what}; the published head has {list(shape)} here"
        )
    values: NDArray[np.float64] = state[name].double().numpy()
    return values
