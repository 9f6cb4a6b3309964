"""The training example: it trains, keeps checkpoints, and its monitor goes on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import flasheval
from flasheval.evaluation.report import Report

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "miniature" / "tune_miniature.py"


@pytest.mark.slow
def test_a_training_with_the_monitor_in_it_goes_on_where_it_was(tmp_path):
    found = flasheval.search(
        "miniature",
        metric="CLIP",
        method="balanced",
        nested=[3, 6],
        splits=None,
        calibrate=True,
        progress=False,
    )
    found.subset.save(tmp_path / "subset.json")

    def train(steps):
        words = ("--out", tmp_path / "out", "--subset", tmp_path / "subset.json")
        more = ("--model", "small-middle", "--every", 2, "--steps", steps)
        command = [sys.executable, SCRIPT, *map(str, (*words, *more))]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    first = train(2)
    assert [line.split(":")[0] for line in first.splitlines()] == ["step 0", "step 2"]
    weights = (tmp_path / "out/checkpoint-2/unet/diffusion_pytorch_model.safetensors").read_bytes()
    kept = sorted((tmp_path / "out/monitor/reports").iterdir())
    times = [path.stat().st_mtime_ns for path in kept]
    second = train(4)
    assert second.startswith(first)
    assert second.count("\n") == 3
    assert [path.stat().st_mtime_ns for path in kept] == times  # what is known is not made again
    again = (tmp_path / "out/checkpoint-2/unet/diffusion_pytorch_model.safetensors").read_bytes()
    assert again == weights  # the monitor made images in the first training and none in the second
    assert json.loads((tmp_path / "out/checkpoint-2/loss.json").read_text())["loss"] > 0
    report = Report.load(kept[0])
    assert report.subset.size == 6
    assert report.step == 0
