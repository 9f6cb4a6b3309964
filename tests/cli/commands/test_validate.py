"""`flasheval validate` through the command line, in this process and as a real one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import flasheval
from flasheval.selection.held_out.report import ValidationReport

ROOT = Path(__file__).resolve().parents[3]
QUICK = ("scores=synthetic", "splits=random:2", "draws=10", "size=5", "methods=balanced")


@pytest.fixture
def validate(run):
    """A function: validate("size=5") with quick settings for what is not said."""

    def call(*words):
        given = {word.partition("=")[0] for word in words}
        more = [word for word in QUICK if word.partition("=")[0] not in given]
        return run("validate", *more, *words)

    return call


def test_the_answer_the_tables_and_the_files(validate, tmp_path, scores):
    ran = validate(
        "scores=scores",
        "methods=[{name:frequency,n_sets:200},balanced,shared]",
        "size=[6,12]",
        "splits=[random:8,group:base_model]",
        "search_variants=[6]",
        "cluster=base_model",
        "out=mine",
    )
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert " ranks unseen variants best (random:8, 6 prompts): tau " in " ".join(lines[:2])
    assert "over frequency(n_sets=200)" in " ".join(ran.out.split())
    assert max(map(len, lines[:-3])) <= 80
    assert lines[-3:] == ["report: mine/report.md", "plot:   mine/agreement.png", "files:  mine/"]
    assert "warning: group:base_model: 4 groups are too few for an interval" in ran.out
    assert {path.name for path in (tmp_path / "mine").glob("[!.]*")} == {
        "config",
        "units",
        "validate.log",
        "report.md",
        "agreement.png",
        "validation.json",
        "cells.parquet",
        "random.parquet",
        "learning.parquet",
    }
    frame = pd.read_parquet(tmp_path / "mine/cells.parquet")
    assert set(frame.kind) == {"random:8", "group:base_model"}
    assert set(frame.metric) == {"clip", "fid"}
    assert len(frame) == (8 + 4) * 4 * 2 * 2
    assert pl.read_parquet(tmp_path / "mine/random.parquet").height > 0
    log = (tmp_path / "mine/validate.log").read_text()
    for part in ("$ flasheval validate", "numpy", "in all", "ranks unseen variants"):
        assert part in log
    assert "flasheval validate" in (tmp_path / "mine/report.md").read_text()


def test_python_and_the_command_line_find_the_same(validate, tmp_path, scores):
    words = ("methods=[{name:frequency,n_sets:200,pools:[20,10]},balanced]", "metric=clip")
    assert validate("scores=scores", *words, "seed=3", "workers=1", "out=mine").code == 0
    found = ValidationReport.load(tmp_path / "mine")
    expected = flasheval.validate(
        scores,
        size=5,
        methods=[{"name": "frequency", "n_sets": 200, "pools": [20, 10]}, "balanced"],
        metric="clip",
        splits="random:2",
        draws=10,
        seed=3,
        progress=False,
    )
    assert [one.label for one in found.methods] == [one.label for one in expected.methods]
    for method in expected.methods:
        for what in ("held_out_tau", "full_score_error", "search_tau"):
            mine = found.values(what, method=method.label)
            assert mine.tolist() == expected.values(what, method=method.label).tolist()


def test_the_same_command_finds_its_folder_and_show_prints_it_again(validate, run, tmp_path):
    first = validate()
    assert first.code == 0, first.err
    (folder,) = (tmp_path / "flasheval-runs/validate").iterdir()
    assert folder.name.startswith("synthetic-all-balanced-5-seed0-")
    before = {path: path.stat().st_mtime_ns for path in (folder / "units").iterdir()}
    assert validate("workers=1").out == first.out
    assert {path: path.stat().st_mtime_ns for path in (folder / "units").iterdir()} == before
    assert first.out.startswith("synthetic population: no model was run\n")
    shown = run("show", str(folder))
    assert shown.code == 0, shown.err
    assert shown.out.splitlines()[:5] == first.out.splitlines()[:5]
    assert f"files: {folder.relative_to(tmp_path)}/" in shown.out
    for path in ("flasheval-runs", "flasheval-runs/validate"):
        shown = run("show", path)
        assert shown.code == 0, shown.err
        assert f"{folder.name}: " in "".join(shown.out.split("\n"))
        assert "balanced ranks unseen variants best" in " ".join(shown.out.split())


def test_kinds_of_splits_may_have_names(validate, tmp_path, scores):
    ran = validate("scores=scores", "splits={halves:random:2,families:group:base_model}", "out=a")
    assert ran.code == 0, ran.err
    assert [kind.name for kind in ValidationReport.load(tmp_path / "a").kinds] == [
        "halves",
        "families",
    ]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["methods=balancd"], ["balancd", "did you mean 'balanced'?"]),
        (["methods=[{name:balanced,pases:1}]"], ["'pases'", "'passes'"]),
        (["methods=[]"], ["methods=[]"]),
        (["methods=balanced,shared"], ["write methods=[balanced,shared] for a list"]),
        (["size=500"], ["size 500 is outside 1 to 60 prompts"]),
        (["size=many"], ["size='many'"]),
        (["splits=null"], ["splits is empty"]),
        (["splits=[random:2,group:basemodel]"], ["'basemodel'", "'base_model'"]),
        (["cluster=sheduler"], ["'scheduler'"]),
        (["search_variants=[4,99]"], ["99 is above the 12 search variants"]),
        (["incomplete=maybe"], ["incomplete=maybe: expected drop, prompts or error"]),
        (["workers=0"], ["workers=0"]),
        (["workers=many"], ["workers=many: expected a whole number"]),
        (["sise=3"], ["sise is not a key", "did you mean 'size'?"]),
        (["scores=nowhere"], ["nowhere"]),
        (["metric=clipp"], ["'clipp'", "'clip'"]),
        (["reference=anneal"], ["none of the methods compared: random, balanced"]),
        (["-m", "size=5,6"], ["-m is for flasheval search", "size=[...]"]),
        (["out=/proc/nowhere"], ["out=/proc/nowhere"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_mistake_is_one_line_and_leaves_nothing(validate, tmp_path, scores, words, parts):
    given = ["scores=scores", *words] if "scores=nowhere" not in words else words
    validate(*given).one_line(*parts)
    assert not list(tmp_path.glob("flasheval-runs/validate/*"))


# The state is saved after every step, so that a test can wait for a search to be under way.
PROGRAM = """
import sys
import flasheval.selection.methods.driver
flasheval.selection.methods.driver._SAVE_EVERY_SECONDS = 0.0
from flasheval.cli import main
sys.exit(main(sys.argv[1:]))
"""
LONG = (
    "validate",
    "scores=synthetic",
    "metric=quality",
    "methods=[balanced,{name:frequency,n_sets:600000,pools:[500]}]",
    "size=20",
    "splits=random:2",
    "draws=10",
    "workers=2",
    "out=mine",
)


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *LONG],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_real_process_that_is_interrupted_leaves_what_it_has_and_continues(tmp_path):
    process = start(tmp_path)
    units = tmp_path / "mine/units"
    deadline = time.monotonic() + 100  # kernels may have to be compiled

    def stems(suffix):
        return {path.stem for path in units.glob(f"*.{suffix}")}

    # One search is finished, its state gone, and another one is under way.
    while not stems("json") or not stems("npz") - stems("json"):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "flasheval: interrupted; run the same command to continue"
    assert "Traceback" not in err
    assert "warning: interrupted: these are the searches done so far" in " ".join(out.split())
    partial = ValidationReport.load(tmp_path / "mine")
    assert partial.interrupted
    kept = {path.name for path in units.glob("*.json")}

    out, err = start(tmp_path).communicate(timeout=120)
    assert "interrupted" not in out + err
    whole = ValidationReport.load(tmp_path / "mine")
    assert not whole.interrupted
    assert kept <= {path.name for path in units.glob("*.json")}
    assert not list(units.glob("*.npz"))
    done = {(c.split, c.method): c.held_out_tau for c in partial.cells}
    assert done.items() <= {(c.split, c.method): c.held_out_tau for c in whole.cells}.items()
    assert len(whole.cells) == 2 * 3


def test_families_are_named_by_a_factor(validate, tmp_path, scores):
    methods = "methods=[{name:auto,expect:new_family}]"
    ran = validate("scores=scores", "metric=clip", methods, "group=scheduler", "out=mine")
    assert ran.code == 0, ran.err
    assert "auto(expect=new_family)" in " ".join(ran.out.split())
    ran = validate("scores=scores", "metric=clip", methods, "group=lens", "out=none")
    ran.one_line("families are not known", "group=FACTOR")
