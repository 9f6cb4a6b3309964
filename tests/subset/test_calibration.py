"""Predictions, differences and places from a calibration made by hand."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from flasheval.base.errors import DataError, SettingError
from flasheval.base.json_data import from_plain, to_plain
from flasheval.subset import Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.predictor import MetricCalibration, Predictor

MakeSubset = Callable[..., Subset]
ALONE = Predictor({"up": 1.2}, 0.2, by_error=0.25, by_size=0.04)
JOINT = Predictor({"up": 1.0, "down": -0.5}, 0.1, by_error=0.16, by_size=0.01)
UP = MetricCalibration(True, 10.0, 2.0, 12.0, 0.5, 8.0, 16.0, ALONE, JOINT)
DOWN = MetricCalibration(False, 1.0, 0.1, 1.2, 1.0, 1.0, 1.4, Predictor({"down": 1.0}, 0.3))
BOTH = Calibration({"up": UP, "down": DOWN}, dof=8, difference_dof=4, folds=8)
FAMILY = replace(BOTH, expect="new_family", group="base_model")
KNOWN = {"up": {"a": 9.0, "b": 12.0, "c": 10.5}, "down": {"a": 0.9, "b": 1.1, "c": 1.0}}


def test_a_full_score_is_predicted_by_hand() -> None:
    found = BOTH.predict({"up": 13.0}, level=0.8)["up"]
    units = 1.2 * 0.5 * (13.0 - 12.0) / 2.0
    reach = stats.t.ppf(0.9, 8) * ALONE.score_scale(units) * 2.0
    assert found.value == pytest.approx(10.0 + 2.0 * units)
    assert (found.low, found.high) == pytest.approx((found.value - reach, found.value + reach))
    assert (found.level, found.warning) == (0.8, "")
    assert "(" in str(found)


def test_all_metrics_help_where_all_are_given() -> None:
    found = BOTH.predict({"up": 13.0, "down": 1.3})
    units = 1.0 * 0.25 - 0.5 * 1.0
    assert found["up"].value == pytest.approx(10.0 + 2.0 * units)
    assert found["up"].high - found["up"].low < BOTH.predict({"up": 13.0})["up"].high - 10.0
    assert found["down"].value == pytest.approx(1.1)
    assert set(found) == {"up", "down"}


def test_outside_the_calibrated_range_it_warns_and_widens() -> None:
    inside, edge, outside = (BOTH.predict({"up": x})["up"] for x in (16.0, 16.7, 17.0))
    assert inside.warning == edge.warning == ""  # a tenth of the range is let pass unwarned
    assert "up subset mean, 17, lies outside the calibrated range, 8 to 16" in outside.warning
    assert str(outside).endswith(outside.warning)
    widths = [found.high - found.low for found in (inside, edge, outside)]
    assert widths == sorted(widths)
    assert widths[2] > 2 * 2 * stats.t.ppf(0.95, 8) * UP.beyond(17.0)
    difference = BOTH.difference({"up": 13.0}, {"up": 2.0})["up"]
    assert "subset mean, 2," in difference.warning


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        (1300.0, "a scale 100 times that of the calibration .12 to 16.: divide the scores by 100"),
        (39.0, "2.5 times that .*: divide the scores by 2.5"),
        (3000.0, "250 times that .*: divide the scores by 250"),
        (-130.0, None),
        (64.0, None),  # no usual scale brings it into the range
    ],
)
def test_scores_on_another_scale_are_refused_with_its_name(mean: float, words: str | None) -> None:
    narrow = replace(UP, low=12.0, high=16.0)
    calibration = Calibration({"up": replace(narrow, joint=None)}, 8, 4, 8)
    ways = (
        lambda: calibration.predict({"up": mean}),
        lambda: calibration.difference({"up": 13.0}, {"up": mean}),
        lambda: calibration.place({"up": mean}, KNOWN),
    )
    for way in ways:
        if words is None:
            assert "outside the calibrated range" in way()["up"].warning
        else:
            with pytest.raises(DataError, match=words):
                way()


def test_raw_scores_for_percents_are_refused_too() -> None:
    percents = Calibration({"up": replace(UP, low=60.0, high=70.0, joint=None)}, 8, 4, 8)
    with pytest.raises(DataError, match=r"on a scale 1/100 of that .*: multiply the scores by 100"):
        percents.predict({"up": 0.66})


def test_a_wide_range_lets_far_scores_pass() -> None:
    wide = Calibration({"up": replace(UP, low=-1.0, high=0.8, joint=None)}, 8, 4, 8)
    assert wide.predict({"up": 1.5})["up"].warning  # 1.5 / 2.5 lies in the range, and says nothing


def test_differences_by_hand() -> None:
    first, second = {"up": 13.0}, {"up": 12.0}
    found = BOTH.difference(first, second, {"up": 0.4}, level=0.9)["up"]
    units = 1.2 * 0.25
    scale = math.sqrt(0.25) * 0.4 / 2.0
    assert found.value == pytest.approx(2.0 * units)
    reach = stats.t.ppf(0.95, 4) * scale * 2.0
    assert (found.low, found.high) == pytest.approx((found.value - reach, found.value + reach))
    assert found.probability == pytest.approx(stats.t.cdf(units / scale, 4))
    assert found.certainty == found.probability
    from_means = BOTH.difference(first, second)["up"]
    by_size = math.sqrt(0.04 * (0.5 + 0.5 * units**2))
    assert from_means.probability == pytest.approx(stats.t.cdf(units / by_size, 4))


def test_swapping_the_two_mirrors_the_answer() -> None:
    first, second = {"up": 13.0, "down": 1.1}, {"up": 12.2, "down": 1.25}
    errors = {"up": 0.3, "down": 0.02}
    there, back = BOTH.difference(first, second, errors), BOTH.difference(second, first, errors)
    for metric in ("up", "down"):
        assert there[metric].value == pytest.approx(-back[metric].value)
        assert there[metric].low == pytest.approx(-back[metric].high)
        assert there[metric].probability == pytest.approx(1 - back[metric].probability)
        assert there[metric].certainty == pytest.approx(back[metric].certainty)


def test_where_lower_is_better_the_lower_one_is_probably_better() -> None:
    found = BOTH.difference({"down": 1.1}, {"down": 1.3})["down"]
    assert found.value < 0
    assert found.probability > 0.5


def test_twins_are_even_and_a_sure_difference_is_sure() -> None:
    twins = BOTH.difference({"up": 13.0}, {"up": 13.0}, {"up": 0.0})["up"]
    assert (twins.value, twins.low, twins.high, twins.probability) == (0, 0, 0, 0.5)
    assert BOTH.difference({"up": 14.0}, {"up": 13.0}, {"up": 0.0})["up"].probability == 1.0


def test_two_new_families_share_no_error() -> None:
    first, second, errors = {"up": 13.0}, {"up": 12.5}, {"up": 0.1}
    same = FAMILY.difference(first, second, errors)["up"]
    other = FAMILY.difference(first, second, errors, related=False)["up"]
    scales = [ALONE.score_scale(1.2 * 0.25 * (x - 12.0)) for x in (13.0, 12.5)]
    reach = 2.0 * stats.t.ppf(0.95, 4) * math.hypot(*scales)
    assert other.high - other.value == pytest.approx(reach)
    assert other.high - other.low > same.high - same.low
    similar = BOTH.difference(first, second, errors, related=False)["up"]
    assert similar == BOTH.difference(first, second, errors)["up"]


def test_a_new_variant_is_placed_among_the_known_ones() -> None:
    found = BOTH.place({"up": 13.0}, KNOWN)["up"]  # predicted 10.6
    assert [n.name for n in found.neighbours] == ["b", "c", "a"]
    assert (found.rank, found.best, found.worst) == (2, 1, 3) or found.rank == 2
    probabilities = [n.probability for n in found.neighbours]
    assert probabilities == sorted(probabilities)
    scale = 2.0 * ALONE.score_scale(0.3)
    assert probabilities[1] == pytest.approx(stats.t.cdf((10.6 - 10.5) / scale, 8))
    low, high = BOTH.predict({"up": 13.0})["up"].low, BOTH.predict({"up": 13.0})["up"].high
    full = np.array([9.0, 12.0, 10.5])
    assert (found.best, found.worst) == (1 + (full > high).sum(), 1 + (full > low).sum())
    assert "rank 2 of 4" in str(found)
    assert "b is above" in str(found)


def test_where_lower_is_better_the_lowest_comes_first() -> None:
    found = BOTH.place({"down": 1.0}, KNOWN)["down"]  # predicted 0.8, below all
    assert [n.name for n in found.neighbours] == ["a", "c", "b"]
    assert found.rank == 1
    assert all(n.probability > 0.5 for n in found.neighbours)
    assert "a is below" in str(found)


def test_metrics_without_known_scores_are_left_out_of_places() -> None:
    assert set(BOTH.place({"up": 13.0, "down": 1.0}, {"up": {"a": 9.0}})) == {"up"}
    with pytest.raises(DataError, match="no full scores of known variants in down; there are: up"):
        BOTH.place({"down": 1.0}, {"up": {"a": 9.0}})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: c.predict({"upp": 1.0}), r'"upp" is not calibrated.*up, down.*did you mean'),
        (lambda c: c.predict({"up": math.nan}), "is nan"),
        (lambda c: c.difference({"up": 1.0}, {"down": 1.0}), "one of the two variants"),
        (lambda c: c.difference({"up": 1.0}, {"up": math.inf}), "is inf"),
        (lambda c: c.difference({"up": 1.0}, {"up": 1.0}, {"up": math.nan}), "error is nan"),
        (lambda c: c.difference({"up": 1.0}, {"up": 1.0}, {"up": -0.1}), "error is -0.1"),
        (lambda c: c.summary(["hps"]), '"hps" is not calibrated'),
    ],
)
def test_what_was_not_calibrated_gets_no_answer(
    call: Callable[[Calibration], Any], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        call(BOTH)


def test_levels_and_metrics_that_cannot_be() -> None:
    for level in (0.0, 1.0, 90):
        with pytest.raises(SettingError, match="level="):
            BOTH.predict({"up": 1.0}, level=level)
    with pytest.raises(SettingError, match="no subset mean"):
        BOTH.predict({})


def test_numbers_that_cannot_be_are_refused() -> None:
    with pytest.raises(DataError, match="dof is 0"):
        replace(BOTH, dof=0)
    with pytest.raises(DataError, match="predicted from down, which is not calibrated"):
        Calibration({"up": UP}, 8, 8, 8)


def test_it_survives_json_and_refuses_what_it_does_not_know() -> None:
    plain = to_plain(FAMILY)
    assert from_plain(Calibration, plain) == FAMILY
    plain["metrics"]["up"]["slop"] = 1.0
    with pytest.raises(DataError, match=r"metrics\.up\.slop is not a known key"):
        from_plain(Calibration, plain)
    plain = to_plain(FAMILY)
    plain["metrics"]["up"]["alone"]["scale"] = math.nan
    with pytest.raises(DataError, match=r"alone\.scale is not finite"):
        from_plain(Calibration, plain)


def test_the_summary_says_what_kind_of_variant_it_is_about() -> None:
    width = stats.t.ppf(0.95, 8) * 0.2  # the other metric may not be scored
    assert BOTH.half_width(["up"])["up"] == pytest.approx(width)
    assert BOTH.half_width(["up", "down"])["up"] == pytest.approx(width / 2)
    assert BOTH.summary(["up"]) == (
        f"a new variant's full up score is predicted within +-{width:.2f} standard deviations (90%)"
    )
    assert FAMILY.summary(["up", "down"]).startswith("a new base_model's full scores are")


def test_a_subset_predicts_from_means_or_from_scores_of_its_prompts(
    make_subset: MakeSubset,
) -> None:
    subset = make_subset()
    weights = subset.weights
    first, second = [0.30, 0.33, 0.31], [0.29, 0.30, 0.31]
    mean = float(np.average(first, weights=weights))
    assert subset.predict({"clip": first}) == subset.predict({"clip": mean})
    sharp = subset.difference({"clip": first}, {"clip": second})["clip"]
    calibration = subset.record.calibration
    other = float(np.average(second, weights=weights))
    u = weights / weights.sum()
    d = np.subtract(first, second)
    error = float(np.sqrt(1.5 * np.sum(u**2 * (d - u @ d) ** 2)))
    by_hand = calibration.difference({"clip": mean}, {"clip": other}, {"clip": error})["clip"]
    assert sharp.high == pytest.approx(by_hand.high)
    blunt = subset.difference({"clip": first}, {"clip": other})["clip"]
    assert blunt == calibration.difference({"clip": mean}, {"clip": other})["clip"]
    placed = subset.place({"clip": first})["clip"]
    assert [n.name for n in placed.neighbours] == ["sd15/DDIM10"]
    assert "a new base_model's full clip score is predicted within" in str(subset)


def test_a_subset_that_was_not_calibrated_says_so(make_subset: MakeSubset) -> None:
    subset = make_subset()
    bare = replace(subset, record=replace(subset.record, calibration=None))
    assert "calibration" not in str(bare)
    for call in (
        lambda: bare.predict({"clip": 0.3}),
        lambda: bare.difference({"clip": 0.3}, {"clip": 0.3}),
        lambda: bare.place({"clip": 0.3}),
    ):
        with pytest.raises(DataError, match=r"is not calibrated.*calibrate=true$"):
            call()
    with pytest.raises(DataError, match=r"calibrate=true and 1 among the sizes of nested"):
        subset.prefix(1).predict({"clip": 0.3})


def test_predicting_needs_neither_scipy_nor_numba() -> None:
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['scipy'] = sys.modules['numba'] = None\n"
        "from flasheval.subset import Subset\n"
        "from flasheval.subset.calibration import Calibration\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
