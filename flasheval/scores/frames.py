"""Score tables from plain arrays, and as pandas frames."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.drawing.shown import frame_of
from flasheval.base.errors import DataError, SettingError
from flasheval.base.ids import prompt_id
from flasheval.base.suggest import nearest
from flasheval.generators.variants import Factor, Variant
from flasheval.prompts import PromptSet
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.parts import TableParts

__all__ = ["DEFAULT_NAME", "FRAME_NOTES", "numbers_of", "table_parts", "tidy_frame"]

DEFAULT_NAME = "scores"
"""What a prompt set is called that nothing names."""

FRAME_NOTES = "flasheval"
"""Where a frame's `attrs` keep what its columns do not say: directions, scorers, seconds."""

_VARIANT, _PROMPT_ID, _TEXT = "variant", "prompt_id", "prompt"


def table_parts(
    scores: Any,
    variants: Sequence[str | Variant],
    prompts: Sequence[str | int] | PromptSet,
    metric: str = "score",
    higher_is_better: bool | Mapping[str, bool] = True,
    texts: Sequence[str] | None = None,
    factors: Mapping[str, Mapping[str, Factor]] | None = None,
    name: str = DEFAULT_NAME,
) -> tuple[PromptSet, tuple[Variant, ...], dict[str, ScoreMatrix]]:
    """Return the parts of a table of arrays; see ScoreTable.from_arrays."""
    rows = _variants(variants, factors or {})
    prompt_set = _prompt_set(prompts, texts, name)
    arrays = dict(scores) if isinstance(scores, Mapping) else {metric: scores}
    directions = higher_is_better
    if isinstance(directions, Mapping):
        for key in directions:
            if key not in arrays:
                raise SettingError(
                    f"higher_is_better names the metric {key!r}; there are: "
                    f"{', '.join(map(str, arrays))}{nearest(str(key), list(map(str, arrays)))}"
                )
    names = tuple(row.name for row in rows)
    matrices = {
        key: _matrix(
            key,
            array,
            names,
            prompt_set.ids,
            higher_is_better=(
                directions.get(key, True) if isinstance(directions, Mapping) else directions
            ),
            prompt_set_hash=prompt_set.hash if prompt_set.text_hashes is not None else None,
        )
        for key, array in arrays.items()
    }
    return prompt_set, rows, matrices


def numbers_of(array: Any, what: str = "the scores") -> NDArray[Any]:
    """Return numbers of a numpy array, a torch tensor or nested lists; None is NaN, True is 1.

    Raises DataError, naming ``what``, for what holds no numbers.

    >>> numbers_of([[True, None], [0.5, 2]]).tolist()
    [[1.0, nan], [0.5, 2.0]]
    """
    if type(array).__module__.partition(".")[0] == "torch":
        array = array.detach().cpu()
        if str(array.dtype) == "torch.bfloat16":  # which numpy has not
            array = array.float()
        array = array.numpy()
    try:
        found = np.asarray(array)
        if found.dtype.kind == "O":  # None, Decimal, pandas' NA, or something that is no number
            found = found.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{what} do not form an array of numbers ({str(error).splitlines()[0][:80]}); give a "
            "number for each variant and prompt, NaN for what was not measured"
        ) from error
    if np.ma.isMaskedArray(array):
        found = np.ma.filled(array.astype(np.float64), np.nan)
    if found.dtype.kind == "b":
        found = found.astype(np.uint8)
    if found.dtype.kind not in "fiu":
        raise DataError(f"{what} are of type {found.dtype}; expected numbers")
    return found


def _matrix(
    metric: str, array: Any, variants: tuple[str, ...], prompt_ids: tuple[str, ...], **said: Any
) -> ScoreMatrix:
    """Return the matrix of scores [variants, prompts], or of those of several images."""
    values = numbers_of(array, f"the scores of metric {metric!r}")
    shape = (len(variants), len(prompt_ids))
    if values.ndim == 3 and values.shape[:2] == shape and values.shape[2]:
        return ScoreMatrix.from_images(metric, values, variants, prompt_ids, **said)
    if values.shape == shape:
        return ScoreMatrix(metric, values, variants, prompt_ids, **said)
    turned = values.shape == shape[::-1]
    raise DataError(
        f"the scores of metric {metric!r} have shape {values.shape}; expected {shape}: a row for "
        f"each of {shape[0]} variants and a column for each of {shape[1]} prompts"
        + ("; give the transpose, scores.T" if turned else "")
    )


def _variants(
    given: Sequence[str | Variant], factors: Mapping[str, Mapping[str, Factor]]
) -> tuple[Variant, ...]:
    if isinstance(given, str):
        raise DataError(f"variants={given!r} is one text; give a list of names")
    rows = [one if isinstance(one, Variant) else Variant(_label(one, "variant")) for one in given]
    names = [row.name for row in rows]
    for name in factors:
        if name not in names:
            raise SettingError(
                f"factors names the variant {name!r}, which is not among the {len(names)}"
                f"{nearest(str(name), names)}"
            )
    return tuple(replace(row, factors={**row.factors, **factors.get(row.name, {})}) for row in rows)


def _prompt_set(
    given: Sequence[str | int] | PromptSet, texts: Sequence[str] | None, name: str
) -> PromptSet:
    if isinstance(given, PromptSet):
        if texts is not None:
            raise SettingError("texts= beside a PromptSet, which has its own; leave it out")
        return given
    if isinstance(given, str):
        raise DataError(f"prompts={given!r} is one text; give a list of ids, or a PromptSet")
    ids = tuple(_label(one, "prompt") for one in given)
    return PromptSet(name, ids, None if texts is None else tuple(map(str, texts)))


def _label(value: Any, what: str) -> str:
    try:
        return prompt_id(value)
    except DataError:
        raise DataError(
            f"a {what} is named by a non-empty string or an integer, not {value!r}"
        ) from None


def tidy_frame(table: TableParts) -> Any:
    """Return a table as a tidy pandas frame; see ScoreTable.to_pandas."""
    n_variants, n_prompts = len(table.variants), len(table.prompts)
    labels = {
        _VARIANT: np.repeat(
            np.array([variant.name for variant in table.variants], dtype=object), n_prompts
        ),
        _PROMPT_ID: np.tile(np.array(table.prompts.ids, dtype=object), n_variants),
    }
    if table.prompts.texts is not None:
        labels[_TEXT] = np.tile(np.array(table.prompts.texts, dtype=object), n_variants)
    for metric in table.matrices:
        if metric in (_VARIANT, _PROMPT_ID, _TEXT):
            raise DataError(
                f"the metric {metric!r} has the name of a column of the frame; rename the metric"
            )
    scores = {metric: matrix.values.reshape(-1) for metric, matrix in table.matrices.items()}
    frame = frame_of({**labels, **scores})
    frame.attrs[FRAME_NOTES] = {
        "metrics": {
            metric: {
                "higher_is_better": matrix.higher_is_better,
                "scorer": matrix.scorer,
                "scorer_version": matrix.scorer_version,
            }
            for metric, matrix in table.matrices.items()
        },
        "factors": {v.name: dict(v.factors) for v in table.variants if v.factors},
        "times": {v.name: asdict(v.time) for v in table.variants if v.time is not None},
    }
    return frame
