"""What a Python program has at hand: a function, or a loaded diffusers pipeline."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from flasheval.errors import SettingError
from flasheval.generators.function import FunctionGenerator
from flasheval.generators.generator import Generator, GeneratorSettings
from flasheval.storage.canonical import JSON
from flasheval.variants import Factor

__all__ = ["BareSettings"]


@dataclass(frozen=True)
class BareSettings(GeneratorSettings):
    """A function ``f(prompts, seeds) -> images``, or a diffusers pipeline, as it is.

    It stays on the device it is on. A pipeline is called with one CPU generator a prompt; one that
    takes no list of them, such as Amused, needs a function around it.

    Attributes:
        call: The function or the pipeline.
        version: What the images depend on, such as ``run7-step2000``: two of the same version
            count as the same. None is the hash of the source text of a plain function; anything
            else carries values that no text tells, and needs a version.
        family: The family of models.
        evaluations: Network evaluations an image takes; None if unknown.

    Raises SettingError for a value that cannot be.

    >>> def grey(prompts, seeds):
    ...     return [None for _ in prompts]
    >>> BareSettings(grey, version="1").identity("cpu")
    {'version': '1'}

    """

    kind: ClassVar[str] = "bare"

    call: Callable[..., Any]
    version: str | None = None
    family: str = "function"
    evaluations: int | None = None

    def __post_init__(self) -> None:
        if not callable(self.call):
            raise SettingError(
                f"the generator is a {type(self.call).__name__}; expected a function "
                "f(prompts, seeds) or a diffusers pipeline"
            )

    def factors(self) -> dict[str, Factor]:
        """Return the family."""
        return {"family": self.family}

    def identity(self, device: str) -> dict[str, JSON]:
        """Return the version. Raises SettingError where it is not given, nor to be had."""
        return {"version": self.version or _source_hash(self.call)}

    def load(self, device: str, last: Generator | None = None) -> FunctionGenerator:
        """Return it as a generator; the device stays as it is."""
        call = _seeded(self.call) if _is_pipeline(self.call) else self.call
        return FunctionGenerator(call, self.family, self.evaluations)


def _source_hash(call: object) -> str:
    if inspect.isfunction(call) and call.__closure__ is None:
        try:
            return f"sha256:{hashlib.sha256(inspect.getsource(call).encode()).hexdigest()}"
        except OSError:  # typed into an interpreter
            pass
    raise SettingError(
        f"nothing tells what the images of {getattr(call, '__name__', type(call).__name__)} depend "
        "on: wrap it as BareSettings(..., version=...), another version whenever they change"
    )


def _is_pipeline(call: object) -> bool:
    diffusers: Any = sys.modules.get("diffusers")
    return diffusers is not None and isinstance(call, diffusers.DiffusionPipeline)


def _seeded(pipeline: Any) -> Callable[[list[str], list[int]], Any]:
    """Return a pipeline as a function of prompts and seeds."""

    def call(prompts: list[str], seeds: list[int]) -> Any:
        import torch

        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        # As numbers: among 8-bit pixels NaN could not be told from black.
        return pipeline(prompts, generator=generators, output_type="np")

    return call
