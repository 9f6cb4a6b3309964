"""The monitor's second metric: what was lost of it, and what follows when that is too much."""

import json
from dataclasses import replace

import numpy as np
import pytest

import flasheval
from flasheval import CheckpointMonitor
from flasheval.base.errors import DataError, SettingError
from flasheval.evaluation.fidelity import FidelityRule
from flasheval.evaluation.monitor_state import LostFidelity
from flasheval.evaluation.report import MetricScores, Report
from flasheval.miniature import SCORERS

BEST, WATCHED = "Quality", "Composition"
START = "base-final/DPM10/guidance2.0/fp32"


@pytest.fixture(scope="module")
def table():
    return flasheval.load_scores("miniature")


@pytest.fixture(scope="module")
def subset(table):
    found = flasheval.search(
        table.with_variants([i for i, name in enumerate(table.variant_names) if name != START]),
        metric=[BEST, WATCHED],
        method="shared",
        nested=[10, 20, 50],
        splits=None,
        progress=False,
    ).subset
    return found.with_texts(flasheval.load_prompts("miniature"))


@pytest.fixture(scope="module")
def checkpoint(table, subset):
    """Make the report of a checkpoint so much better than the first, and so much less faithful."""
    row, columns = table.variant_names.index(START), table.prompts.index_of(subset.ids)

    def make(better=0.0, lost=0.0, spread=0.02, seed=1):
        rng = np.random.default_rng(seed)
        parts = {}
        for metric, change in ((BEST, better), (WATCHED, -lost)):
            noise = rng.normal(size=len(columns)) * (spread if change else 0.0)
            values = table[metric].values[row, columns] + change + noise
            parts[metric] = MetricScores(
                table[metric].scorer_version, True, tuple(map(float, values))
            )
        return Report(subset, 0, parts)

    return make


def watched(subset, most_lost=0.03, **settings):
    return CheckpointMonitor(
        subset, SCORERS, metric=BEST, fidelity=WATCHED, most_lost=most_lost, **settings
    )


def test_what_was_lost_is_the_paired_difference_from_the_first(subset, checkpoint):
    monitor = watched(subset)
    first, second = checkpoint(), checkpoint(0.05, 0.02)
    assert monitor.add(first, 7).lost is None
    seen = monitor.add(second, 9)
    full = flasheval.compare(first, second, metrics=[WATCHED]).full[WATCHED]
    assert seen.lost == LostFidelity(
        WATCHED, 7, full.value, full.low, full.high, full.level, too_much=False
    )
    assert 0.01 < seen.lost.low < seen.lost.value < seen.lost.high < 0.03
    assert (seen.verdict, seen.best, seen.size, seen.declines) == ("better", 9, 50, 0)
    assert str(seen).startswith(f"step 9: {BEST} 0.")
    assert f"; {WATCHED} lost 0.0" in str(seen)
    assert "since step 7; declines: 0" in str(seen)
    told = seen.scalars("m/")
    assert (told["m/lost"], told["m/too_much_lost"]) == (full.value, 0.0)
    assert (told["m/lost_low"], told["m/lost_high"]) == (full.low, full.high)


def test_one_that_lost_too_much_is_looked_at_no_further_and_cannot_win(subset, checkpoint):
    monitor, blind = watched(subset, patience=2), CheckpointMonitor(subset, SCORERS, metric=BEST)
    reports = [checkpoint(), checkpoint(0.05, 0.3), checkpoint(0.06, 0.3), checkpoint(0.04, 0.0)]
    seen = [monitor.add(one, step) for step, one in enumerate(reports)]
    assert [blind.add(one, step).best for step, one in enumerate(reports)] == [0, 1, 2, 2]
    assert [one.best for one in seen] == [0, 0, 0, 3]
    assert [one.declines for one in seen] == [0, 1, 2, 0]
    assert [one.lost.too_much for one in seen[1:]] == [True, True, False]
    assert [one.size for one in seen] == [50, 10, 10, 50]
    assert str(seen[1]).count("since step 0, too much; declines: 1") == 1
    assert seen[1].scalars()["too_much_lost"] == 1.0


def test_a_loss_is_too_much_where_its_low_end_at_the_share_of_the_error_is(subset, checkpoint):
    first, second = checkpoint(), checkpoint(0.0, 0.1, spread=0.2)
    for error in (0.01, 0.1):
        low = (
            flasheval.compare(first, second, metrics=[WATCHED], level=1 - 2 * error)
            .full[WATCHED]
            .low
        )
        for most_lost, expected in ((low - 1e-6, True), (low + 1e-6, False)):
            rule = FidelityRule(WATCHED, most_lost)
            assert rule.lost(second, first, error=error).too_much is expected


def test_the_error_is_halved_for_both_decisions(subset, checkpoint):
    shares = []

    class Rule(FidelityRule):
        def lost(self, report, reference, *, error, level=0.9):
            shares.append((report.subset.size, round(error, 6)))
            return super().lost(report, reference, error=error, level=level)

    monitor = watched(subset, error=0.1)
    monitor.fidelity = Rule(WATCHED, 0.03)
    monitor.add(checkpoint(), 0)
    monitor.add(checkpoint(0.001), 1)  # undecided: all looks are taken
    assert shares == [(10, 0.01), (20, 0.01), (50, 0.03)]


def test_a_gain_and_a_lower_metric(subset, checkpoint):
    gained = FidelityRule(WATCHED, 0.0).lost(checkpoint(0, -0.1), checkpoint(), error=0.05)
    assert gained.value < 0
    assert str(gained).startswith(f"{WATCHED} gained 0.")
    assert not gained.too_much
    part = subset.record.calibration.metrics[WATCHED]
    metrics = {
        **subset.record.calibration.metrics,
        WATCHED: replace(part, higher_is_better=False),
    }
    calibration = replace(subset.record.calibration, metrics=metrics)
    lower = replace(
        subset,
        record=replace(subset.record, calibration=calibration),
        metrics=tuple(replace(one, higher_is_better=one.name != WATCHED) for one in subset.metrics),
    )

    def turned(report):
        scores = replace(report.metrics[WATCHED], higher_is_better=False)
        return replace(report, subset=lower, metrics={WATCHED: scores})

    lost = FidelityRule(WATCHED, 0.0).lost(
        turned(checkpoint(0, -0.1)), turned(checkpoint()), error=0.05
    )
    assert (lost.value, lost.low, lost.high) == (-gained.value, -gained.high, -gained.low)
    assert lost.too_much


def test_missing_scores_of_it_make_no_best_and_no_decline(subset, checkpoint):
    def holed(report):
        part = report.metrics[WATCHED]
        return replace(
            report,
            metrics={**report.metrics, WATCHED: replace(part, scores=(None, *part.scores[1:]))},
        )

    monitor = watched(subset, patience=1)
    assert monitor.add(holed(checkpoint()), 0).best is None  # nothing to count from
    assert monitor.add(checkpoint(), 1).best == 1
    seen = monitor.add(holed(checkpoint(0.05)), 2)
    assert (seen.verdict, seen.lost, seen.best, seen.declines) == ("better", None, 1, 0)
    assert monitor.add(checkpoint(0.05), 3).lost.since == 1


def test_its_state_goes_on_and_belongs_to_the_same_rule(subset, checkpoint, tmp_path):
    reports = [checkpoint(), checkpoint(0.05, 0.02), checkpoint(0.06, 0.3)]
    monitor = watched(subset)
    steps = [monitor.add(one, step) for step, one in enumerate(reports)]
    for step, one in enumerate(reports):  # a new process for every step
        again = watched(subset, folder=tmp_path)
        assert again.add(one, step) == steps[step]
    assert (again.reference, again.best_report) == (monitor.reference, monitor.best_report)
    state = json.loads(json.dumps(monitor.state_dict()))
    assert (state["fidelity"], state["most_lost"]) == (WATCHED, 0.03)
    for other, said in (
        (watched(subset, 0.05), f"most_lost=0.03, this monitor fidelity={WATCHED} most_lost=0.05"),
        (CheckpointMonitor(subset, SCORERS, metric=BEST), "this monitor no fidelity; go on"),
    ):
        with pytest.raises(DataError, match=said) as caught:
            other.load_state_dict(state)
        assert "\n" not in str(caught.value)
    plain = CheckpointMonitor(subset, SCORERS, metric=BEST)
    plain.add(checkpoint(), 0)
    assert sorted(plain.state_dict()) == ["best", "metric", "steps", "subset"]
    assert "lost" not in plain.state_dict()["steps"][0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fidelity": WATCHED}, "fidelity=Composition needs most_lost=, the most of it that may"),
        ({"most_lost": 0.1}, "most_lost=0.1 needs fidelity="),
        ({"fidelity": WATCHED, "most_lost": -1.0}, "most_lost=-1.0: expected a number from 0 on"),
        ({"fidelity": BEST, "most_lost": 0.1}, "fidelity=Quality is the metric that decides"),
        ({"fidelity": "Compositon", "most_lost": 0.1}, "no scorer gives it; .* mean 'Composition'"),
    ],
)
def test_settings_that_cannot_be_are_one_line(subset, settings, message):
    with pytest.raises(SettingError, match=message) as caught:
        CheckpointMonitor(subset, SCORERS, metric=BEST, **settings)
    assert "\n" not in str(caught.value)


def test_a_subset_that_is_not_calibrated_for_it_is_refused(table):
    one = flasheval.search(
        table, metric=BEST, method="random", size=10, splits=None, progress=False, calibrate=True
    ).subset
    part = one.record.calibration
    alone = replace(part, metrics={BEST: replace(part.metrics[BEST], joint=None)})
    bare = replace(one, record=replace(one.record, calibration=alone))
    with pytest.raises(DataError, match="not calibrated for Composition at 10 prompts"):
        watched(bare)
    with pytest.raises(DataError, match=r"search with metric=\[...,Composition\] and calibrate"):
        FidelityRule(WATCHED, 0.1).check_calibrated(bare, "search")
