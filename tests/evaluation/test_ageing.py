"""A subset audited against full scores measured since, by hand-made subsets and tables."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, kendalltau

import flasheval
from flasheval.base.drawing.terminal import as_text
from flasheval.base.errors import DataError, SettingError
from flasheval.evaluation.ageing import audit
from flasheval.evaluation.report import MetricScores, Report
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreMatrix, ScoreTable
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import KnownVariant, Record
from flasheval.subset.predictor import MetricCalibration, Predictor

IDS = tuple(map(str, range(60)))
PROMPTS = PromptSet("sixty", IDS, tuple(f"{one} cats" for one in IDS))
NAMES = tuple(f"v{row}" for row in range(12))
KNOWN = NAMES[:4]


def _table(shift=0.0, higher=True, noise=0.1, seed=0):
    """Twelve variants; `shift` moves the new ones on all but the subset's prompts."""
    rng = np.random.default_rng(seed)
    values = np.linspace(0.2, 0.8, 12)[:, None] + noise * rng.normal(size=(12, 60))
    values[4:, 20:] += shift
    matrix = ScoreMatrix("clip", values.astype(np.float32), NAMES, IDS, higher_is_better=higher)
    return ScoreTable(PROMPTS, tuple(map(Variant, NAMES)), {"clip": matrix})


def _subset(higher=True, **record):
    alone = Predictor({"clip": 1.0}, 0.2, by_error=0.5)
    part = MetricCalibration(higher, 0.5, 0.2, 0.5, 1.0, 0.1, 0.9, alone)
    calibration = Calibration({"clip": part}, dof=8, difference_dof=8, folds=8)
    return Subset.choose(
        PROMPTS,
        range(20),
        name="twenty",
        metrics=(MetricInfo("clip", higher),),
        method=Method("random"),
        searched_variants=KNOWN,
        record=Record(**{"calibration": calibration, **record}),
    )


def test_what_holds_holds():
    found = audit(_subset(), _table())
    (one,) = found.metrics
    assert one.names == NAMES[4:]
    assert not found.due
    assert one.held.all()
    values = _table()["clip"].values[4:].astype(np.float64)
    means, full = values[:, :20].mean(axis=1), values.mean(axis=1)
    assert one.full == pytest.approx(full, abs=1e-6)
    assert one.errors == pytest.approx((full - means) / 0.2, abs=1e-5)
    assert one.tau == pytest.approx(kendalltau(means, full).statistic)
    assert one.random_tau <= 1
    assert found.view().headline == (
        "twenty holds: 8 of 8 intervals of new variants have the full score in them."
    )


def test_it_tells_how_far_it_is():
    told = []
    audit(_subset(), _table(), draws=5, progress=lambda *step: told.append(step))
    assert told == [("audit of clip", 0, 1)]


def test_a_drift_is_told_and_a_search_is_due():
    found = audit(_subset(), _table(shift=0.4))
    (one,) = found.metrics
    assert found.due
    assert one.held.sum() == 0
    text = " ".join(as_text(found.view()).split())
    assert "A new search is due: twenty does not hold" in text
    assert "0 of 8 intervals held, 90% promised" in text
    assert "full scores are higher than predicted by 1.3" in text
    assert "Outside their intervals:" in text
    assert binom.cdf(5, 8, 0.9) < 0.05 < binom.cdf(6, 8, 0.9)  # the rule's limit


def test_lower_is_better_and_a_ranking_that_is_lost():
    table = _table(higher=False)
    assert audit(_subset(higher=False), table).metrics[0].tau > 0.9
    values = table["clip"].values.copy()
    values[4:, :20] = values[4:, :20][::-1]  # the subset says the contrary of the rest
    matrix = replace(table["clip"], values=values)
    lost = audit(_subset(higher=False), ScoreTable(PROMPTS, table.variants, {"clip": matrix}))
    assert lost.due
    assert any("random prompts give" in line for line in lost.metrics[0].doubts)


def test_a_report_says_what_was_promised():
    subset = _subset()
    scores = tuple([0.9] * 10 + [0.8] * 10)
    report = Report(subset, 0, {"clip": MetricScores("1", True, scores)}, name="v7")
    found = audit(subset, _table(), reports=[report])
    place = found.metrics[0].names.index("v7")
    assert found.metrics[0].predictions[place].value == pytest.approx(0.85)
    with pytest.raises(DataError, match="it names no model"):
        audit(subset, _table(), reports=[replace(report, name="")])
    with pytest.raises(DataError, match="two reports are of v7"):
        audit(subset, _table(), reports=[report, report])
    unused = audit(subset, _table(), reports=[replace(report, name="v77")]).warnings
    assert unused == (
        "the report of v77 is not checked: the scores have no new variant of that name that is "
        "complete; did you mean 'v7'?",
    )
    gap = {"clip": MetricScores("1", True, (None, *scores[1:]))}
    (line,) = audit(subset, _table(), reports=[replace(report, metrics=gap)]).warnings
    assert line == "the report of v7 has no whole clip scores: the table's are taken"
    other = replace(subset, name="other")
    with pytest.raises(DataError, match='it is on subset "other"'):
        audit(subset, _table(), reports=[replace(report, subset=other)])


def test_new_variants_become_known_ones_and_the_hash_stays():
    subset = _subset(known_variants=(KnownVariant("v0", {"clip": 9.0}, {"clip": 9.0}),))
    found = audit(subset, _table())
    again = found.updated()
    assert again.content_hash == subset.content_hash
    assert [one.name for one in again.record.known_variants] == ["v0", *NAMES[4:]]
    assert len(audit(again, _table()).updated().record.known_variants) == 9
    values = _table()["clip"].values[5]
    assert again.record.known_variants[2].subset_means["clip"] == pytest.approx(values[:20].mean())


def test_known_variants_that_moved_are_named():
    known = tuple(KnownVariant(name, {"clip": 0.1 * i}, {}) for i, name in enumerate(KNOWN))
    found = audit(_subset(known_variants=known), _table())
    assert any("known variants have another full score" in line for line in found.warnings)


def test_a_subset_without_a_calibration_is_judged_by_its_ranking():
    found = audit(_subset(calibration=None), _table())
    assert not found.metrics[0].held.size
    assert "ranks the new variants no worse than random prompts do" in found.view().headline
    assert "not calibrated" in found.warnings[0]


def test_few_new_variants_are_said():
    table = _table().with_variants(NAMES[:5])
    found = audit(_subset(), table)
    assert np.isnan(found.metrics[0].tau)
    assert found.warnings == ("1 new variant: few to tell by",)
    part = _table().take_prompts(range(40))
    assert "are not known to be sixty" in audit(_subset(), part).warnings[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scores": _table().with_variants(KNOWN)}, "no complete variant that the search"),
        ({"metric": "hps"}, "metric=hps: not served"),
        ({"level": 1.5}, "level=1.5"),
        ({"draws": 0}, "draws=0"),
        ({"scores": _table(higher=False)}, "higher is better in one"),
        ({"subset": "no-such-subset"}, "there is no subset"),
        ({"scores": _table().take_prompts(range(10, 60))}, "are not there"),
    ],
)
def test_mistakes_are_one_line(change, said):
    given = {"subset": _subset(), "scores": _table()} | change
    with pytest.raises((SettingError, DataError), match=said):
        flasheval.audit(given.pop("subset"), given.pop("scores"), **given)
