"""What every public function does with its arguments before and after its own work.

Before: nodes of a Hydra configuration (OmegaConf's) become plain data, wherever they stand in the
arguments, so that a function takes what ``**cfg`` gives it. OmegaConf is not imported for that.

After: what a caller got wrong in the types of arguments is told in one line. A function may be
given much that its annotations do not name and that it can use all the same, so arguments are
looked at only when it fails: an error from inside then becomes a SettingError that names the
argument, if one is of another type than its annotation says.
"""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from inspect import signature, unwrap
from numbers import Integral, Real
from operator import is_
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from flasheval.base.errors import SettingError

__all__ = ["annotation_of", "checked_arguments", "checked_class"]

P = ParamSpec("P")
R = TypeVar("R")
ClassT = TypeVar("ClassT", bound=type)

_RAW = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, AssertionError)
_WORDS: dict[Any, tuple[str, str]] = {
    str: ("a text", "texts"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "true or false"),
    type(None): ("None", "None"),
    None: ("None", "None"),
    Path: ("a path", "paths"),
}
_LISTS = (tuple, list, Sequence, Collection, Iterable, set, frozenset)
_LONG = 60  # letters of a value that are shown


def checked_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Read arguments of a configuration as plain data, and make errors of a wrong type readable.

    Example:
        >>> @checked_arguments
        ... def halves(size: int, names: list[str] | None = None) -> int:
        ...     return size // 2
        >>> halves(5)
        2
        >>> halves("x")
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: halves: size='x': expected a whole number

    """

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        args, kwargs = _read(function, args, kwargs)
        try:
            return function(*args, **kwargs)
        except _RAW as error:
            told = _mistake(function, args, kwargs)
            if told is None:
                raise
            raise SettingError(told) from error

    return checked


def checked_class(kind: ClassT) -> ClassT:
    """Make the errors that arguments of a wrong type cause readable, in all that a class offers.

    Example:
        >>> from dataclasses import dataclass
        >>> @checked_class
        ... @dataclass
        ... class Pair:
        ...     names: tuple[str, ...]
        ...     def __post_init__(self) -> None:
        ...         self.names = tuple(self.names)
        >>> Pair(3)
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: Pair: names=3: expected a list of texts

    """
    for name, one in list(vars(kind).items()):
        if name.startswith("_") and name != "__init__":
            continue
        if isinstance(one, classmethod):
            setattr(kind, name, classmethod(checked_arguments(one.__func__)))
        elif isinstance(one, types.FunctionType):
            setattr(kind, name, checked_arguments(one))
    return kind


def annotation_of(function: Callable[..., Any], name: str) -> Any:
    """Return what a parameter of a function or class is annotated with; Any where nothing is.

    >>> def halves(size: "int | None", names=()): ...
    >>> annotation_of(halves, "size"), annotation_of(halves, "names")
    (int | None, typing.Any)
    """
    made: Any = function.__init__ if isinstance(function, type) else function  # type: ignore[misc]
    inside = unwrap(made)
    return _Names(inside).resolved(inside.__annotations__.get(name, Any))


def _read(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Return arguments with the nodes of a configuration in them as plain data.

    Interpolations in them are resolved, as Hydra does it when a value is read.
    """
    omegaconf: Any = sys.modules.get("omegaconf")
    node = getattr(omegaconf, "Container", None)
    if node is None:
        return args, kwargs  # nobody can have made one
    try:
        read = tuple(_plain(one, node) for one in args)
        return read, {key: _plain(one, node) for key, one in kwargs.items()}
    except omegaconf.errors.OmegaConfBaseException as error:
        said = str(error).partition("\n")[0].rstrip(".")
        key = getattr(error, "full_key", None)
        where = f" at {key}" if key and key not in said else ""
        raise SettingError(f"{_owner(function)}: the configuration{where}: {said}") from error


def _plain(value: Any, node: type[Any]) -> Any:
    kind = type(value)
    if kind in (str, int, float):
        return value
    if kind in (dict, list, tuple):
        parts = value.values() if kind is dict else value
        read = [_plain(one, node) for one in parts]
        if all(map(is_, read, parts)):
            return value
        return dict(zip(value, read, strict=True)) if kind is dict else kind(read)
    if not isinstance(value, node):
        return value
    from omegaconf import OmegaConf  # which is loaded: it made the value

    return OmegaConf.to_container(value, resolve=True, throw_on_missing=True, enum_to_str=True)


def _owner(function: Callable[..., Any]) -> str:
    of, _, called = function.__qualname__.rpartition(".")
    return of if called == "__init__" else called


def _mistake(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> str | None:
    """Return the line for the first argument of another type than its annotation's; None if none.

    What is no argument of the function at all is Python's to tell.
    """
    try:
        given = signature(function).bind(*args, **kwargs).arguments
    except TypeError:
        return None
    names, annotations = _Names(function), function.__annotations__
    for name, value in given.items():
        hint = names.resolved(annotations.get(name, Any))
        if not _fits(value, hint):
            shown = " ".join(_shown(value).split())
            return f"{_owner(function)}: {name}={shown}: expected {_words(hint)}"
    return None


def _shown(value: object) -> str:
    try:
        shown = repr(value)
    except Exception:
        return f"an object of {type(value).__name__}"
    return shown if len(shown) <= _LONG else f"{shown[:_LONG]}..."


class _Names(dict[str, Any]):
    """The names in a function's annotations; those imported for types only are looked for."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self._globals = getattr(function, "__globals__", {})

    def __missing__(self, name: str) -> Any:
        if name in self._globals or hasattr(builtins, name):
            raise KeyError(name)
        for key, module in list(sys.modules.items()):
            if key.startswith("flasheval.") and name in vars(module):
                return vars(module)[name]
        return type(name, (_NamedLike,), {})

    def resolved(self, hint: Any) -> Any:
        """Return an annotation; anything where it cannot be read."""
        if not isinstance(hint, str):
            return hint
        holder = type("Holder", (), {"__annotations__": {"hint": hint}})
        try:
            return get_type_hints(holder, self._globals, self)["hint"]
        except Exception:
            return Any


class _NamedLike:
    """Stands for a class of a module that was never loaded, so that nothing can be one."""


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is None:
        return value is None
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is Literal:
        return isinstance(value, str | bool | int) and value in inner
    if hint in (int, float):
        return isinstance(value, Integral if hint is int else Real) and not isinstance(value, bool)
    kind = origin or hint
    if not isinstance(kind, type) or kind is object:
        return True
    if kind.__module__ == "numpy":
        return isinstance(value, kind)
    if kind in (str, Path):
        return isinstance(value, kind) and "\0" not in str(value)
    if issubclass(kind, Mapping):
        return isinstance(value, Mapping) and (
            len(inner) < 2
            or all(_fits(key, inner[0]) and _fits(one, inner[1]) for key, one in value.items())
        )
    if kind in _LISTS:
        return _is_listed(value, ordered=kind in (tuple, list, Sequence)) and (
            isinstance(value, Iterator) or all(_fits(one, inner[0]) for one in value if inner)
        )
    if kind.__name__ == "Callable":
        return callable(value)
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol that cannot be asked
        return True


def _is_listed(value: Any, *, ordered: bool) -> bool:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return False
    if getattr(value, "ndim", 1) == 0:
        return False
    return not ordered or hasattr(value, "__getitem__")


def _words(hint: Any, *, many: bool = False) -> str:
    """Return what an annotation allows, in words."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_words(one, many=many) for one in inner))
    if origin is Literal:
        return " or ".join(map(str, inner))
    kind = origin or hint
    if kind in _WORDS:
        return _WORDS[kind][many]
    if kind in _LISTS:
        of = f" of {_words(inner[0], many=True)}" if inner else ""
        return f"lists{of}" if many else f"a list{of}"
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return "mappings" if many else "a mapping"
    if getattr(kind, "__module__", "") == "numpy":
        return "arrays" if many else "an array"
    name = getattr(kind, "__name__", str(kind))
    if name == "Callable":
        return "functions" if many else "a function"
    return "anything" if kind in (Any, object) else name
