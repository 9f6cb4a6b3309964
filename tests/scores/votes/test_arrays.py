"""Arrays of votes are checked, kept apart from the caller's, and say nothing by None."""

import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.prompts import PromptSet
from flasheval.scores.votes.arrays import VoteArrays

PETS = PromptSet("pets", ("1", "2"))
RIGHT = {
    "variants": ("a", "b"),
    "prompts": PETS,
    "first": [0, 1],
    "second": [1, 0],
    "prompt": [0, 1],
    "outcome": [1, 0],
    "raters": ("ann",),
    "rater": [0, -1],
    "both_bad": [False, True],
    "left": [1, 0],
    "seconds": [1.5, np.nan],
    "images": [[0, 1], [-1, -1]],
}


def test_arrays_are_copies_and_read_only():
    first = np.array([0, 1])
    votes = VoteArrays(**{**RIGHT, "first": first})
    first[0] = 1
    assert votes.first.tolist() == [0, 1]
    assert votes.first.dtype == np.int32
    assert (votes.outcome.dtype, votes.seconds.dtype) == (np.int8, np.float32)
    with pytest.raises(ValueError, match="read-only"):
        votes.outcome[0] = 0


def test_what_says_nothing_is_none():
    nothing = {"rater": [-1, -1], "left": [0, 0], "both_bad": [False, False]}
    nothing |= {"seconds": [np.nan, np.nan], "images": [[-1, -1], [-1, -1]]}
    votes = VoteArrays(**{**RIGHT, **nothing})
    assert all(getattr(votes, name) is None for name in nothing)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"first": [0, 0], "second": [0, 1]}, "vote 1 is between 'a' and itself"),
        ({"first": [], "second": [], "prompt": [], "outcome": []}, "there are no votes"),
        ({"first": [0, 2]}, "first of votes has 2; expected numbers from 0 to 1"),
        ({"prompt": [0, 2]}, "prompt of votes has 2"),
        ({"outcome": [1, 2]}, "outcome of votes has 2; expected numbers from -1 to 1"),
        ({"second": [1]}, "second of votes is int64 of shape"),
        ({"first": [0.5, 1]}, "expected whole numbers, one for each vote"),
        ({"first": [[0], [1, 0]]}, "expected one list of whole numbers"),
        ({"images": [[0, 1]]}, "expected whole numbers, 2 for each vote"),
        ({"rater": [1, 0]}, "rater of votes has 1"),
        ({"both_bad": [True, False]}, "both_bad is true of a vote that somebody won"),
        ({"both_bad": [1, 0]}, "expected true or false"),
        ({"seconds": [-1, 1]}, "numbers from 0 on"),
        ({"seconds": ["x", "y"]}, "expected a number for each vote"),
        ({"variants": ("a", "a")}, "the variant 'a' is named twice"),
        ({"variants": ("a", "")}, "non-empty string"),
        ({"raters": ("x", "x")}, "the rater 'x' is named twice"),
        ({"prompts": ("1", "2")}, "expected a PromptSet"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, said):
    with pytest.raises(DataError) as caught:
        VoteArrays(**{**RIGHT, **wrong})
    assert said in str(caught.value)
