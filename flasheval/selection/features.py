"""What is known of prompts beside their scores, as numbers that a search can keep in balance."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.prompts import PromptSet
from flasheval.prompts.tags import places_by_value, values_of
from flasheval.selection.methods.few import places_by_kind

__all__ = ["Features", "Kinds", "check_shares", "prompt_features", "prompt_kinds"]

_MOST = 64  # rows; of more only the directions along which prompts differ most are kept
_DIRECTIONS = 16  # of embeddings
_WORDS = ("auto", "tags", "none")


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

        >>> Features(np.eye(1, 2), ("kind",)).fingerprint()[:8]
        '4fe7fd29'
        """
        return hashlib.sha256(np.ascontiguousarray(self.values).tobytes()).hexdigest()


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
    if quota is None or quota in ("none", []):
        return None
    if isinstance(quota, str):
        quota = tuple(prompts.tags) if quota == "tags" else (quota,)
        if not quota:
            raise SettingError(
                f"quota=tags: the prompts of {prompts.name} have no tags; name columns, or give a "
                "prompt file that has some with prompts=FILE"
            )
    if not isinstance(quota, Sequence) or not all(isinstance(one, str) for one in quota):
        raise SettingError(f"quota={quota!r}: expected none, tags or names of columns")
    columns = tuple(dict.fromkeys(quota))
    cells = zip(*(prompts.column(name, "quota") for name in columns), strict=True)
    names = [", ".join(map("{}={}".format, columns, one)) for one in cells]
    found, values = np.unique(names, return_inverse=True)
    return Kinds(values.astype(np.int64), columns, tuple(map(str, found)))


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
            an array of embeddings [prompts, numbers], or a file ``.npy`` of one.

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
    if isinstance(balance, str) and balance in _WORDS:
        names: Sequence[str] = tuple(prompts.tags)
        if not names and balance == "tags":
            raise SettingError(
                f"balance=tags: the prompts of {prompts.name} have no tags; name columns, or give "
                "a prompt file that has some with prompts=FILE"
            )
        return _of_columns(prompts, names) if names else None
    if isinstance(balance, str | Path) and str(balance).endswith(".npy"):
        return _of_embeddings(prompts, _read(Path(balance)), str(balance))
    if isinstance(balance, str):
        return _of_columns(prompts, (balance,))
    if isinstance(balance, Sequence) and all(isinstance(one, str) for one in balance):
        return _of_columns(prompts, tuple(dict.fromkeys(balance))) if balance else None
    return _of_embeddings(prompts, balance, "balance")


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
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise SettingError(
            f"balance={type(given).__name__}: expected auto, tags, none, names of columns, a file "
            ".npy or an array of embeddings [prompts, numbers]"
        ) from None
    if array.ndim != 2 or len(array) != len(prompts) or array.shape[1] < 1:
        raise DataError(
            f"{what}: embeddings of shape {array.shape}; expected one row for each of the "
            f"{len(prompts)} prompts of {prompts.name}, in their order"
        )
    if not np.isfinite(array).all():
        raise DataError(f"{what}: embeddings hold NaN or infinity; give a number for each")
    values = _directions(_centred(array.T), _DIRECTIONS)
    if not values.any():
        raise DataError(f"{what}: all prompts have the same embedding; nothing can be balanced")
    name = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]
    return Features(values, (f"embeddings:{name}",))


def _read(path: Path) -> NDArray[np.float64]:
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file of embeddings") from None
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: expected an array of numbers as numpy.save writes it ({error})"
        ) from error


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
