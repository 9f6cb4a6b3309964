"""Generators from Python objects: a function, or a loaded diffusers pipeline."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from flasheval.base.canonical import JSON
from flasheval.base.errors import SettingError
from flasheval.generators.function import FunctionGenerator
from flasheval.generators.generator import Generator, GeneratorSettings
from flasheval.generators.pipeline_call import PipelineCall
from flasheval.generators.variants import Factor

__all__ = ["ObjectSettings", "as_generator"]


@dataclass(frozen=True)
class ObjectSettings(GeneratorSettings):
    """Settings that wrap a function ``f(prompts, seeds) -> images`` or a loaded pipeline.

    The object stays on the device it is on. See `as_generator` for how it is called.

    Attributes:
        call: The function or the pipeline.
        version: A label of everything the images depend on, such as ``run7-step2000``: objects of
            equal version count as the same. None takes the hash of the source text of a plain
            function; anything else needs a version.
        family: The family of models.
        evaluations: Network evaluations an image takes; None if unknown.

    Raises SettingError for an object that cannot be called.

    >>> def grey(prompts, seeds):
    ...     return [None for _ in prompts]
    >>> ObjectSettings(grey, version="1").identity("cpu")
    {'version': '1'}

    """

    kind: ClassVar[str] = "bare"

    call: Callable[..., Any]
    version: str | None = None
    family: str = "function"
    evaluations: int | None = None

    def __post_init__(self) -> None:
        _checked(self.call)

    def factors(self) -> dict[str, Factor]:
        """Return the family.

        >>> ObjectSettings(len, family="gan").factors()
        {'family': 'gan'}
        """
        return {"family": self.family}

    def identity(self, device: str) -> dict[str, JSON]:
        """Return the version. Raises SettingError when none is given and the source has no hash.

        >>> ObjectSettings(len).identity("cpu")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: ... ObjectSettings(..., version=...), ...
        """
        return {"version": self.version or _source_hash(self.call)}

    def load(self, device: str, last: Generator | None = None) -> Generator:
        """Return the object as a generator; it stays on its device.

        >>> settings = ObjectSettings(lambda prompts, seeds: None, version="1", family="gan")
        >>> settings.load("cpu").family
        'gan'
        """
        return as_generator(self.call, family=self.family, evaluations=self.evaluations)


def as_generator(
    call: Callable[..., Any] | Generator | GeneratorSettings,
    arguments: Mapping[str, Any] | None = None,
    *,
    family: str = "function",
    evaluations: int | None = None,
    device: str = "cpu",
) -> Generator:
    """Return a function or a pipeline as a generator, on the device it is on.

    Settings of a generator are loaded onto the device given; a loaded generator is one already.
    A pipeline is called as `PipelineCall` does. A function gets prompts and seeds, or, if its
    second parameter is called ``generators``, prompts and such generators.

    Args:
        call: The function or pipeline, settings, or loaded generator.
        arguments: What else a pipeline is called with, such as ``num_inference_steps``.
        family: The family of models.
        evaluations: Network evaluations an image takes; None if unknown.
        device: Where settings are loaded.

    Raises SettingError for arguments to a function, for arguments that a pipeline does not take,
    and for an object that cannot be called.

    >>> from flasheval.generators.generator import Batch
    >>> made = as_generator(lambda prompts, seeds: [f"{p} {s}" for p, s in zip(prompts, seeds)])
    >>> made.generate(Batch(("1",), ("A cat.",), (7,)))
    ['A cat. 7']
    >>> as_generator(len, {"steps": 20})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: steps: a function is called with prompts and seeds ...

    """
    if isinstance(call, GeneratorSettings):
        _refuse_arguments(arguments)
        return call.load(device)
    if not callable(call) and hasattr(call, "generate"):
        _refuse_arguments(arguments)
        return call
    function = _checked(call)
    if _is_pipeline(function):
        return FunctionGenerator(PipelineCall(function, arguments or {}), family, evaluations)
    _refuse_arguments(arguments)
    wants = _takes_generators(function)
    made = (lambda prompts, seeds: function(prompts, _generators(seeds))) if wants else function
    return FunctionGenerator(made, family, evaluations)


def _refuse_arguments(arguments: Mapping[str, Any] | None) -> None:
    if arguments:
        raise SettingError(
            f"{', '.join(arguments)}: a function is called with prompts and seeds only; arguments "
            "of the call are for diffusers pipelines"
        )


def _checked(call: object) -> Callable[..., Any]:
    if not callable(call):
        raise SettingError(
            f"the generator is a {type(call).__name__}; expected a function f(prompts, seeds) or "
            "a diffusers pipeline"
        )
    return call


def _source_hash(call: object) -> str:
    if inspect.isfunction(call) and call.__closure__ is None:
        try:
            return f"sha256:{hashlib.sha256(inspect.getsource(call).encode()).hexdigest()}"
        except OSError:  # typed into an interpreter
            pass
    name = getattr(call, "__name__", type(call).__name__)
    raise SettingError(
        f"the images of {name} have no version: wrap it as "
        "ObjectSettings(..., version=...), and change the version whenever the images change"
    )


def _is_pipeline(call: object) -> bool:
    diffusers: Any = sys.modules.get("diffusers")
    return diffusers is not None and isinstance(call, diffusers.DiffusionPipeline)


def _takes_generators(call: Callable[..., Any]) -> bool:
    try:
        names = list(inspect.signature(call).parameters)
    except (TypeError, ValueError):  # of no function that Python can look into
        return False
    return len(names) > 1 and names[1] == "generators"


def _generators(seeds: list[int]) -> list[Any]:
    import torch

    return [torch.Generator().manual_seed(seed) for seed in seeds]
