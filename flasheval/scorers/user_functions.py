"""What users' reward functions look like: how they are called, and what they return."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flasheval.base.errors import DataError, SettingError

__all__ = ["check_takes", "made_function", "parameters_of", "scores_in"]

_WANTS_TRAINER = ("completion_ids", "prompt_ids", "trainer_state", "completions_ids")


def made_function(
    maker: Callable[..., Any], name: str, arguments: Mapping[str, Any], device: str
) -> Callable[..., Any]:
    """Return the function that a factory makes; it gets ``device`` where it has such a parameter.

    Raises SettingError where it cannot be called with these arguments or makes no function.

    >>> def scaled(device, by=1.0):
    ...     return lambda images, prompts: [by for _ in images]
    >>> made_function(scaled, "my.py:scaled", {"by": 2.0}, "cpu")([None], ["a cat"])
    [2.0]
    """
    given = dict(arguments)
    if "device" in parameters_of(maker):
        given.setdefault("device", device)
    try:
        made: Callable[..., Any] = maker(**given)
    except Exception as error:  # whatever the user's own code does
        raise SettingError(
            f"function={name}: called with ({', '.join(given)}) to make the function, it raised "
            f"{type(error).__name__}: {error}; give its arguments with arguments="
        ) from error
    if not callable(made):
        raise SettingError(
            f"function={name}: with factory=true it is to return a function, but it returned a "
            f"{type(made).__name__}; leave out factory"
        )
    return made


def parameters_of(function: Callable[..., Any]) -> list[str]:
    """Return the names of a function's parameters, ``**`` for a catch-all; none where unknown.

    >>> parameters_of(lambda images, *, prompts, **more: None)
    ['images', 'prompts', '**']
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of no function that Python can look into
        return []
    return ["**" if one.kind is one.VAR_KEYWORD else one.name for one in parameters]


def check_takes(
    scorer: str, function: Callable[..., Any], args: Sequence[str], names: Sequence[str] = ()
) -> None:
    """Raise SettingError where a function cannot be called with these arguments.

    Args:
        scorer: The metric, for the message.
        function: The function.
        args: Names of what it is given by position.
        names: Names of what it is given by name.

    >>> check_takes("blur", lambda images, prompts: [], ("images", "prompts"))
    >>> check_takes("blur", lambda device: None, ("images", "prompts"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: scorer blur: its function takes (device), but is called ...

    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of no function that Python can look into
        return
    try:
        signature.bind(*args, **dict.fromkeys(names))
    except TypeError:
        called = ", ".join([*args, *(f"{name}=" for name in names)])
        parameters = list(signature.parameters)
        raise SettingError(
            f"scorer {scorer}: its function takes ({', '.join(parameters)}), but is called with "
            f"({called}); {_advice(parameters, args)}"
        ) from None


def scores_in(scorer: str, found: Any, output: str | int | None = None) -> Any:
    """Return the rewards in a function's result: the result itself, or a part of it.

    A pair of rewards and information, as in DDPO and Flow-GRPO, gives the rewards; rewards by
    name or several lists of them give the one that ``output`` names.

    Raises DataError where it is not clear which, or where there is none of that name.

    >>> scores_in("a", ([0.5, 1.0], {"unit": "kB"}))
    [0.5, 1.0]
    >>> scores_in("a", ({"clip": [0.5], "avg": [0.75]}, {}), "avg")
    [0.75]
    >>> scores_in("a", {"clip": [0.5], "avg": [0.75]})
    Traceback (most recent call last):
    flasheval.base.errors.DataError: scorer a: it returned rewards by name (clip, avg); say which \
with output=clip, or output=avg

    """
    if callable(found) and not hasattr(found, "__len__"):
        raise DataError(
            f"scorer {scorer}: it returned a function, so it makes reward functions: set "
            "factory=true, or name what it returns"
        )
    if isinstance(found, tuple) and found and _is_several(found[0]):
        rest = [one for one in found[1:] if one is not None and not isinstance(one, Mapping)]
        if output is None or isinstance(output, str):
            if rest:
                raise DataError(
                    f"scorer {scorer}: it returned {len(found)} results at once; say which with "
                    "output=0 for the first, output=1 for the second, and so on"
                )
            found = found[0]
        elif not 0 <= output < len(found):
            raise DataError(
                f"scorer {scorer}: output={output}, but it returned {len(found)} results; count "
                "from 0"
            )
        else:
            return found[output]
    if not isinstance(found, Mapping):
        return found
    names = [str(name) for name in found]
    if output is None and len(found) == 1:
        return next(iter(found.values()))
    if output in found:
        return found[output]
    told = f"there is no output={output}; " if output is not None else ""
    raise DataError(
        f"scorer {scorer}: it returned rewards by name ({', '.join(names)}); {told}say which with "
        + ", or ".join(f"output={name}" for name in names[:2])
    )


def _is_several(one: Any) -> bool:
    """Tell whether it is a list, an array or a tensor of rewards, or rewards by name."""
    shape = getattr(one, "shape", None)
    return len(shape) > 0 if shape is not None else isinstance(one, list | tuple | Mapping)


def _advice(parameters: Sequence[str], args: Sequence[str]) -> str:
    for name in _WANTS_TRAINER:
        if name in parameters:
            return f"{name} comes from a trainer of texts; give it a default"
    if "metadata" in parameters and len(args) == 2:
        return "for (images, prompts, metadata) use {name: reward, style: ddpo, function: ...}"
    if not set(parameters) & {"images", "prompts", "completions"}:
        return "if it makes the reward function, set factory=true"
    return "give the others defaults, or the prompts' columns with columns= of the scorer reward"
