"""Predictions at the end of a metric's range, and outside of what was calibrated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import Record
from flasheval.subset.parts import Method, MetricInfo, SubsetPrompt
from flasheval.subset.predictor import MetricCalibration, Predictor
from flasheval.subset.saturated import saturated, without_saturated
from flasheval.subset.subset import Subset

ALONE = Predictor({"m": 1.0}, 0.1, by_error=0.5, by_size=0.04)
PART = MetricCalibration(True, 0.5, 0.2, 0.5, 1.0, 0.2, 0.8, ALONE)
CALIBRATION = Calibration({"m": PART}, dof=8, difference_dof=8, folds=8)
SUBSET = Subset(
    "twenty",
    "pets",
    None,
    tuple(SubsetPrompt(str(place)) for place in range(20)),
    (MetricInfo("m"),),
    Method("random"),
    record=Record(calibration=CALIBRATION),
)


@pytest.mark.parametrize(
    ("scores", "end"),
    [
        ([0.0] * 18 + [0.5, 1.0], 0.0),
        ([1.0] * 19 + [0.2], 1.0),
        ([0.003, 0.0] * 9 + [0.9, 1.0], 0.0),
        ([0.0] * 16 + [1.0] * 4, None),  # right or wrong, one time in five
        (list(np.linspace(0, 1, 20)), None),
        ([0.3] * 20, None),
        ([0.0, 0.0, 0.0, 1.0], None),
        (0.5, None),
        ([0.0] * 19 + [float("nan")], None),
    ],
)
def test_what_is_at_an_end(scores, end):
    assert saturated(scores) == end


@given(st.lists(st.integers(-1000, 1000), min_size=5, max_size=30), st.sampled_from([0.5, -4.0]))
def test_another_unit_changes_nothing(scores, factor):
    moved = np.array(scores) * factor
    assert (saturated(scores) is None) == (saturated(moved) is None)


def test_paired_errors_at_an_end_do_not_decide():
    floor = [0.0] * 19 + [0.02]
    other = [0.001] * 19 + [0.03]
    found = SUBSET.difference({"m": floor}, {"m": other})["m"]
    assert found.probability > 0.2  # by paired errors alone it would be next to 0
    assert "an end of what it gives" in found.warning
    assert "an end of what it gives" in SUBSET.predict({"m": floor})["m"].warning
    assert without_saturated({"m": 0.1}, {"m": 0.5}, {"m": 0.4}) == ({"m": 0.1}, {})


def test_a_difference_outside_the_calibrated_range_is_widened():
    inside = CALIBRATION.difference({"m": 0.6}, {"m": 0.5}, {"m": 0.01})["m"]
    outside = CALIBRATION.difference({"m": 0.95}, {"m": 0.85}, {"m": 0.01})["m"]
    assert outside.value == pytest.approx(inside.value)
    assert outside.high - outside.low > 3 * (inside.high - inside.low)
    assert 0.5 < outside.probability < inside.probability
    below = CALIBRATION.difference({"m": 0.05}, {"m": 0.15}, {"m": 0.01})["m"]
    assert below.high - below.low == pytest.approx(outside.high - outside.low)
    alike = CALIBRATION.difference({"m": 0.95}, {"m": 0.95}, {"m": 0.01})["m"]
    assert alike.high - alike.low == pytest.approx(inside.high - inside.low)


def test_far_outside_is_said():
    near = CALIBRATION.predict({"m": 0.95})["m"].warning
    far = CALIBRATION.predict({"m": 1.6})["m"].warning
    assert "outside the calibrated range, 0.2 to 0.8: the interval is widened" in near
    assert "0.2 to 0.8, by more than it is wide: the interval is widened" in far
