"""`flasheval watch` on the command line: what it prints, writes and refuses, and Ctrl-C."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from flasheval.base.models.weights import local_path
from flasheval.evaluation.report import Report
from flasheval.evaluation.watching import watcher
from flasheval.prompts import PromptSet, save_prompts
from flasheval.subset import Method, MetricInfo, Subset

ROOT = Path(__file__).resolve().parents[3]
PETS = PromptSet("pets", ("1", "2", "3"), texts=("a cat", "a white dog", "a newt"))
MINE = """
    import time

    import numpy as np


    def load(path):
        value = float(path.read_text())
        return lambda prompts, seeds: [np.full((4, 4, 3), value) for _ in prompts]


    def light(images, prompts):
        return [image.getpixel((0, 0))[0] / 255 for image in images]
"""
WORDS = (
    "training",
    "subset=subset.json",
    "prompts=pets.parquet",
    "scorers=[{name:function,function:mine.py:light,metric_name:light}]",
    "device=cpu",
    "settle=0",
)
LOADER = "loader=mine.py:load"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(watcher, "free_memory", lambda: None)
    (tmp_path / "mine.py").write_text(textwrap.dedent(MINE))
    (tmp_path / "training").mkdir()
    for step, value in ((20, 0.4), (3, 0.6)):
        (tmp_path / f"training/step={step}.ckpt").write_text(str(value))
    (tmp_path / "training/step=30.ckpt").write_text("no number")
    (tmp_path / "training/notes.txt").write_text("not a checkpoint")
    save_prompts(PETS, tmp_path / "pets.parquet")
    subset = Subset.choose(
        PETS, [0, 1, 2], name="pets", metrics=(MetricInfo("light"),), method=Method("random")
    )
    subset.save(tmp_path / "subset.json")
    return tmp_path


def test_the_leaderboard_is_printed_as_it_changes_and_written(run, place):
    words = (*WORDS, LOADER, "pattern=*.ckpt", "once=true", "out=mine")
    tracked = ("tracker=json_lines", "tracker.path=log.jsonl")
    ran = run("watch", *words, *tracked)
    assert ran.code == 0, ran.err
    assert ran.err == ""
    assert ran.out.startswith("training/ to mine/\n")
    assert ran.out.count("The best of 1 checkpoint is step=3.ckpt") == 1
    assert ran.out.count("The best of 2 checkpoints is step=3.ckpt") == 2  # then one that failed
    assert ran.out.count("failed: step=30.ckpt: ValueError: could not convert") == 1
    assert "notes" not in ran.out
    assert (place / "mine/leaderboard.csv").read_text().splitlines()[1].startswith("1,step=3.ckpt")
    assert [json.loads(line)["step"] for line in (place / "log.jsonl").open()] == [3, 20]
    again = run("watch", *words)
    assert again.code == 0
    assert again.out.count("The best of") == 1
    run("watch", *words, "seed=1").one_line("seed=0, not seed=1", "out=")
    assert len(list((place / "mine/reports").iterdir())) == 2


def test_results_go_to_a_folder_of_their_own_unless_said(run, place):
    shutil.rmtree(place / "training")
    (place / "training").mkdir()
    ran = run("watch", *WORDS, LOADER, "once=true")
    assert ran.code == 0
    assert "No checkpoint is evaluated yet" in ran.out
    (out,) = (place / "flasheval-runs/watch").iterdir()
    assert out.name.startswith("training-")


def test_pipelines_take_the_settings_of_diffusers(run, place):
    pytest.importorskip("diffusers")
    shutil.copytree(local_path("miniature:small-final"), place / "models/checkpoint-7")
    parts = 'vae:"miniature:vae",text_encoder:"miniature:clip",tokenizer:"miniature:clip"'
    settings = ("scheduler=DPM", "steps=1", "guidance=1.5", f"components={{{parts}}}")
    ran = run("watch", "models", *WORDS[1:], *settings, "once=true", "out=mine", quick=False)
    assert ran.code == 0, ran.err
    report = Report.load(place / "mine/reports/checkpoint-7.json")
    assert (report.step, report.call["steps"], report.call["scheduler"]) == (7, 1, "DPM")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "path is missing"),
        (("training",), "subset is missing"),
        (("training", "subset=subset.json"), "prompts=FILE"),
        (("nowhere", *WORDS[1:]), "nowhere is not a folder"),
        ((*WORDS, "checkpoint=a"), "checkpoint comes from the watched folder"),
        ((*WORDS, "interval=soon"), "interval=soon: expected a number"),
        ((*WORDS, "metric=CLIP"), "metric=CLIP"),
        ((*WORDS, "tracker=wandbb"), "wandbb"),
    ],
)
def test_mistakes_are_one_line(run, place, words, said):
    run("watch", *words).one_line(said)
    assert not (place / "flasheval-runs").exists()


@pytest.mark.slow
def test_ctrl_c_ends_it_with_one_line(place):
    words = [*WORDS, LOADER, "pattern=*.ckpt", "out=mine", "interval=60"]
    process = subprocess.Popen(
        [sys.executable, "-m", "flasheval", "watch", *words],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while len(list((place / "mine/checkpoints").glob("*.json"))) < 3:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.2)  # it sleeps, too
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "flasheval: interrupted; run the same command to continue"
    assert "until Ctrl-C" in out
    assert "The best of 2 checkpoints is step=3.ckpt" in out
