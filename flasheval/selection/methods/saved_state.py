"""A running search on disk: its arrays, its counters and its generator, nothing else."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from flasheval.base.errors import DataError
from flasheval.base.files import atomic_write
from flasheval.selection.methods.selector import State

__all__ = ["load_state", "save_state"]

_FACTS = "__facts__"
# What numpy, zipfile and json raise for files that are cut short, overwritten or something else.
_DAMAGE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    SyntaxError,
    struct.error,
    zipfile.BadZipFile,
)
_GENERATORS = ("PCG64", "PCG64DXSM", "Philox", "SFC64", "MT19937")


def save_state(state: State, path: Path, *, key: str) -> None:
    """Write a state as one .npz without pickled objects.

    Args:
        state: The search between two steps.
        path: The file; replaced as a whole.
        key: Hash of everything that determines the search (scores, settings, seed).

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_state(State(np.random.default_rng(0), step=3), Path(folder, "s.npz"), key="k")
        ...     load_state(Path(folder, "s.npz"), key="k").step
        3

    """
    facts = {
        "key": key,
        "step": state.step,
        "steps": state.steps,
        "sets": state.sets,
        "history": state.history,
        "generator": state.rng.bit_generator.state,
    }
    text = np.frombuffer(json.dumps(facts, default=np.ndarray.tolist).encode(), dtype=np.uint8)
    arrays: dict[str, Any] = {_FACTS: text, **state.arrays}
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


def load_state(path: Path, *, key: str) -> State | None:
    """Read a state back, or None where there is no file or it belongs to another search.

    Raises:
        DataError: The file is damaged.

    Example:
        >>> load_state(Path("no-such-file.npz"), key="k") is None
        True

    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        facts = json.loads(arrays.pop(_FACTS).tobytes())
        if facts["key"] != key:
            return None
        name = facts["generator"]["bit_generator"]
        if name not in _GENERATORS:
            raise ValueError(f"unknown generator {name!r}")
        bits = getattr(np.random, name)()
        bits.state = facts["generator"]
        return State(
            rng=np.random.Generator(bits),
            arrays=arrays,
            step=int(facts["step"]),
            steps=int(facts["steps"]),
            sets=int(facts["sets"]),
            history=list(facts["history"]),
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except _DAMAGE as error:
        raise DataError(
            f"{path}: not a saved search ({error}); delete the file to start that search anew"
        ) from error
