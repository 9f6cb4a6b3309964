"""A user's function as a scorer."""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import JSON, canonical_value
from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.base.files import safe_name
from flasheval.base.user_code import load_object, source_hash
from flasheval.scorers.checks import check_batch, check_lengths, check_scores
from flasheval.scorers.scorer import ScorerSettings
from flasheval.scorers.user_functions import check_takes, made_function, scores_in

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["FunctionScorer", "FunctionSettings", "resolve"]


@dataclass
class FunctionScorer:
    """A scorer that calls ``function(images, prompts)`` with at most `batch` images at a time.

    The function is given a list of RGB images and a list of their prompts, and returns as many
    numbers, None or NaN where there is none: a list, an array, a tensor, or an awaitable of one;
    also a pair of these and information, which is ignored, or numbers by name, of which ``output``
    names one.

    >>> def length(images, prompts):
    ...     return [len(prompt) for prompt in prompts]
    >>> scorer = FunctionScorer("length", "1", True, length, batch=1)
    >>> scorer.score([None, None], ["a cat", "a newt"])
    array([5., 6.], dtype=float32)
    """

    name: str
    version: str
    higher_is_better: bool
    function: Callable[[Sequence[Image], Sequence[str]], Any]
    batch: int = 32
    output: str | int | None = None

    def score(self, images: Sequence[Image], prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score an image, float32 [len(images)]; see `Scorer.score`.

        >>> def broken(images, prompts):
        ...     return [1.0]
        >>> scorer = FunctionScorer("broken", "1", True, broken)
        >>> scorer.score([None, None], ["a cat", "a newt"])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: scorer broken: it returned 1 of 2 scores; expected one ...
        """
        check_lengths(self.name, images, prompts)
        scores = [np.empty(0, dtype=np.float32)]
        for start in range(0, len(images), self.batch):
            part = slice(start, start + self.batch)
            some = list(images[part])
            found = _call(self.name, self.function, some, list(prompts[part]))
            found = scores_in(self.name, found, self.output)
            scores.append(check_scores(self.name, found, len(some)))
        return np.concatenate(scores)


@dataclass(frozen=True)
class FunctionSettings(ScorerSettings):
    """Settings of a scorer that is a user's function; see `FunctionScorer`.

    Attributes:
        function: ``module:name`` or ``path/to/file.py:name``.
        metric_name: The metric's name in score tables; None takes the function's name.
        higher_is_better: The metric's direction.
        code_version: A label of the state of the code and of everything it loads; None takes the
            hash of the function's file.
        batch: Images at a time; the scores must not depend on it.
        factory: Whether the function makes the one that scores, as Flow-GRPO's do.
        arguments: What a factory is called with; it gets ``device`` by itself where it takes one.
        output: Which of several rewards to take: their name, or a number from 0.

    >>> FunctionSettings("my_metrics.py:sharpness", higher_is_better=True).metric
    'sharpness'

    """

    kind: ClassVar[str] = "function"
    function: str
    metric_name: str | None = None
    higher_is_better: bool = True
    code_version: str | None = None
    batch: int = 32
    factory: bool = False
    arguments: Mapping[str, object] | None = None
    output: str | int | None = None

    def __post_init__(self) -> None:
        if self.arguments and not self.factory:
            raise SettingError(
                f"scorer {self.kind}: arguments are for a function that makes the reward function; "
                "set factory=true, or leave them out"
            )
        if not all(self.function.rpartition(":")[::2]):
            raise SettingError(
                f"scorer {self.kind}: function={self.function}; expected module:name or "
                "path/to/file.py:name"
            )
        safe_name(self.metric, "metric_name")
        check_batch(self.kind, self.batch)

    @property
    def metric(self) -> str:
        """The name of the metric in score tables.

        >>> FunctionSettings("a.py:blur").metric, FunctionSettings("a.py:blur", "Blur").metric
        ('blur', 'Blur')
        """
        return self.metric_name or self.function.rpartition(":")[2]

    @property
    def version(self) -> str:
        """The function's name with its `code_version` or the start of its file's hash.

        >>> FunctionSettings("my_metrics.py:blur", code_version="3").version
        'blur@3'
        """
        name = self.function.rpartition(":")[2]
        return f"{name}@{self.code_version or source_hash(self.function)[:8]}"

    def identity(self) -> dict[str, JSON]:
        """Return the function's name and its `code_version`, or else its file's hash.

        >>> FunctionSettings("my_metrics.py:blur", code_version="3").identity()
        {'kind': 'function', 'function': 'my_metrics.py:blur', 'code': '3'}
        """
        named = self.code_version is not None
        return {
            "kind": self.kind,
            "function": self.function if named else self.function.rpartition(":")[2],
            "code": self.code_version if named else f"sha256:{source_hash(self.function)}",
            **({"arguments": canonical_value(self.arguments or {})} if self.factory else {}),
            **({"output": self.output} if self.output is not None else {}),
        }

    def load(self, device: str) -> FunctionScorer:
        """Import the function, which chooses its device itself; ``device`` is not used.

        Raises SettingError when it cannot be imported or called.

        >>> FunctionSettings("math:pi", code_version="1").load("cpu")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: scorer function: math:pi is of type float; expected ...
        """
        function = self._callable(device)
        check_takes(self.metric, function, ("images", "prompts"))
        return self._scorer(function)

    def _scorer(self, function: Callable[..., Any]) -> FunctionScorer:
        """Return the scorer that calls a function with (images, prompts)."""
        return FunctionScorer(
            self.metric, self.version, self.higher_is_better, function, self.batch, self.output
        )

    def _callable(self, device: str) -> Callable[..., Any]:
        """Return the function named, or the one that it makes."""
        function: Callable[..., Any] = load_object(self.function)
        if not callable(function):
            raise SettingError(
                f"scorer {self.kind}: {self.function} is of type {type(function).__name__}; "
                "expected a function"
            )
        if not self.factory:
            return function
        return made_function(function, self.function, self.arguments or {}, device)


def resolve(found: Any) -> Any:
    """Return a function's result, after awaiting it when it is awaitable.

    >>> async def later():
    ...     return [0.5]
    >>> resolve(later()), resolve([0.25])
    ([0.5], [0.25])
    """
    if not inspect.isawaitable(found):
        return found

    async def wait() -> Any:
        return await found

    with ThreadPoolExecutor(1) as threads:  # in a notebook this thread already runs a loop
        return threads.submit(asyncio.run, wait()).result()


def _call(metric: str, function: Callable[..., Any], *args: object) -> Any:
    try:
        return resolve(function(*args))
    except FlashevalError:
        raise
    except Exception as error:  # whatever the user's own code does
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise DataError(
            f"scorer {metric}: its function raised {type(error).__name__}: {error} "
            f"({last.filename}, line {last.lineno})"
        ) from error
