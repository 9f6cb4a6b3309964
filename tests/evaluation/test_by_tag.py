"""Means and differences by tag, against plain NumPy."""

import numpy as np
import pytest

from flasheval.base.drawing.terminal import as_text
from flasheval.base.errors import SettingError
from flasheval.evaluation.by_tag import tag_means
from flasheval.evaluation.comparison import compare
from flasheval.evaluation.report import MetricScores, Report
from flasheval.prompts import PromptSet
from flasheval.subset import Method, Subset

KINDS = ("cat", "cat", "dog", '["cat", "dog"]', "", "hen")
PETS = PromptSet("pets", "123456", extras={"kind": KINDS}, tag_keys=("kind",))
CHOSEN = Subset.choose(PETS, range(6), name="all", metrics=(), method=Method("mine"))
SCORES = np.array([0.5, 0.25, 1.0, 0.75, 0.1, 0.9])


def _report(scores=SCORES, subset=CHOSEN, name="a"):
    metrics = {"clip": MetricScores("1", True, tuple(scores))}
    return Report(subset, 0, metrics, name=name)


def test_means_and_errors_are_those_of_numpy():
    found = _report().by_tag("kind")
    assert list(found) == ["cat", "dog", "hen"]
    cats = SCORES[[0, 1, 3]]
    one = found["cat"]["clip"]
    assert one.prompts == 3
    assert one.value == pytest.approx(cats.mean())
    assert one.error == pytest.approx(cats.std(ddof=1) / np.sqrt(3))
    assert np.isnan(found["hen"]["clip"].error)


def test_weights_and_gaps_count():
    weights = np.array([3.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    subset = Subset.choose(
        PETS, range(6), name="w", metrics=(), method=Method("mine"), weights=weights
    )
    values = SCORES.copy()
    values[3] = np.nan
    found = tag_means(subset, "kind", {"clip": values})
    assert found["cat"]["clip"].value == pytest.approx((3 * 0.5 + 0.25) / 4)
    assert found["dog"]["clip"].prompts == 1
    assert np.isnan(found["hen"]["clip"].value)  # its only prompt has no weight


def test_a_comparison_pairs_the_prompts_of_each_value():
    other = SCORES[::-1].copy()
    found = compare(_report(), _report(other, name="b"), by="kind")
    differences = (SCORES - other)[[2, 3]]
    assert found.parts["dog"]["clip"].value == pytest.approx(differences.mean())
    assert found.parts["dog"]["clip"].error == pytest.approx(differences.std(ddof=1) / np.sqrt(2))
    text = as_text(found.view(), width=80)
    assert "Differences by kind" in text
    assert "not predicted for the full set" in " ".join(text.split())
    assert compare(_report(), _report(other)).by is None


def test_a_report_shows_the_tag_asked_for_and_keeps_it_in_its_file(tmp_path):
    again = Report.load(_report().save(tmp_path / "r.json"))
    assert again == _report()
    assert "Means by kind" in as_text(again.view(by="kind"))
    with pytest.raises(SettingError, match=r"by=mood: .* there are: kind"):
        again.view(by="mood")
    bare = Subset.choose(PromptSet("x", "12"), [0], name="x", metrics=(), method=Method("mine"))
    with pytest.raises(SettingError, match="there are: none; search again"):
        _report(SCORES[:1], bare).by_tag("kind")
