"""The command as a user meets it: the words before a verb, its help, and real processes."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flasheval import __version__
from flasheval.cli import main
from flasheval.cli.verbs import VERBS

ROOT = Path(__file__).resolve().parents[1]


def flasheval(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flasheval", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_names_the_verbs(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    out = capsys.readouterr().out
    for verb in ("search", "validate", "import", "show"):
        assert f"\n  {verb} " in out
    assert max(map(len, out.splitlines())) <= 82


def test_help_is_quick_and_light(tmp_path: Path) -> None:
    code = (
        "import sys; from flasheval.cli import main; main(['--help']); main(['search', '--help']);"
        "heavy = 'hydra', 'omegaconf', 'numpy', 'numba', 'rich', 'pyarrow', 'matplotlib';"
        "print([m for m in heavy if m in sys.modules])"
    )
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert time.perf_counter() - begun < 1


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"flasheval {__version__}\n"


@pytest.mark.parametrize(("verb", "nearest"), [("serch", "search"), ("imprt", "import")])
def test_an_unknown_verb_gets_a_suggestion(
    verb: str, nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb]) == 2
    err = capsys.readouterr().err
    verbs = ", ".join(VERBS)
    assert err == (
        f"flasheval: error: no verb '{verb}'; there are: {verbs}; did you mean '{nearest}'?\n"
    )


def test_a_search_from_a_shell(tmp_path: Path) -> None:
    words = "size=10", "metric=Quality", "method=pooled", "progress=false"
    done = flasheval("search", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0] == "miniature: small models of a drawn world, which travel with flasheval"
    shown = flasheval("show", "flasheval-runs", cwd=tmp_path)
    assert "miniature-Quality-pooled" in shown.stdout
    # The line that says how to use it is true.
    (line,) = (line for line in lines if line.startswith("use it: "))
    code = f"import flasheval; print({line.removeprefix('use it: ')}.size)"
    used = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert used.stdout == "10\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["sise=10"], "sise is not a key; did you mean 'size'?"),
        (
            ["method=balanced", "method.n_set=5"],
            "method balanced has no setting n_set; there are: noise_weight, passes, screen",
        ),
        (["size=ten"], "size=ten: expected a whole number"),
        (["-m", "sise=10,20"], "sise is not a key; did you mean 'size'?"),
    ],
)
def test_a_misspelt_setting_is_one_line(tmp_path: Path, words: list[str], line: str) -> None:
    done = flasheval("search", *words, cwd=tmp_path)
    assert (done.returncode, done.stderr, done.stdout) == (2, f"flasheval: error: {line}\n", "")
    assert not list(tmp_path.iterdir())


def test_hydra_shows_everything_when_asked(tmp_path: Path) -> None:
    done = flasheval("search", "sise=10", cwd=tmp_path, HYDRA_FULL_ERROR="1")
    assert done.returncode != 0
    assert "Traceback" in done.stderr
    assert "ConfigAttributeError" in done.stderr


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    reader.wait()
    process = subprocess.run(
        [sys.executable, "-m", "flasheval", "search", "splits=null", "size=5", "method=random"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=reader.stdin,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert "Traceback" not in process.stderr


class _ClosedPipe(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["search", "--help"],
        ["rank", "--cfg", "job"],
    ],
)
def test_output_that_nobody_reads_is_no_bug(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # what Python makes of `>&-`
    assert main(words) == 0
    monkeypatch.setattr(sys, "stdout", _ClosedPipe())  # `| head -1`, once head has ended
    assert main(words) == 1
    assert capsys.readouterr().err == ""


def test_ascii_output_loses_a_sign_not_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s.csv").write_text("prompt_id,café,b\n1,0.5,0.25\n2,0.75,0.5\n", "utf-8")
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii"))
    assert main(["rank", f"scores={tmp_path / 's.csv'}", "draws=10"]) == 0
    assert b"caf?" in written.getvalue()
