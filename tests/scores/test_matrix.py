import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flasheval.base.errors import DataError
from flasheval.scores.matrix import ScoreMatrix, mean_of_images


def _matrix(values, **settings):
    values = np.asarray(values)
    variants = tuple(f"v{i}" for i in range(values.shape[0]))
    return ScoreMatrix(
        "m", values, variants, tuple(f"p{i}" for i in range(values.shape[1])), **settings
    )


def test_any_real_type_becomes_float32_in_c_order():
    for kind in (np.float16, np.float64, np.int64, np.uint8):
        values = _matrix(np.asfortranarray(np.arange(6).reshape(2, 3).astype(kind))).values
        assert values.dtype == np.float32
        assert values.flags.c_contiguous
        np.testing.assert_array_equal(values, [[0, 1, 2], [3, 4, 5]])


def test_values_cannot_be_written_into_and_the_given_array_still_can():
    given_values = np.zeros((1, 2), dtype=np.float32)
    matrix = _matrix(given_values)
    with pytest.raises(ValueError, match="read-only"):
        matrix.values[0, 0] = 1
    assert given_values.flags.writeable


def test_means_are_computed_in_float64():
    # 2,048 is where float16 stops counting by ones: a float16 sum would stand still.
    matrix = _matrix(np.ones((1, 5000), dtype=np.float16))
    assert matrix.full_means.dtype == np.float64
    assert matrix.full_means[0] == 1.0


@given(hnp.arrays(np.float32, (3, 4), elements=st.floats(-1e3, 1e3, width=32) | st.just(np.nan)))
def test_coverage_and_means_against_numpy(values):
    matrix = _matrix(values)
    np.testing.assert_allclose(matrix.coverage, (~np.isnan(values)).mean(axis=1))
    np.testing.assert_allclose(matrix.full_means, values.astype(np.float64).mean(axis=1))
    assert (matrix.coverage == 1).tolist() == (~np.isnan(matrix.full_means)).tolist()


def test_the_sign_makes_more_better_either_way():
    values = np.array([[1.0, np.nan]], dtype=np.float32)
    assert _matrix(values).sign == 1
    assert _matrix(values, higher_is_better=False).sign == -1


def test_no_prompts_have_no_mean():
    assert np.isnan(_matrix(np.zeros((2, 0))).full_means).all()


@pytest.mark.parametrize("bad", [np.inf, -np.inf, 1e300])
def test_infinite_scores_are_named(bad):
    with pytest.raises(DataError, match="score of variant 'v1' on prompt 'p2' is infinite"):
        _matrix([[0, 0, 0], [0, np.nan, bad]])


def test_what_does_not_fit_is_refused():
    with pytest.raises(DataError, match=r"shape \(1, 2\); expected \(1, 1\)"):
        ScoreMatrix("m", np.zeros((1, 2)), ("v",), ("p",))
    with pytest.raises(DataError, match="variant 'v' more than once"):
        ScoreMatrix("m", np.zeros((2, 1)), ("v", "v"), ("p",))
    with pytest.raises(DataError, match="must be numbers"):
        ScoreMatrix("m", np.array([["a"]]), ("v",), ("p",))
    with pytest.raises(DataError, match="must be numbers"):
        ScoreMatrix("m", np.array([[True]]), ("v",), ("p",))
    with pytest.raises(DataError, match="a metric's name must be a non-empty string"):
        ScoreMatrix("", np.zeros((1, 1)), ("v",), ("p",))


def test_a_score_is_the_mean_of_its_images():
    images = np.array([[[0.25, 0.75, np.nan], [np.nan, np.nan, np.nan]], [[1, 2, 3], [4, 4, 4]]])
    matrix = ScoreMatrix.from_images("m", images, ["x", "y"], ["1", "2"], higher_is_better=False)
    np.testing.assert_array_equal(matrix.values, [[0.5, np.nan], [2, 4]])
    np.testing.assert_array_equal(matrix.images, images)
    assert matrix.images.dtype == np.float32
    assert not matrix.images.flags.writeable
    assert matrix.higher_is_better is False


def test_one_image_is_the_score_itself():
    matrix = ScoreMatrix.from_images("m", [[[0.25], [0.5]]], ["x"], ["1", "2"])
    assert matrix.values.tolist() == [[0.25, 0.5]]
    assert matrix.images is None


def test_a_score_may_be_there_without_its_images():
    images = np.array([[[1.0, 3.0], [np.nan, np.nan]]])
    matrix = _matrix([[2.0, 7.0]], images=images)
    np.testing.assert_array_equal(matrix.images, images)


@pytest.mark.parametrize(
    ("values", "images", "said"),
    [
        ([[2.0, 5.0]], [[[1.0, 3.0], [4.0, 4.0]]], "'v0' on prompt 'p1' is not the mean"),
        ([[2.0, np.nan]], [[[1.0, 3.0], [4.0, 4.0]]], "'v0' on prompt 'p1' is not the mean"),
        ([[2.0, 4.0]], [[1.0, 3.0]], "expected numbers of shape"),
        ([[2.0, 4.0]], [[["a", "b"], ["c", "d"]]], "expected numbers of shape"),
        ([[2.0, 4.0]], [[[1.0, 3.0], [4.0, np.inf]]], "'v0' on prompt 'p1' is infinite"),
    ],
)
def test_images_must_fit(values, images, said):
    with pytest.raises(DataError, match=said):
        _matrix(values, images=images)


def test_images_without_a_third_axis_are_refused():
    with pytest.raises(DataError, match=r"\[variants, prompts, images\]"):
        ScoreMatrix.from_images("m", [[1.0, 2.0]], ["x"], ["1", "2"])


@given(hnp.arrays(np.float64, (2, 3, 4), elements=st.floats(-1e3, 1e3) | st.just(np.nan)))
def test_means_of_images_against_numpy(images):
    with warnings.catch_warnings(action="ignore"):  # numpy warns of means of nothing
        expected = np.nanmean(images, axis=2)
    np.testing.assert_allclose(mean_of_images(images), expected)


def test_scores_that_float32_makes_equal_are_kept():
    values = np.array([[16777216, 16777220], [16777217, 16777221]])
    matrix = _matrix(values)
    assert matrix.exact
    np.testing.assert_array_equal(matrix.values, values)
    assert matrix.full_means.tolist() == [16777218, 16777219]
    one = replace(matrix, values=matrix.values[:1], variants=("v0",))
    assert one.exact  # a part of it is no less exact
    assert not _matrix(values - 16777216).exact


def test_no_change_of_an_array_given_reaches_the_scores(monkeypatch):
    names = (("x", "y"), ("1", "2"))
    given = np.array([[0.25, 0.5], [0.75, 1.0]], "float32")
    images = np.stack([given, given], axis=2)
    for array in (given, given[:], given.view()):
        matrix = ScoreMatrix("clip", array, *names, images=images)
        array[0, 0] = images[0, 0, 0] = 9
        assert matrix.values[0, 0] == matrix.images[0, 0, 0] == 0.25
        array[0, 0] = images[0, 0, 0] = 0.25
    assert given.flags.writeable
    again = ScoreMatrix("clip", matrix.values, *names)
    assert np.shares_memory(again.values, matrix.values)  # nothing can change these: no copy
    monkeypatch.setattr("flasheval.scores.matrix._COPIED", 0)
    ScoreMatrix("clip", given, *names)
    with pytest.raises(ValueError, match="read-only"):
        given[0, 0] = 9
