"""What the importers of result layouts share: their settings, and the way they read."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from flasheval.base.errors import DataError
from flasheval.scores.importers.result import ImportResult
from flasheval.scores.importers.results.cells import Cells
from flasheval.scores.importers.results.files import LOOKS, model_names

__all__ = ["ResultLayout"]


@dataclass(frozen=True)
class ResultLayout(ABC):
    """A layout in which others write their results: a score for each prompt and image.

    A subclass says how its files are told, and takes up their scores.

    Attributes:
        prompts: A PromptSet or its file, for the texts.
        metric: A name for the metric, where the layout has one only.
        higher_is_better: The direction, for all metrics or for each.

    """

    name: ClassVar[str]
    title: ClassVar[str]
    expected: ClassVar[str]
    repeats: ClassVar[str] = "images"

    prompts: Any = None
    metric: str | None = None
    higher_is_better: Any = None

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Tell by names and first records whether a file or folder has this layout."""
        return next(cls.find(path, LOOKS), None) is not None

    def read(self, source: str | Path) -> ImportResult:
        """Read a file or a folder.

        Raises DataError naming file and line for what cannot be read, ConflictError where a score
        or a text is given twice and differs.
        """
        path = Path(source)
        if not path.exists():
            raise DataError(f"{path} does not exist; expected {self.title}: {self.expected}")
        files = list(self.find(path))
        if not files:
            raise DataError(f"{path} holds no {self.title}; expected {self.expected}")
        cells = Cells(path, self.title, self.repeats)
        self.fill(cells, path if path.is_dir() else path.parent, files)
        return cells.result(self.prompts, self.metric, self.higher_is_better)

    @classmethod
    @abstractmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the files of this layout, one after the other, of ``most`` entries at most."""

    @abstractmethod
    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up the scores of the files, which lie in ``root``."""

    @staticmethod
    def by_model(
        root: Path, files: Sequence[Path], places: Sequence[Path]
    ) -> Iterator[tuple[Path, str, str]]:
        """Give each file with the name of its model and its seed; see `model_names`."""
        for path, (name, seed) in zip(files, model_names(root, places), strict=True):
            yield path, name, seed
