"""The example of another Hydra application, run as its page says: a grid and a search by Optuna."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from flasheval.evaluation.report import Report

pytest.importorskip("diffusers")
pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")

ROOT = Path(__file__).parents[2]
APP = ROOT / "docs" / "examples" / "hydra_app" / "app.py"


def _ran(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, str(APP), "-m", *words, "hydra.sweep.dir=sweep"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_grid_by_joblib_predicts_a_full_score_a_job(tmp_path: Path) -> None:
    # One job at a time, in one process: each of another would load torch anew.
    words = ("hydra.launcher.n_jobs=1", "train.size=small", "flasheval.generator.steps=3")
    out = _ran(tmp_path, "+sweep=grid", *words)
    reports = [Report.load(path) for path in sorted((tmp_path / "sweep").glob("*/report.json"))]
    assert [one.name for one in reports] == [
        "small-final/DDIM3/guidance2.0",
        "small-final/DPM3/guidance2.0",
    ]
    for report in reports:
        assert f"{report.name}: CLIP {report.predict()['CLIP'].value:.4f}" in out


@pytest.mark.slow
def test_optuna_finds_the_greatest_predicted_full_score(tmp_path: Path) -> None:
    words = ("hydra.sweeper.n_trials=2", "train.size=small", "flasheval.generator.steps=range(2,4)")
    _ran(tmp_path, "+sweep=optuna", *words)
    reports = [Report.load(path) for path in (tmp_path / "sweep").glob("*/report.json")]
    found = yaml.safe_load((tmp_path / "sweep" / "optimization_results.yaml").read_text())
    assert set(found["best_params"]) == {
        "flasheval.generator.steps",
        "flasheval.generator.guidance",
    }
    assert len(reports) == 2
    assert found["best_value"] == max(one.predict()["CLIP"].value for one in reports)
    best = next(one for one in reports if one.predict()["CLIP"].value == found["best_value"])
    assert best.call["steps"] == found["best_params"]["flasheval.generator.steps"]
