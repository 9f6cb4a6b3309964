import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flasheval.generators.python_objects import ObjectSettings
from flasheval.prompts import PromptSet
from flasheval.runs.run import run as make


def _searched(run, *words):
    ran = run("search", "scores=scores", "out=mine", "calibrate=false", *words)
    assert ran.code == 0, ran.err


@pytest.fixture
def no_pictures(monkeypatch):
    """Draw no PNG, for speed."""
    monkeypatch.setattr("flasheval.report.page.writing.png_bytes", lambda plot: b"")


def test_a_report_of_a_run_lies_in_its_folder_and_scores_may_move(run, scores):
    _searched(run, "metric=clip")
    ran = run("report", "mine")
    assert ran.code == 0, ran.err
    assert "page:  mine/report.html (" in ran.out
    assert "plots: mine/report-plots/" in ran.out
    assert "not shown" not in ran.out
    assert "a thing numbered" in Path("mine/report.html").read_text("utf-8")
    assert len(list(Path("mine/report-plots").glob("*.png"))) == 9
    Path("scores").rename("moved")
    ran = run("report", "mine")
    assert ran.code == 0
    said = " ".join(ran.out.split())
    assert "its search's scores cannot be used" in said
    assert "add scores=PATH" in said
    run("report", "mine", "scores=scores").one_line("scores")


@pytest.mark.usefixtures("no_pictures")
def test_a_manifest_takes_scores_and_a_place_of_its_own(run, scores):
    """A bare file of scores says no direction: the manifest does."""
    _searched(run, "metric=fid", "name=nice")
    ran = run("report", "mine/subset.json")
    assert "scores=PATH" in ran.out
    assert Path("nice-report.html").is_file()
    pd.read_parquet("scores/scores/fid.parquet").to_csv("fid.csv", index=False)
    words = ("scores={fid: fid.csv}", "prompts=scores/prompts.parquet")
    ran = run("report", "mine/subset.json", *words, "out=there")
    assert ran.code == 0, ran.err
    assert Path("there/report.html").is_file()
    assert "not shown" not in ran.out
    times = {f"v{place}": 0.5 + place for place in range(23)}
    Path("times.json").write_text(json.dumps(times))
    ran = run("report", "mine/subset.json", *words, "seconds=times.json", "out=timed")
    assert "times.json: none for 1 of 24 variants (v23)" in ran.out
    assert "seconds an image" in Path("timed/report.html").read_text("utf-8")
    assert "seconds an image" not in Path("there/report.html").read_text("utf-8")
    run("report", "coco-clip-50", "seconds=times.json").one_line("add scores=PATH")
    assert run("report", "mine/subset.json", "out=page.HTML").code == 0
    assert Path("page.HTML").is_file()


def test_mistakes_are_one_line(run, scores):
    run("report").one_line("path is missing")
    run("report", "nowhere").one_line("nowhere")
    run("report", "scores").one_line("holds scores")
    _searched(run)
    run("report", "mine", "metric=hps").one_line("metric=hps", "clip, fid")
    run("report", "mine", "images=scores").one_line("holds no run")


@pytest.mark.usefixtures("no_pictures")
def test_images_that_a_run_kept_are_shown(run, tmp_path):
    class Grey:
        name, version, higher_is_better = "grey", "1", True

        def score(self, images, prompts):
            return [float(np.asarray(image).std()) for image in images]

    def drawer(level):
        rng = np.random.default_rng(level)
        return ObjectSettings(
            lambda prompts, seeds: [
                rng.integers(0, 50 + 20 * level, (8, 8, 3), dtype="u1") for _ in prompts
            ],
            version=str(level),
        )

    prompts = PromptSet("things", tuple("abcdefgh"), tuple(f"thing {i}" for i in range(8)))
    population = {f"v{level}": drawer(level) for level in range(6)}
    make(population, prompts, [Grey()], out=tmp_path / "run", keep_images=True, device="cpu")
    assert run("search", "scores=run", "out=mine", "size=3").code == 0
    ran = run("report", "mine", "scores=run")
    assert ran.code == 0, ran.err
    text = Path("mine/report.html").read_text("utf-8")
    assert text.count("<img ") == 9
    assert run("report", "mine", "out=plain.html").code == 0  # the search's scores say which run
    assert Path("plain.html").read_text("utf-8").count("<img ") == 9
    for kept in (tmp_path / "run" / "images").rglob("*"):
        kept.unlink() if kept.is_file() else None
    ran = run("report", "mine", "out=without.html")
    assert ran.code == 0, ran.err
    assert "not shown: images: " in ran.out
    assert "<img " not in Path("without.html").read_text("utf-8")
