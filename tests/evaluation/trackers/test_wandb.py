"""wandb, always offline: what its files hold is read back from them."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.evaluation.trackers.wandb import Wandb

pytestmark = pytest.mark.slow  # wandb's own process starts with each run


def scalars(rows, *names):
    """The values of rows that have scalars, by training step."""
    return [
        {name: row[name] for name in ("flasheval/step", *names)} for row in rows if names[0] in row
    ]


def table_files(folder):
    """The rows of the table's files, oldest first."""
    found = sorted(folder.rglob("*.table.json"), key=lambda path: path.stat().st_mtime_ns)
    return [json.loads(path.read_text()) for path in found]


def test_an_offline_run_and_the_one_resumed_hold_every_step_once(
    offline_wandb, tmp_path, report, history
):
    for steps in ((100, 200), (100, 200, 300)):
        tracker = Wandb(project="p", run_id="abc", folder=str(tmp_path), images=2)
        for step in steps:
            tracker.log({"CLIP": step / 7, "CLIP/full": -0.1}, step=step)
            tracker.log_report(report(step / 7, None, 0.5, images=True), step=step)
        assert offline_wandb.run is None  # stays free for the training's own
        tracker.finish()
    rows = history(tmp_path)
    assert scalars(rows, "CLIP", "CLIP/full") == [
        {"flasheval/step": step, "CLIP": step / 7, "CLIP/full": -0.1} for step in (100, 200, 300)
    ]
    known = {"CLIP", "CLIP/full", "flasheval/step", "_step", "_timestamp", "_runtime"}
    media = ("flasheval/prompts.", "flasheval/images.")
    keys = {key for row in rows for key in row if not key.startswith(media)}
    assert keys == known
    assert [row["_step"] for row in rows] == list(range(6))  # counted on by the second
    tables = table_files(tmp_path)
    assert all(t["columns"] == ["step", "prompt", "text", "CLIP", "Quality"] for t in tables)
    assert [row for table in tables for row in table["data"]] == [
        row
        for step in (100, 200, 300)
        for row in (
            [step, "p0", "a red | square", step / 7, 0.0],
            [step, "p1", "two\nblue cats", None, 1.0],
            [step, "p2", "grün, \\ and more", 0.5, 2.0],
        )
    ]
    shown = [row for row in rows if "flasheval/images.count" in row]
    assert [row["flasheval/step"] for row in shown] == [100, 200, 300]
    assert all(row["flasheval/images.count"] == 2 for row in shown)
    assert shown[0]["flasheval/images.captions"][0] == "a red | square (CLIP 14.29; Quality 0)"
    assert len(list(tmp_path.rglob("*.png"))) == 6
    assert not list(tmp_path.rglob("subset.json"))  # an artifact is of no use offline


def test_an_active_run_is_used_and_loses_none_of_its_own_rows(
    offline_wandb, tmp_path, report, history
):
    run = offline_wandb.init(project="p", id="theirs", dir=str(tmp_path))
    tracker = Wandb(folder=str(tmp_path / "not-used"))
    for step in range(9):
        if step != 5:  # a step of which the training says nothing
            run.log({"loss": step / 3}, step=step)
        if step in (2, 4, 5, 8):
            tracker.log({"CLIP": step / 7}, step=step)
            tracker.log_report(report(step / 7), step=step)
    tracker.finish()
    run.log({"loss": 9.0}, step=9)  # not finished by us
    run.finish()
    rows = history(tmp_path)
    losses = [row["loss"] for row in rows if "loss" in row]
    assert losses == [step / 3 for step in range(9) if step != 5] + [9.0]
    assert [row["loss"] for row in rows if row["_step"] in (4, 6)] == [4 / 3, 2.0]
    assert scalars(rows, "CLIP") == [
        {"flasheval/step": step, "CLIP": step / 7} for step in (2, 4, 5, 8)
    ]
    tables = [row["flasheval/step"] for row in rows if "flasheval/prompts.nrows" in row]
    assert tables == [2, 4, 5, 8]
    assert not (tmp_path / "not-used").exists()
    assert (tmp_path / "wandb" / "flasheval-theirs.json").exists()


def test_another_id_than_the_active_run_s_is_refused(offline_wandb, tmp_path):
    run = offline_wandb.init(project="p", id="theirs", dir=str(tmp_path))
    with pytest.raises(SettingError, match="run_id=ours: the run theirs is active; finish"):
        Wandb(run_id="ours").log({"a": 1.0}, step=1)
    run.finish()


def test_a_run_that_its_owner_finished_is_one_line(offline_wandb, tmp_path, history):
    run = offline_wandb.init(project="p", id="theirs", dir=str(tmp_path))
    tracker = Wandb()
    tracker.log({"a": 1.0}, step=1)
    run.finish()
    with pytest.raises(FlashevalError, match=r"^wandb: the run theirs, .* is finished; finish"):
        tracker.log({"a": 1.0}, step=2)
    offline_wandb.init(project="p", id="next", dir=str(tmp_path))
    tracker.log({"a": 1.0}, step=2)
    offline_wandb.run.finish()
    assert scalars(history(tmp_path), "a") == [{"flasheval/step": s, "a": 1.0} for s in (1, 2)]


_KILLED = """
import os, signal, sys, time
from pathlib import Path
from flasheval.evaluation.trackers.wandb import Wandb

tracker = Wandb(project="p", run_id="killed", folder=sys.argv[1])
for step in (1, 2, 3):
    tracker.log({"CLIP": step / 7}, step=step)
(file,) = Path(sys.argv[1]).glob("wandb/*run-*/*.wandb")
while file.stat().st_size < 1000:
    time.sleep(0.05)
time.sleep(0.5)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_that_was_killed_goes_on(offline_wandb, tmp_path, history):
    root = str(Path(__file__).parents[3])
    environment = {**os.environ, "PYTHONPATH": root}
    command = [sys.executable, "-c", _KILLED, str(tmp_path)]
    killed = subprocess.run(command, env=environment, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    tracker = Wandb(project="p", run_id="killed", folder=str(tmp_path))
    for step in (2, 3, 4):
        tracker.log({"CLIP": step / 7}, step=step)
    tracker.finish()
    rows = history(tmp_path)
    assert [(row["flasheval/step"], row["CLIP"]) for row in rows] == [
        (step, step / 7) for step in (1, 2, 3, 4)
    ]
    assert [row["_step"] for row in rows] == [0, 1, 2, 3]


@pytest.mark.parametrize("how", ["setting", "environment"])
def test_disabled_writes_nothing(offline_wandb, tmp_path, report, monkeypatch, how):
    if how == "environment":
        monkeypatch.setenv("WANDB_MODE", "disabled")
    tracker = Wandb(mode="disabled" if how == "setting" else None, folder=str(tmp_path))
    tracker.log({"a": 1.0}, step=1)
    tracker.log_report(report(0.5, images=True), step=1)
    tracker.finish()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


class _Online:
    """What of a run is used, without a server."""

    id, offline, disabled, step = "online", False, False, 0

    def __init__(self, folder):
        self.settings = SimpleNamespace(wandb_dir=str(folder))
        self.rows, self.artifacts, self.axes = [], [], {}

    def log(self, row, commit):
        self.rows.append(row)

    def define_metric(self, name, step_metric=None, hidden=None):
        self.axes[name] = step_metric

    def log_artifact(self, artifact):
        self.artifacts.append(artifact)


def test_online_the_manifest_is_an_artifact_once(offline_wandb, tmp_path, report, monkeypatch):
    run = _Online(tmp_path)
    monkeypatch.setattr(offline_wandb, "run", run)
    for _ in range(2):
        tracker = Wandb()
        for step in (1, 2):
            tracker.log({"CLIP": 0.5}, step=step)
            tracker.log_report(report(0.5), step=step)
        tracker.log_report(report(0.5, 0.25), step=3)  # another subset
    assert run.axes == {"flasheval/step": None, "CLIP": "flasheval/step"}
    assert len(run.rows) == 5 + 2  # two steps, two reports, a report; an empty row ends each step
    first, second = run.artifacts
    assert (first.name, first.type) == ("subset-few-things", "flasheval-subset")
    assert first.metadata["content_hash"] == report(0.5).subset.content_hash
    assert second.metadata["prompts"] == 2
    file = Path(first.manifest.entries["subset.json"].local_path)
    assert json.loads(file.read_text(encoding="utf-8")) == report(0.5).subset.manifest()


def test_mistakes_are_one_line(monkeypatch):
    with pytest.raises(SettingError, match="mode=of: expected one of online, offline, disabled"):
        Wandb(mode="of")
    with pytest.raises(SettingError, match="images=-1: expected 0 or more"):
        Wandb(images=-1)
