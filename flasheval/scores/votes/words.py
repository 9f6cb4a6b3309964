"""What the columns of votes are called, and what is written for who won."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

from flasheval.base.text import plain_name

__all__ = [
    "HALVES",
    "ONE_HOT",
    "PAIRS",
    "Winner",
    "halves_of",
    "one_hot_of",
    "pair_of",
    "role_of",
    "winner_of",
]

PAIRS = (
    *(("model_a", "model_b"), ("model_1", "model_2"), ("model1", "model2")),
    *(("model_a_name", "model_b_name"), ("modela", "modelb"), ("first", "second")),
    *(("variant_a", "variant_b"), ("variant_1", "variant_2"), ("system_a", "system_b")),
    *(("system_1", "system_2"), ("model_x", "model_y"), ("model_0", "model_1"), ("a", "b")),
)
"""Pairs of columns that name the two models."""

SIDED = (
    *(("model_left", "model_right"), ("left_model", "right_model"), ("left", "right")),
    *(("variant_left", "variant_right"), ("left_variant", "right_variant")),
)
"""The same, where the first was shown left."""

ONE_HOT = (
    *("winner_model_a", "winner_model_b", "winner_tie"),
    *("winner_tie_bothbad", "winner_both_bad"),
)
"""Columns of which one says 1: who won, or how it was tied."""

HALVES = ("label_0", "label_1")
"""Columns of 1 for the winner, 0 for the loser and a half for each in a tie (Pick-a-Pic)."""

_PEOPLE = (
    *("rater", "annotator", "judge", "worker", "user", "evaluator", "reviewer", "labeler"),
    *("labeller", "participant", "assessor", "expert", "person", "voter"),
)
_ROLES = {
    "winner": (
        *("winner", "preference", "preferred", "choice", "chosen", "vote", "verdict", "better"),
        *("outcome", "result", "label", "answer", "winner_model", "preferred_model", "vote_type"),
    ),
    "prompt": (
        *("prompt_id", "promptid", "prompt_idx", "prompt_index", "prompt_no", "prompt_key"),
        *("pid", "caption_id", "text_id", "item_id"),
    ),
    "weak": ("question_id", "id", "item", "uid", "uuid", "sample_id", "key", "index"),
    "text": ("prompt", "text", "prompt_text", "caption", "question", "prompts", "instruction"),
    "rater": tuple(f"{one}{end}" for end in ("", "_id", "_name", "_no") for one in _PEOPLE),
    "seconds": (
        *("seconds", "duration", "duration_s", "time_s", "response_time", "time_taken"),
        *("elapsed", "rt", "time_spent", "seconds_taken"),
    ),
    "left": ("left", "shown_left", "left_side", "left_is", "left_model", "model_left"),
    "image": ("image", "image_number", "image_index", "image_idx", "image_no"),
    "image_a": ("image_a_number", "image_a", "image_number_a", "image_a_index"),
    "image_b": ("image_b_number", "image_b", "image_number_b", "image_b_index"),
}


class Winner(IntEnum):
    """What a word for the winner says."""

    SECOND = -1
    TIE = 0
    FIRST = 1
    BOTH_BAD = 2
    LEFT = 3
    RIGHT = 4
    NAME = 5
    NOBODY = 6


_WORDS = {
    Winner.FIRST: (
        *("a", "model_a", "first", "model_1", "model1", "1", "image_a", "image_1", "option_a"),
        *("variant_a", "a_wins", "a_is_better", "system_a", "response_a", "a_better", "avote"),
    ),
    Winner.SECOND: (
        *("b", "model_b", "second", "model_2", "model2", "2", "image_b", "image_2", "option_b"),
        *("variant_b", "b_wins", "b_is_better", "system_b", "response_b", "b_better", "bvote"),
    ),
    Winner.TIE: (
        *("tie", "tied", "draw", "equal", "same", "both", "both_good", "tie_both_good"),
        *("no_preference", "equally_good", "tie_bothgood", "similar", "tievote"),
    ),
    Winner.BOTH_BAD: (
        *("both_bad", "bothbad", "tie_bothbad", "tie_both_bad", "neither", "none"),
        *("both_are_bad", "equally_bad", "bothbad_vote", "bothbadvote"),
    ),
    Winner.LEFT: ("left", "left_wins", "left_is_better", "left_image", "leftvote"),
    Winner.RIGHT: ("right", "right_wins", "right_is_better", "right_image", "rightvote"),
}
_KNOWN = {word: winner for winner, words in _WORDS.items() for word in words}


def role_of(role: str, names: Iterable[str]) -> str | None:
    """Return the column that by its name likeliest has a role; None where none does.

    >>> role_of("rater", ["Rater ID", "winner"]), role_of("seconds", ["winner"])
    ('Rater ID', None)
    """
    known = _ROLES[role]
    found = [name for name in names if plain_name(name) in known]
    return min(found, key=lambda name: known.index(plain_name(name)), default=None)


def pair_of(names: Sequence[str]) -> tuple[str, str, bool] | None:
    """Return the columns that name the two models, and whether the first was shown left.

    >>> pair_of(["Model A", "Model B", "winner"]), pair_of(["left", "right"])
    (('Model A', 'Model B', False), ('left', 'right', True))
    """
    plain = {plain_name(name): name for name in reversed(names)}
    for pairs, sided in ((PAIRS, False), (SIDED, True)):
        for first, second in pairs:
            if first in plain and second in plain:
                return plain[first], plain[second], sided
    return None


def one_hot_of(names: Sequence[str]) -> list[tuple[str, Winner]]:
    """Return the columns of which one says who won; empty where there are none.

    >>> [name for name, _ in one_hot_of(["winner_model_a", "winner_model_b", "winner_tie"])]
    ['winner_model_a', 'winner_model_b', 'winner_tie']
    """
    plain = {plain_name(name): name for name in reversed(names)}
    if not set(ONE_HOT[:2]) <= set(plain):
        return []
    says = (Winner.FIRST, Winner.SECOND, Winner.TIE, Winner.BOTH_BAD, Winner.BOTH_BAD)
    return [(plain[name], one) for name, one in zip(ONE_HOT, says, strict=True) if name in plain]


def halves_of(names: Sequence[str]) -> list[str]:
    """Return the two columns that share out a vote between the models; empty without them.

    >>> halves_of(["label_0", "label_1", "caption"])
    ['label_0', 'label_1']
    """
    plain = {plain_name(name): name for name in reversed(names)}
    return [plain[name] for name in HALVES] if set(HALVES) <= set(plain) else []


def winner_of(word: str) -> Winner:
    """Return what a word says; NOBODY where it is none of those known.

    >>> winner_of("model_a"), winner_of("tie (bothbad)"), winner_of("sd15")
    (<Winner.FIRST: 1>, <Winner.BOTH_BAD: 2>, <Winner.NOBODY: 6>)
    """
    return _KNOWN.get(plain_name(word), Winner.NOBODY)
