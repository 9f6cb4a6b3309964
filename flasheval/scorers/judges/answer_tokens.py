"""The tokens that say yes and no, and what a model's logits make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError

__all__ = ["forms_of", "share_of_yes", "yes_and_no"]

# How tokenizers write a blank before a word: byte-level BPE, SentencePiece, and plainly.
_BLANKS = ("Ġ", "▁", " ")


def forms_of(word: str, vocabulary: Mapping[str, int]) -> tuple[int, ...]:
    """Return every token that is a word, in any case, with or without one blank before it.

    >>> forms_of("yes", {"yes": 4, "▁Yes": 7, "yesterday": 8, "YES": 9})
    (4, 7, 9)
    """
    found = []
    for token, number in vocabulary.items():
        bare = token[1:] if token.startswith(_BLANKS) else token
        if bare.lower() == word:
            found.append(number)
    return tuple(sorted(found))


def yes_and_no(
    vocabulary: Mapping[str, int], checkpoint: str
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the tokens of yes and of no. Raises DataError where a tokenizer has none of one.

    >>> yes_and_no({"Yes": 1, "No": 2, "Ġno": 3}, "tiny")
    ((1,), (2, 3))
    >>> yes_and_no({"Yes": 1}, "tiny")
    Traceback (most recent call last):
    flasheval.base.errors.DataError: checkpoint tiny: its tokenizer has no token for 'no'; \
judges read the answer at one token, so choose another checkpoint
    """
    yes, no = forms_of("yes", vocabulary), forms_of("no", vocabulary)
    for word, tokens in (("yes", yes), ("no", no)):
        if not tokens:
            raise DataError(
                f"checkpoint {checkpoint}: its tokenizer has no token for {word!r}; judges read "
                "the answer at one token, so choose another checkpoint"
            )
    return yes, no


def share_of_yes(yes: Sequence[float], no: Sequence[float], whole: float) -> tuple[float, float]:
    """Return the probability of yes among yes and no, and that of yes or no at all.

    Args:
        yes: The logits of the tokens of yes.
        no: The logits of the tokens of no.
        whole: The log of the sum of exp of all logits.

    >>> yes, both = share_of_yes([0.0], [0.0, 0.0], float(np.log(4)))
    >>> round(yes, 6), round(both, 6)
    (0.333333, 0.75)

    """
    for_yes, for_no = _log_sum(np.asarray(yes, float)), _log_sum(np.asarray(no, float))
    both = np.logaddexp(for_yes, for_no)
    return float(np.exp(for_yes - both)), float(min(1.0, np.exp(both - whole)))


def _log_sum(logits: NDArray[np.float64]) -> float:
    return float(np.logaddexp.reduce(logits))
