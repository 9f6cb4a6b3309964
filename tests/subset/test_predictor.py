"""Errors of predicted scores and differences, by hand."""

import math

import pytest

from flasheval.base.errors import DataError
from flasheval.subset.calibration import Calibration
from flasheval.subset.predictor import GROWTH, MetricCalibration, Predictor

PREDICTOR = Predictor({"m": 1.0}, 0.2, 2.0, by_error=0.25, by_size=0.04, typical_difference=3.0)


def test_a_score_s_error_grows_with_its_distance() -> None:
    assert PREDICTOR.score_scale(2.0) == pytest.approx(0.2)
    assert PREDICTOR.score_scale(0.0) == pytest.approx(0.2 * math.sqrt(1 - GROWTH))
    far = 0.2 * math.sqrt(1 - GROWTH + GROWTH * 9)
    assert PREDICTOR.score_scale(-6.0) == pytest.approx(far)
    assert PREDICTOR.score_scale(-6.0, beyond=0.5) == pytest.approx(math.hypot(far, 0.5))


def test_a_difference_s_error_follows_the_paired_error_and_else_the_size() -> None:
    assert PREDICTOR.difference_scale(1.0, 0.1) == pytest.approx(0.5 * 0.1)
    assert PREDICTOR.difference_scale(1.0, 0.0) == 0.0
    assert PREDICTOR.difference_scale(3.0, None) == pytest.approx(0.2)
    assert PREDICTOR.difference_scale(0.0, None) == pytest.approx(0.2 * math.sqrt(0.5))
    assert Predictor({"m": 1.0}, 0.2).difference_scale(1.0, 0.1) is None


def test_what_lies_outside_the_range_is_counted_in_standard_units() -> None:
    falling = MetricCalibration(False, 0.5, 0.1, 2.0, -0.2, 1.0, 3.0, PREDICTOR)
    assert falling.standardised(3.0) == pytest.approx(-2.0)
    assert [falling.beyond(x) for x in (1.0, 2.0, 3.0)] == [0, 0, 0]
    assert falling.beyond(3.5) == pytest.approx(1.0)
    assert falling.beyond(0.5) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scale": -1.0}, "scale is -1"),
        ({"scale": math.nan}, "scale is nan"),
        ({"by_error": math.inf}, "by_error is inf"),
        ({"typical_value": 0.0}, "typical_value is 0"),
        ({"weights": {"m": math.nan}}, "weights is nan"),
    ],
)
def test_numbers_that_cannot_be_are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(DataError, match=words):
        Predictor(**{"weights": {"m": 1.0}, "scale": 0.1, **change})  # type: ignore[arg-type]


def test_a_metric_s_numbers_are_checked() -> None:
    with pytest.raises(DataError, match="slope is inf"):
        MetricCalibration(True, 0.5, 0.1, 2.0, math.inf, 1.0, 3.0, PREDICTOR)
    with pytest.raises(DataError, match="full_sd is 0"):
        MetricCalibration(True, 0.5, 0.0, 2.0, 1.0, 1.0, 3.0, PREDICTOR)
    with pytest.raises(DataError, match="near_ties is 2"):
        MetricCalibration(True, 0.5, 0.1, 2.0, 1.0, 1.0, 3.0, PREDICTOR, near_ties=2.0)


def test_numbers_too_large_to_square_are_infinite_and_no_traceback() -> None:
    assert PREDICTOR.score_scale(1e300) == math.inf
    assert Predictor({"m": 1.0}, 0.1, by_size=0.1).difference_scale(1e300, None) == math.inf
    with pytest.raises(DataError, match=r"low is 3\.0, above high, 1\.0"):
        MetricCalibration(True, 0.5, 0.1, 2.0, 1.0, 3.0, 1.0, PREDICTOR)
    wild = MetricCalibration(True, 0.5, 1e200, 2.0, 1e300, 1.0, 3.0, PREDICTOR)
    calibration = Calibration({"m": wild}, dof=8, difference_dof=8, folds=8)
    with pytest.raises(DataError, match="m cannot be predicted: the numbers of its calibration"):
        calibration.predict({"m": 2.5})
