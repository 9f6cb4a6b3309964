"""The example of another Hydra application, run as its page says: a grid and a search by Optuna."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from flasheval.evaluation.report import Report

pytest.importorskip("diffusers")
pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")

ROOT = Path(__file__).parents[2]
APP = ROOT / "docs" / "examples" / "hydra_app" / "app.py"


@pytest.fixture
def ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """A function: ran("+sweep=grid") as `python app.py -m +sweep=grid`, with torch loaded once."""

    def ran(*words: str) -> str:
        quiet = ("hydra/job_logging=none", "hydra/hydra_logging=none")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [str(APP), "-m", *words, "hydra.sweep.dir=sweep", *quiet])
        runpy.run_path(str(APP), run_name="__main__")
        return capsys.readouterr().out

    return ran


def test_a_grid_by_joblib_predicts_a_full_score_a_job(
    ran: Callable[..., str], tmp_path: Path
) -> None:
    # One job at a time, in this process: others would load torch anew.
    words = ("hydra.launcher.n_jobs=1", "train.size=small", "flasheval.generator.steps=3")
    out = ran("+sweep=grid", *words)
    reports = [Report.load(path) for path in sorted((tmp_path / "sweep").glob("*/report.json"))]
    assert [one.name for one in reports] == [
        "small-final/DDIM3/guidance2.0",
        "small-final/DPM3/guidance2.0",
    ]
    for report in reports:
        assert f"{report.name}: CLIP {report.predict()['CLIP'].value:.4f}" in out


def test_optuna_finds_the_greatest_predicted_full_score(
    ran: Callable[..., str], tmp_path: Path
) -> None:
    words = ("hydra.sweeper.n_trials=2", "train.size=small", "flasheval.generator.steps=range(2,4)")
    ran("+sweep=optuna", *words)
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
