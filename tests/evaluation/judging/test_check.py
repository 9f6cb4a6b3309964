"""A judge is checked: its spread, leanings, agreement and drift, against what was put into it."""

import math
import runpy
from pathlib import Path

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.evaluation.judging.check import accord_of, check_judge, reliability_of
from flasheval.prompts import PromptSet
from flasheval.runs.run import run
from flasheval.scores import ScoreMatrix

Server = runpy.run_path(str(Path(__file__).parents[2] / "misbehaving_server.py"))["Server"]
PAINT = """
import numpy as np

def paint(prompts, seeds):
    drawn = [np.random.default_rng(seed) for seed in seeds]
    return [one.integers(0, 256, (8, 8, 3), dtype="u1") for one in drawn]

def dark(prompts, seeds):
    return [image // 2 for image in paint(prompts, seeds)]

def light(images, prompts):
    return [float(np.asarray(image).mean()) for image in images]
"""


@pytest.fixture
def judged(tmp_path):
    """A server and a run with kept images that it has judged: (server, folder, scorer)."""
    pytest.importorskip("PIL")
    file = tmp_path / "paint.py"
    file.write_text(PAINT)
    numbers = tuple(map(str, range(10)))
    prompts = PromptSet("things", numbers, tuple(f"thing {number}" for number in numbers))
    population = {
        "settings": {"generator": "function"},
        "variants": [{"name": name, "function": f"{file}:{name}"} for name in ("paint", "dark")],
    }
    with Server() as server:
        endpoint = {"url": server.url, "model": "m", "cache": str(tmp_path / "cache")}
        scorer = {"name": "vqa", "endpoint": endpoint}
        scorers = [scorer, {"name": "function", "function": f"{file}:light"}]
        folder = tmp_path / "run"
        run(population, prompts, scorers, out=folder, progress=False, keep_images=True)
        yield server, folder, scorer


def test_a_steady_judge_repeats_itself(judged):
    server, folder, scorer = judged
    before = server.calls.total()
    found = check_judge(folder, scorer, images=12, repeats=2, against="light")
    assert (found.images, found.repeats, found.unanswered) == (12, 2, 0)
    assert found.spread == pytest.approx(0, abs=1e-9)
    assert found.reliability == pytest.approx(1)
    assert (found.flips, found.drift) == (0, pytest.approx(0, abs=1e-6))
    assert found.used["calls"] == server.calls.total() - before == 5 * (12 + 1)
    assert found.models == found.before == ("m-1",)
    (accord,) = found.accords
    assert (accord.name, accord.count) == ("light", 20)
    assert math.isnan(accord.variants)  # two variants have no ranking to speak of
    assert not any("now than" in one for one in found.warnings)
    assert "separation" in str(found)
    assert found.to_dict()["kind"] == "judge_check"


def test_noise_drift_and_another_model_are_told(judged):
    server, folder, scorer = judged
    server.noise, server.shift, server.model = 0.1, 0.15, "m-2"
    found = check_judge(folder, scorer, images=15, repeats=4)
    assert found.spread == pytest.approx(0.1 / math.sqrt(2), rel=0.4)
    assert 0.5 < found.reliability < 1
    assert found.drift == pytest.approx(0.15, abs=0.06)
    told = " ".join(found.warnings)
    assert "higher now than in the table" in told
    assert "the endpoint answers as m-2, and the table was made with m-1" in told


def test_refusals_are_counted(judged):
    server, folder, scorer = judged
    server.behave = lambda number: "refuse" if number % 3 == 0 else "ok"
    found = check_judge(folder, scorer, images=9, repeats=2)
    assert 0 < found.unanswered < 18
    assert any("of the answers give no score" in one for one in found.warnings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scorer": "clip"}, "scorer CLIP asks no model; check a judge: vqa, questions, read-text"),
        ({"images": 2}, "images=2; expected 3 or more"),
        ({"repeats": 0}, "repeats=0; expected 1 or more"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, settings, message):
    with pytest.raises(SettingError, match=message):
        check_judge(tmp_path, **{"scorer": "vqa", **settings})


def test_a_run_without_images_is_told(tmp_path):
    with pytest.raises(DataError, match="holds no run; expected the out= of flasheval run"):
        check_judge(tmp_path, "vqa")


def test_reliability_is_the_intraclass_correlation():
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 2, 4000)
    asked = truth + rng.normal(0, 1, (3, 4000))
    assert reliability_of(asked) == pytest.approx(4 / 5, abs=0.02)
    assert reliability_of(rng.normal(size=(2, 4000))) == pytest.approx(0, abs=0.05)
    assert math.isnan(reliability_of(truth[None]))


def test_accord_lines_variants_and_prompts_up_and_heeds_directions():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(5, 8)).astype(np.float32)
    mine = ScoreMatrix("judge", values, tuple("abcde"), tuple("12345678"), True)
    order, columns = [3, 1, 0, 4], [7, 2, 5]
    theirs = ScoreMatrix(
        "cost",
        -2 * values[np.ix_(order, columns)] + 1,
        tuple("abcde"[row] for row in order),
        tuple("12345678"[column] for column in columns),
        False,
    )
    found = accord_of(mine, theirs)
    assert (found.name, found.count) == ("cost", 12)
    assert found.images == pytest.approx(1, abs=1e-6)
    assert found.variants == pytest.approx(1)
