"""Who leads, by hand: calibrated or not, in metrics of either direction."""

import csv
from dataclasses import replace

import pytest

import flasheval
from flasheval.evaluation.fidelity import FidelityRule
from flasheval.evaluation.report import MetricScores, Report
from flasheval.evaluation.watching.leaderboard import make_leaderboard
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import Record
from flasheval.subset.predictor import MetricCalibration, Predictor

UP = MetricCalibration(
    True, 10.0, 2.0, 12.0, 0.5, 8.0, 16.0, Predictor({"up": 1.2}, 0.2, 1.0, 0.25)
)
DOWN = replace(UP, higher_is_better=False, alone=Predictor({"down": 1.2}, 0.2, 1.0, 0.25))
SUBSET = Subset.choose(
    PromptSet("pets", ("1", "2", "3")),
    [0, 1, 2],
    name="three-pets",
    metrics=(MetricInfo("up"), MetricInfo("down", higher_is_better=False)),
    method=Method("random"),
    record=Record(
        calibration=Calibration({"up": UP, "down": DOWN}, dof=8, difference_dof=4, folds=8)
    ),
)
SCORES = {"a": (11.0, 12.0, 12.5), "b|c": (12.0, 14.0, 13.0), "d": (9.0, 9.5, 9.0)}


def _reports(subset=SUBSET):
    return [
        Report(
            subset,
            0,
            {"up": MetricScores("1", True, one), "down": MetricScores("1", False, one)},
            name,
            step,
            created="2025-01-31T12:00:00+00:00",
        )
        for step, (name, one) in enumerate(SCORES.items())
    ]


@pytest.mark.parametrize(
    ("metric", "order"), [("up", ["b|c", "a", "d"]), ("down", ["d", "a", "b|c"])]
)
def test_the_best_leads_and_the_others_say_how_surely(metric, order):
    reports = {one.name: one for one in _reports()}
    board = make_leaderboard(reports.values(), metric=metric, level=0.8)
    assert [one.name for one in board.standings] == order
    assert [one.rank for one in board.standings] == [1, 2, 3]
    best = board.best
    assert (best.behind, best.best_is_better) == (None, None)
    for one in board.standings:
        assert one.full == reports[one.name].predict(level=0.8)[metric]
        assert one.means == reports[one.name].means
    for one in board.standings[1:]:
        found = flasheval.compare(reports[best.name], reports[one.name])
        assert one.best_is_better == found.full[metric].probability > 0.5
        assert one.behind == found.paired[metric]


def test_without_calibration_it_ranks_by_means_and_says_how_far_behind():
    bare = replace(SUBSET, record=Record())
    board = make_leaderboard(
        _reports(bare), metric="up", failed={"x": "no|luck"}, waiting={"y": "z"}
    )
    assert [one.name for one in board.standings] == ["b|c", "a", "d"]
    assert {one.full for one in board.standings} == {None}
    assert "1.17 +- 0.44" in str(board)  # gaps 1, 2, 0.5
    assert board.to_markdown().splitlines()[2] == "| 1 | b\\|c | 1 | 13 | - | 2025-01-31 12:00 |"
    assert "- x: no\\|luck" in board.to_markdown()
    assert "- y: z" in board.to_markdown()


def test_the_csv_holds_every_number():
    board = make_leaderboard(_reports(), metric="up")
    rows = list(csv.DictReader(board.to_csv().splitlines()))
    for row, one in zip(rows, board.standings, strict=True):
        assert (row["checkpoint"], int(row["rank"])) == (one.name, one.rank)
        assert float(row["up"]) == float(row["down"]) == one.means["up"]
        assert float(row["full_low"]) == one.full.low
    assert float(rows[1]["best_is_better"]) == board.standings[1].best_is_better
    assert float(rows[1]["behind"]) == pytest.approx(3.5 / 3)
    assert rows[0]["behind"] == ""


def test_equals_share_nothing_but_come_by_step():
    one = _reports()[0]
    twins = [replace(one, name=f"step-{step}", step=step) for step in (10, 9, None)]
    board = make_leaderboard(twins, metric="up")
    assert [one.step for one in board.standings] == [9, 10, None]
    assert board.standings[1].best_is_better == 0.5


def test_nobody_leads_an_empty_one():
    board = make_leaderboard([], metric="up")
    assert board.best is None
    assert "No checkpoint is evaluated yet" in str(board)
    assert board.to_csv().count("\n") == 1


def test_the_bests_warnings_are_shown():
    learnt = replace(SUBSET, record=replace(SUBSET.record, scorers={"up": "2"}))
    board = make_leaderboard(_reports(learnt), metric="up")
    assert board.warnings == (_reports(learnt)[1].warnings)
    assert "warning: up was scored by 1, but" in " ".join(str(board).split())
    assert "up was scored by 1" in board.to_markdown()


def test_those_that_lost_too_much_of_a_second_metric_come_last():
    rule = FidelityRule("down", 1.0)  # down rises, from the first: that is a loss
    reports = {one.name: one for one in _reports()}
    board = make_leaderboard(reports.values(), metric="up", level=0.8, fidelity=rule)
    plain = make_leaderboard(reports.values(), metric="up", level=0.8)
    assert [one.name for one in plain.standings] == ["b|c", "a", "d"]
    found = {one.name: one for one in board.standings}
    assert found["a"].lost is None  # of the first step
    for name in ("b|c", "d"):
        full = flasheval.compare(reports[name], reports["a"], level=0.8).full["down"]
        lost = found[name].lost
        assert (lost.value, lost.low, lost.high) == pytest.approx((full.value, full.low, full.high))
        assert lost.since == 0
        assert lost.too_much is (full.low > 1.0)
    assert found["d"].lost.value < 0
    tight = make_leaderboard(
        reports.values(), metric="up", level=0.1, fidelity=FidelityRule("down", 0.1)
    )
    assert [one.name for one in tight.standings] == ["a", "d", "b|c"]
    assert tight.standings[-1].lost_too_much
    shown = " ".join(str(tight).split())
    assert "1 lost too much down" in shown
    assert ", too much |" in tight.to_markdown()
    assert "down lost since step 0 (10%)" in tight.to_markdown()
    rows = list(csv.DictReader(tight.to_csv().splitlines()))
    assert [row["too_much_lost"] for row in rows] == ["", "False", "True"]
    assert float(rows[2]["lost_low"]) == tight.standings[2].lost.low > 0.1
    assert "lost" not in plain.to_csv()
