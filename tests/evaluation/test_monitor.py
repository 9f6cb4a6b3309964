"""The monitor of a training: which checkpoint is best, how surely, and when to stop."""

import json
from dataclasses import replace

import numpy as np
import pytest

import flasheval
from flasheval import CheckpointMonitor
from flasheval.base.errors import DataError, SettingError
from flasheval.evaluation.report import MetricScores, Report
from flasheval.subset import Subset

METRIC = "CLIP"
SEEN = (  # variants of the miniature in the order in which they are "trained"
    "base-middle/DDIM3/guidance2.0/fp32",
    "base-final/DDIM3/guidance2.0/fp32",
    "base-final/DPM5/guidance2.0/fp32",
    "large-final/DPM10/guidance2.0/fp32",
    "large-final/DDIM10/guidance2.0/fp32",
    "base-final/DPM5/guidance3.0/fp32",
    "base-middle/DPM5/guidance2.0/fp32",
    "small-middle/DPM5/guidance2.0/fp32",
)


@pytest.fixture(scope="module")
def table():
    return flasheval.load_scores("miniature")


@pytest.fixture(scope="module")
def subset(table):
    others = [i for i, name in enumerate(table.variant_names) if name not in SEEN]
    found = flasheval.search(
        table.with_variants(others),
        metric=METRIC,
        method="pooled",
        nested=[10, 20, 50],
        splits=None,
        progress=False,
    ).subset
    return found.with_texts(flasheval.load_prompts("miniature"))


@pytest.fixture(scope="module")
def reports(table, subset):
    """Reports by variant, as `evaluate` would have made them."""
    columns = table.prompts.index_of(subset.ids)
    return {
        name: Report(
            subset,
            0,
            {
                METRIC: MetricScores(
                    "clip@77940f08", True, tuple(map(float, table[METRIC].values[row, columns]))
                )
            },
        )
        for row, name in enumerate(table.variant_names)
    }


class Notes:
    """A tracker that keeps what it is told."""

    def __init__(self):
        self.scalars, self.reports = {}, {}

    def log(self, scalars, step):
        assert step not in self.scalars
        self.scalars[step] = scalars

    def log_report(self, report, step):
        self.reports[step] = report

    def finish(self):
        pass


def monitored(subset, reports, **settings):
    monitor = CheckpointMonitor(subset, "clip", metric=METRIC, **settings)
    return monitor, [monitor.add(reports[name], 100 * i) for i, name in enumerate(SEEN)]


def test_it_finds_the_best_and_says_stop_after_decided_declines(subset, reports, table):
    monitor, steps = monitored(subset, reports, patience=2)
    full = [table[METRIC].full_means[table.variant_names.index(name)] for name in SEEN]
    assert monitor.best_step in (300, 400)  # the two are within .001 of each other
    assert max(full) - full[monitor.best_step // 100] < 0.001
    assert [one.verdict for one in steps[:2]] == ["first", "better"]
    assert [one.verdict for one in steps[-3:]] == ["worse"] * 3
    assert [one.declines for one in steps[-3:]] == [1, 2, 3]
    assert monitor.should_stop
    assert steps[0].size == 50  # the best so far has them all
    assert steps[-1].size == 10  # far below: ten prompts tell
    for one, truth in zip(steps, full, strict=True):
        assert one.full == pytest.approx(truth, abs=0.08)
        assert str(one).startswith(f"step {one.step}: ")
        assert len(str(one)) <= 120


def test_undecided_steps_count_for_nothing(subset, reports):
    monitor = CheckpointMonitor(subset, "clip", metric=METRIC, patience=1)
    name = "large-final/DPM10/guidance2.0/fp32"
    for step in range(4):
        seen = monitor.add(reports[name], step)
    assert (seen.verdict, seen.declines, seen.size, seen.best) == ("undecided", 0, 50, 0)
    assert not monitor.should_stop
    assert 0.5 <= seen.certainty < 0.6


def test_a_lower_metric_is_better_the_other_way_round(subset, reports):
    flipped = {}
    part = subset.record.calibration

    def turned(calibration):
        metrics = {
            name: replace(one, higher_is_better=False) for name, one in calibration.metrics.items()
        }
        return replace(calibration, metrics=metrics)

    looks = tuple(replace(x, calibration=turned(x.calibration)) for x in subset.record.looks)
    record = replace(subset.record, calibration=turned(part), looks=looks)
    lower = tuple(replace(one, higher_is_better=False) for one in subset.metrics)
    other = replace(subset, record=record, metrics=lower)
    for name in SEEN:
        scores = replace(reports[name].metrics[METRIC], higher_is_better=False)
        flipped[name] = replace(reports[name], subset=other, metrics={METRIC: scores})
    monitor, steps = monitored(other, flipped)
    assert monitor.best_step == 700
    assert steps[3].verdict == "worse"


def test_it_goes_on_where_it_was_killed_and_repeats_nothing(subset, reports, tmp_path):
    whole, told = Notes(), Notes()
    monitor, steps = monitored(subset, reports, folder=tmp_path / "whole", trackers=[whole])
    for i, name in enumerate(SEEN):  # a new process for every step
        again = CheckpointMonitor(
            subset, "clip", metric=METRIC, folder=tmp_path / "parts", trackers=[told]
        )
        for earlier in range(i):
            assert again.add(reports[SEEN[earlier]], 100 * earlier) == steps[earlier]
        assert again.add(reports[name], 100 * i) == steps[i]
    assert told.scalars == whole.scalars
    assert sorted(told.reports) == sorted(whole.reports) == [100 * i for i in range(len(SEEN))]
    assert again.best_report == monitor.best_report
    files = sorted(path.name for path in (tmp_path / "parts" / "reports").iterdir())
    assert files[0] == "step-00000000.json"
    assert len(files) == len(SEEN)
    saved = Report.load(tmp_path / "parts" / "reports" / files[-1])
    assert saved.subset.size == steps[-1].size
    assert told.scalars[700]["flasheval/monitor/declines"] == steps[-1].declines
    assert told.scalars[700]["flasheval/monitor/best_step"] == monitor.best_step


def test_its_state_travels_with_the_training(subset, reports):
    monitor, steps = monitored(subset, reports)
    half = CheckpointMonitor(subset, "clip", metric=METRIC)
    for i, name in enumerate(SEEN[:5]):
        half.add(reports[name], 100 * i)
    state = json.loads(json.dumps(half.state_dict()))
    for i, name in enumerate(SEEN[5:], start=5):
        half.add(reports[name], 100 * i)
    assert half.steps == steps
    half.load_state_dict(state)  # the training was set back to step 400
    assert [one.step for one in half.steps] == [0, 100, 200, 300, 400]
    assert [half.add(reports[n], 100 * i) for i, n in enumerate(SEEN)][-1] == steps[-1]
    assert half.best_report == monitor.best_report


def test_missing_scores_do_not_end_the_training(subset, reports):
    monitor = CheckpointMonitor(subset, "clip", metric=METRIC, patience=1)
    monitor.add(reports[SEEN[0]], 0)
    good = reports[SEEN[1]]
    scores = (None, *good.metrics[METRIC].scores[1:])
    broken = replace(good, metrics={METRIC: replace(good.metrics[METRIC], scores=scores)})
    seen = monitor.add(broken, 100)
    assert (seen.verdict, seen.full, seen.best, seen.declines) == ("undecided", None, 0, 0)
    assert monitor.add(good, 200).best == 200


def test_missing_scores_at_the_start_leave_it_without_a_best(subset, reports):
    monitor = CheckpointMonitor(subset, "clip", metric=METRIC)
    good = reports[SEEN[1]]
    nothing = replace(good.metrics[METRIC], scores=(None,) * 50)
    seen = monitor.add(replace(good, metrics={METRIC: nothing}), 0)
    assert (seen.mean, seen.full, seen.best) == (None, None, None)
    assert monitor.add(good, 100).verdict == "first"


def test_it_warns_once_of_another_scorer_and_refuses_another_scale(subset, reports):
    monitor = CheckpointMonitor(subset, metric=METRIC)
    good = reports[SEEN[1]].metrics[METRIC]

    def report(**changes):
        return replace(reports[SEEN[1]], metrics={METRIC: replace(good, **changes)})

    with pytest.warns(UserWarning, match="scored by other@1, but the subset was chosen"):
        monitor.add(report(version="other@1"), 1)
    monitor.add(report(version="other@1"), 2)
    percents = report(scores=tuple(100 * one for one in good.scores))
    for start in ([], [(reports[SEEN[1]], 0)]):
        monitor = CheckpointMonitor(subset, metric=METRIC)
        for one, step in start:
            monitor.add(one, step)
        with pytest.raises(DataError, match="a scale 100 times that of the calibration"):
            monitor.add(percents, 7)


def test_a_tracker_that_fails_ends_no_training(subset, reports):
    class Broken(Notes):
        def log(self, scalars, step):
            raise OSError("no network\nat all")

    told = Notes()
    monitor = CheckpointMonitor(subset, "clip", metric=METRIC, trackers=[Broken(), told])
    with pytest.warns(UserWarning, match="tracker Broken: OSError: no network at all"):
        monitor.add(reports[SEEN[0]], 0)
    assert list(told.scalars) == [0]


def test_it_makes_only_the_images_it_needs(subset):
    calls = []

    def shade(level):
        def paint(prompts, seeds):
            calls.append(len(prompts))
            rng = np.random.default_rng(list(seeds))
            return [np.full((4, 4, 3), level + 0.02 * rng.random()) for _ in prompts]

        return paint

    def light(images, prompts):
        return [image.getpixel((0, 0))[0] / 255 for image in images]

    part = subset.record.calibration.metrics[METRIC]
    assert 0.1 < part.full_mean < 0.9
    monitor = CheckpointMonitor(subset, [flasheval_scorer(light)], metric=METRIC, batch=50, seed=3)
    first = monitor.step(shade(part.subset_mean), 0)
    assert calls == [50]
    assert first.verdict == "first"
    calls.clear()
    second = monitor.step(shade(part.subset_mean - 0.3), 1)
    assert calls == [10]
    assert (second.verdict, second.size) == ("worse", 10)
    calls.clear()
    third = monitor.step(shade(part.subset_mean + 0.05), 2)
    assert sum(calls) == 50
    assert third.best == 2
    assert monitor.step(shade(0.5), 1) == second  # a step it knows
    assert monitor.best_report.seed == 3


def flasheval_scorer(function):
    from flasheval.scorers.python_objects import ObjectScorer

    return ObjectScorer(function, metric_name=METRIC, version="clip@77940f08")


def test_what_cannot_be_is_one_line(subset, reports, tmp_path):
    for settings, message in (
        ({"patience": 0}, "patience=0"),
        ({"error": 1.5}, "error=1.5"),
        ({"looks": [15]}, "not calibrated for CLIP at 15 prompts; search with nested"),
        ({"metric": "HPS"}, "not calibrated for HPS"),
    ):
        with pytest.raises((SettingError, DataError), match=message) as caught:
            CheckpointMonitor(subset, "clip", **{"metric": METRIC, **settings})
        assert "\n" not in str(caught.value)
    monitor, _ = monitored(subset, reports, folder=tmp_path)
    with pytest.raises(SettingError, match="step 150 comes after step 700"):
        monitor.add(reports[SEEN[0]], 150)
    fewer = subset.prefix(20)
    with pytest.raises(DataError, match="another subset or metric"):
        CheckpointMonitor(fewer, "clip", metric=METRIC, folder=tmp_path)
    with pytest.raises(DataError, match="the report is of the subset"):
        monitor.add(reports[SEEN[0]].prefix(10), 800)
    (tmp_path / "monitor.json").write_text("{}")
    with pytest.raises(DataError, match="subset is missing"):
        CheckpointMonitor(subset, "clip", metric=METRIC, folder=tmp_path)


def test_a_subset_that_was_not_nested_is_looked_at_once(subset, reports):
    plain = replace(subset, record=replace(subset.record, looks=()))
    monitor = CheckpointMonitor(plain, "clip", metric=METRIC)
    assert monitor.looks == (50,)
    bare = Subset.choose(
        flasheval.load_prompts("miniature"),
        [0, 1],
        name="two",
        metrics=plain.metrics,
        method=plain.method,
    )
    with pytest.raises(DataError, match="not calibrated for CLIP at 2 prompts"):
        CheckpointMonitor(bare, "clip", metric=METRIC)
