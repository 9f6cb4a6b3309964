"""The command line under ``json=true``: each document is checked against its schema."""

import json
from collections.abc import Callable
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

import flasheval.cli
from flasheval.base.drawing.terminal import Terminal
from flasheval.base.errors import FlashevalError
from flasheval.cli import main
from flasheval.cli.commands.context import Context
from flasheval.cli.commands.show import run_show
from flasheval.cli.configs import ShowConfig

SCHEMAS = Path(flasheval.cli.__file__).with_name("schemas")


@cache
def _validator(kind: str) -> Any:
    files = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    known = Registry().with_resources(
        (name, Resource.from_contents(one)) for name, one in files.items()
    )
    schema = files[f"{kind}.json"]
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, registry=known)


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


class Here:
    """The command line in a folder: returns the document, checked in every way there is."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys, self.err = folder, capsys, ""

    def __call__(self, *words: str) -> dict[str, Any]:
        self._capsys.readouterr()
        code = main([*words, "json=true"])
        captured = self._capsys.readouterr()
        self.err = captured.err
        document = json.loads(captured.out, parse_constant=no_constant)
        assert document["exit_code"] == code, captured.err
        _validator(document["kind"]).validate(document)
        return document

    def answer(self, *words: str, kind: str) -> dict[str, Any]:
        document = self(*words)
        assert document["kind"] == "answer", self.err
        assert document["verb"] == words[0]
        assert document["result"]["kind"] == kind
        assert document["headline"].strip()
        for path in document["files"].values():
            assert Path(path).exists(), path
        return document

    def shown(self, path: Path) -> str:
        """The first line that `show` prints of a file; of one that is not shown, the error."""
        stream = StringIO()
        try:
            run_show(ShowConfig(path=str(path)), Context(Terminal(file=stream)))
        except FlashevalError as error:
            return f"error: {error}"
        return stream.getvalue().splitlines()[0]


@pytest.fixture(scope="session")
def validator() -> Callable[[str], Any]:
    """A function: validator("result").validate(document)."""
    return _validator


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Here:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    return Here(tmp_path, capsys)
