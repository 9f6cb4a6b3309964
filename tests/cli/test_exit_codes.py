"""The exit codes as a shell sees them: 0 done, 1 work that failed, 2 a mistake in the settings."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flasheval.base.errors import (
    ConflictError,
    DataError,
    FlashevalError,
    MissingScoresError,
    SettingError,
)
from flasheval.cli import main
from flasheval.cli.exit_codes import BAD_SETTING, DONE, FAILED, INTERRUPTED, code_of

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("method=random", "splits=null", "size=5", "curve=null", "calibrate=false")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("prompt_id,a\n1,x\n")


def test_the_codes() -> None:
    assert (DONE, FAILED, BAD_SETTING, INTERRUPTED) == (0, 1, 2, 130)
    assert code_of(SettingError("size=0")) == BAD_SETTING
    for error in (FlashevalError, DataError, MissingScoresError, ConflictError):
        assert code_of(error("a file")) == FAILED


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (DONE, ["--help"]),
        (DONE, ["show", "--help"]),
        (DONE, ["search", *QUICK]),
        (FAILED, ["search", "scores=nowhere.csv"]),
        (FAILED, ["search", "scores=bad.csv"]),
        (FAILED, ["show", "nowhere"]),
        (FAILED, ["status", "nowhere"]),
        (FAILED, ["compare", "bad.csv", "bad.csv"]),
        (BAD_SETTING, ["serch"]),
        (BAD_SETTING, ["search", "sise=3"]),
        (BAD_SETTING, ["search", "size=three"]),
        (BAD_SETTING, ["search", "method=balance"]),
        (BAD_SETTING, ["search", "--sise", "3"]),
        (BAD_SETTING, ["search", "size=0"]),
        (BAD_SETTING, ["search", "draws=0"]),
        (BAD_SETTING, ["search", "expect=foo"]),
        (BAD_SETTING, ["search", "metric=Foo"]),
        (BAD_SETTING, ["search", "splits=group:colour"]),
        (BAD_SETTING, ["search", "require=[1,1]"]),
        (BAD_SETTING, ["validate", "metric=Foo"]),
        (BAD_SETTING, ["validate", "incomplete=keep"]),
        (BAD_SETTING, ["show", "miniature", "metric=Foo"]),
        (BAD_SETTING, ["show"]),
        (BAD_SETTING, ["show", "miniature", "-m"]),
        (BAD_SETTING, ["run", "prompts=a.txt"]),
        (BAD_SETTING, ["doctor"]),
        (BAD_SETTING, ["evaluate"]),
        (BAD_SETTING, ["watch"]),
        (BAD_SETTING, ["distance"]),
        (BAD_SETTING, ["report"]),
        (BAD_SETTING, ["publish"]),
        (BAD_SETTING, ["import"]),
        (BAD_SETTING, ["import", "long"]),
        (BAD_SETTING, ["compare", "a.json"]),
        (BAD_SETTING, ["subsets", "lst"]),
        (BAD_SETTING, ["subsets", "export", "coco-shared-50", "format=docx"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_command_line_ends_with_its_code(
    code: int, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == code
    err = capsys.readouterr().err
    assert err.count("\n") == (code != DONE), err


@pytest.mark.parametrize(
    ("code", "sizes"), [(DONE, "4,5"), (BAD_SETTING, "0,5"), (BAD_SETTING, "5,0")]
)
def test_a_sweep_ends_with_the_worst_code_of_its_jobs(code: int, sizes: str) -> None:
    words = [word for word in QUICK if not word.startswith("size")]
    assert main(["search", "-m", f"size={sizes}", *words]) == code


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (BAD_SETTING, ["search", "size=0"]),
        (BAD_SETTING, ["subsets", "lst"]),
        (FAILED, ["search", "scores=nowhere.csv"]),
    ],
)
def test_a_process_ends_with_its_code(code: int, words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flasheval", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("flasheval: error: ")
