import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import flasheval
from flasheval.base.drawing.terminal import as_text
from flasheval.runs.status.run_status import read_status

DRAW = """
import os, time
import numpy as np

def draw(prompts, seeds):
    time.sleep(float(os.environ.get("DRAWING_TIME", 0)) * len(seeds))
    return [np.random.default_rng(seed).random((8, 8, 3), dtype="f4") for seed in seeds]

def boom(prompts, seeds):
    raise RuntimeError("no luck")

def faulty(prompts, seeds):
    return [None, *draw(prompts, seeds)[1:]]

def mean(images, prompts):
    return [float(np.asarray(image).mean()) for image in images]
"""
WORDS = (
    "population=toys.yaml",
    "prompts=prompts.txt",
    "out=r",
    "device=cpu",
    "chunk=4",
    "batch=4",
)
SCORER = 'scorers=[{name:function,function:"toys.py:mean"}]'


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    (tmp_path / "toys.py").write_text(DRAW)
    (tmp_path / "prompts.txt").write_text("".join(f"thing {i}\n" for i in range(12)))
    _population(tmp_path, "draw", "faulty")
    return tmp_path


def _population(folder: Path, *functions: str) -> None:
    lines = [f"  - {{name: {name}, function: 'toys.py:{name}'}}\n" for name in functions]
    text = "settings: {generator: function}\nvariants:\n" + "".join(lines)
    (folder / "toys.yaml").write_text(text)


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "80", **more}


def test_a_complete_run(run, toys):
    made = run("run", *WORDS, SCORER)
    assert made.code == 0
    scorer = {"name": "function", "function": "toys.py:mean"}
    settings = {"out": "r", "device": "cpu", "chunk": 4, "batch": 4, "progress": False}
    again = flasheval.run("toys.yaml", "prompts.txt", [scorer], **settings)
    assert made.out.startswith(as_text(again.view(), width=80))
    ran = run("status", "r")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == (
        "Not complete, 3 of 24 images have no score: scores of 2 variants on 12 prompts"
    )
    rows = {line.split()[0]: line.split() for line in lines if line.startswith(("draw", "faulty"))}
    assert rows["draw"][1:5] == ["3", "of", "3", "100%"]
    assert rows["faulty"][5] == "3"
    assert "no score: 3 images: no image" in ran.out
    assert lines[-1] == "use them: flasheval search scores=r"
    assert max(map(len, lines)) <= 80
    assert ran.out == as_text(read_status(Path("r")).view(), width=80)
    shutil.rmtree(toys / "r/scores")
    assert "run the same command again to write the score table" in run("status", "path=r").out


def test_failures_come_first_with_their_reasons(run, toys):
    _population(toys, "draw", "boom")
    assert run("run", *WORDS, SCORER).code == 1
    ran = run("status", "r")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "50% done, no process is working on it, 1 of 2 variants failed"
    assert lines[3].startswith("boom")
    failed = [line for line in lines if line.startswith("failed:")]
    assert len(failed) == 1
    assert "generate of boom: RuntimeError: no luck" in failed[0]
    assert "failed units are retried" in lines[-1]


def test_images_alone(run, toys):
    assert run("generate", *WORDS).code == 0
    ran = run("status", "r", "check=true")
    assert ran.out.startswith("Complete: images of 2 variants on 12 prompts\n")
    assert "check: no file is damaged" in ran.out
    assert "flasheval score with the same words" in ran.out


def test_check_names_damaged_files(run, toys):
    run("run", *WORDS, SCORER)
    path = sorted((toys / "r/units/draw/mean").iterdir())[0]
    path.write_text(path.read_text()[:-20])
    ran = run("status", "r", "check=true")
    assert ran.code == 0
    relative = path.relative_to(toys)
    assert f"damaged: {relative}: it is cut short or not JSON" in " ".join(ran.out.split())
    assert "the same command makes damaged score files again" in ran.out
    assert run("run", *WORDS, SCORER).code == 0
    assert "no file is damaged" in run("status", "r", "check=true").out


def test_many_variants_are_not_all_shown(run, toys):
    lines = [f"  - {{name: v{i}, function: 'toys.py:draw'}}\n" for i in range(25)]
    (toys / "toys.yaml").write_text("settings: {generator: function}\nvariants:\n" + "".join(lines))
    run("run", *WORDS, SCORER, "limit=4")
    next((toys / "r/units/v24/mean").iterdir()).unlink()
    lines = run("status", "r").out.splitlines()
    assert lines[0].startswith("96% done")
    assert lines[3].split()[0] == "v24"  # what is not complete comes first
    assert "and 5 more variants, 5 of them complete" in lines


def test_no_run(run, tmp_path):
    run("status").one_line("path is missing: flasheval status FOLDER")
    run("status", "nowhere").one_line("nowhere does not exist")
    (tmp_path / "empty").mkdir()
    run("status", "empty").one_line("is not the folder of a run", "run.json")


def test_while_it_goes_on_and_after_it_is_killed(toys):
    flasheval = [sys.executable, "-m", "flasheval"]
    asked = [*flasheval, "run", *WORDS, SCORER]
    slow = _environment(DRAWING_TIME="0.05")  # 2 variants x 12 images: over a second

    def status() -> str:
        said = subprocess.run(
            [*flasheval, "status", "r"],
            cwd=toys,
            env=_environment(),
            capture_output=True,
            text=True,
        )
        return said.stdout

    with subprocess.Popen(asked, cwd=toys, env=slow, stdout=subprocess.DEVNULL) as process:
        units = toys / "r/units"
        while process.poll() is None and len(list(units.glob("*/*/*.json"))) < 1:
            time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)  # held in the middle of a unit
        at_work = status()
        process.kill()
    assert "% done, about" in at_work
    assert "images/s" in at_work
    assert "look again: flasheval status r" in at_work
    after = status()
    assert "no process is working on it, about" in after
    assert "continue with the same command" in after
    done = subprocess.run(asked, cwd=toys, env=_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert status().startswith("Not complete, 3 of 24 images have no score: ")
