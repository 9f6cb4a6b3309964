"""A report: means, predictions by its subset, prefixes, files, print."""

import copy
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError, SettingError
from flasheval.evaluation.comparison import compare
from flasheval.evaluation.report import MetricScores, Report
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import KnownVariant, Record
from flasheval.subset.predictor import MetricCalibration, Predictor

IDS = ("3", "1", "5", "2")
WEIGHTS = (1.0, 2.0, 0.5, 0.5)


def subset(calibrated: bool = True) -> Subset:
    clip = MetricCalibration(
        True, 0.3, 0.01, 0.31, 0.8, 0.28, 0.34, Predictor({"clip": 1.1}, 0.2, by_size=0.05)
    )
    worse = MetricCalibration(False, 0.2, 0.02, 0.2, 0.9, 0.15, 0.26, Predictor({"fid": 1.0}, 0.3))
    known = tuple(KnownVariant(f"v{i}", {"clip": 0.29 + i / 100}) for i in range(3))
    calibration = Calibration({"clip": clip, "fid": worse}, 5, 4, 6) if calibrated else None
    pets = PromptSet("pets", ("1", "2", "3", "5"), ("a cat", "a dög", "a newt", "a hen"))
    return Subset.choose(
        pets,
        pets.index_of(IDS),
        name="four-pets",
        metrics=(MetricInfo("clip"), MetricInfo("fid", higher_is_better=False)),
        method=Method("balanced", {"pools": (5, 3)}, seed=7),
        weights=WEIGHTS,
        record=Record(calibration=calibration, known_variants=known),
        with_texts=True,
    )


SUBSET = subset()


def report(**changes: Any) -> Report:
    metrics = {
        "clip": MetricScores("clip@1", True, (0.3, 0.32, 0.31, 0.29)),
        "fid": MetricScores("fid@1", False, (0.2, 0.25, 0.15, 0.2)),
    }
    made = Report(
        SUBSET,
        3,
        metrics,
        "tuned",
        200,
        {"guidance_scale": 2.5, "more": {"deep": [1, None]}},
        seconds=8.0,
        versions={"torch": "2.13"},
        created="2026-01-31T12:00:00+00:00",
    )
    return replace(made, **changes)


def with_missing(count: int = 1) -> Report:
    scores = (*((None,) * count), *(0.32, 0.31, 0.29, 0.3)[: 4 - count])
    gone = MetricScores("clip@1", True, scores)
    faults = dict.fromkeys(IDS[:count], "the image is black")
    return report(metrics={**report().metrics, "clip": gone}, faults=faults)


def test_means_are_weighted_and_over_the_prompts_that_have_a_score() -> None:
    assert report().means["clip"] == pytest.approx(
        (0.3 + 2 * 0.32 + 0.5 * 0.31 + 0.5 * 0.29) / sum(WEIGHTS)
    )
    assert with_missing().means["clip"] == pytest.approx(
        (2 * 0.32 + 0.5 * 0.31 + 0.5 * 0.29) / (sum(WEIGHTS) - 1)
    )
    assert math.isnan(with_missing(4).means["clip"])
    values = with_missing(2).metrics["clip"].values
    np.testing.assert_array_equal(values, [np.nan, np.nan, 0.32, 0.31])


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_predictions_and_places_are_the_subsets(level: float) -> None:
    scores = {metric: part.values for metric, part in report().metrics.items()}
    assert report().predict(level=level) == SUBSET.predict(scores, level=level)
    placed = SUBSET.place({"clip": scores["clip"]}, level=level)
    assert report().place(level=level) == placed  # no variant has a full score of the other


def test_nothing_is_predicted_from_a_metric_with_missing_scores_or_without_calibration() -> None:
    assert set(with_missing().predict()) == {"fid"}
    assert with_missing().place() == {}
    (line,) = with_missing().warnings
    assert "1 of 4 prompts have no clip score" in line
    assert "no prompt has a clip score" in with_missing(4).warnings
    bare = report(subset=subset(calibrated=False))
    assert (bare.predict(), bare.place()) == ({}, {})
    assert any("is not calibrated" in line for line in bare.warnings)
    other = report(metrics={"own": MetricScores("1", True, (1.0, 2.0, 3.0, 4.0))})
    assert other.predict() == {}
    assert other.warnings == ("own is not calibrated; there are: clip, fid",)


def test_predictions_outside_what_is_known_warn() -> None:
    far = report(metrics={"clip": MetricScores("clip@1", True, (0.5, 0.5, 0.5, 0.5))})
    assert any("lies outside the calibrated range" in line for line in far.warnings)


def test_warns_of_a_scorer_other_than_the_calibrations() -> None:
    learnt = replace(SUBSET, record=replace(SUBSET.record, scorers={"clip": "clip@2", "own": "x"}))
    (line,) = report(subset=learnt).warnings
    assert line.startswith("clip was scored by clip@1, but the subset was chosen and calibrated")
    told = report(subset=learnt)
    ways = (told.predict(), told.place(), compare(told, told).full)
    assert [line in way["clip"].warning for way in ways] == [True] * 3  # whichever is looked at
    assert told.predict()["fid"].warning == ""
    same = replace(SUBSET, record=replace(SUBSET.record, scorers={"clip": "clip@1"}))
    assert report(subset=same).warnings == report().warnings == ()


def test_a_metric_on_another_scale_is_told_and_not_predicted() -> None:
    hundred = MetricScores("clip@1", True, (30.0, 32.0, 31.0, 29.0))
    percents = report(metrics={**report().metrics, "clip": hundred})
    assert set(percents.predict()) == {"fid"}
    assert percents.place() == {}
    (line,) = percents.warnings
    assert "a scale 100 times that of the calibration (0.28 to 0.34): divide the scores" in line
    assert line.endswith("; no full score is predicted from it")
    assert set(percents.scalars()) >= {"clip", "fid/full"}
    with pytest.raises(DataError, match="a scale 100 times"):
        compare(percents, report())


def test_metrics_keep_their_names_among_the_scalars() -> None:
    own = MetricScores("x", True, (1.0, 1.0, 1.0, None))
    found = report(metrics={"missing": own, "seconds": own}).scalars()
    assert (found["missing"], found["missing (all)"], found["seconds"]) == (1.0, 2.0, 1.0)
    assert found["seconds (all)"] == 8.0


def test_scalars_are_finite_numbers_by_name() -> None:
    found, clip = report().scalars("val/"), report().predict()["clip"]
    assert found["val/clip"] == report().means["clip"]
    ours = [found[f"val/clip/{name}"] for name in ("full", "full_low", "full_high", "rank")]
    assert ours == [clip.value, clip.low, clip.high, report().place()["clip"].rank]
    assert (found["val/missing"], found["val/seconds"]) == (0.0, 8.0)
    assert found["val/fid"] == report().means["fid"]
    gone = with_missing(4).scalars()
    assert gone["missing"] == 4.0
    assert not any(name.startswith("clip") for name in gone)
    for one in (found, gone):
        assert all(type(value) is float and math.isfinite(value) for value in one.values())


def test_a_prefix_is_the_report_on_fewer_prompts() -> None:
    images = ("a", "b", "c", "d")
    first = replace(with_missing(), images=images).prefix(2)
    assert first.subset == SUBSET.prefix(2)
    assert first.metrics["clip"].scores == (None, 0.32)
    assert first.faults == {"3": "the image is black"}
    assert (first.images, first.seconds, first.step) == (("a", "b"), 4.0, 200)
    whole = report()
    assert whole.prefix(4) is whole
    assert replace(report(), faults={"2": "late"}).prefix(3).faults == {}
    for size in (0, 5):
        with pytest.raises(SettingError, match="1 to 4 prompts"):
            report().prefix(size)


def test_saved_and_loaded_it_is_equal_but_for_images(tmp_path: Path) -> None:
    for made in (report(), with_missing(), report(step=None, name=""), report().prefix(3)):
        path = replace(made, images=("picture",) * made.subset.size).save(tmp_path / "r.json")
        found = Report.load(path)
        assert found == made
        assert found.images == ()
        assert found.subset.content_hash == made.subset.content_hash
        assert str(found) == str(made)
        assert "picture" not in path.read_text()


def test_scores_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match=r'3 scores of "clip" for 4 prompts of "four-pets"'):
        report(metrics={"clip": MetricScores("1", True, (0.1, 0.2, 0.3))})
    with pytest.raises(DataError, match=r"a score is nan"):
        MetricScores("1", True, (math.nan,))
    with pytest.raises(DataError, match=r'"fid": higher is better for its scorer, lower for'):
        report(metrics={"fid": MetricScores("1", True, (0.1, 0.2, 0.3, 0.4))})
    with pytest.raises(DataError, match="JSON cannot hold"):
        report(call={"callback": print}).save("unwritten.json")


def _places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in pairs:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


PLAIN = json.loads(json.dumps(report().to_dict()))
PLACES = sorted(_places(PLAIN), key=repr)
VALUES = (None, True, "x", 3, -0.5, 1e400, [], [1], {}, {"a": 1}, [[]], "\ud800")


def _cut(data: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> None:
    for key in path[:-1]:
        data = data[key]
    change(data, path[-1])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(PLACES), st.sampled_from((*VALUES, "delete", "add")))
def test_a_damaged_file_is_one_line(tmp_path: Path, place: tuple[Any, ...], value: object) -> None:
    data = copy.deepcopy(PLAIN)

    def change(holder: Any, key: Any) -> None:
        if value == "delete":
            del holder[key]
        elif value == "add" and isinstance(holder, dict):
            holder["unknown"] = holder[key]
        else:
            holder[key] = value

    _cut(data, place, change)
    path = tmp_path / "r.json"
    path.write_text(json.dumps(data))
    try:
        found = Report.load(path)
    except DataError as error:
        reason = str(error)
    else:  # what is said of the report, not what was measured
        reason = f"{path}: "
        assert found.subset == SUBSET
        assert found.metrics.keys() <= {"clip", "fid", "unknown"} or place == ("metrics",)
        str(found)
    assert reason.startswith(f"{path}: ")
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(format="flasheval-subset"), "not a report"),
        (lambda data: data.update(schema_version=2), "schema_version is 2, this flasheval reads 1"),
        (lambda data: data.update(schema_version=True), "schema_version is true"),
        (lambda data: data.update(images=[1, 2]), "images is not a known key"),
        (lambda data: data.pop("seed"), "seed is missing"),
        (lambda data: data.pop("subset"), "subset: not a subset manifest"),
        (lambda data: data["subset"]["prompts"].pop(), "do not match content_hash"),
        (lambda data: data["metrics"]["clip"]["scores"].pop(), "3 scores of .clip. for 4 prompts"),
        (
            lambda data: data["metrics"]["clip"]["scores"].insert(0, "0.3"),
            r"metrics\.clip\.scores\[0\] is .0\.3.; expected a number",
        ),
        (lambda data: data.update(steps=3), "steps is not a known key.*step"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(
    tmp_path: Path, change: Callable[[Any], object], message: str
) -> None:
    data = copy.deepcopy(PLAIN)
    change(data)
    path = tmp_path / "r.json"
    path.write_text(json.dumps(data))
    with pytest.raises(DataError, match=message) as caught:
        Report.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": NaN}', "\x00", "null"])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"r\.json"):
        Report.load(path)
    path.write_text(json.dumps(PLAIN)[:-200])  # cut short, as by a full disk
    with pytest.raises(DataError, match="is it whole"):
        Report.load(path)
    with pytest.raises(DataError, match=r"absent\.json"):
        Report.load(tmp_path / "absent.json")


def test_its_table_is_made_for_80_columns() -> None:
    lines = str(report()).splitlines()
    assert lines[0] == "tuned: 4 prompts of four-pets, seed 3, 8 s"
    assert all(len(line) <= 80 for line in lines)
    clip = report().predict()["clip"]
    row = next(line for line in lines if line.startswith("clip"))
    for number in (report().means["clip"], clip.value, clip.low, clip.high):
        assert f"{number:.4g}" in row
    assert f"{report().place()['clip'].rank} of 4" in row
    assert "lower" in next(line for line in lines if line.startswith("fid"))
    many = str(with_missing())
    assert "warning: 1 of 4 prompts have no clip score" in many
    assert all(len(line) <= 80 for line in many.splitlines() if not line.startswith("warning"))
    row = next(line for line in str(with_missing(4)).splitlines() if line.startswith("clip"))
    assert row.split() == ["clip", "higher", "-", "-", "-"]
