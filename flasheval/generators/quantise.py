"""Quantised weights: rounded on the spot, or stored in 8 bits by optimum-quanto."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from flasheval.base.errors import SettingError
from flasheval.base.extras import pip_command

__all__ = ["Quantisation", "fake_quantise", "quantise"]

Quantisation = Literal["fake-int8", "fake-int6", "fake-int4", "quanto-int8"]

_BITS: Mapping[str, int] = {"fake-int8": 8, "fake-int6": 6, "fake-int4": 4}


def quantise(model: Any, how: str) -> None:
    """Quantise a model's weights in place.

    ``fake-intN`` rounds the weights of linear and convolution layers to N bits and keeps them in
    the model's own type: it runs anywhere and as fast as before, and shows what N bits cost in
    quality. ``quanto-int8`` really stores 8 bits.

    Args:
        model: A torch module: the network that denoises, not the text encoder or the VAE.
        how: ``fake-int8``, ``fake-int6``, ``fake-int4`` or ``quanto-int8``.

    Raises:
        SettingError: Another value, or optimum-quanto is not installed.

    >>> quantise(None, "int3")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: quantise=int3: choose one of fake-int8, fake-int6, ...

    """
    import torch

    if how in _BITS:
        for layer in model.modules():
            if isinstance(layer, torch.nn.Linear | torch.nn.modules.conv._ConvNd):
                layer.weight.data = fake_quantise(layer.weight.data, _BITS[how])
    elif how == "quanto-int8":
        _quanto(model)
    else:
        raise SettingError(f"quantise={how}: choose one of {', '.join(get_args(Quantisation))}")


def fake_quantise(weight: Any, bits: int) -> Any:
    """Round a weight to ``bits`` bits, symmetrically, with one scale for each output channel.

    ``w' = s round(w / s)`` with ``s = max|w| / (2^(bits-1) - 1)`` over the channel, rounding half
    to even: uniform symmetric quantisation as in Krishnamoorthi (2018), arXiv 1806.08342,
    section 2.2. A channel of zeros stays zero.

    Args:
        weight: A float tensor [outputs, ...].
        bits: Bits of a weight, 2 or more.

    >>> import torch
    >>> fake_quantise(torch.tensor([[0.1, 0.4, -1.0]]), 3)
    tensor([[ 0.0000,  0.3333, -1.0000]])

    """
    import torch

    exact = weight.float()
    largest = exact.abs().flatten(1).amax(1)
    scale = largest / (2 ** (bits - 1) - 1)
    scale = torch.where(scale > 0, scale, 1.0)  # also where it is too small for a float
    scale = scale.reshape(-1, *[1] * (weight.ndim - 1))
    return ((exact / scale).round() * scale).to(weight.dtype)


def _quanto(model: Any) -> None:
    try:
        from optimum.quanto import freeze, qint8, quantize
    except ImportError as error:
        raise SettingError(f"quantise=quanto-int8 needs: {pip_command('optimum')}") from error
    quantize(model, weights=qint8)
    freeze(model)
