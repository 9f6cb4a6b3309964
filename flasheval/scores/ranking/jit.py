"""Numba's compiler behind two typed decorators, so that kernels stay ordinary typed functions.

Importing this module imports numba; nothing that `import flasheval` loads may import it.
"""

import inspect
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FunctionType
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import numba
import numba.extending
from numba.core import event

from flasheval.base.progress import holding_up

__all__ = ["compiled", "intrinsic"]

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function on its first call, on one thread, and keep the result on disk.

    It may be called from Python and from other compiled functions. It opens no threads: callers
    part the work with `flasheval.base.threads`. It releases the interpreter lock, divides as numpy
    does, and never reorders floating point arithmetic, so results do not depend on the machine's
    vector width.

    >>> @compiled
    ... def twice(value: float) -> float:
    ...     return 2 * value
    >>> twice(21.0)
    42.0
    """
    njit: Any = numba.njit
    options = {"nogil": True, "error_model": "numpy"}
    if not os.path.exists(inspect.getfile(function)):  # typed at a prompt: nowhere to keep it
        return cast(Callable[P, R], njit(**options)(function))
    try:
        dispatcher = njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return cast(Callable[P, R], njit(**options)(function))
    _watch_callees(dispatcher)
    return cast(Callable[P, R], dispatcher)


def intrinsic(function: Callable[Concatenate[Any, P], Any]) -> Callable[P, Any]:
    """Numba's `intrinsic`: called without the typing context that its definition takes first."""
    return cast(Callable[P, Any], numba.extending.intrinsic(function))


class _Telling(event.Listener):
    """Lets the progress say that kernels are being compiled, which is kept for all later runs."""

    def __init__(self) -> None:
        self._open: dict[int, list[AbstractContextManager[None]]] = {}

    def on_start(self, event: Any) -> None:
        told = holding_up("compiling the kernels, once")
        told.__enter__()
        self._open.setdefault(threading.get_ident(), []).append(told)

    def on_end(self, event: Any) -> None:
        self._open[threading.get_ident()].pop().__exit__(None, None, None)


cast(Any, event).register("numba:compile", _Telling())


def _watch_callees(dispatcher: Any) -> None:
    """Let a kept kernel go stale when a function compiled into it changes.

    Numba looks only at the kernel's own file, so after an edit of blocks.py every kernel that
    inlines its functions would silently go on running the old ones. Private attributes: where a
    numba does not have them, its own behaviour stays.
    """
    cache_file: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if hasattr(cache_file, "_source_stamp"):
        files = sorted(_source_files(dispatcher.py_func, set()))
        stamps = [(os.stat(file).st_mtime_ns, os.stat(file).st_size) for file in files]
        cache_file._source_stamp = (cache_file._source_stamp, tuple(stamps))


def _source_files(function: FunctionType, seen: set[FunctionType]) -> set[str]:
    """Find the files of a function and of all compiled functions it names, however deep."""
    seen.add(function)
    files = {inspect.getfile(function)}
    for name in function.__code__.co_names:
        named = function.__globals__.get(name)
        callee = getattr(named, "py_func", None) or getattr(named, "_defn", None)
        if isinstance(callee, FunctionType) and callee not in seen:
            files |= _source_files(callee, seen)
    return files
