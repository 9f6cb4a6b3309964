from dataclasses import replace

import pytest

import flasheval
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.comparison_warnings import comparison_warnings
from flasheval.selection.held_out.records import Gain, SplitKind
from flasheval.subset.evidence import SplitSizes


@pytest.fixture(scope="module")
def report():
    table = synthetic_scores(48, 60)
    kwargs = {"size": 6, "methods": "balanced", "splits": "random:8", "draws": 5}
    return flasheval.validate(table, progress=False, **kwargs)


def said(report, **changes):
    return "\n".join(comparison_warnings(replace(report, **changes), {"quality": 0.01}))


def test_a_sound_comparison_has_nothing_to_warn_of(report):
    assert said(report) == ""


def test_what_is_wrong_is_said(report):
    assert said(report, interrupted=True).startswith("interrupted: ")
    assert "1 variants with missing scores were left out: v3" in said(report, dropped=("v3",))
    (kind,) = report.kinds
    few = replace(kind, splits=kind.splits[:3])
    assert "random:8: 3 splits are too few for an interval" in said(report, kinds=(few,))
    one = replace(kind, splits=kind.splits[:1])
    assert "random:8: one split shows no spread" in said(report, kinds=(one,))
    groups = SplitKind("g", "g", kind.splits, ("a", "b", "c"))
    assert "g: 3 groups are too few" in said(report, kinds=(groups,))
    small = replace(kind, splits=(*kind.splits, SplitSizes("s", 12, 2)))
    assert "12 search variants; below 20" in said(report, kinds=(small,))
    assert "2 held-out variants make 1 pair to order" in said(report, kinds=(small,))
    assert "20%" in comparison_warnings(report, {"quality": 0.2})[0]


def test_no_gain_over_random_is_said(report):
    worse = tuple(
        replace(one, over_random=Gain(-0.01)) if one.method == "balanced" else one
        for one in report.summaries
    )
    text = said(report, summaries=worse)
    assert "not above random prompts: balanced at 6 (random:8)" in text
