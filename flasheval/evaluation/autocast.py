"""In which types a model in training makes its images: one with parts of several needs autocast."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from flasheval.base.errors import SettingError

__all__ = ["AUTOCAST_DEVICES", "autocast_of", "autocasting"]

# Asked one by one: what a function uses no one knows, and an offloaded model computes elsewhere.
AUTOCAST_DEVICES = ("cpu", "cuda", "xpu", "mps")

_NAMES = {"bf16": "bfloat16", "bfloat16": "bfloat16", "fp16": "float16", "float16": "float16"}
_HALVES = ("bfloat16", "float16")
# How torch tells of weights and numbers of two types.
_CLASHES = ("same dtype", "same type", "dtype of", "scalar type", "should be the same")


def autocast_of(generator: object, asked: object, device: str) -> dict[str, str]:
    """Return the types images are to be made in under autocast, by kind of device; none is off.

    Args:
        generator: The generator as given to `flasheval.evaluate`.
        asked: ``auto``, ``keep``, ``off``, ``bf16``, ``fp16``, or one of these types of torch.
            ``auto`` is: for a pipeline whose parts are of several types that of its half-precision
            parts, inside the caller's autocast that one's; for a pipeline of one type off, so that
            scores do not depend on where in a loop they are made; for a function the caller's.
        device: Where the generator computes, such as ``cuda:0``.

    Raises SettingError for anything else.

    >>> autocast_of(len, "bf16", "cuda:0"), autocast_of(len, "off", "cpu")
    ({'cuda': 'bfloat16'}, {})
    >>> autocast_of(len, "int8", "cpu")
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: autocast=int8: expected auto, keep, off, bf16 or fp16

    """
    kind = device.partition(":")[0]
    word = str(asked).removeprefix("torch.")
    if word in _NAMES:
        return {kind: _NAMES[word]}
    if word not in ("auto", "keep", "off"):
        raise SettingError(f"autocast={asked}: expected auto, keep, off, bf16 or fp16")
    if word == "off" or "torch" not in sys.modules:
        return {}
    callers = _callers()
    components = getattr(generator, "components", None)
    if word == "keep" or (callable(generator) and not isinstance(components, dict)):
        return callers
    half = _half_of(components) if isinstance(components, dict) else None
    return {} if half is None else {kind: callers.get(kind, half)}


@contextmanager
def autocasting(types: Mapping[str, str]) -> Iterator[None]:
    """Make images under autocast of the types, by kind of device.

    Casts of weights are not kept: in the midst of a forward pass those at hand are the training's.

    Raises SettingError where a model of several types of numbers fails for want of autocast.

    >>> import torch
    >>> weights = torch.ones(1, 1)
    >>> with autocasting({"cpu": "bfloat16"}):
    ...     (weights @ weights).dtype
    torch.bfloat16
    """
    with ExitStack() as stack:
        for kind, name in types.items():
            import torch

            dtype = getattr(torch, name)
            stack.enter_context(torch.autocast(kind, dtype=dtype, cache_enabled=False))
        try:
            yield
        except RuntimeError as error:
            if not any(words in str(error) for words in _CLASHES):
                raise
            raise SettingError(
                f"the model holds numbers of several types ({' '.join(str(error).split())}); give "
                "autocast='bf16' (or 'fp16'), or call it inside the training's autocast with "
                "autocast='keep'"
            ) from error


def _callers() -> dict[str, str]:
    import torch

    return {
        kind: str(torch.get_autocast_dtype(kind)).removeprefix("torch.")
        for kind in AUTOCAST_DEVICES
        if torch.is_autocast_enabled(kind)
    }


def _half_of(components: Mapping[str, Any]) -> str | None:
    """Return the half-precision type of a pipeline with parts of several types, or None.

    A decoder in float32 beside other parts of one type is no such case: pipelines see to it.
    """
    import torch

    types = {
        name: {str(one.dtype).removeprefix("torch.") for one in part.parameters()}
        for name, part in components.items()
        if isinstance(part, torch.nn.Module)
    }
    found = {
        dtype
        for name, held in types.items()
        for dtype in held
        if not (dtype == "float32" and name.startswith(("vae", "vqvae", "movq")))
    }
    halves = [one for one in _HALVES if one in found]
    return halves[0] if halves and len(found & {*_HALVES, "float32"}) > 1 else None
