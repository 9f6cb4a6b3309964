"""What reads prompts, how many tokens it reads of each, and which texts it cuts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.json_data import read_json
from flasheval.base.text import first_few
from flasheval.prompts.lengths import CLIP_TOKENS, estimated_tokens
from flasheval.prompts.parts import PromptParts

__all__ = ["CLIP_READERS", "TextReader", "cut_by", "cut_lines", "tokenizer_limit", "whole_prompts"]

PromptsT = TypeVar("PromptsT", bound=PromptParts)

_ANY = 100_000  # a tokenizer's limit from here on is none
_NAMED = 4


@dataclass(frozen=True)
class TextReader:
    """A text encoder of a model or of a scorer.

    Attributes:
        name: What it belongs to, such as ``scorer CLIP``.
        tokens: How many tokens it reads of a text, start and end included.
        tokenizer: Its `tokenizer.json`, to count by; None estimates from the words.

    """

    name: str
    tokens: int
    tokenizer: Path | None = None

    def cuts(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Tell which texts are longer than it reads, bool [len(texts)].

        >>> TextReader("scorer CLIP", 77).cuts(["a cat", "a cat " * 50]).tolist()
        [False, True]
        """
        # No token is shorter than a byte, so the short texts need no look.
        long = [place for place, one in enumerate(texts) if len(one.encode()) + 2 > self.tokens]
        found = np.zeros(len(texts), dtype=bool)
        counted = self._counts([texts[place] for place in long])
        found[long] = np.array(counted, dtype=np.int64) > self.tokens
        return found

    @property
    def estimates(self) -> bool:
        """Whether it counts by words, as its tokenizer is not at hand."""
        return self.tokenizer is None or _tokenizer(self.tokenizer) is None

    def _counts(self, texts: Sequence[str]) -> list[int]:
        tokenizer = None if self.tokenizer is None else _tokenizer(self.tokenizer)
        if tokenizer is None:
            return list(map(estimated_tokens, texts))
        return [len(one.ids) for one in tokenizer.encode_batch(list(texts))]


CLIP_READERS = (TextReader("CLIP, as most scorers and many models have it,", CLIP_TOKENS),)
"""What is told of texts where nothing is known of what reads them."""


def cut_by(texts: Sequence[str], readers: Iterable[TextReader]) -> dict[TextReader, int]:
    """Return how many texts each reader cuts; those that cut none are left out.

    >>> clip, long = TextReader("scorer CLIP", 77), TextReader("T5", 512)
    >>> cut_by(["a cat", "a cat " * 50], [clip, long]) == {clip: 1}
    True
    """
    counts = {reader: int(cut.sum()) for reader, cut in _cuts(texts, readers)}
    return {reader: count for reader, count in counts.items() if count}


def _cuts(
    texts: Sequence[str], readers: Iterable[TextReader]
) -> Iterator[tuple[TextReader, NDArray[np.bool_]]]:
    """Yield each reader and what it cuts; of those with one limit and tokenizer one counts."""
    cuts: dict[tuple[int, Path | None], NDArray[np.bool_]] = {}
    for reader in dict.fromkeys(readers):
        key = (reader.tokens, reader.tokenizer)
        if key not in cuts:
            cuts[key] = reader.cuts(texts)
        yield reader, cuts[key]


def cut_lines(texts: Sequence[str], readers: Iterable[TextReader]) -> list[str]:
    """Return a line for each limit that cuts texts: who reads so far, and how many it cuts.

    >>> for line in cut_lines(["a cat", "a cat " * 50], [TextReader("scorer CLIP", 77)]):
    ...     print(line)
    scorer CLIP reads 77 tokens: about 1 of 2 texts (50%, an estimate from words) are longer, \
and it does not see their ends
    """
    groups: dict[tuple[int, bool, int], list[str]] = {}
    for reader, count in cut_by(texts, readers).items():
        groups.setdefault((reader.tokens, reader.estimates, count), []).append(reader.name)
    lines = []
    for (tokens, estimates, count), names in groups.items():
        who = first_few(names, _NAMED)
        reads, sees = ("reads", "it does") if len(names) == 1 else ("read", "they do")
        about, how = ("about ", ", an estimate from words") if estimates else ("", "")
        lines.append(
            f"{who} {reads} {tokens} tokens: {about}{count:,} of {len(texts):,} texts "
            f"({count / len(texts):.0%}{how}) are longer, and {sees} not see their ends"
        )
    return lines


def whole_prompts(prompts: PromptsT, readers: Iterable[TextReader]) -> PromptsT:
    """Return the prompts whose texts every reader reads whole.

    >>> from flasheval.prompts import PromptSet
    >>> pets = PromptSet("pets", ("1", "2"), ("a cat", "a cat " * 50))
    >>> whole_prompts(pets, [TextReader("scorer CLIP", 77)]).ids
    ('1',)
    """
    texts = prompts.texts or ()
    cut = np.zeros(len(texts), dtype=bool)
    for _, own in _cuts(texts, readers):
        cut |= own
    return prompts.take(np.flatnonzero(~cut)) if cut.any() else prompts


def tokenizer_limit(folder: Path) -> int | None:
    """Return how many tokens a stored tokenizer keeps by its own settings; None where it says none.

    >>> tokenizer_limit(Path("no-such-folder")) is None
    True
    """
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        return None
    settings = read_json(path)
    limit = settings.get("model_max_length") if isinstance(settings, dict) else None
    if not isinstance(limit, int) or isinstance(limit, bool):
        return None
    return limit if 0 < limit < _ANY else None


@lru_cache(maxsize=8)
def _tokenizer(path: Path) -> Any:
    """Load a tokenizer without any limit of its own; None where it cannot be."""
    try:
        from tokenizers import Tokenizer
    except ImportError:
        return None
    try:
        found = Tokenizer.from_file(str(path))
    except Exception:  # the library raises no kind of its own
        return None
    found.no_truncation()
    found.no_padding()
    return found
