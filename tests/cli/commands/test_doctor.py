import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flasheval.base.drawing.terminal import as_text
from flasheval.generators.populations.sources import read_population
from flasheval.generators.seeds import ImageSeeds
from flasheval.runs.doctor.diagnosis import diagnose
from flasheval.runs.run_plan import WorkSettings
from flasheval.scores import ScoreMatrix, load_scores

DRAW = """
import time
import numpy as np

def draw(prompts, seeds):
    time.sleep(0.02 * len(seeds))
    return [np.random.default_rng(seed).random((8, 8, 3), dtype="f4") for seed in seeds]

def boom(prompts, seeds):
    raise RuntimeError("no luck")

def mean(images, prompts):
    return [float(np.asarray(image).mean()) for image in images]
"""
WORDS = ("population=toys.yaml", "prompts=prompts.txt", "out=r", "device=cpu", "chunk=8", "batch=4")
SCORER = 'scorers=[{name:function,function:"toys.py:mean"}]'


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    (tmp_path / "toys.py").write_text(DRAW)
    (tmp_path / "prompts.txt").write_text("".join(f"thing {i}\n" for i in range(50)))
    _population(tmp_path, "draw")
    return tmp_path


def _population(folder: Path, *functions: str) -> None:
    lines = [f"  - {{name: {name}, function: 'toys.py:{name}'}}\n" for name in functions]
    text = "settings: {generator: function}\nvariants:\n" + "".join(lines)
    (folder / "toys.yaml").write_text(text)


def test_all_is_there(run, toys):
    ran = run("doctor", *WORDS, SCORER)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0].startswith("All is there; about 1.")  # 50 images of 0.02 s
    assert lines[0].endswith("s on one processor")
    checks = {line.split(":")[0] for line in lines if line.startswith("ok ")}
    assert {"ok       prompts", "ok       scorer mean", "ok       folder r"} <= checks
    assert "problem" not in ran.out
    assert "1 variant x 50 prompts: 7 units of 8 prompts" in lines
    assert "left: 50 images to make, 50 scores, 7 files" in lines
    (row,) = (line.split() for line in lines if line.startswith("toys.py:draw"))
    assert row[1:3] == ["1", "50"]
    assert 0.02 <= float(row[3]) < 0.03
    assert "an estimate, from 2 timed batches of up to 4 images" in lines
    assert any(line.startswith("in all:") and "processor hours" in line for line in lines)
    assert "keep_images=true" in ran.out
    assert lines[-1] == "next: flasheval run with the same words, out=r"
    assert not (toys / "r").exists()


def test_as_in_python(run, toys):
    ran = run("doctor", *WORDS, SCORER, "sample=false")
    scorer = {"name": "function", "function": "toys.py:mean"}
    settings = {"out": Path("r"), "work": WorkSettings(device="cpu", batch=4), "chunk": 8}
    found = diagnose(
        read_population("toys.yaml"), "prompts.txt", [scorer], sample=False, **settings
    )
    free = re.compile(r"[\d.]+ GB free")  # which others change meanwhile
    shown = as_text(found.view(), width=80)
    wanted = free.sub("", shown)
    assert free.sub("", ran.out)[: len(wanted)] == wanted


def test_a_problem_is_exit_code_1_and_its_line_says_what(run, toys):
    _population(toys, "boom", "draw")
    ran = run("doctor", *WORDS, 'scorers=[{name:function,function:"toys.py:mean"},clipp]')
    assert ran.code == 1
    assert ran.err == ""
    lines = ran.out.splitlines()
    assert lines[0].startswith("2 problems; about")
    assert lines[0].endswith("without 1 variant not timed")
    assert "problem  variant boom: RuntimeError: no luck" in lines
    said = " ".join(ran.out.split())
    assert "problem scorer clipp" in said
    assert "did you mean 'clip'" in said
    assert lines[-1].startswith("solve the problems")


def test_without_a_sample_there_are_counts_and_no_times(run, toys):
    _population(toys, "boom", "draw")  # not found out, as nothing is made
    ran = run("doctor", *WORDS, SCORER, "sample=false", "keep_images=true")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("All is there\n")
    assert "left: 100 images to make, 100 scores, 28 files" in ran.out
    assert "hours" not in ran.out
    assert "s/image" not in ran.out


def test_texts_longer_than_clip_reads_are_told_before_and_after(run, toys):
    (toys / "long.txt").write_text("a cat\n" + "a long cat " * 40)
    words = [*WORDS, "prompts=long.txt", SCORER]
    for verb in ("doctor", "run"):
        ran = run(verb, *words)
        assert ran.code == 0, ran.err
        said = "reads 77 tokens: about 1 of 2 texts (50%, an estimate from words) are longer"
        assert said in " ".join(ran.out.split())


def test_prompts_that_would_be_cut_can_be_left_out(run, toys, tiny_models):
    (toys / "long.txt").write_text("a cat\na dog\n" + "a long cat " * 40)
    scorer = f"scorers=[{{name:clip,checkpoint:{tiny_models['clip']}}}]"
    words = [*WORDS, "prompts=long.txt", scorer, "sample=false"]
    told = run("doctor", *words)
    assert "scorer CLIP reads 77 tokens: 1 of 3 texts (33%) are longer" in " ".join(
        told.out.split()
    )
    left = run("doctor", *words, "whole_texts=true")
    assert "1 that would be cut are left out" in left.out
    assert "x 2 prompts" in left.out
    (toys / "long.txt").write_text("a long cat " * 40)
    none = run("doctor", *words, "whole_texts=true")
    assert none.code == 1
    assert "all 1 texts are longer than what reads them" in " ".join(none.out.split())


def test_settings_that_cannot_be(run, toys):
    run("doctor").one_line("population is missing")
    run("doctor", "population=toys.yaml").one_line("prompts is missing")
    run("doctor", *WORDS, SCORER, "image_format=bmp").one_line("image_format", "bmp")
    ran = run("doctor", *WORDS, SCORER, "limit=0")
    assert ran.code == 1
    assert "limit=0: expected at least 1 prompt" in ran.out + ran.err


def test_before_and_after_a_run(toys):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    def flasheval(verb: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "flasheval", verb, *WORDS, SCORER, *words],
            cwd=toys,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    flasheval("run", "limit=48")
    said = flasheval("doctor")
    assert "folder r: a run to go on with" in said
    assert "left: 2 images to make, 2 scores, 1 file" in said


def test_a_pilot_says_how_to_divide_a_budget(run, toys):
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 1, (3, 40, 1)) + rng.normal(0, 2, (3, 40, 2))
    ids, seeds = [str(i) for i in range(40)], ImageSeeds(0)
    matrix = ScoreMatrix.from_images("clip", scores, ["a", "b", "c"], ids, seeds=seeds)
    load_scores(matrix).save(toys / "pilot")
    ran = run("doctor", "pilot=pilot", "budget=120")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("for 120 images: 40 prompts x 3 images, or ")
    assert "the error of a difference in clip is 0." in ran.out

    ran = run("doctor", *WORDS, SCORER, "pilot=pilot", "budget=2s")
    assert ran.code == 0, ran.err
    assert "\nfor 2 seconds: " in ran.out
    run("doctor", "pilot=pilot").one_line("pilot and budget go together")
    run("doctor", "pilot=pilot", "budget=lots").one_line("budget=lots: expected images, as 200")
    run("doctor", "pilot=pilot", "budget=9s").one_line("how long an image takes is not known")
