"""Finding the several images of a prompt in a folder, by the forms that people keep them in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flasheval.generators.image_files import IMAGE_SUFFIXES, is_image

__all__ = ["IMAGE_NUMBER", "PROMPT_ID", "NumberedFiles"]

PROMPT_ID, IMAGE_NUMBER = "{prompt_id}", "{image}"
"""What stands in a pattern for the prompt's id, and for the image's number."""

_NUMBER = re.compile(r"\d+")
_SUFFIX = "(?:" + "|".join(map(re.escape, IMAGE_SUFFIXES)) + ")"
_SAMPLES = "samples"  # where GenEval's generators put them, beside a grid of them all


@dataclass(frozen=True)
class NumberedFiles:
    """The images of a folder by prompt and number.

    A pattern with ``{image}`` names them: digits stand there. Else a prompt has, beside the file of
    its name (``37.png``), those with a number behind it (``37_0.png``, ``37-1.png``, ``37+1.png``),
    those in a folder of its name (``37/0000.png``, ``37/samples/0000.png``), or, where the pattern
    names a numbered file in such a folder, the others beside that one. The file that the pattern
    names comes first, the others follow by their numbers. A file that is another prompt's is left
    to that one.

    Attributes:
        root: The folder.
        pattern: The pattern, with ``{prompt_id}``.
        others: The ids of all prompts.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("1_0.png", "1_1.png", "1_10.png", "1_2.png"):
    ...         Path(folder, name).touch()
    ...     list(NumberedFiles(Path(folder), PROMPT_ID, frozenset(["1_2"])).of("1").values())
    ['1_0.png', '1_1.png', '1_10.png']

    """

    root: Path
    pattern: str
    others: frozenset[str] = frozenset()
    _listed: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    def of(self, prompt_id: str, first: str | None = None) -> dict[int, str]:
        """Return the names of a prompt's images, relative to the folder, by number from 0.

        Args:
            prompt_id: The prompt's id.
            first: The name of the file that the pattern names, where that is there.

        """
        filled = self.pattern.replace(PROMPT_ID, prompt_id)
        if IMAGE_NUMBER in self.pattern:
            found = self._matching(filled)
        elif PROMPT_ID in self.pattern.rpartition("/")[2]:
            found = self._beside(filled) or ([] if first else self._below(filled))
        else:
            found = self._like(filled)
        names = [name for _, name in sorted(found) if name != first]
        return dict(enumerate([*([first] if first else []), *names]))

    def _matching(self, filled: str) -> list[tuple[int, str]]:
        """Return the files that a pattern with a place for the number names."""
        parts = filled.split("/")
        found: list[tuple[int, str]] = [(-1, "")]
        for place, part in enumerate(parts):
            if IMAGE_NUMBER not in part:
                found = [(number, f"{name}{part}/") for number, name in found]
                continue
            text = re.escape(part).replace(re.escape(IMAGE_NUMBER), r"(\d+)", 1)
            is_file = place == len(parts) - 1
            if is_file and not is_image(part):
                text += _SUFFIX
            form = re.compile(text, re.IGNORECASE)
            found = [
                (int(match[1]), f"{name}{entry}/")
                for _, name in found
                for entry in self._entries(name)
                if (match := form.fullmatch(entry))
            ]
        whole = [(number, name.removesuffix("/")) for number, name in found]
        if IMAGE_NUMBER in parts[-1]:
            return whole
        return [  # the number is a folder's: the file's suffix may be open
            (number, there) for number, name in whole for there in self._spelled(name)
        ]

    def _spelled(self, name: str) -> Iterator[str]:
        """Yield the image of this name, of any suffix where it has none."""
        folder, _, last = name.rpartition("/")
        text = re.escape(last) + ("" if is_image(last) else _SUFFIX)
        form = re.compile(text, re.IGNORECASE)
        entries = (entry for entry in self._entries(folder) if form.fullmatch(entry))
        yield from (f"{folder}/{entry}" for entry in list(entries)[:1])

    def _beside(self, filled: str) -> list[tuple[int, str]]:
        """Return the files named like the prompt's with a number behind."""
        folder, _, last = filled.rpartition("/")
        stem, suffix = os.path.splitext(last) if is_image(last) else (last, "")
        end = re.escape(suffix) if suffix else _SUFFIX
        form = re.compile(rf"{re.escape(stem)}[_+-](\d+){end}", re.IGNORECASE)
        lead = f"{folder}/" if folder else ""
        return [
            (int(match[1]), lead + entry)
            for entry in self._entries(folder)
            if entry.startswith(stem)
            and (match := form.fullmatch(entry))
            and os.path.splitext(entry)[0] not in self.others
        ]

    def _below(self, filled: str) -> list[tuple[int, str]]:
        """Return the images in a folder of the prompt's name."""
        for folder in (f"{filled}/{_SAMPLES}", filled):
            images = [entry for entry in self._entries(folder) if is_image(entry)]
            stems = {entry: os.path.splitext(entry)[0] for entry in images}
            numbered = [(int(stem), entry) for entry, stem in stems.items() if stem.isdecimal()]
            found = numbered or list(enumerate(sorted(images, key=_natural)))
            if found:
                return [(number, f"{folder}/{entry}") for number, entry in found]
        return []

    def _like(self, filled: str) -> list[tuple[int, str]]:
        """Return the files that differ from the one named in its last number only."""
        folder, _, last = filled.rpartition("/")
        stem, suffix = os.path.splitext(last) if is_image(last) else (last, "")
        numbers = list(_NUMBER.finditer(stem))
        if not numbers:
            return []
        before, after = stem[: numbers[-1].start()], stem[numbers[-1].end() :]
        end = re.escape(suffix) if suffix else _SUFFIX
        form = re.compile(rf"{re.escape(before)}(\d+){re.escape(after)}{end}", re.IGNORECASE)
        return [
            (int(match[1]), f"{folder}/{entry}")
            for entry in self._entries(folder)
            if (match := form.fullmatch(entry))
        ]

    def _entries(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder below the root, sorted; none where there is no such one."""
        if folder not in self._listed:
            try:
                found = sorted(os.listdir(self.root / folder))
            except (OSError, ValueError):
                found = []
            self._listed[folder] = tuple(name for name in found if not name.startswith("."))
        return self._listed[folder]


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts numbers in names by their size."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]
