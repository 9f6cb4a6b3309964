"""The verb on saved reports: whole, look by look, several, and what cannot be compared."""

from dataclasses import replace

import pytest
from rich.console import Console

import flasheval
from flasheval.base.drawing.terminal import as_text
from flasheval.base.errors import FlashevalError
from flasheval.cli.commands.compare import run_compare
from flasheval.cli.commands.context import Context
from flasheval.cli.configs import CompareConfig
from flasheval.evaluation.report import MetricScores, Report
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import PrefixCalibration, Record
from flasheval.subset.predictor import MetricCalibration, Predictor

UP = MetricCalibration(
    True, 10.0, 2.0, 12.0, 0.5, 8.0, 16.0, Predictor({"up": 1.2}, 0.2, 1.0, 0.25)
)
DOWN = replace(UP, higher_is_better=False, alone=Predictor({"down": 1.2}, 0.2, 1.0, 0.25))
CALIBRATION = Calibration({"up": UP, "down": DOWN}, dof=8, difference_dof=8, folds=8)
SUBSET = Subset.choose(
    PromptSet("pets", tuple("123456")),
    range(6),
    name="six-pets",
    metrics=(MetricInfo("up"), MetricInfo("down", higher_is_better=False)),
    method=Method("random"),
    record=Record(calibration=CALIBRATION, looks=(PrefixCalibration(3, CALIBRATION),)),
)
LOW = (10.0, 11.0, 12.0, 10.0, 11.0, 12.0)
HIGH = (10.5, 13.1, 15.5, 12.0, 13.0, 14.0)


def _report(up, down=LOW, **changes):
    metrics = {"up": MetricScores("1", True, up), "down": MetricScores("1", False, down)}
    return Report(**{"subset": SUBSET, "seed": 0, "metrics": metrics, "name": "n"} | changes)


@pytest.fixture
def saved(tmp_path):
    """Three reports in the working folder; two of one name, so that files' names stand for it."""
    found = {"a": _report(HIGH), "b": _report(LOW), "c d=1": _report(LOW, HIGH, name="other")}
    for name, report in found.items():
        report.save(tmp_path / f"{name}.json")
    return found


def test_as_in_python(run, saved):
    ran = run("compare", "a.json", "b.json", "metric=up", "level=0.8")
    assert (ran.code, ran.err) == (0, "")
    first, second = replace(saved["a"], name="a.json"), replace(saved["b"], name="b.json")
    found = flasheval.compare(first, second, metrics=["up"], level=0.8)
    assert ran.out == as_text(found.view(), width=80)
    assert ran.out.startswith("On the full set a.json is better in up (")
    assert "(80%)" in ran.out


def test_the_first_against_each_and_odd_names_of_files(run, saved):
    ran = run("compare", "level=0.9", "b.json", "c d=1.json", "a.json")
    assert ran.code == 0
    answers = [line for line in ran.out.splitlines() if line.startswith("On the full set")]
    assert len(answers) == 2
    assert answers[0].startswith("On the full set b.json is better in down (")
    assert answers[1].startswith("On the full set a.json is better in up (")
    assert "b.json less other on 6 prompts" in ran.out  # a name of its own is kept


def test_look_by_look(run, saved):
    ran = run("compare", "a.json", "b.json", "metric=up", "looks=[3,6]")
    assert ran.code == 0
    assert ran.out.startswith("Decided after 3 prompts: a.json is better in up")
    assert "apart with 10% at most" in " ".join(ran.out.split())
    ran = run("compare", "a.json", "b.json", "looks=[3,6]", "level=0.99")
    up, down = (line for line in ran.out.splitlines() if "ecided after" in line)
    assert up.startswith("Decided after 6 prompts: a.json is better in up")
    assert down.startswith("Not decided after 6 prompts: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "two reports are needed: flasheval compare FIRST.json SECOND.json"),
        (["a.json", "none.json"], "none.json does not exist"),
        (["a.json", "b.json", "level=high"], "level=high: expected a number"),
        (["a.json", "b.json", "lvel=0.5"], "lvel is not a key"),
    ],
)
def test_mistakes_are_one_line(run, saved, words, said):
    ran = run("compare", *words)
    ran.one_line(said)
    assert ran.out == ""


@pytest.mark.parametrize(
    ("other", "settings", "said"),
    [
        ("subset", {}, "subset.json: not a report; expected the file flasheval evaluate wrote"),
        ("b", {"metric": "upp"}, 'a.json and b.json: "upp" is not in both; there are'),
        ("elsewhere", {}, r"they are of different subsets \(six-pets, six-pots\)"),
        ("seed", {}, r"different seeds \(0, 1\)"),
        ("scorer", {}, r"up is by different scorers \(1, 2\)"),
        ("gap", {}, "1 of 6 prompts have no up score"),
        ("b", {"level": 2.0}, "level=2: expected a number between 0 and 1"),
        ("b", {"looks": [6, 3]}, r"looks=\[6, 3\]: expected ascending"),
        ("b", {"looks": [2, 6]}, "up is not calibrated at 2 prompts"),
        ("b", {"looks": [3, 9], "level": 0.99999}, "six-pets"),
    ],
)
def test_what_cannot_be_compared(saved, tmp_path, monkeypatch, capsys, other, settings, said):
    monkeypatch.chdir(tmp_path)
    SUBSET.save("subset.json")
    _report(LOW, subset=replace(SUBSET, name="six-pots"), name="e").save("elsewhere.json")
    _report(LOW, seed=1, name="s").save("seed.json")
    _report(LOW, metrics={"up": MetricScores("2", True, LOW)}, name="o").save("scorer.json")
    _report((None, *LOW[1:]), name="g").save("gap.json")
    config = CompareConfig(["a.json", "b.json", f"{other}.json"], **settings)
    with pytest.raises(FlashevalError, match=said):
        run_compare(config, Context(Console()))
    assert capsys.readouterr().out == ""  # not the half of it either


def test_a_subset_that_is_not_calibrated(run, saved):
    bare = replace(SUBSET, record=Record())
    for name, scores in (("x", HIGH), ("y", LOW)):
        _report(scores, subset=bare, name=name).save(f"{name}.json")
    ran = run("compare", "x.json", "y.json")
    assert ran.code == 0
    assert ran.out.startswith("Not decided: no metric is calibrated")
    assert "warning: up, down" in ran.out
