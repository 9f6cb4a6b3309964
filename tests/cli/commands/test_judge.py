"""The verb end to end: a check as in Python, answers by tag, and refusals."""

import json
import runpy
from pathlib import Path

import pytest

from flasheval.prompts import PromptSet
from flasheval.runs.run import run as run_population

Server = runpy.run_path(str(Path(__file__).parents[2] / "misbehaving_server.py"))["Server"]
PAINT = """
import numpy as np

def paint(prompts, seeds):
    shape = (8, 8, 3)
    return [np.random.default_rng(seed).integers(0, 256, shape, dtype="u1") for seed in seeds]
"""


@pytest.fixture
def judged(tmp_path):
    """A run judged by questions: the scorer as a command line takes it."""
    pytest.importorskip("PIL")
    (tmp_path / "paint.py").write_text(PAINT)
    prompts = PromptSet("things", tuple("1234"), tuple(f"thing {number}" for number in "1234"))
    rows = [
        {"prompt": text, "questions": ["Is it?", "Is it red?"], "tag": ["object", "color"]}
        for text in prompts.texts
    ]
    (tmp_path / "q.json").write_text(json.dumps(rows))
    population = {"variants": [{"name": "noise", "function": f"{tmp_path}/paint.py:paint"}]}
    population["settings"] = {"generator": "function"}
    with Server() as server:
        endpoint = {"url": server.url, "model": "m", "cache": str(tmp_path / "answers")}
        scorer = {"name": "questions", "questions": str(tmp_path / "q.json"), "endpoint": endpoint}
        out = tmp_path / "run"
        run_population(population, prompts, [scorer], out=out, progress=False, keep_images=True)
        yield (
            f'scorers=[{{name:questions,questions:"{tmp_path}/q.json",endpoint:{{url:"{server.url}",'
            f'model:m,cache:"{tmp_path}/answers"}}}}]'
        )


def test_a_check_and_answers(run, judged):
    ran = run("judge", "check", "run=run", judged, "images=4", "repeats=2", "out=check.json")
    assert ran.code == 0, ran.err
    assert "Questions on 4 images, 2 times each" in ran.out
    kept = json.loads(Path("check.json").read_text())
    assert kept["result"]["spread"] == 0
    assert kept["result"]["yes_bias"] is None
    ran = run("judge", "answers", "run=run", "metric=Questions", "json=true")
    result = json.loads(ran.out)["result"]
    assert [(one["tag"], one["questions"]) for one in result["tags"]] == [
        ("color", 4),
        ("object", 4),
    ]
    assert len(result["answers"]) == 8
    assert "color" in run("judge", "answers", "run=run", "metric=Questions").out
    told = run("status", "run").out
    assert "judges: 9 calls of m-1" in told


def test_refusals(run, tmp_path):
    run("judge", "chek").one_line("action=chek: expected check or answers")
    run("judge", "check").one_line("run is missing: flasheval judge check run=FOLDER")
    run("judge", "check", "run=x").one_line("scorers holds 0 judges")
    run("judge", "check", "run=x", "scorers=[vqa,rubric]").one_line("scorers holds 2 judges")
    run("judge", "answers", "run=x").one_line("metric is missing")
    run("judge", "check", "run=x", "out=a.txt").one_line("a name in .json")
