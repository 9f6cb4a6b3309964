"""Two reports held against each other: numbers by hand, and what is not compared."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import flasheval
from flasheval.base.errors import DataError, MissingScoresError, SettingError
from flasheval.evaluation.comparison import check_comparable, compare
from flasheval.evaluation.report import MetricScores, Report
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import Record
from flasheval.subset.predictor import MetricCalibration, Predictor

UP = MetricCalibration(
    True, 10.0, 2.0, 12.0, 0.5, 8.0, 16.0, Predictor({"up": 1.2}, 0.2, 1.0, 0.25)
)
DOWN = replace(UP, higher_is_better=False, alone=Predictor({"down": 1.2}, 0.2, 1.0, 0.25))
CALIBRATION = Calibration({"up": UP, "down": DOWN}, dof=8, difference_dof=4, folds=8)
SUBSET = Subset.choose(
    PromptSet("pets", ("1", "2", "3")),
    [0, 1, 2],
    name="three-pets",
    metrics=(MetricInfo("up"), MetricInfo("down", higher_is_better=False)),
    method=Method("random"),
    weights=[1.0, 1.0, 2.0],
    record=Record(calibration=CALIBRATION),
)
FIRST, SECOND = (12.0, 14.0, 13.0), (11.0, 12.0, 12.5)


def _report(scores=FIRST, metric="up", version="1", **changes):
    given = {metric: MetricScores(version, metric != "down", tuple(scores))}
    return Report(**{"subset": SUBSET, "seed": 0, "metrics": given, "name": "a", **changes})


def test_by_hand():
    found = flasheval.compare(_report(), _report(SECOND, name="b"), level=0.8)
    assert (found.first, found.second, found.size, found.warnings) == ("a", "b", 3, ())
    gaps, shares = np.array([1.0, 2.0, 0.5]), np.array([0.25, 0.25, 0.5])
    mean = gaps @ shares
    assert found.paired["up"].value == pytest.approx(mean)
    error = math.sqrt(3 / 2 * shares**2 @ (gaps - mean) ** 2)
    assert found.paired["up"].error == pytest.approx(error)
    full = found.full["up"]
    scale = math.sqrt(0.25) * error
    reach = stats.t.ppf(0.9, 4) * scale
    assert full.value == pytest.approx(1.2 * 0.5 * mean)
    assert (full.low, full.high) == pytest.approx((full.value - reach, full.value + reach))
    assert full.probability == pytest.approx(stats.t.cdf(full.value / scale, 4))
    assert full.level == 0.8
    assert "up" in str(found)


def test_where_lower_is_better_the_lower_one_is_probably_better():
    up, down = (
        compare(_report(metric=metric), _report(SECOND, metric)).full[metric]
        for metric in ("up", "down")
    )
    assert up.value == down.value > 0
    assert up.probability > 0.9
    assert down.probability == pytest.approx(1 - up.probability)


@given(st.lists(st.tuples(*[st.floats(8, 16)] * 2), min_size=3, max_size=3), st.booleans())
def test_swapping_the_two_turns_the_answer_round(pairs, higher):
    metric = "up" if higher else "down"
    first, second = (_report(scores, metric) for scores in zip(*pairs, strict=True))
    there, back = compare(first, second), compare(second, first)
    assert there.paired[metric].value == -back.paired[metric].value
    assert there.paired[metric].error == back.paired[metric].error
    one, other = there.full[metric], back.full[metric]
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
    assert one.probability == pytest.approx(1 - other.probability)


def test_metrics_are_those_in_both_or_those_asked_for():
    one, other = MetricScores("1", True, FIRST), MetricScores("1", False, SECOND)
    first = _report(metrics={"up": one, "own": one, "down": other})
    second = _report(metrics={"down": other, "up": one})
    assert check_comparable(first, second) == ("up", "down")
    assert check_comparable(first, second, "down") == ("down",)
    assert list(compare(first, second, metrics=["down"]).full) == ["down"]


def test_what_is_not_calibrated_is_compared_on_the_subset_alone():
    first, second = (_report(scores, "beauty") for scores in (FIRST, SECOND))
    found = compare(first, second)
    assert found.full == {}
    assert found.paired["beauty"].value == pytest.approx(1.0)
    assert found.warnings == ("beauty: not calibrated, so nothing is said of the full set",)
    bare = replace(SUBSET, record=Record())
    assert compare(_report(subset=bare), _report(SECOND, subset=bare)).full == {}


def test_a_mean_outside_the_calibrated_range_is_warned_of_once():
    found = compare(_report([30.0, 31.0, 30.0]), _report(SECOND))
    (line,) = found.warnings
    assert "outside the calibrated range" in line


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"subset": SUBSET.prefix(2), "scores": (1.0, 2.0)},
            r"different subsets \(three-pets, three-pe",
        ),
        ({"seed": 1}, r"different seeds \(0, 1\); evaluate both with one"),
        ({"version": "2"}, r"up is by different scorers \(1, 2\)"),
        ({"metric": "down"}, "they have no metric in common"),
    ],
)
def test_what_does_not_belong_together_is_refused(change, words):
    for pair in ((_report(), _report(**change)), (_report(**change), _report())):
        with pytest.raises(DataError) as caught:
            compare(*pair)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=words):
        compare(_report(), _report(**change))


def test_a_metric_that_one_of_them_lacks_is_named():
    with pytest.raises(
        SettingError, match=r'"upp" is not in both; there are: up; did you mean .up'
    ):
        compare(_report(), _report(SECOND), metrics=["upp"])


def test_missing_scores_are_an_error_of_their_own():
    holed = _report((12.0, None, 13.0), name="b", faults={"2": "black image"})
    words = r"b: 1 of 3 prompts have no up score, so nothing is compared; the first: 2 \(black im"
    for pair in ((_report(), holed), (holed, _report())):
        with pytest.raises(MissingScoresError, match=words):
            compare(*pair)
    other = {**holed.metrics, "down": MetricScores("1", False, SECOND)}
    both = [replace(holed, metrics=other)] * 2
    assert compare(*both, metrics="down").paired["down"].value == 0


def _images(rows, **changes):
    scores = {"up": MetricScores.from_images("1", True, rows)}
    return _report(**{"metrics": scores, "images_per_prompt": len(rows[0]), **changes})


def test_images_alone_make_a_part_of_the_error():
    rng = np.random.default_rng(0)
    shared = rng.normal(12, 2, (3, 2))
    rows = [(shared + rng.normal(0, 0.3, (3, 2))).tolist() for _ in range(2)]
    first, second = _images(rows[0]), _images(rows[1], name="b")
    found = compare(first, second)
    gaps = np.array(rows[0]) - np.array(rows[1])
    shares = np.array([0.25, 0.25, 0.5])
    alone = math.sqrt(shares**2 @ (gaps.var(axis=1, ddof=1) / 2))
    assert found.paired["up"].image_error == pytest.approx(alone)
    assert f"of which images alone: {alone:.2g} (up)" in str(found)
    # Where each model has seeds of its own, images do not pair, and all their noise is told.
    own = [replace(one, variant_seeds=True) for one in (first, second)]
    apart = compare(*own).paired["up"]
    spread = sum(np.array(one).var(axis=1, ddof=1) for one in rows) / 2
    assert apart.image_error == pytest.approx(math.sqrt(shares**2 @ spread))
    assert apart.error == found.paired["up"].error  # it held both levels before
    assert compare(own[0], replace(own[1], name="a")).paired["up"] == found.paired["up"]
    assert compare(_report(), _report(SECOND)).paired["up"].image_error is None


def test_reports_of_unlike_numbers_of_images_are_compared_and_told():
    rng = np.random.default_rng(1)
    four, one = rng.normal(12, 1, (3, 4)), rng.normal(12, 1, (3, 1))
    found = compare(_images(four.tolist()), _report(one[:, 0].tolist(), name="b"))
    gaps = four.mean(axis=1) - one[:, 0]
    assert found.paired["up"].value == pytest.approx(gaps @ np.array([0.25, 0.25, 0.5]))
    assert "images of each prompt: a 4, b 1; the errors know it, but pairs say more" in (
        found.warnings
    )


def test_a_comparison_is_for_the_seeds_its_reports_have():
    other = Calibration(
        {"up": replace(UP, alone=replace(UP.alone, by_error=4.0))},
        dof=8,
        difference_dof=4,
        folds=8,
        seeds="other",
    )
    subset = replace(SUBSET, record=replace(SUBSET.record, other_seeds=other))
    pairs = [
        [_report(scores, subset=subset, seeds=seeds) for scores in (FIRST, SECOND)]
        for seeds in ("search", "other")
    ]
    near, far = (compare(*pair).full["up"] for pair in pairs)
    assert far.high - far.value == pytest.approx(4 * (near.high - near.value))  # sqrt(4 / 0.25)
    bare = [_report(scores, seeds="other") for scores in (FIRST, SECOND)]
    assert "widened by the noise of these images" in compare(*bare).full["up"].warning
