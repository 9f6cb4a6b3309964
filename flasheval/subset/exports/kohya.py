"""The sample prompts of kohya-ss's sd-scripts, as its docs/train_network_advanced.md has them.

A text file holds a prompt a line, options behind it: ``--n`` negative prompt, ``--w`` width,
``--h`` height, ``--d`` seed, ``--l`` guidance scale, ``--s`` steps; a line that starts with ``#``
is a comment. A JSON file holds the same as objects, and any text.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from flasheval.base.errors import SettingError
from flasheval.subset.exports.image_settings import ImageSettings
from flasheval.subset.exports.text_checks import (
    no_single_line,
    refuse,
    stripped,
    warn_of,
    warn_of_weights,
)

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["Kohya"]

# Key of the JSON file by option of the text file.
_KEYS = {
    "n": "negative_prompt",
    "w": "width",
    "h": "height",
    "d": "seed",
    "l": "scale",
    "s": "sample_steps",
}
_OPTION = re.compile(r"(^|\s)--")
# sd-scripts looks for options in the prompt itself too, without the dashes: "s 4 boats" asks for
# 4 steps. These are all that it has or had.
_BARE_OPTION = re.compile(
    r"(?:[whds] \d|[lg] [\d.]|am [\d.,-]|(?:n|i|ss|cn|fs|ctr|rcfg) .)", re.IGNORECASE
)


@dataclass(frozen=True)
class Kohya(ImageSettings):
    """A prompt a line with its options, or a JSON list of objects.

    It drops ids and weights, and white space at a text's ends. The ``txt`` layout refuses a text
    that is empty, holds a line break, starts with ``#`` or with what sd-scripts takes for an
    option, or holds `` --``; the ``json`` layout carries them.

    Attributes:
        layout: ``txt`` or ``json``; the file's name must end so.

    >>> Kohya(negative_prompt="blurry --ugly")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: negative_prompt: it holds " --", which begins an ...

    """

    name: ClassVar[str] = "kohya"
    binary: ClassVar[bool] = False

    layout: Literal["txt", "json"] = "txt"

    def __post_init__(self) -> None:
        super().__post_init__()
        negative = self.negative_prompt
        if self.layout == "txt" and negative is not None:
            why = no_single_line(negative.strip()) or _with_option(negative)
            if why:
                raise SettingError(f"negative_prompt: {why}; leave it out, or use layout=json")

    @property
    def suffix(self) -> str:
        """sd-scripts tells a layout by the end of the file's name."""
        return f".{self.layout}"

    def write(self, subset: Subset) -> bytes:
        r"""Return the file; see `Format`.

        >>> from flasheval.subset.subset import Method, Subset, SubsetPrompt
        >>> prompts = (SubsetPrompt("7", text="a cat"),)
        >>> subset = Subset("one", "pets", None, prompts, (), Method("random"))
        >>> Kohya(width=768, steps=20).write(subset)
        b'a cat --w 768 --s 20\n'
        >>> Kohya(layout="json", steps=20).write(subset)
        b'[\n {\n  "prompt": "a cat",\n  "sample_steps": 20\n }\n]\n'
        """
        texts = stripped(subset, "kohya")
        if self.layout == "txt":
            refuse(subset, texts, _fault, "kohya's .txt", "write them with layout=json")
        weighted = [any(character in text for character in "()[]") for text in texts]
        warn_of(subset, weighted, "sd-scripts takes ( ) and [ ] for weights with SD and SDXL")
        warn_of_weights(subset, "kohya")
        rows = [
            (text, self._options(seed))
            for prompt, text in zip(subset.prompts, texts, strict=True)
            for seed in self.images_of(subset.record, prompt.id)
        ]
        if self.layout == "json":
            items = [
                {"prompt": text, **{_KEYS[key]: value for key, value in own.items()}}
                for text, own in rows
            ]
            return (json.dumps(items, indent=1) + "\n").encode()
        lines = [
            " ".join([text, *(f"--{key} {value}" for key, value in own.items())])
            for text, own in rows
        ]
        return "".join(f"{line}\n" for line in lines).encode()

    def how(self, path: str) -> tuple[str, ...]:
        """Return how to use it; see `Format`."""
        return (f"--sample_prompts={shlex.quote(path)} --sample_every_n_steps=500",)

    def _options(self, seed: int | None) -> dict[str, Any]:
        negative = self.negative_prompt
        values = {
            "n": negative if negative is None else negative.strip(),
            "w": self.width,
            "h": self.height,
            "d": seed,
            "l": self.guidance,
            "s": self.steps,
        }
        return {key: value for key, value in values.items() if value is not None}


def _with_option(text: str) -> str:
    return 'it holds " --", which begins an option' if _OPTION.search(text) else ""


def _fault(text: str) -> str:
    why = no_single_line(text) or _with_option(text)
    if not why and text.startswith("#"):
        why = 'it starts with "#", as a comment does'
    if not why and _BARE_OPTION.match(text):
        why = f'it starts with "{text[:4].rstrip()}", which sd-scripts takes for an option'
    return why
