"""Finding the several images of a prompt in a folder, by the forms that people keep them in."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, takewhile
from pathlib import Path

from flasheval.generators.image_files import IMAGE_SUFFIXES, is_image

__all__ = ["IMAGE_NUMBER", "PROMPT_ID", "NumberedFiles"]

PROMPT_ID, IMAGE_NUMBER = "{prompt_id}", "{image}"
"""What stands in a pattern for the prompt's id, and for the image's number."""

_SUFFIX = "(?i:" + "|".join(map(re.escape, IMAGE_SUFFIXES)) + ")"
_BEHIND = re.compile(rf"(.*)([_+-])(\d+){_SUFFIX}", re.DOTALL)
_KEPT = "+"  # before the number in names of a run's own, see `flasheval.runs.kept.file_names`
_SAMPLES = "samples"  # where GenEval's generators put them, beside a grid of them all
_FIRST = (0, 1)  # numbers that images are counted from


@dataclass(frozen=True)
class NumberedFiles:
    """The images of a folder by prompt and number.

    A pattern with ``{image}`` names them: digits stand there. Else the file that the pattern names
    (``37.png``) is the only one, but for those that a run kept beside it (``37+1.png``). Where
    there is none, a prompt has the files of its name with a number behind it (``37_0.png``,
    ``37-1.png``), or those in a folder of its name whose own names are numbers (``37/0000.png``,
    ``37/samples/0000.png``). Where the pattern names such a file, with the number 0 or 1, the
    others beside it count too. A file that is another prompt's is left to that one, and of several
    with one number the first is taken.

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
    _behind: dict[str, dict[str, list[tuple[int, str, str]]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def of(self, prompt_id: str, first: str | None = None) -> dict[int, str]:
        """Return the names of a prompt's images, relative to the folder, by number from 0.

        Args:
            prompt_id: The prompt's id.
            first: The name of the file that the pattern names, where that is there.

        """
        filled = self.pattern.replace(PROMPT_ID, prompt_id)
        if IMAGE_NUMBER in self.pattern:
            found = self._matching(prompt_id)
        elif PROMPT_ID not in self.pattern.rpartition("/")[2]:
            found = self._like(first) if first else []
        elif first:
            found = self._beside(filled, _KEPT)
        else:
            found = self._beside(filled) or self._below(filled)
        mine = _stem(filled)
        numbered: dict[int, str] = {}
        for number, name in sorted(found):
            stem = _stem(name)
            if name != first and (stem == mine or stem not in self._named):
                numbered.setdefault(number, name)
        names = [numbered[number] for number in sorted(numbered)]
        return dict(enumerate([*([first] if first else []), *names]))

    @cached_property
    def _named(self) -> frozenset[str]:
        """The files, without suffix, that the pattern names for all prompts."""
        if IMAGE_NUMBER in self.pattern:
            return frozenset()
        return frozenset(_stem(self.pattern.replace(PROMPT_ID, one)) for one in self.others)

    def _matching(self, prompt_id: str) -> list[tuple[int, str]]:
        """Return the files that a pattern with a place for the number names."""
        parts = self.pattern.split("/")
        found: list[tuple[int, str]] = [(-1, "")]
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            filled = part.replace(PROMPT_ID, prompt_id)
            if IMAGE_NUMBER in part:
                found = [
                    (number, f"{name}{entry}")
                    for _, name in found
                    for number, entry in self._numbers(name, filled, last)
                ]
            elif last:
                found = [
                    (number, name + there)
                    for number, name in found
                    if (there := self._spelled(name, filled))
                ]
            else:
                found = [(number, name + filled) for number, name in found]
            if not last:
                found = [(number, f"{name}/") for number, name in found]
        return found

    def _numbers(self, folder: str, part: str, is_file: bool) -> list[tuple[int, str]]:
        """Return the entries of a folder that have a number where a part of the pattern says so."""
        before, _, after = part.partition(IMAGE_NUMBER)
        end = _SUFFIX if is_file and not is_image(part) else ""
        form = re.compile(rf"{re.escape(before)}(\d+){re.escape(after)}{end}", re.DOTALL)
        entries = self._entries(folder)
        begin = bisect_left(entries, before)  # they are sorted, and there may be many
        beginning = takewhile(lambda entry: entry.startswith(before), islice(entries, begin, None))
        matches = ((entry, form.fullmatch(entry)) for entry in beginning)
        return [(int(match[1]), entry) for entry, match in matches if match]

    def _spelled(self, folder: str, name: str) -> str | None:
        """Return the image of this name in a folder, of any suffix where it has none."""
        entries = self._entries(folder)
        suffixes = [""] if is_image(name) else [*IMAGE_SUFFIXES, *map(str.upper, IMAGE_SUFFIXES)]
        for whole in (name + one for one in suffixes):
            place = bisect_left(entries, whole)
            if place < len(entries) and entries[place] == whole:
                return whole
        return None

    def _beside(self, filled: str, sign: str = "_+-") -> list[tuple[int, str]]:
        """Return the files named like the prompt's with one of these signs and a number behind."""
        folder, _, last = filled.rpartition("/")
        if folder not in self._behind:  # once a folder, not once a prompt
            by_stem: dict[str, list[tuple[int, str, str]]] = {}
            for entry in self._entries(folder):
                if match := _BEHIND.fullmatch(entry):
                    by_stem.setdefault(match[1], []).append((int(match[3]), entry, match[2]))
            self._behind[folder] = by_stem
        lead = f"{folder}/" if folder else ""
        suffix = os.path.splitext(last)[1] if is_image(last) else ""
        stem = last.removesuffix(suffix)
        return [
            (number, lead + entry)
            for number, entry, between in self._behind[folder].get(stem, [])
            if entry.endswith(suffix) and between in sign
        ]

    def _below(self, filled: str) -> list[tuple[int, str]]:
        """Return the images in a folder of the prompt's name whose own names are numbers."""
        for folder in (f"{filled}/{_SAMPLES}", filled):
            found = self._decimal(folder)
            if found:
                return found
        return []

    def _like(self, first: str) -> list[tuple[int, str]]:
        """Return the numbered files beside a first one, which has the number 0 or 1."""
        stem = _stem(first).rpartition("/")[2]
        if not stem.isdecimal() or int(stem) not in _FIRST:
            return []
        found = self._decimal(first.rpartition("/")[0])
        return found if min(found)[0] == int(stem) else []

    def _decimal(self, folder: str) -> list[tuple[int, str]]:
        images = (entry for entry in self._entries(folder) if is_image(entry))
        return [
            (int(_stem(entry)), f"{folder}/{entry}") for entry in images if _stem(entry).isdecimal()
        ]

    def _entries(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder below the root, sorted; none where there is no such one."""
        folder = folder.rstrip("/")
        if folder not in self._listed:
            try:
                found = sorted(os.listdir(self.root / folder))
            except (OSError, ValueError):
                found = []
            self._listed[folder] = tuple(name for name in found if not name.startswith("."))
        return self._listed[folder]


def _stem(name: str) -> str:
    """Return a path without the suffix of an image."""
    return os.path.splitext(name)[0] if is_image(name.rpartition("/")[2]) else name
