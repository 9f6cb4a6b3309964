"""A command line in this process, in a folder of its own, with scores to work on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from flasheval.cli import main
from flasheval.scores import ScoreTable

# Enough to go through every part of a search, and little enough to take a moment.
QUICK = ("method=balanced", "splits=random:2", "curve=null", "draws=10", "size=5")


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    def one_line(self, *parts: str) -> str:
        """The one line on standard error of a command that failed, holding every part."""
        assert self.code != 0
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("flasheval: error: ")
        assert "Traceback" not in self.err
        for part in parts:
            assert part in self.err, self.err
        return self.err


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASHEVAL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """A function: run("search", "size=5") in tmp_path; quick=False for the defaults."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(verb: str, *words: str, quick: bool = True) -> Ran:
        given = {word.partition("=")[0] for word in words}
        more = [word for word in QUICK if word.partition("=")[0] not in given]
        capsys.readouterr()
        code = main([verb, *(more if quick and verb == "search" else []), *words])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def scores(tmp_path: Path, make_table: Callable[..., ScoreTable]) -> ScoreTable:
    """A table of 24 variants, 60 prompts and the metrics clip and fid (lower is better)."""
    table: ScoreTable = make_table(24, 60, ("clip", "fid"), lower_is_better=("fid",))
    table.save(tmp_path / "scores")
    return table
