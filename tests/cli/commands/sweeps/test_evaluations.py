"""`flasheval evaluate -m`: a model a job, one leaderboard, and nothing done twice."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import flasheval
from flasheval.cli.commands.context import Sweep
from flasheval.cli.commands.sweeps.evaluations import as_job, name_in_sweep
from flasheval.cli.configs import EvaluateConfig
from flasheval.subset import Method, MetricInfo, Subset

pytest.importorskip("PIL.Image")

CODE = """
import numpy as np

def images(value, prompts):
    open("calls.txt", "a").write(f"{value} ")
    return [np.full((4, 4, 3), value + len(text) / 1000) for text in prompts]

def dark(prompts, seeds): return images(0.2, prompts)
def grey(prompts, seeds): return images(0.5, prompts)
def broken(prompts, seeds): raise ValueError("no such thing")
def light(images, prompts): return [one.getpixel((0, 0))[0] / 255 for one in images]
"""
WORDS = ("-m", "generator=function", "scorers=[{name:function,function:mine.py:light}]")


@pytest.fixture
def subset(tmp_path):
    """A calibrated subset of six prompts, in a file, with code beside it."""
    (tmp_path / "mine.py").write_text(CODE)
    rng = np.random.default_rng(0)
    prompts = flasheval.PromptSet(
        "pets", tuple(map(str, range(30))), tuple(f"pet {i}" for i in range(30))
    )
    values = np.linspace(0.1, 0.7, 16)[:, None] + rng.normal(0, 0.02, (16, 30))
    table = flasheval.ScoreTable.from_arrays(
        values, variants=[f"v{i}" for i in range(16)], prompts=prompts, metric="light"
    )
    options = {"method": "pooled", "splits": "random:2", "draws": 5, "calibrate": True}
    found = flasheval.search(table, size=6, progress=False, **options)
    found.subset.save(tmp_path / "six.json")
    texts = [
        {"id": one, "text": text} for one, text in zip(prompts.ids, prompts.texts, strict=True)
    ]
    (tmp_path / "pets.jsonl").write_text("\n".join(map(json.dumps, texts)))
    return found.subset


def _calls(folder: Path) -> list[str]:
    path = folder / "calls.txt"
    return path.read_text().split() if path.exists() else []


def test_a_sweep_of_models_ends_in_their_leaderboard(run, subset, tmp_path):
    words = (
        *WORDS,
        "subset=six.json",
        "prompts=pets.jsonl",
        "function=mine.py:dark,mine.py:broken,mine.py:grey",
        "out=all",
    )
    ran = run("evaluate", *words)
    assert ran.code == 1
    folder = tmp_path / "all"
    assert ran.out.startswith("light: ")
    assert "of 2 models evaluated" in " ".join(ran.out.split())
    assert "failed: function=mine.py\\:broken: " in ran.out
    assert "no such thing" in ran.out
    board = json.loads((folder / "rank.json").read_text())
    assert "light" in json.dumps(board)
    for name in ("rank.md", "rank.csv", "rank.png", "sweep.csv", "sweep.json"):
        assert (folder / name).stat().st_size > 0
    with (folder / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == ["mine.py:dark", "", "mine.py:grey"]
    assert "no such thing" in rows[1]["error"]
    for row in (rows[0], rows[2]):
        report = flasheval.Report.load(tmp_path / row["report"])
        assert float(row["light mean"]) == report.means["light"]
        full = report.predict()["light"]
        assert float(row["light predicted"]) == full.value
        assert (float(row["light low"]), float(row["light high"])) == (full.low, full.high)

    calls = _calls(tmp_path)
    again = run("evaluate", *words)
    assert (again.code, again.out) == (1, ran.out)
    assert _calls(tmp_path) == calls  # what is done is not done again
    assert again.err.count("done before: ") == 2
    ranked = run("rank", "all/reports")
    assert ranked.out.splitlines()[0] == ran.out.splitlines()[0]


def test_one_fixed_model_at_several_seeds_has_names_that_tell(run, subset, tmp_path):
    words = (
        *WORDS,
        "subset=six.json",
        "prompts=pets.jsonl",
        "function=mine.py:dark",
        "seed=1,2",
        "images=kept",
    )
    ran = run("evaluate", *words)
    assert (ran.code, ran.err.count("\n")) == (0, 2)
    (folder,) = (tmp_path / "flasheval-runs/evaluate-sweep").iterdir()
    assert folder.name.startswith("seed-")
    assert len(list((folder / "reports").glob("*.json"))) == 2
    assert {one.name for one in (tmp_path / "kept").iterdir()} == {
        "mine.py_dark_seed1",
        "mine.py_dark_seed2",
    }


def test_without_calibration_the_means_stand_side_by_side(run, subset, tmp_path):
    bare = Subset.choose(
        flasheval.PromptSet("pets", ("a", "b"), ("a cat", "a dog")),
        [0, 1],
        name="two",
        metrics=(MetricInfo("light"),),
        method=Method("random"),
        with_texts=True,
    )
    bare.save(tmp_path / "two.json")
    ran = run(
        "evaluate", *WORDS, "subset=two.json", "function=mine.py:dark,mine.py:grey", "out=two"
    )
    assert ran.code == 0, ran.err
    assert [line.split()[0] for line in ran.out.splitlines()[:3]] == [
        "model",
        "mine.py:dark",
        "mine.py:grey",
    ]
    assert "no full scores" in ran.out
    assert not (tmp_path / "two/rank.json").exists()


@pytest.mark.parametrize("out", ["sweep.json", "mine"])
def test_an_output_that_cannot_be_is_refused(run, subset, tmp_path, out):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    words = (
        *WORDS,
        "subset=six.json",
        "prompts=pets.jsonl",
        "function=mine.py:dark,mine.py:grey",
        f"out={out}",
    )
    assert run("evaluate", *words).one_line(f"out={out}")
    assert _calls(tmp_path) == []


def test_names_tell_checkpoints_and_settings_apart():
    config = EvaluateConfig()
    config.checkpoint, config.steps, config.guidance = "b/final", 5, 2.0
    swept = {"checkpoint": ("a/final", "b/final"), "steps": ("5", "9")}
    assert name_in_sweep("final", config, Sweep(Path("s"), swept)) == "b/final/steps5"
    swept = {"checkpoint": ("a/first", "b/final"), "guidance": ("2.0", "3.0")}
    assert name_in_sweep("final", config, Sweep(Path("s"), swept)) == "final/guidance2.0"


def test_trackers_of_a_sweep_are_one_group_of_wandb_and_folders_apart():
    sweep = Sweep(Path("runs/grid"), {"steps": ("5", "9")})
    wandb = {"name": "wandb", "group": None, "run_name": None, "run_id": None, "images": 3}
    config = as_job(EvaluateConfig(tracker=wandb, images="kept"), "sd/steps5", {"a": 1}, sweep)
    assert config.images == "kept/sd_steps5"
    assert (config.tracker["group"], config.tracker["run_name"]) == ("grid", "sd/steps5")
    same = as_job(EvaluateConfig(tracker=wandb), "sd/steps5", {"a": 1}, sweep)
    other = as_job(EvaluateConfig(tracker=wandb), "sd/steps9", {"a": 2}, sweep)
    assert config.tracker["run_id"] == same.tracker["run_id"] != other.tracker["run_id"]
    mine = as_job(EvaluateConfig(tracker={**wandb, "group": "mine"}), "sd", {}, sweep)
    assert mine.tracker["group"] == "mine"
    board = as_job(EvaluateConfig(tracker={"name": "tensorboard", "folder": "tb"}), "sd", {}, sweep)
    assert board.tracker["folder"] == "tb/sd"
