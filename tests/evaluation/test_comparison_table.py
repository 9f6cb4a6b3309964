"""The answer of a comparison in one sentence, and its numbers in 80 columns."""

import math

import pytest

from flasheval.base.drawing.terminal import as_text
from flasheval.evaluation.comparison import Comparison, PairedDifference
from flasheval.evaluation.sequential import Look, SequentialComparison
from flasheval.subset.predictions import Difference

SURE = Difference("CLIP", 0.02, 0.01, 0.03, 0.9, 0.998)
UNSURE = Difference("HPS", 0.02, -0.01, 0.05, 0.9, 0.8)
WORSE = Difference("FID", 3.0, 1.0, 5.0, 0.9, 0.01)


def _compared(*full, paired=None, **changes):
    given = {one.metric: one for one in full}
    paired = paired or {name: PairedDifference(0.025, 0.004) for name in given}
    return Comparison(
        **{"first": "a", "second": "b", "size": 50} | changes, paired=paired, full=given
    )


def _text(comparison):
    return as_text(comparison.view(), width=80)


@pytest.mark.parametrize(
    ("full", "answer"),
    [
        ([SURE], "On the full set a is better in CLIP (99.8%)."),
        ([WORSE], "On the full set b is better in FID (99%)."),
        ([UNSURE], "Not decided which is better on the full set: HPS (a with 80%)."),
        (
            [SURE, UNSURE],
            "On the full set a is better in CLIP (99.8%); not decided: HPS (a with 80%).",
        ),
        (
            [SURE, WORSE],
            "On the full set a is better in CLIP (99.8%); b is better in FID (99%).",
        ),
        ([], "Not decided: no metric is calibrated, so nothing is said of the full set."),
    ],
)
def test_the_answer_comes_first(full, answer):
    text = _text(_compared(*full, paired={"CLIP": PairedDifference(0.0, 1.0)}))
    assert text.splitlines()[0] == answer


def test_several_metrics_of_one_winner_are_listed():
    others = [Difference(name, 1.0, 0.5, 1.5, 0.9, 0.97) for name in ("Q", "R")]
    said = " ".join(_text(_compared(SURE, *others)).split())
    assert said.startswith("On the full set a is better in CLIP (99.8%), Q (97%) and R (97%).")


def test_a_row_a_metric_and_the_warnings():
    paired = {"CLIP": PairedDifference(0.0251, 0.0042), "own": PairedDifference(-1.5, math.nan)}
    text = _text(_compared(SURE, paired=paired, warnings=("own: not calibrated",), size=1))
    lines = text.splitlines()
    assert lines[1] == "a less b on 1 prompt, +- the paired standard error"
    clip, own = (line.split() for line in lines if line.startswith(("CLIP", "own ")))
    assert clip == ["CLIP", "0.0251", "+-", "0.0042", "0.02", "(0.01", "to", "0.03)", "99.8%"]
    assert own == ["own", "-1.5", "-", "-"]
    assert "difference (90%)" in text
    assert lines[-1] == "warning: own: not calibrated"


def test_nothing_is_called_certain_that_is_not():
    almost = Difference("CLIP", 1.0, 0.5, 1.5, 0.9, 1 - 1e-9)
    assert "(>99.9%)" in _text(_compared(almost))
    never = Difference("CLIP", -1.0, -1.5, -0.5, 0.9, 1e-9)
    text = _text(_compared(never))
    assert text.startswith("On the full set b is better in CLIP (>99.9%).")
    assert "<0.1%" in text
    exactly = Difference("CLIP", -1.0, -1.0, -1.0, 0.9, 0.0)
    assert "(100%)" in _text(_compared(exactly))


def test_long_names_are_whole_and_small_numbers_short():
    tiny = Difference("a metric of a long name", -1.2345e-05, -2.3456e-05, -1.2345e-06, 0.9, 1e-5)
    names = {"first": "[a]" * 40, "second": "[b]" * 40}
    text = _text(_compared(tiny, paired={tiny.metric: PairedDifference(-1.2e-5, 3.4e-6)}, **names))
    assert "-1.23e-05 (-2.35e-05 to" in text
    assert {names["first"], names["second"], tiny.metric} <= {*text.split(), tiny.metric}
    assert f"\n{tiny.metric}" in text


LOOKS = (Look(10, UNSURE, 0.02), Look(20, SURE, 0.03))


def test_looks_a_row_each_and_after_how_many_it_is_decided():
    text = as_text(SequentialComparison("CLIP", 0.05, LOOKS).view("large", "base"), width=80)
    lines = text.splitlines()
    said = "Decided after 20 prompts: large is better in CLIP on the full set (99.8%)."
    assert lines[0] == said
    assert "told apart with 5% at most" in " ".join(text.split())
    rows = [line.split() for line in lines if line.split()[:1] in (["10"], ["20"])]
    assert rows[0] == ["10", "0.02", "(-0.01", "to", "0.05)", "80%", "99%", "no"]
    assert rows[1] == ["20", "0.02", "(0.01", "to", "0.03)", "99.8%", "98.5%", "yes"]
    assert max(map(len, lines)) <= 80


def test_looks_that_do_not_decide():
    warned = Difference("HPS", -0.02, -0.05, 0.01, 0.9, 0.2, warning="beware")
    found = SequentialComparison("HPS", 0.05, (Look(10, warned, 0.02), Look(20, warned, 0.03)))
    text = str(found)
    assert text.startswith("Not decided after 20 prompts: the second may be better in HPS (80%).")
    assert text.count("warning: beware") == 1
