import csv
import json
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
    titles = next(i for i, line in enumerate(lines) if line.startswith("method "))
    shown = lines[titles + 1 : titles + 5]
    assert [line.split()[0] for line in shown] == [row["method"] for row in rows]
    best = max(rows, key=lambda row: float(row["held_out_tau"]))
    assert ran.out.startswith(
        f"{best['method']}, {best['size']} prompts ranks unseen variants best"
    )
    assert "table: sweep/sweep.csv" in lines
    assert max(map(len, lines)) <= 80
    jobs = json.loads((tmp_path / "sweep/sweep.json").read_text())["jobs"]
    assert [str(job["size"]) for job in jobs] == [row["size"] for row in rows]
    assert "held-out tau" in (tmp_path / "sweep/sweep.md").read_text()
    assert (tmp_path / "sweep/sweep.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_sweep_finds_its_folder(run, tmp_path, scores):
    for _ in range(2):
        assert run("search", *SWEEP, "size=4,6").code == 0
    (sweep,) = (tmp_path / "flasheval-runs/search-sweep").iterdir()
    assert len(list(sweep.glob("scores-*"))) == 2
    assert run("search", *SWEEP, "size=4,7").code == 0
    assert len(list((tmp_path / "flasheval-runs/search-sweep").iterdir())) == 2


def test_the_same_sweep_does_only_what_is_left(run, tmp_path, scores, monkeypatch):
    import flasheval.cli.commands.search as search

    real, done = search.run_search, []

    def counted(config, *rest, **more):
        done.append(config.size)
        if config.size == 6 and len(done) == 2:
            raise KeyboardInterrupt
        return real(config, *rest, **more)

    monkeypatch.setattr(search, "run_search", counted)
    words = (*SWEEP, "size=4,6,4", "splits=null", "out=sweep")
    assert run("search", *words).code == 130
    first = run("search", *words)  # the first is done, the third is the first again
    assert (first.code, done) == (0, [4, 6, 6])
    assert first.err.count("done before: size=4") == 2
    again = run("search", *words)
    assert done == [4, 6, 6]
    assert again.out == first.out
    assert [row["size"] for row in rows_of(tmp_path / "sweep")] == ["4", "6"]

    shutil.rmtree(tmp_path / rows_of(tmp_path / "sweep")[0]["folder"])  # its result is gone
    run("search", *words)
    assert done == [4, 6, 6, 4]
    scores.save(tmp_path / "scores", overwrite=True)  # other scores, for all it knows
    run("search", *words)
    assert done == [4, 6, 6, 4, 4, 6]


def test_a_failing_job_does_not_stop_the_others(run, tmp_path, scores):
    ran = run("search", *SWEEP, "size=4,99,6", "out=sweep")
    assert ran.code == 2  # the worst of its jobs
    rows = rows_of(tmp_path / "sweep")
    assert [row["size"] for row in rows] == ["4", "", "6"]
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert "size=99" in rows[1]["error"]
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
    rows = rows_of(tmp_path / "sweep")
    assert [row["size"] for row in rows] == ["", "6"]
    assert rows[0]["error"] == "a bug: ZeroDivisionError: a bug"


def test_a_swept_method_may_have_settings(run, tmp_path, scores):
    words = ("method=anneal,evolve", "method.inflation=3", "out=sweep")
    assert run("search", *SWEEP, *words, "splits=null").code == 0
    for row in rows_of(tmp_path / "sweep"):
        assert "inflation: 3.0\n" in (tmp_path / row["folder"] / "config/config.yaml").read_text()


def test_what_varies_beside_method_and_size_has_a_column(run, scores):
    ran = run("search", *SWEEP, "seed=0,1", "method=random", "out=sweep")
    lines = ran.out.splitlines()
    titles = next(i for i, line in enumerate(lines) if line.startswith("method "))
    assert lines[titles].split()[-1] == "settings"
    assert [line.split()[-1] for line in lines[titles + 1 : titles + 3]] == ["seed=0", "seed=1"]


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


def test_what_is_not_swept_says_what_is(run, scores):
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
