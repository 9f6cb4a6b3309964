"""The words of ``--validation_prompts`` for diffusers' training scripts."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from flasheval.subset.exports.text_checks import refuse, warn_of_weights

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["DiffusersWords"]


@dataclass(frozen=True)
class DiffusersWords:
    """``--validation_prompts`` and every text as a word, quoted for a POSIX shell.

    For the scripts of huggingface/diffusers that take several (``nargs="+"``), such as
    ``examples/text_to_image/train_text_to_image.py``; those with ``--validation_prompt`` take one.
    Texts stay exactly as they are, line breaks too. It drops ids and weights. A text that starts
    with ``-`` (argparse may take it for an option) or holds a null character is refused.
    """

    name: ClassVar[str] = "diffusers"
    binary: ClassVar[bool] = False
    suffix: ClassVar[None] = None

    def write(self, subset: Subset) -> bytes:
        """Return the file; see `Format`.

        >>> from flasheval.subset.subset import Method, Subset, SubsetPrompt
        >>> prompt = SubsetPrompt("7", text="a cat's toy")
        >>> subset = Subset("one", "pets", None, (prompt,), (), Method("random"))
        >>> print(DiffusersWords().write(subset).decode(), end="")
        --validation_prompts 'a cat'"'"'s toy'
        """
        refuse(subset, subset.texts, _fault, "diffusers' command line")
        warn_of_weights(subset, "diffusers")
        words = " ".join(map(shlex.quote, subset.texts))
        return f"--validation_prompts {words}\n".encode()

    def how(self, path: str) -> tuple[str, ...]:
        """Return how to use it; see `Format`."""
        return (
            f'eval "accelerate launch train_text_to_image.py ... $(cat {shlex.quote(path)})"',
            "a script with --validation_prompt (LoRA, DreamBooth, SDXL) takes one prompt only",
        )


def _fault(text: str) -> str:
    if text.startswith("-"):
        return 'it starts with "-", as an option does'
    return "it holds a null character" if "\0" in text else ""
