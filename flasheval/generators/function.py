"""A user's function that makes images for prompts, as a generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from flasheval.base.canonical import JSON
from flasheval.base.errors import SettingError
from flasheval.base.user_code import load_object, source_hash
from flasheval.generators.generator import Batch, Generator, GeneratorSettings
from flasheval.generators.variants import Factor

__all__ = ["FunctionGenerator", "FunctionSettings"]


@dataclass(frozen=True)
class FunctionSettings(GeneratorSettings):
    """Settings of a function ``f(prompts, seeds) -> images``, given by its import path.

    It gets two lists of equal length and may return anything that
    `flasheval.generators.images.to_images` takes. An image must depend on its own prompt and seed
    only.

    Attributes:
        function: ``module:name`` or ``file.py:name``.
        family: The family of models it stands for.
        evaluations: Network evaluations an image takes; None if unknown.
        version: The version of the code; None is the hash of the file that holds the function.
            Give one where the images depend on anything else, such as weights it loads.

    Raises SettingError for a value out of range.

    >>> FunctionSettings("my_models.py:tiny", evaluations=0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: evaluations=0: expected at least 1, or null

    """

    kind: ClassVar[str] = "function"

    function: str
    family: str = "function"
    evaluations: int | None = None
    version: str | None = None

    def __post_init__(self) -> None:
        if self.evaluations is not None and self.evaluations < 1:
            raise SettingError(f"evaluations={self.evaluations}: expected at least 1, or null")

    def factors(self) -> dict[str, Factor]:
        """Return the family.

        >>> FunctionSettings("my_models.py:tiny", family="gan").factors()
        {'family': 'gan'}
        """
        return {"family": self.family}

    def identity(self, device: str) -> dict[str, JSON]:
        """Return the function and its version.

        >>> FunctionSettings("math:hypot", version="1").identity("cpu")
        {'function': 'math:hypot', 'version': '1'}
        """
        version = self.version or f"sha256:{source_hash(self.function)}"
        return {"function": self.function, "version": version}

    def load(self, device: str, last: Generator | None = None) -> FunctionGenerator:
        """Import the function, which chooses its device itself; ``device`` is not used.

        Raises SettingError when it cannot be imported or called.

        >>> FunctionSettings("math:pi", version="1").load("cpu")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: function=math:pi is a float; expected a function ...
        """
        call = load_object(self.function)
        if not callable(call):
            raise SettingError(
                f"function={self.function} is a {type(call).__name__}; expected a function that "
                "is called as f(prompts, seeds)"
            )
        return FunctionGenerator(call, self.family, self.evaluations)


@dataclass(frozen=True)
class FunctionGenerator:
    """A function ``call(prompts, seeds) -> images`` as a generator.

    >>> import numpy as np
    >>> def grey(prompts, seeds):
    ...     return np.full((len(prompts), 3, 8, 8), 0.5)
    >>> FunctionGenerator(grey).generate(Batch(("1", "2"), ("A cat.", "A dog."), (7, 8))).shape
    (2, 3, 8, 8)
    """

    call: Callable[[list[str], list[int]], Any]
    family: str = "function"
    evaluations: int | None = None

    def generate(self, batch: Batch) -> Any:
        """Return what the function makes of the batch's prompts and seeds."""
        return self.call(list(batch.prompts), list(batch.seeds))
