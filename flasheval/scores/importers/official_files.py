"""One score file of the official tree: reading it, and checking which data set it belongs to."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError
from flasheval.base.files import read_text
from flasheval.prompts import PromptSet
from flasheval.scores.importers.result import Problem

__all__ = ["FileScores", "Rejected", "check_owner", "place_scores", "read_score_file"]

# A file with fewer of its ids in the prompt set than this is of another data set: ids of two
# sets may collide (421 of 5,000 do in the official data), but not in most of a file.
_OWN_SHARE = 0.5


class Rejected(Exception):  # noqa: N818 - a verdict on a file, not a mistake of the user
    """A file whose scores cannot be used, with the kind of problem and a sentence about it."""

    def __init__(self, problem: Problem, detail: str) -> None:
        super().__init__(detail)
        self.problem: Problem = problem
        self.detail = detail


@dataclass(frozen=True)
class FileScores:
    """The scores of one file: ids in file order, values float64 [n], NaN for no finite number."""

    ids: list[str]
    values: NDArray[np.float64]


def read_score_file(path: Path) -> FileScores:
    """Read a JSON object of id to score. Raises Rejected when it cannot be used at all.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.json"
    ...     _ = file.write_text('{"1": 0.25, "2": null}')
    ...     scores = read_score_file(file)
    >>> scores.ids, scores.values.tolist()
    (['1', '2'], [0.25, nan])
    """
    try:
        if path.stat().st_size == 0:
            raise Rejected("empty", "the file has no bytes")
        pairs = json.loads(read_text(path, "score file"), object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        raise Rejected(
            "not readable",
            f"not valid JSON at line {error.lineno} ({error.msg}); it may be cut short",
        ) from error
    except (DataError, OSError, ValueError, RecursionError) as error:
        raise Rejected("not readable", str(error)) from error
    if not isinstance(pairs, _Pairs):
        raise Rejected("not readable", "expected a JSON object of prompt id to score")
    if not pairs:
        raise Rejected("empty", "the file holds no scores ({})")
    ids, values = map(list, zip(*pairs, strict=True))
    if len(set(ids)) < len(ids):
        repeated = next(i for i in ids if ids.count(i) > 1)
        raise Rejected("repeated prompts", f"prompt {repeated!r} has more than one score")
    return FileScores(ids, _numbers(ids, values))


class _Pairs(list[tuple[str, object]]):
    """A JSON object as pairs, which keeps keys that are given twice."""


def _numbers(ids: list[str], values: list[object]) -> NDArray[np.float64]:
    if set(map(type, values)) <= {float}:
        return np.array(values, dtype=np.float64)
    for identifier, value in zip(ids, values, strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            shown = "an object" if isinstance(value, _Pairs) else repr(value)
            raise Rejected("not numeric", f"the score of prompt {identifier!r} is {shown:.60}")
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def check_owner(scores: FileScores, prompts: PromptSet, other: Callable[[], Path | None]) -> None:
    """Raise Rejected when the file holds another data set's scores.

    Its ids decide, and where they do not fit the prompt set exactly its values do too: ``other``
    returns the file of the same metric and variant in the other data set's tree, if any.

    >>> prompts = PromptSet("coco", ("1", "2"))
    >>> check_owner(FileScores(["7", "8"], np.zeros(2)), prompts, lambda: None)  # doctest:+ELLIPSIS
    Traceback (most recent call last):
    flasheval.scores.importers.official_files.Rejected: only 0 of its 2 prompt ids are among ...
    """
    if tuple(scores.ids) == prompts.ids:
        return
    known = len(set(scores.ids) & set(prompts.ids))
    if known == len(scores.ids) == len(prompts):
        return
    twin = other()
    same = _same_values(scores, twin) if twin is not None else ""
    if same or known < _OWN_SHARE * len(scores.ids):
        raise Rejected(
            "another data set",
            f"only {known} of its {len(scores.ids)} prompt ids are among the {len(prompts)} of "
            f"prompt set {prompts.name!r}{same}",
        )


def _same_values(scores: FileScores, twin: Path) -> str:
    """Return words for how many values the twin shares when most are equal, else nothing."""
    try:
        other = read_score_file(twin)
    except Rejected:
        return ""
    value_of = dict(zip(other.ids, other.values.tolist(), strict=True))
    equal = sum(
        value_of.get(identifier) == value
        for identifier, value in zip(scores.ids, scores.values.tolist(), strict=True)
    )
    # Scores of a float16 scorer agree by chance now and then, never in most of a file.
    if equal <= len(scores.ids) / 2:
        return ""
    return f", and {equal} of its scores are those of {'/'.join(twin.parts[-4:])}"


def place_scores(
    scores: FileScores, prompts: PromptSet, out: NDArray[np.float64]
) -> list[tuple[Problem, str]]:
    """Write the scores into the row ``out``, float64 [n_prompts]; return the problems found.

    >>> row = np.full(3, np.nan)
    >>> prompts = PromptSet("coco", ("1", "2", "3"))
    >>> place_scores(FileScores(["3", "1"], np.array([0.5, 0.25])), prompts, row)
    []
    >>> row.tolist()
    [0.25, nan, 0.5]
    """
    problems: list[tuple[Problem, str]] = []
    values = scores.values.copy()
    with np.errstate(over="ignore"):  # what float32 cannot hold is no score
        broken = np.flatnonzero(~np.isfinite(values.astype(np.float32)))
    if broken.size:
        problems.append(
            (
                "not finite",
                f"{broken.size} scores are NaN, null or infinite, first that of prompt "
                f"{scores.ids[int(broken[0])]!r}; these count as not measured",
            )
        )
        values[broken] = np.nan
    if tuple(scores.ids) == prompts.ids:
        out[:] = values
        return problems
    known = set(prompts.ids)
    own = [index for index, identifier in enumerate(scores.ids) if identifier in known]
    if len(own) < len(scores.ids):
        stranger = next(identifier for identifier in scores.ids if identifier not in known)
        problems.append(
            (
                "unknown prompts",
                f"{len(scores.ids) - len(own)} of its {len(scores.ids)} prompt ids are not in "
                f"prompt set {prompts.name!r}, first {stranger!r}; the others are kept",
            )
        )
    out[prompts.index_of(tuple([scores.ids[index] for index in own]))] = values[own]
    return problems
