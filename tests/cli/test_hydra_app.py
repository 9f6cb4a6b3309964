"""Options and overrides, through `main`, up to where the work would begin."""

from pathlib import Path

import pytest

from flasheval.cli import main


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("foo", "foo: expected key=value"),
        ("=3", "=3: expected key=value"),
        ("+foo=1", "foo is not a key; there are: method, scores"),
        ("+method.foo=1", "method auto has no setting foo; there are: expect"),
        ("~size", "~size: a setting can be changed, not deleted"),
        ("size=", "size=: expected a whole number"),
        ("size=null", "size=null: expected a whole number"),
        ("size=1.5", "size=1.5: expected a whole number"),
        ("nested=10", "nested=10: expected a list of whole numbers"),
        ("nested=[a]", "nested: 'a' is in it; expected a list of whole numbers"),
        ("metric=a,b", "metric=a,b: one value expected; write metric=[a,b] for a list, or add -m"),
        ("size=range(1,3)", "size=range(1,3): several values; add -m to run each"),
        ("method=balance", "method=balance: there is no such method; there are: anchors"),
        ("method=null", "method=null: expected one name"),
        ("method=[random,shared]", "expected one name, as in method=NAME"),
        ("method.name=shared", "a method is chosen by method=shared"),
        ("method=frequency method.replace=perhaps", "method.replace=perhaps: expected true or"),
        ("method=frequency method.keep=much", "method.keep=much: expected a number"),
        ("method=random method.swaps=1", "method random has no setting swaps; it has none"),
        ("experiment=trainin-loop", "did you mean 'training-loop'?"),
        ("hydra/launcher=joblob", "there is no such launcher"),
        ("hydra.runn=1", "hydra has no setting runn; did you mean 'run'?"),
        ("hydra.mode=MULTIRUN", "-m runs a sweep"),
        ("--cgf job", "--cgf: there is no such option; keys are written key=value, without"),
        ("--cfg jobs", "invalid choice: 'jobs'"),
        ("--cfg job -m", "leave out -m"),
        ("--cfg job sise=1", "sise is not a key"),
        ("--config-dir nowhere", "--config-dir nowhere is not a folder"),
        ("--config-path nowhere", "--config-path and --config-name are fixed"),
        ("--experimental-rerun a.pickle", "pickled"),
    ],
)
def test_a_mistake_is_one_line(
    words: str, line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["search", *words.split()]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("flasheval: error: ")
    assert line in captured.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["search", "--cfg", "job", "size=7"], "size: 7\n"),
        (["search", "size=7", "--cfg", "job", "seed=3"], "size: 7\n"),
        (["search", "--cfg", "job", "scores=a (b).csv"], "scores: a (b).csv\n"),
        (["search", "--cfg", "job", "scores=~/x"], f"scores: {Path.home()}/x\n"),
        (["search", "--cfg", "job", "splits=value:precision=_6,_8"], "splits: value:precision="),
        (["search", "--cfg", "job", "-p", "method"], "name: auto\n"),
        (["show", "--cfg", "job", "a (b.csv"], "path: a (b.csv\n"),
        (["import", "--cfg", "job", "wide"], "importer: wide\n"),
        (["search", "--info", "searchpath"], "Config search path"),
        (["search", "--hydra-help"], "Hydra (1."),
    ],
)
def test_hydra_options_work(
    words: list[str], expected: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(words) == 0
    assert expected in capfd.readouterr().out
    assert not list(tmp_path.iterdir())


def test_joblib_is_set_to_the_cores(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    words = ["hydra/launcher=joblib", "--cfg", "hydra", "-p", "hydra.launcher"]
    assert main(["search", *words]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("n_jobs"))
    assert int(line.split()[1]) >= 2
