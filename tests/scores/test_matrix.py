import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flasheval.base.errors import DataError
from flasheval.scores.matrix import ScoreMatrix


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
