import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.scorers.checks import check_scores


@pytest.mark.parametrize(
    "scores",
    [
        [1, None, 0.25],
        (1.0, float("nan"), np.float32(0.25)),
        np.array([1, np.nan, 0.25]),
        np.array([[1], [np.nan], [0.25]]),
    ],
)
def test_any_form_of_numbers_is_taken(scores):
    checked = check_scores("m", scores, 3)
    assert checked.dtype == np.float32
    np.testing.assert_array_equal(checked, np.float32([1, np.nan, 0.25]))


def test_tensors_are_taken_with_their_gradients():
    torch = pytest.importorskip("torch")
    scores = torch.tensor([1.0, 0.25], dtype=torch.bfloat16, requires_grad=True)
    np.testing.assert_array_equal(check_scores("m", scores, 2), np.float32([1, 0.25]))
    np.testing.assert_array_equal(check_scores("m", list(scores), 2), np.float32([1, 0.25]))


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([1.0], "scorer m: it returned 1 of 2 scores; expected one an image"),
        ([1, 2, 3], "it returned 3 of 2 scores"),
        (0.5, "it returned a float; expected 2 numbers, one an image"),
        (None, "it returned a NoneType"),
        (["0.5", "0.5"], "it returned a list"),
        ({"mean": 1, "max": 2}, "it returned a dict"),
        (np.zeros((2, 3)), r"it returned a ndarray of shape \(2, 3\)"),
        ([0.5, float("-inf")], "the score of image 2 of 2 is -inf; expected a finite number"),
        ([1e39, 0.5], r"image 1 of 2 is 1e\+39"),
    ],
)
def test_anything_else_is_one_line(scores, message):
    with pytest.raises(DataError, match=message):
        check_scores("m", scores, 2)
