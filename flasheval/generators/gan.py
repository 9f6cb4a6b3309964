"""GANs and other one-step generators: images from noise and, if they take one, a text."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from flasheval.base.canonical import JSON
from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.base.user_code import load_object, source_hash
from flasheval.generators.generator import Batch, Generator, GeneratorSettings
from flasheval.generators.variants import Factor

__all__ = ["GanGenerator", "GanSettings"]

_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


@dataclass(frozen=True)
class GanSettings(GeneratorSettings):
    """A generator ``G(z, prompts) -> images`` that a function of the user's makes.

    Attributes:
        function: ``module:name`` or ``file.py:name`` of ``load(device) -> G``; where `weights`
            are given, of ``load(device, weights) -> G``.
        latent: The shape of one image's noise z, such as ``(512,)``; it is standard normal.
        range: The outputs of G that mean black and full brightness; values outside are clipped.
        dtype: The type of G and z.
        weights: The file of G's weights; the hash of its content is part of the identity.
        version: The version of the code; None is the hash of the file that holds the function.

    Raises SettingError for a value out of range.

    >>> GanSettings("stylegan.py:load", latent=())
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: latent=[]: expected the shape of z, such as [512]

    """

    kind: ClassVar[str] = "gan"

    function: str
    latent: tuple[int, ...]
    range: tuple[float, ...] = (-1.0, 1.0)
    dtype: Literal["fp32", "bf16", "fp16"] = "fp32"
    weights: str | None = None
    version: str | None = None

    def __post_init__(self) -> None:
        if not self.latent or min(self.latent) < 1:
            raise SettingError(
                f"latent={list(self.latent)}: expected the shape of z, such as [512]"
            )
        if len(self.range) != 2 or not self.range[0] < self.range[1]:
            raise SettingError(
                f"range={list(self.range)}: expected the lowest and the highest output of G, "
                "such as [-1, 1]"
            )

    def factors(self) -> dict[str, Factor]:
        """Return the family and the precision, which is the dtype.

        >>> GanSettings("stylegan.py:load", latent=(512,), dtype="bf16").factors()
        {'family': 'gan', 'precision': 'bf16'}
        """
        return {"family": "gan", "precision": self.dtype}

    def identity(self, device: str) -> dict[str, JSON]:
        """Return settings, the code's version and the weights' hash.

        >>> settings = GanSettings("stylegan.py:load", latent=(512,), version="ada-2")
        >>> settings.identity("cpu")["version"]
        'ada-2'
        """
        return {
            "function": self.function,
            "version": self.version or f"sha256:{source_hash(self.function)}",
            "latent": list(self.latent),
            "range": list(self.range),
            "dtype": self.dtype,
            "weights": None if self.weights is None else _file_hash(self.weights),
        }

    def load(self, device: str, last: Generator | None = None) -> GanGenerator:
        """Call the user's function and put the G it returns on the device, in evaluation mode.

        Raises SettingError when the function fails or returns something that cannot be called.
        """
        import torch

        dtype = getattr(torch, _DTYPES[self.dtype])
        make = load_object(self.function)
        try:
            model = make(device) if self.weights is None else make(device, self.weights)
        except FlashevalError:
            raise
        except Exception as error:  # whatever the user's own code does
            reason = f"{type(error).__name__}: {error}"
            raise SettingError(
                f"function={self.function}: it failed to load G: {reason}"
            ) from error
        if isinstance(model, torch.nn.Module):
            model = model.to(device=device, dtype=dtype).eval()
        if not callable(model):
            raise SettingError(
                f"function={self.function} gave a {type(model).__name__}; expected G, which is "
                "called as G(z, prompts)"
            )
        return GanGenerator(model, self.latent, self.range, torch.device(device), dtype)


@dataclass(frozen=True)
class GanGenerator:
    """A loaded G with the settings it is called with; see `GanSettings`."""

    model: Callable[[Any, list[str]], Any]
    latent: Sequence[int]
    range: Sequence[float]
    device: Any
    dtype: Any
    family: str = "gan"
    evaluations: int = 1

    def generate(self, batch: Batch) -> Any:
        """Return the images, a tensor of float32 in [0, 1], or of uint8 where G gives that.

        Raises DataError where G gives no tensor.
        """
        import torch

        # One generator a seed, on the CPU: the same noise in any batch, on any device.
        noise = torch.stack(
            [
                torch.randn(*self.latent, generator=torch.Generator().manual_seed(seed))
                for seed in batch.seeds
            ]
        )
        with torch.inference_mode():
            made = self.model(noise.to(self.device, self.dtype), list(batch.prompts))
            if not isinstance(made, torch.Tensor):
                raise DataError(f"G(z, prompts) gave a {type(made).__name__}; expected a tensor")
            if not made.is_floating_point():
                return made
            low, high = self.range
            made = made.float()
            made = torch.where(made.isfinite(), made, math.nan)  # clamp would hide an infinity
            return ((made - low) / (high - low)).clamp(0, 1)


def _file_hash(name: str) -> str:
    try:
        with Path(name).expanduser().open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise SettingError(
            f"weights={name}: the file cannot be read ({error.strerror or error})"
        ) from error
