import csv
import shutil
from pathlib import Path

import pytest

from flasheval.base.errors import DataError

pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="joblib launcher not installed")

SWEEP = ("-m", "scores=scores", "metric=clip")


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_sweep_ends_in_one_table(run, tmp_path, scores, launcher):
    words = ("size=4,6", "method=frequency,balanced", f"hydra/launcher={launcher}")
    ran = run("search", *SWEEP, *words, "out=sweep")
    assert ran.code == 0, ran.err
    rows = rows_of(tmp_path / "sweep")
    assert [(row["method"], row["size"]) for row in rows] == [
        ("frequency", "4"),
        ("balanced", "4"),
        ("frequency", "6"),
        ("balanced", "6"),
    ]
    assert len({row["folder"] for row in rows}) == 4
    for row in rows:
        assert (tmp_path / row["folder"] / "subset.json").exists()
        assert -1 <= float(row["held_out_tau"]) <= 1
    lines = ran.out.splitlines()
    assert [line.split()[0] for line in lines[1:5]] == [row["method"] for row in rows]
    assert "table: sweep/sweep.csv" in lines
    assert max(map(len, lines)) <= 80


def test_the_same_sweep_finds_its_folder(run, tmp_path, scores):
    for _ in range(2):
        assert run("search", *SWEEP, "size=4,6").code == 0
    (sweep,) = (tmp_path / "flasheval-runs/search-sweep").iterdir()
    assert len([path for path in sweep.iterdir() if path.is_dir()]) == 2
    assert run("search", *SWEEP, "size=4,7").code == 0
    assert len(list((tmp_path / "flasheval-runs/search-sweep").iterdir())) == 2


def test_a_failing_job_does_not_stop_the_others(run, tmp_path, scores):
    ran = run("search", *SWEEP, "size=4,99,6", "out=sweep")
    assert ran.code == 2  # the worst of its jobs
    assert [row["size"] for row in rows_of(tmp_path / "sweep")] == ["4", "6"]
    errors = [line for line in ran.err.splitlines() if line.startswith("flasheval: error: ")]
    assert len(errors) == 2
    assert "size=99" in errors[0]
    assert errors[1] == "flasheval: error: 1 of 3 jobs failed"
    assert "Traceback" not in ran.err
    assert "failed" in ran.out


def test_a_bug_in_a_job_shows_its_traceback_and_the_others_go_on(
    run, tmp_path, scores, monkeypatch
):
    import flasheval.cli.commands.search as search

    real = search.run_search

    def sometimes(config, *rest, **more):
        if config.size == 4:
            raise ZeroDivisionError("a bug")
        return real(config, *rest, **more)

    monkeypatch.setattr(search, "run_search", sometimes)
    ran = run("search", *SWEEP, "size=4,6", "out=sweep")
    assert ran.code == 1
    assert "ZeroDivisionError: a bug" in ran.err
    assert [row["size"] for row in rows_of(tmp_path / "sweep")] == ["6"]


def test_a_swept_method_may_have_settings(run, tmp_path, scores):
    words = ("method=anneal,evolve", "method.inflation=3", "out=sweep")
    assert run("search", *SWEEP, *words, "splits=null").code == 0
    for row in rows_of(tmp_path / "sweep"):
        assert "inflation: 3.0\n" in (tmp_path / row["folder"] / "config/config.yaml").read_text()


def test_what_varies_beside_method_and_size_has_a_column(run, scores):
    ran = run("search", *SWEEP, "seed=0,1", "method=random", "out=sweep")
    lines = ran.out.splitlines()
    assert lines[0].split()[-1] == "settings"
    assert [line.split()[-1] for line in lines[1:3]] == ["seed=0", "seed=1"]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["sise=4,6"], ["sise", "did you mean 'size'?"]),
        (["size=4,six"], ["size=six", "whole number"]),
        (["method=balanced,balance"], ["method=balance", "did you mean 'balanced'?"]),
        (["method=anneal,random", "method.swaps=3"], ["method random has no setting swaps"]),
        (["size=4,6", "hydra/launcher=joblob"], ["hydra/launcher=joblob", "'joblib'"]),
        (["size=4,6", "out=/proc/nowhere"], ["out=/proc/nowhere"]),
    ],
    ids=" ".join,
)
def test_a_mistake_in_a_sweep_is_one_line_too(run, tmp_path, scores, words, parts):
    ran = run("search", *SWEEP, *words)
    ran.one_line(*parts)
    assert not (tmp_path / "flasheval-runs").exists()
    assert not (tmp_path / "multirun").exists()


def test_only_searches_are_swept(run, scores):
    assert run("show", "scores", "-m").one_line("-m").count("flasheval show") == 1


@pytest.mark.parametrize("out", ["p.txt", "./link.txt", "sub.json"])
def test_an_output_that_is_an_input_is_refused(run, tmp_path, scores, out):
    prompts = tmp_path / "p.txt"
    prompts.write_text("A cat.\nA dog.\n")
    (tmp_path / "link.txt").symlink_to(prompts)
    assert run("search", "scores=scores", "metric=clip", "size=4", "out=s").code == 0
    shutil.copy(tmp_path / "s/subset.json", tmp_path / "sub.json")
    before = {one: one.read_bytes() for one in (prompts, tmp_path / "sub.json")}
    ran = run("subsets", "export", "sub.json", "prompts=p.txt", "format=csv", f"out={out}")
    ran.one_line(f"out={out}", "would be overwritten")
    assert ran.code == 2
    assert {one: one.read_bytes() for one in before} == before


def test_a_late_error_keeps_what_was_done(run, tmp_path, scores, monkeypatch):
    def full(*_, **__):
        raise DataError("cannot write s/agreement.png: No space left on device")

    monkeypatch.setattr("flasheval.report.search_folder.save_png", full)
    ran = run("search", "scores=scores", "metric=clip", "size=4", "out=s")
    ran.one_line("No space left")
    assert (tmp_path / "s/subset.json").is_file()
    assert any((tmp_path / "s/units").iterdir())
