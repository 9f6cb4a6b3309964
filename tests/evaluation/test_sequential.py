"""Looks at two models: where they stop, by which calibration, and what they may spend."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flasheval.base.errors import DataError, MissingScoresError, SettingError
from flasheval.evaluation.report import MetricScores, Report
from flasheval.evaluation.sequential import compare_in_looks, spent_errors
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import PrefixCalibration, Record
from flasheval.subset.predictor import MetricCalibration, Predictor

LOOKS = (2, 4, 8)


def _calibration(by_error, higher=True):
    alone = Predictor({"clip": 1.0}, 0.2, by_error=by_error)
    part = MetricCalibration(higher, 0.5, 1.0, 0.5, 1.0, 0.0, 1.0, alone)
    return Calibration({"clip": part}, dof=8, difference_dof=8, folds=8)


def _subset(higher=True, **record):
    ids = tuple(f"p{i}" for i in range(8))
    looks = tuple(PrefixCalibration(size, _calibration(4 / size, higher)) for size in (2, 4))
    return Subset.choose(
        PromptSet("made", ids),
        range(8),
        name="eight",
        metrics=(MetricInfo("clip", higher),),
        method=Method("pooled", {"nested": list(LOOKS)}),
        record=Record(**{"calibration": _calibration(0.5, higher), "looks": looks, **record}),
    )


def _pair(gaps, subset=None, name="b"):
    """Two reports whose scores differ by so much, prompt by prompt."""
    subset = subset or _subset()
    scores = ([0.5 + gap for gap in gaps], [0.5] * 8)
    higher = subset.metrics[0].higher_is_better
    return [
        Report(subset, 0, {"clip": MetricScores("1", higher, tuple(one))}, name=name)
        for one in scores
    ]


def _look(gaps, **settings):
    first, second = _pair(gaps, settings.pop("subset", None))
    return compare_in_looks(first.prefix, second.prefix, LOOKS, metric="clip", **settings)


WIDE = [0.3, -0.3] * 4
CLEAR = [0.2, 0.21] * 4
LATE = [0.3, 0.0, 0.1, 0.2, 0.15, 0.16, 0.14, 0.15]


def test_a_clear_difference_is_decided_at_the_first_look():
    found = _look(CLEAR)
    assert (found.size, found.better, len(found.looks)) == (2, "first", 1)
    assert found.looks[0].error == pytest.approx(0.05 * 2 / 8)


def test_each_look_has_its_own_calibration_and_share():
    found = _look(LATE)
    assert [look.size for look in found.looks] == [2, 4, 8]
    assert [look.decided for look in found.looks] == [False, False, True]
    for look, by_error, share in zip(found.looks, (2.0, 1.0, 0.5), (2, 2, 4), strict=True):
        gaps = LATE[: look.size]
        mean = sum(gaps) / look.size
        error = stats.sem(gaps)
        assert look.difference.value == pytest.approx(mean)
        certain = stats.t.cdf(mean / (math.sqrt(by_error) * error), 8)
        assert look.difference.probability == pytest.approx(certain)
        assert look.error == pytest.approx(0.05 * share / 8)
        assert look.decided == (certain >= 1 - look.error / 2)


def test_what_the_looks_do_not_tell_apart_stays_undecided():
    found = _look(WIDE)
    assert (found.size, found.better) == (8, None)
    assert (found.metric, found.error) == ("clip", 0.05)


@given(st.lists(st.floats(-0.5, 0.5), min_size=8, max_size=8), st.booleans())
def test_swapping_the_two_turns_the_answer_round(gaps, higher):
    first, second = _pair(gaps, _subset(higher))
    there = compare_in_looks(first.prefix, second.prefix, LOOKS, metric="clip")
    back = compare_in_looks(second.prefix, first.prefix, LOOKS, metric="clip")
    assert there.size == back.size
    turned = {"first": "second", "second": "first", None: None}
    assert there.better == turned[back.better]


def test_where_lower_is_better_the_lower_one_wins():
    assert _look(CLEAR, subset=_subset(higher=False)).better == "second"


def test_nothing_is_asked_for_beyond_the_look_that_decided():
    asked = []
    first, second = _pair(CLEAR)
    compare_in_looks(
        lambda n: asked.append(n) or first.prefix(n), second.prefix, LOOKS, metric="clip"
    )
    assert asked == [2]


def test_a_missing_score_counts_from_its_look_on():
    first, second = _pair(CLEAR)
    holed = replace(
        first, metrics={"clip": replace(first.metrics["clip"], scores=(0.7,) * 7 + (None,))}
    )
    assert compare_in_looks(holed.prefix, second.prefix, LOOKS, metric="clip").better == "first"
    with pytest.raises(MissingScoresError, match="1 of 8 prompts have no clip score"):
        compare_in_looks(holed.prefix, second.prefix, (8,), metric="clip")


def test_a_look_without_calibration_says_how_to_get_one():
    first, second = _pair(WIDE)
    with pytest.raises(DataError, match=r"clip is not calibrated at 3 prompts; .*nested=\[3,8\]"):
        compare_in_looks(first.prefix, second.prefix, (3, 8), metric="clip")
    assert first.subset.calibrated_sizes == LOOKS


def test_reports_of_other_prompts_than_the_look_s_are_refused():
    first, second = _pair(CLEAR)
    with pytest.raises(DataError, match="look at 2 prompts was given reports of 8"):
        compare_in_looks(lambda _: first, lambda _: second, LOOKS, metric="clip")
    with pytest.raises(DataError, match="different subsets"):
        compare_in_looks(first.prefix, lambda _: second, LOOKS, metric="clip")


@given(
    st.lists(st.integers(1, 1000), min_size=1, max_size=6, unique=True).map(sorted),
    st.floats(0.001, 0.999),
)
def test_what_is_spent_adds_up(looks, error):
    shares = spent_errors(looks, error)
    assert len(shares) == len(looks)
    assert min(shares) > 0
    assert sum(shares) == pytest.approx(error)
    assert shares[0] == pytest.approx(error * looks[0] / looks[-1])


@pytest.mark.parametrize("looks", [[], [20, 10], [10, 10], [0, 10]])
def test_looks_that_do_not_ascend_are_refused(looks):
    with pytest.raises(SettingError, match=r"looks=\[.*\]: expected ascending numbers of prompts"):
        spent_errors(looks, 0.05)


@pytest.mark.parametrize("error", [0.0, 1.0, -0.1])
def test_an_error_that_cannot_be_is_refused(error):
    with pytest.raises(SettingError, match="expected a number between 0 and 1"):
        spent_errors([10], error)
