"""Scores taken up one by one, by metric, variant, prompt and image, and made into a table."""

import math
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.base.files import content_stem
from flasheval.base.ids import prompt_id
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet, text_hash
from flasheval.prompts.tags import written
from flasheval.scores.importers.official_names import official_factors
from flasheval.scores.importers.result import Fault, ImportResult
from flasheval.scores.importers.results.files import natural
from flasheval.scores.importers.settings import Direction, Prompts, direction_of, finish
from flasheval.scores.importers.values_of_cells import values_in_cells
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.table import ScoreTable

__all__ = ["Cells", "is_score"]

_MISSING = ("", "nan", "na", "n/a", "null", "none")
_ROOM = 1 << 21  # how many prompts, and images, the number of a cell has room for


class Cells:
    """The scores of a source, taken up file by file.

    Prompts, variants and metrics keep the order in which they first appear.

    Args:
        source: The file or folder, for messages and the prompt set's name.
        layout: What the layout is called, such as ``GenEval results``.
        repeats: What a prompt has several of: images, videos, ratings.

    >>> cells = Cells(Path("out"), "GenEval results", "images")
    >>> cells.start(Path("out/sdxl.jsonl"), "sdxl")
    >>> for line, score in enumerate([True, False], start=1):
    ...     cells.add("correct", cells.prompt("0", "line 1", text="A cat."), score, f"line {line}")
    >>> result = cells.result(None, None, None)
    >>> result.table["correct"].values.tolist(), result.how
    ([[0.5]], 'read as GenEval results: 1 model, 1 prompt, 2 images a prompt')

    """

    def __init__(self, source: Path, layout: str, repeats: str) -> None:
        self.source, self.layout, self.repeats = source, layout, repeats
        self._scores: dict[str, dict[int, float]] = {}
        self._variants: dict[str, int] = {}
        self._prompts: dict[tuple[str, str], int] = {}
        self._texts: dict[int, str] = {}
        self._tags: dict[str, dict[int, str]] = {}
        self._images: dict[tuple[str, int], int] = {}
        self._directions: dict[str, bool] = {}
        self._files: dict[str, list[Path]] = {}
        self._order: Counter[tuple[str, str, int]] = Counter()
        self._path, self._variant, self._repeat = source, "", ""

    @property
    def path(self) -> Path:
        """The file that is read."""
        return self._path

    def start(self, path: Path, variant: str, repeat: str = "") -> None:
        """Say which file and variant the next scores are of; ``repeat`` is a seed or a rater."""
        if path != self._path:
            self._order.clear()
        self._path, self._variant, self._repeat = path, variant, repeat
        self._variants.setdefault(variant, len(self._variants))
        files = self._files.setdefault(variant, [])
        if path not in files[-1:]:
            files.append(path)

    def prompt(
        self,
        identifier: Any,
        where: str,
        *,
        text: Any = None,
        group: str = "",
        tags: Mapping[str, Any] | None = None,
    ) -> int:
        """Return the number of a prompt, told by its id, or by its text where the id is None.

        ``group`` keeps the ids of several benchmarks apart. Raises DataError for what can be no
        id, ConflictError for one with another text than before.
        """
        known_text = text if isinstance(text, str) and text.strip() else None
        if identifier is None:
            identifier = known_text
        elif isinstance(identifier, float) and identifier.is_integer():
            identifier = int(identifier)
        try:
            key = (group, prompt_id(identifier))
        except DataError as error:
            raise DataError(f"{self._path} {where}: {error}") from error
        number = self._prompts.setdefault(key, len(self._prompts))
        if known_text is not None:
            before = self._texts.setdefault(number, known_text)
            if before != known_text and text_hash(before) != text_hash(known_text):
                raise ConflictError(
                    f"{self._path} {where}: prompt {key[1]!r} has another text than before "
                    f"({known_text[:40]!r}, not {before[:40]!r}); one id is one text"
                )
        for name, value in (tags or {}).items():
            if isinstance(value, list):
                value = written([str(one) for one in value])
            if isinstance(value, str | int) and not isinstance(value, bool):
                self._tags.setdefault(name, {}).setdefault(number, str(value))
        return number

    def add(
        self, metric: str, prompt: int, value: Any, where: str, image: int | None = None
    ) -> None:
        """Take up a score; without ``image`` the file's scores of a prompt are counted.

        True is 1; None, NaN and an empty text are not measured. Raises DataError for what is no
        finite number, ConflictError where the cell has another score already.
        """
        score = self._number(value, metric, where)
        if image is None:
            image = self._order[self._variant, metric, prompt]
            self._order[self._variant, metric, prompt] += 1
        place = self._images.setdefault((self._repeat, image), len(self._images))
        cell = (self._variants[self._variant] * _ROOM + prompt) * _ROOM + place
        known = self._scores.setdefault(metric, {})
        before = known.setdefault(cell, score)
        if before != score and not math.isnan(score):
            if not math.isnan(before):
                raise self._conflict(metric, prompt, where, (before, score))
            known[cell] = score

    def lower_is_better(self, metric: str, lower: bool) -> None:
        """Keep what the source says of a metric's direction."""
        self._directions[metric] = not lower

    def _number(self, value: Any, metric: str, where: str) -> float:
        if value is None:
            return math.nan
        number: float | None = None
        if isinstance(value, bool | int | float):
            number = float(value)
        elif isinstance(value, str):
            text = value.strip().lower()
            if text in _MISSING:
                return math.nan
            try:
                number = float({"true": "1", "false": "0"}.get(text, text))
            except ValueError:
                number = None
        if number is None or math.isinf(number):
            raise DataError(
                f"{self._path} {where}: {metric} is {value!r:.60}; expected a number, or nothing "
                "for what was not measured"
            )
        return number

    def _conflict(
        self, metric: str, prompt: int, where: str, scores: tuple[float, float]
    ) -> ConflictError:
        identifier = next(key[1] for key, number in self._prompts.items() if number == prompt)
        files = [path for path in self._files[self._variant] if path != self._path]
        first = f"in {files[0]}" if files else "earlier in the file"
        return ConflictError(
            f"{self._path} {where}: model {self._variant!r} on prompt {identifier[:60]!r} has the "
            f"{metric} score {scores[1]:.7g} here but {scores[0]:.7g} {first}; keep one of the two"
        )

    def result(
        self, prompts: Prompts, metric: str | None, higher_is_better: Direction
    ) -> ImportResult:
        """Return the table with what is missing in it, and the line on how it was read.

        Args:
            prompts: Where the texts are, where the source has none.
            metric: A name for the one metric.
            higher_is_better: The direction, for all metrics or for each.

        """
        if not any(not math.isnan(x) for known in self._scores.values() for x in known.values()):
            raise DataError(f"{self.source} was taken for {self.layout}, but holds no score")
        if metric is not None and len(self._scores) > 1:
            raise SettingError(
                f"metric={metric!r} cannot name {len(self._scores)} metrics; these {self.layout} "
                f"name theirs: {', '.join(self._scores)}"
            )
        named = {metric or name: self._values(known) for name, known in self._scores.items()}
        said = {metric or name: self._directions.get(name) for name in self._scores}
        try:
            prompt_set = self._prompt_set()
            names = tuple(self._variants)
            matrices = {
                name: ScoreMatrix(
                    name,
                    values,
                    names,
                    prompt_set.ids,
                    higher_is_better=direction_of(name, higher_is_better, said[name]),
                    prompt_set_hash=prompt_set.hash if prompt_set.texts is not None else None,
                    images=images,
                )
                for name, (values, images) in named.items()
            }
            variants = tuple(Variant(name, official_factors(name)) for name in names)
            table = ScoreTable(prompt_set, variants, matrices)
        except DataError as error:
            raise type(error)(f"{self.source}: {error}") from error
        table = finish(table, prompts, higher_is_better)
        return ImportResult(table, self._faults(table), how=self._how(table))

    def _values(self, known: Mapping[int, float]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Return a metric's scores [variants, prompts], and those of images where there are."""
        cells = np.fromiter(known, np.int64, len(known))
        scores = np.fromiter(known.values(), np.float64, len(known))
        rank = sorted(self._images, key=lambda key: (natural(key[0]), key[1]))
        number = np.empty(len(rank), dtype=np.int64)
        number[[self._images[key] for key in rank]] = np.arange(len(rank))
        row, image = cells // _ROOM, number[cells % _ROOM]
        order = np.lexsort((image, row))
        row, image, scores = row[order], image[order], scores[order]
        shape = (len(self._variants), len(self._prompts))
        if np.prod(shape, dtype=np.float64) > 1 << 32:
            raise DataError(
                f"{self.source} would make {shape[0]} models x {shape[1]} prompts, which is too "
                "much to hold"
            )
        flat = row // _ROOM * shape[1] + row % _ROOM
        size = shape[0] * shape[1]
        means, images, _ = values_in_cells(flat, scores, size, repeated=True, numbers=image)
        return means.reshape(shape), None if images is None else images.reshape(*shape, -1)

    def _prompt_set(self) -> PromptSet:
        apart = len({group for group, _ in self._prompts}) > 1
        ids = tuple(f"{group}/{own}" if apart and group else own for group, own in self._prompts)
        count = range(len(ids))
        texts = tuple(self._texts[i] for i in count) if len(self._texts) == len(ids) else None
        extras = {
            name: tuple(values.get(i, "") for i in count) for name, values in self._tags.items()
        }
        name = content_stem(os.path.abspath(self.source)) or "results"
        return PromptSet(name, ids, texts, extras=extras)

    def _faults(self, table: ScoreTable) -> tuple[Fault, ...]:
        """Return a fault for each variant that lacks prompts of a metric, or all of them.

        Prompts on which no variant has the metric are no fault: it may be another category's.
        """
        faults = []
        for metric, matrix in table.matrices.items():
            lacking = _of_its_prompts(matrix)
            count = lacking.shape[1]
            missing_of = lacking.sum(axis=1).tolist()
            for variant, missing in zip(table.variant_names, missing_of, strict=True):
                if missing:
                    all_of_them = missing == count
                    faults.append(
                        Fault(
                            os.path.relpath(self._files[variant][0], self.source),
                            metric,
                            variant,
                            "missing" if all_of_them else "incomplete",
                            f"{missing} of {count} prompts have no score",
                        )
                    )
        return tuple(faults)

    def _how(self, table: ScoreTable) -> str:
        parts = [_counted(len(table), "model"), _counted(table.n_prompts, "prompt")]
        if len(table.metrics) > 1:
            parts.append(f"{len(table.metrics)} metrics")
        low, high = _images_a_prompt(table)
        if high > 1:
            parts.append(f"{high if low == high else f'{low} to {high}'} {self.repeats} a prompt")
        lacking = [_of_its_prompts(matrix) for matrix in table.matrices.values()]
        size, missing = sum(one.size for one in lacking), sum(int(one.sum()) for one in lacking)
        told = f"; {missing} of {size} scores are missing" if missing else ""
        return f"read as {self.layout}: {', '.join(parts)}{told}"


def _of_its_prompts(matrix: ScoreMatrix) -> NDArray[np.bool_]:
    """Return what is missing, of the prompts on which some variant has the metric."""
    missing = np.isnan(matrix.values)
    return missing[:, ~missing.all(axis=0)]


def _images_a_prompt(table: ScoreTable) -> tuple[int, int]:
    """Return the fewest and the most images of what was measured."""
    low, high = [], []
    for matrix in table.matrices.values():
        there = ~np.isnan(matrix.values)
        counts = there if matrix.images is None else (~np.isnan(matrix.images)).sum(axis=2)
        if there.any():
            low.append(int(counts[there].min()))
            high.append(int(counts[there].max()))
    return min(low), max(high)


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def is_score(value: Any) -> bool:
    """Tell whether a JSON value is a number or a truth value.

    >>> is_score(0.5), is_score(True), is_score("0.5")
    (True, True, False)
    """
    return isinstance(value, bool | int | float)
