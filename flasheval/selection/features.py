"""What is known of prompts beside their scores, as numbers that a search can keep in balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import sha256_of_array
from flasheval.base.errors import DataError, SettingError
from flasheval.prompts import PromptSet
from flasheval.prompts.tags import places_by_value, values_of
from flasheval.selection.methods.few import places_by_kind

__all__ = [
    "Features",
    "Kinds",
    "check_shares",
    "prompt_features",
    "prompt_kinds",
    "read_embeddings",
    "rows_kept",
]

_MOST = 64  # rows; of more only the directions along which prompts differ most are kept
_DIRECTIONS = 16  # of embeddings


@dataclass(frozen=True)
class Features:
    """Features of prompts, and what they are called in a manifest.

    Attributes:
        values: float64 [features, prompts], centred over prompts.
        columns: The tags or other columns that they were made from; or one word with the hash of
            the embeddings, ``embeddings:0123456789abcdef``.

    """

    values: NDArray[np.float64]
    columns: tuple[str, ...]

    def fingerprint(self) -> str:
        """Hash of the numbers, for the names of stored searches.

        >>> first, other = (Features(np.eye(1, n), ("kind",)) for n in (2, 3))
        >>> first.fingerprint() == other.fingerprint()
        False
        """
        return sha256_of_array(self.values)


@dataclass(frozen=True)
class Kinds:
    """Which kind each prompt is of, where a subset is to have each kind's share.

    Attributes:
        values: int64 [prompts], 0 to k - 1.
        columns: The columns whose values, taken together, are the kinds.
        names: The kinds' names.

    """

    values: NDArray[np.int64]
    columns: tuple[str, ...]
    names: tuple[str, ...]


def prompt_kinds(prompts: PromptSet, quota: Any = "none") -> Kinds | None:
    """Part prompts into the kinds whose shares are to be held.

    Args:
        prompts: The whole set.
        quota: ``none``; ``tags``, all tags taken together; or the names of columns. A prompt of
            several values is of a kind of its own, that of all of them.

    Raises:
        SettingError: A column that is not there; no tags where they are asked for.

    Example:
        >>> pets = PromptSet("pets", "1234", extras={"kind": ("cat", "cat", "dog", "")})
        >>> found = prompt_kinds(pets, "tags")
        >>> found.values.tolist(), found.names
        ([1, 1, 2, 0], ('kind=', 'kind=cat', 'kind=dog'))

    """
    if quota is None or (isinstance(quota, str) and quota == "none"):
        return None
    asked = [quota] if isinstance(quota, str) else _listed(quota)
    if asked is None:
        raise SettingError(
            f"quota={_shown(quota)}: expected none, tags or names of columns of the prompts"
        )
    columns = _columns(prompts, asked, "quota")
    if not columns:
        return None
    cells = zip(*(prompts.column(name, "quota") for name in columns), strict=True)
    names = [", ".join(map("{}={}".format, columns, one)) for one in cells]
    found, values = np.unique(names, return_inverse=True)
    if len(found) < 2:
        raise SettingError(
            f"quota={','.join(columns)}: all prompts are of one kind; name a column that parts them"
        )
    return Kinds(values.astype(np.int64), columns, tuple(map(str, found)))


def _columns(prompts: PromptSet, asked: Sequence[str], key: str) -> tuple[str, ...]:
    """Return names of columns, each once, with the tags for the word that stands for them."""
    names: list[str] = []
    for one in asked:
        if one.lower() != "tags" or one in prompts.extras:
            names.append(one)
            continue
        if not prompts.tags:
            raise SettingError(
                f"{key}=tags: the prompts of {prompts.name} have no tags; name columns, or give "
                "a prompt file that has some with prompts=FILE"
            )
        names += prompts.tags
    return tuple(dict.fromkeys(names))


def _listed(given: Any) -> list[str] | None:
    """Return names as a list, whatever holds them; None where these are no names.

    >>> _listed(("a", "b")), _listed(np.array(["a"])), _listed(3)
    (['a', 'b'], ['a'], None)
    """
    if hasattr(given, "tolist"):
        if getattr(given, "ndim", 1) != 1:
            return None
        given = given.tolist()
    if isinstance(given, Sequence | set | frozenset) and not isinstance(given, str | bytes):
        names = sorted(given) if isinstance(given, set | frozenset) else list(given)
        return names if all(isinstance(one, str) for one in names) else None
    return None


def _shown(given: Any) -> str:
    return repr(given) if isinstance(given, int | float | str) else type(given).__name__


def check_shares(
    kinds: Kinds, sizes: Sequence[int], required: Sequence[int], forbidden: Sequence[int]
) -> None:
    """Raise SettingError where prompts required or forbidden leave no room for the shares.

    >>> pets = PromptSet("pets", "1234", extras={"kind": ("cat", "cat", "dog", "dog")})
    >>> check_shares(prompt_kinds(pets, "kind"), [2], required=[0, 1], forbidden=[])
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: quota=kind: of 2 prompts 1 can be kind=cat; require has 2
    """
    what, count = f"quota={','.join(kinds.columns)}", len(kinds.names)
    asked = np.bincount(kinds.values[list(required)], minlength=count)
    there = np.bincount(kinds.values, minlength=count)
    there = there - np.bincount(kinds.values[list(forbidden)], minlength=count)
    if count > min(sizes):
        raise SettingError(
            f"{what}: {count} kinds for {min(sizes)} places; a kind without a place has no share: "
            "name fewer columns, choose more prompts, or keep them in balance with balance="
        )
    for size in sizes:
        places = places_by_kind(kinds.values, size)
        for kind in np.flatnonzero(asked > places)[:1]:
            raise SettingError(
                f"{what}: of {size} prompts {places[kind]} can be {kinds.names[kind]}; require has "
                f"{asked[kind]}"
            )
        for kind in np.flatnonzero(there < places)[:1]:
            raise SettingError(
                f"{what}: of {size} prompts {places[kind]} must be {kinds.names[kind]}; forbid "
                f"leaves {there[kind]}"
            )


def prompt_features(prompts: PromptSet, balance: Any = "auto") -> Features | None:
    """Make the features of prompts that a setting asks for.

    Args:
        prompts: The whole set.
        balance: ``auto``, the tags where there are some; ``tags``; ``none``; the names of columns;
            an array of embeddings [prompts, numbers] in the order of the prompts, or a frame whose
            index holds their ids in any order, or a file ``.npy`` of an array.

    Returns:
        None where there is nothing to balance. Of tags each value is a feature, 1 where a prompt
        has it, 0 where not; of embeddings the 16 directions along which prompts differ most.

    Raises:
        SettingError: A column that is not there, or parts nothing; no tags where they are asked
            for.
        DataError: Embeddings of another number of prompts, or with NaN.

    Example:
        >>> pets = PromptSet("pets", "1234", extras={"kind": ("cat", "cat", "dog", "dog")})
        >>> found = prompt_features(pets)
        >>> found.columns, found.values.tolist()
        (('kind',), [[0.5, 0.5, -0.5, -0.5], [-0.5, -0.5, 0.5, 0.5]])
        >>> prompt_features(pets, "none") is None
        True
        >>> prompt_features(pets, "colour")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: balance=colour: the prompts of pets have no such ...

    """
    if balance is None or (isinstance(balance, str) and balance == "none"):
        return None
    if isinstance(balance, str) and balance == "auto":
        return _of_columns(prompts, tuple(prompts.tags)) if prompts.tags else None
    if isinstance(balance, str | Path):
        path = Path(balance)
        if path.suffix.lower() == ".npy":
            return _of_embeddings(prompts, read_embeddings(path), str(balance))
        if path.is_file():
            raise SettingError(
                f"balance={balance}: expected a file .npy of one array, as numpy.save writes it"
            )
    names = [str(balance)] if isinstance(balance, str | Path) else _listed(balance)
    if names is None:
        return _of_embeddings(prompts, balance, "balance")
    files = [one for one in names if one.lower().endswith(".npy")]
    if files:
        raise SettingError(
            f"balance={files[0]}: a file of embeddings stands alone, not in a list; make tags "
            "columns of its array to balance both"
        )
    columns = _columns(prompts, names, "balance")
    return _of_columns(prompts, columns) if columns else None


def _of_columns(prompts: PromptSet, names: Sequence[str]) -> Features:
    rows: list[NDArray[np.float64]] = []
    for name in names:
        column = tuple(map(values_of, prompts.column(name, "balance")))
        places = places_by_value(column)
        if len(places) < 2 or len(places) > len(prompts) // 2:
            raise SettingError(
                f"balance={name}: the column has {len(places)} value"
                f"{'' if len(places) == 1 else 's'} for {len(prompts)} prompts; expected at least "
                "2, each of several prompts"
            )
        for rows_of_value in places.values():
            row = np.zeros(len(prompts))
            row[rows_of_value] = 1.0
            rows.append(row)
    return Features(_directions(_centred(np.stack(rows)), _MOST), tuple(names))


def _of_embeddings(prompts: PromptSet, given: Any, what: str) -> Features:
    array = _numbers(given, what, prompts.ids)
    if len(array) != len(prompts):
        raise DataError(
            f"{what}: embeddings of shape {array.shape}; expected one row for each of the "
            f"{len(prompts)} prompts of {prompts.name}, in their order in the scores"
        )
    if not np.isfinite(array).all():
        raise DataError(f"{what}: embeddings hold NaN or infinity; give a number for each")
    # Their scale does not matter, and squares of very large numbers would overflow.
    scaled = array / max(float(np.abs(array).max()), np.finfo(np.float64).tiny)
    values = _directions(_centred(scaled.T), _DIRECTIONS)
    if not values.any():
        raise DataError(f"{what}: all prompts have the same embedding; nothing can be balanced")
    name = sha256_of_array(array)[:16]
    return Features(values, (f"embeddings:{name}",))


def _numbers(given: Any, what: str, ids: Sequence[str]) -> NDArray[np.float64]:
    """Return float64 [rows, numbers]; a frame whose index holds the prompts' ids in their order."""
    if hasattr(given, "loc") and set(map(str, given.index)) == set(ids):
        given = given.set_axis(list(map(str, given.index))).loc[list(ids)]
    if isinstance(given, np.ma.MaskedArray):
        given = given.filled(np.nan) if given.dtype.kind == "f" else given.data
    try:
        array = np.asarray(given)
    except (TypeError, ValueError):
        array = np.empty(0, dtype=object)
    if array.ndim != 2 or array.shape[1] < 1 or array.dtype.kind not in "fiu":
        about = f"{_shown(given)}" if array.ndim == 0 else f"shape {array.shape}, {array.dtype}"
        raise SettingError(
            f"{what}: {about}; expected auto, tags, none, names of columns, or embeddings: an "
            "array of numbers [prompts, numbers] or a file .npy of one"
        )
    # In one memory order, or the last bits of what follows would depend on it.
    return np.ascontiguousarray(array, dtype=np.float64)


def read_embeddings(path: Path) -> NDArray[Any]:
    """Read an array that `numpy.save` wrote; DataError in one line for a file that is none."""
    try:
        # Mapped first: a header may claim more than there is, or than memory holds.
        found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file of embeddings") from None
    except (OSError, ValueError, EOFError, MemoryError):
        found = np.empty(0)
    if found.ndim != 2 or found.dtype.kind not in "fiu":
        raise DataError(
            f"{path}: expected an array of numbers [prompts, numbers] as numpy.save writes it"
        )
    return found


def rows_kept(balance: Any, given: PromptSet, kept: PromptSet) -> Any:
    """Leave the rows of prompts out that a search leaves out; others than embeddings stay.

    >>> given = PromptSet("pets", "123")
    >>> rows_kept(np.array([[1.0], [2.0], [3.0]]), given, given.take([0, 2])).tolist()
    [[1.0], [3.0]]
    >>> rows_kept("tags", given, given.take([0, 2]))
    'tags'
    """
    if len(given) == len(kept):
        return balance
    if isinstance(balance, str | Path) and Path(balance).suffix.lower() == ".npy":
        balance = read_embeddings(Path(balance))
    if isinstance(balance, np.ndarray) and balance.ndim == 2 and len(balance) == len(given):
        return balance[given.index_of(kept.ids)]
    return balance


def _centred(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    centred: NDArray[np.float64] = rows - rows.mean(axis=1, keepdims=True)
    return centred


def _directions(rows: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Keep the directions of largest variance, where there are more rows than that."""
    if len(rows) <= most:
        return rows
    _, vectors = np.linalg.eigh(rows @ rows.T)
    kept: NDArray[np.float64] = vectors[:, ::-1][:, :most].T @ rows
    return kept
