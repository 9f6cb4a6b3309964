import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.runs.doctor.estimate import Left, ModelTiming, estimate_model, fit_seconds


@given(
    st.floats(0.0, 5.0),
    st.floats(0.0, 5.0),
    st.lists(st.integers(1, 200), min_size=2, max_size=6, unique=True),
)
def test_the_line_through_exact_points_is_found(a, b, evaluations):
    fixed, slope = fit_seconds([(x, a + b * x) for x in evaluations])
    found = np.array([fixed + slope * x for x in evaluations])
    np.testing.assert_allclose(found, [a + b * x for x in evaluations], rtol=1e-6, atol=1e-6)


def test_neither_part_is_below_zero():
    assert fit_seconds([(10, 0.5)]) == (0.0, 0.05)
    assert fit_seconds([(10, 0.2), (20, 0.1)]) == (pytest.approx(0.15), 0.0)  # noise
    fixed, slope = fit_seconds([(10, 0.1), (20, 0.3)])  # the line would begin below zero
    assert fixed == 0.0
    assert slope == pytest.approx((10 * 0.1 + 20 * 0.3) / (100 + 400))


def test_what_is_left_is_what_counts():
    timing = ModelTiming(
        label="m",
        variants=("a", "b"),
        load=7.0,
        fixed=0.5,
        per_evaluation=0.1,
        evaluations={"a": 10, "b": 50},
        counted=True,
        score={"x": 0.25},
        save=0.01,
        image_bytes=1000.0,
        batches=3,
    )
    left = {"a": Left(100, 100, {"x": 100}), "b": Left(10, 0, {"x": 40})}
    found = estimate_model(timing, left)
    assert found.images == 110
    assert found.make == pytest.approx(7.0 + 100 * 1.5 + 10 * 5.5)
    assert found.score == pytest.approx(140 * 0.25)
    assert found.save == pytest.approx(1.0)
    assert found.image_bytes == 100_000
    assert found.seconds == pytest.approx(found.make + found.score + found.save)
    nothing = estimate_model(timing, {"a": Left(0, 0, {"x": 0}), "b": Left(0, 0, {"x": 0})})
    assert nothing.seconds == 0.0
