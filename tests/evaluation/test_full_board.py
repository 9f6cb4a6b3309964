"""Models evaluated on subsets, ranked by predicted full scores, by hand; known ones beside them."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

import flasheval
from flasheval.base.errors import DataError, SettingError
from flasheval.evaluation.comparison import compare
from flasheval.evaluation.full_board import rank_reports
from flasheval.evaluation.report import MetricScores, Report
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import KnownVariant, Record
from flasheval.subset.predictor import MetricCalibration, Predictor

UP = MetricCalibration(
    True, 10.0, 2.0, 12.0, 0.5, 8.0, 16.0, Predictor({"up": 1.0}, 0.2, 1.0, 0.25)
)
DOWN = replace(UP, higher_is_better=False, alone=Predictor({"down": 1.0}, 0.2, 1.0, 0.25))
KNOWN = {"best": 14.0, "near": 10.4, "a": 8.0, "worst": 2.0}


def _subset(size=3, prompts="pets", **changes):
    record = Record(
        calibration=Calibration({"up": UP, "down": DOWN}, dof=8, difference_dof=4, folds=8),
        known_variants=tuple(
            KnownVariant(name, {"up": mean, "down": mean}) for name, mean in KNOWN.items()
        ),
    )
    return Subset.choose(
        PromptSet(prompts, ("1", "2", "3", "4"), tuple(f"{prompts} {n}" for n in range(4))),
        list(range(size)),
        name=f"{prompts}-{size}",
        metrics=(MetricInfo("up"), MetricInfo("down", higher_is_better=False)),
        method=Method("random"),
        record=replace(record, **changes),
    )


SUBSET = _subset()
SCORES = {"a": (11.0, 12.0, 12.5), "b[c]": (12.0, 14.0, 13.0), "d": (9.0, 9.5, 9.0)}


def _report(name="a", subset=SUBSET, seed=0, version="1", scores=None):
    one = scores or SCORES[name]
    metrics = {"up": MetricScores(version, True, one), "down": MetricScores(version, False, one)}
    return Report(subset, seed, metrics, name)


ALL = [_report(name) for name in SCORES]


@pytest.mark.parametrize("metric", ["up", "down"])
def test_values_and_intervals_are_those_of_the_reports_and_the_manifest(metric):
    (one,) = rank_reports(ALL, metric=metric, level=0.8).standings
    row = {name: place for place, name in enumerate(one.models)}
    assert len(row) == len(ALL) + len(KNOWN)
    for report in ALL:
        predicted = report.predict(level=0.8)[metric]
        place = row[report.name]
        found = one.values[place], one.low[place], one.high[place]
        assert found == (predicted.value, predicted.low, predicted.high)
        assert one.prompts[place] == 3
    for name, mean in KNOWN.items():
        place = row["a (known)" if name == "a" else name]
        assert one.values[place] == one.low[place] == one.high[place] == mean
        assert one.prompts[place] is None
    step = -1 if metric == "up" else 1
    assert (np.diff(one.values) * step >= 0).all()
    assert [one.models[place] for place in one.evaluated] == sorted(
        SCORES, key=lambda name: step * np.mean(SCORES[name])
    )


def test_ranks_hold_together_at_a_stricter_level():
    (one,) = rank_reports(ALL, metric="up", level=0.9).standings
    strict = 1 - 0.1 / 6  # three models and their three pairs
    row = {name: place for place, name in enumerate(one.models)}
    for report in ALL:
        full, place = report.predict(level=strict)["up"], row[report.name]
        for name, mean in KNOWN.items():
            other = row["a (known)" if name == "a" else name]
            assert one.separated[place, other] == (not full.low <= mean <= full.high)
        for second in ALL:
            if second is not report:
                found = compare(report, second, level=strict).full["up"]
                apart = not found.low <= 0 <= found.high
                assert one.separated[place, row[second.name]] == apart
    assert (one.separated == one.separated.T).all()
    better = one.separated & (one.values[None] > one.values[:, None])
    assert one.best.tolist() == (1 + better.sum(axis=1)).tolist()
    assert (one.best <= one.worst).all()


def test_alone_a_model_is_placed_as_its_report_places_it():
    report = ALL[1]
    (one,) = rank_reports([report], metric="up", level=0.9).standings
    placed, (place,) = report.place(level=0.9)["up"], one.evaluated
    assert (one.best[place], one.worst[place]) == (placed.best, placed.worst)
    assert place + 1 == placed.rank
    assert str(rank_reports([report])).startswith("up: b[c] takes rank ")


@pytest.mark.parametrize(
    "other",
    [
        {"subset": _subset(size=4), "scores": (11.0, 12.0, 12.5, 12.0)},
        {"seed": 1},
        {"version": "2"},
    ],
)
def test_models_that_cannot_be_paired_are_compared_by_their_intervals(other):
    reports = [_report("b[c]"), _report("a", **other)]
    (one,) = rank_reports(reports, metric="up", level=0.9).standings
    first, second = (report.predict(level=1 - 0.1 / 3)["up"] for report in reports)
    i, j = (one.models.index(report.name) for report in reports)
    assert one.separated[i, j] == (first.low > second.high or first.high < second.low)


def test_files_hold_every_number_and_names_as_they_are(tmp_path):
    board = rank_reports(ALL, level=0.9)
    board.save(tmp_path)
    data = json.loads((tmp_path / "rank.json").read_text())
    rows = list(csv.DictReader((tmp_path / "rank.csv").open()))
    assert [part["metric"] for part in data["standings"]] == ["up", "down"]
    models = [model for part in data["standings"] for model in part["models"]]
    assert [row["model"] for row in rows] == [model["model"] for model in models]
    assert [float(row["full"]) for row in rows] == [model["full"] for model in models]
    assert {row["prompts"] for row in rows} == {"3", ""}
    assert "b[c]" in (tmp_path / "rank.md").read_text().replace("\\", "")
    assert (tmp_path / "rank.png").stat().st_size > 1000
    assert "b[c]" in str(board)


def test_what_has_no_full_score_is_left_out_and_named():
    lacking = _report("d", scores=(9.0, None, 9.0))
    board = rank_reports([_report("a"), lacking], metric="up")
    assert "d" not in board.standings[0].models
    assert any(note.startswith("up: left out d, for which no full score") for note in board.notes)
    assert any(note.startswith("d: 1 of 3 prompts have no up score") for note in board.notes)
    bare = _report("a", subset=_subset(calibration=None))
    with pytest.raises(DataError, match="no model has a full score to rank by: up: left out a"):
        rank_reports([bare])


def test_without_known_variants_the_models_stand_alone():
    board = rank_reports([_report(name, subset=_subset(known_variants=())) for name in SCORES])
    assert len(board.standings[0].models) == 3
    assert "all" not in [row[-1] for row in board.view().tables[0].rows]


def test_models_of_one_name_are_told_apart():
    board = rank_reports([_report("a"), _report("a", seed=1), replace(_report("d"), name="")])
    assert {"a", "a (2)", "model 3"} <= set(board.standings[0].models)


def test_a_long_list_of_known_ones_is_shown_where_the_models_stand():
    known = tuple(KnownVariant(f"k{n:02}", {"up": 20 - n / 4}) for n in range(60))
    board = rank_reports([_report("a", subset=_subset(known_variants=known))], metric="up")
    rows = board.view().tables[0].rows
    names = [row[1] for row in rows]
    assert names[:3] == ["k00", "k01", "k02"]
    assert rows[3][0] == "..."
    assert len(names) == 3 + 1 + 5
    assert "53 more known ones" in str(board)
    assert len(board.view(detail=True).tables[0].rows) == 61


def test_what_cannot_be_ranked_is_refused_in_one_line():
    with pytest.raises(DataError, match="there is no report"):
        rank_reports([])
    with pytest.raises(DataError, match="different prompt sets"):
        rank_reports([_report(), _report("d", subset=_subset(prompts="birds"))])
    with pytest.raises(SettingError, match="level"):
        rank_reports(ALL, level=1.5)


def test_a_shipped_subset_places_a_model_beside_its_known_variants():
    subset = flasheval.load_subset("miniature-shared-50")
    table = flasheval.load_scores("miniature")
    rows, number = table.prompts.index_of(subset.ids), 20
    scores = {
        name: MetricScores(
            "1", table[name].higher_is_better, tuple(table[name].values[number, rows].astype(float))
        )
        for name in table.metrics
    }
    board = rank_reports([Report(subset, 0, scores, "again")])
    for one in board.standings:
        (place,) = one.evaluated
        twin = one.models.index(table.variant_names[number])
        assert one.low[place] <= one.values[twin] <= one.high[place]
        assert one.best[place] <= twin + 2
        assert one.worst[place] >= twin
