"""GANs and other one-step generators: images from noise and, if they take one, a text."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from flasheval.base.canonical import JSON, canonical_value
from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.base.models.weights import SHIPPED, local_path, locate
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
            are given, of ``load(device, weights) -> G``. What `arguments` hold is passed by name.
        latent: The shape of one image's noise z, such as ``(512,)``; it is standard normal.
        range: The outputs of G that mean black and full brightness; values outside are clipped.
        dtype: The type of G and z.
        weights: The file of G's weights, or a folder with config.json and weights, such as
            ``miniature:gan-final``; the hash of its content is part of the identity.
        version: The version of the code; None is the hash of the file that holds the function.
        arguments: What else the function takes, such as ``{"truncation": 0.7}``; numbers, words
            and switches among them are factors of the variant.

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
    arguments: Mapping[str, object] = field(default_factory=dict)

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
        try:  # refuses NaN, infinities, and what no file can hold
            canonical_value(dict(self.arguments), path="arguments")
        except DataError as error:
            raise SettingError(str(error)) from error
        for name in self.arguments:
            if name in ("device", "weights") or not name.isidentifier():
                raise SettingError(
                    f"arguments.{name}: expected the name of a further argument of load(device, "
                    "weights)"
                )

    def factors(self) -> dict[str, Factor]:
        """Return the family, the precision, which is the dtype, and plain arguments.

        >>> GanSettings("gan.py:load", (512,), arguments={"truncation": 0.7}).factors()
        {'family': 'gan', 'precision': 'fp32', 'truncation': 0.7}
        """
        plain = {
            name: value
            for name, value in self.arguments.items()
            if isinstance(value, str | int | float)
        }
        return {"family": "gan", "precision": self.dtype, **plain}

    def identity(self, device: str) -> dict[str, JSON]:
        """Return settings, the code's version and the weights' hash.

        >>> settings = GanSettings("stylegan.py:load", latent=(512,), version="ada-2")
        >>> settings.identity("cpu")["version"]
        'ada-2'
        """
        more: dict[str, JSON] = {}
        if self.arguments:  # left out otherwise: what was made without them stays what it is
            more = {"arguments": canonical_value(dict(self.arguments), path="arguments")}
        return {
            "function": self.function,
            "version": self.version or f"sha256:{source_hash(self.function)}",
            "latent": list(self.latent),
            "range": list(self.range),
            "dtype": self.dtype,
            "weights": None if self.weights is None else _weights_hash(self.weights),
            **more,
        }

    def load(self, device: str, last: Generator | None = None) -> GanGenerator:
        """Call the user's function and put the G it returns on the device, in evaluation mode.

        Raises SettingError when the function fails or returns something that cannot be called.
        """
        import torch

        dtype = getattr(torch, _DTYPES[self.dtype])
        make = load_object(self.function)
        given = (device,) if self.weights is None else (device, self.weights)
        try:
            model = make(*given, **self.arguments)
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


def _weights_hash(name: str) -> str:
    """Return the hash of a file, or of a folder's files."""
    if name.startswith(SHIPPED) or local_path(name).is_dir():
        return locate(name).revision
    try:
        with local_path(name).open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise SettingError(
            f"weights={name}: the file cannot be read ({error.strerror or error})"
        ) from error
