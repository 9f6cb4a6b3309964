"""The blocks of code of a page, and how they are run: Python here, command lines in this process.

A block of Python or of a shell's commands is run unless the line before it says why not:
``<!-- not run: needs weights -->``. A block of text after ``<!-- output -->`` is what the block
before it prints. A block of Python, YAML or TOML that begins with a line ``# NAME.py`` (or
``.yaml``) is written to that file too, for those below it.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from flasheval.base.resources import conf_dir
from flasheval.cli import main
from flasheval.cli.help import COMMON, keys_of
from flasheval.cli.verbs import VERBS

__all__ = ["Block", "Reader", "alike", "blocks_of", "check_words", "flasheval_lines", "words_of"]

RUN_KINDS = ("python", "bash")
_MARK = re.compile(r"^<!-- (?P<what>not run: [^\n]+|output|command: \w+) -->$")
_FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^# (?P<name>[\w.-]+\.(?:py|yaml|toml))$")
# The shell tells what words flasheval gets, so that its braces, quotes and stars are real ones.
_SHELL = """
flasheval() { printf '%s\\0' "$@" >> "$RECORD"; printf '\\n\\0' >> "$RECORD"; }
jq() { cat > /dev/null; }
"""
_INTO = re.compile(r"flasheval [^|&>]*> (?P<file>[\w./-]+)")
_NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?")
_HASH = re.compile(r"-[0-9a-f]{8}\b")  # of a folder's path, in the name of a run folder
_TIME = re.compile(r"\b[\d.,]+ (?:s|ms|min|h)\b")


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind (``bash``), its text, its mark, and the line where it begins."""

    kind: str
    code: str
    mark: str
    line: int

    @property
    def is_run(self) -> bool:
        """Whether it is code that a test runs."""
        marked = self.mark.startswith(("not run: ", "command: test"))
        return self.kind in RUN_KINDS and not marked

    @property
    def file(self) -> str | None:
        """The file that its first line names, if it does."""
        found = _FILE.match(self.code.partition("\n")[0])
        return found["name"] if found else None


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        before = text[: match.start()].splitlines()
        mark = _MARK.match(before[-1]) if before else None
        found.append(
            Block(match["kind"], match["code"], mark["what"] if mark else "", len(before) + 1)
        )
    return found


def flasheval_lines(code: str) -> list[str]:
    """Return the command lines of a shell's block, those that go on with a backslash joined."""
    joined = re.sub(r"\\\n\s*", "", code)
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def words_of(line: str, folder: Path) -> list[list[str]]:
    """Run a command line in bash; return the words that each ``flasheval`` in it was given."""
    record = folder / ".words"
    record.write_bytes(b"")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", _SHELL + line],
        cwd=folder,
        env={**os.environ, "RECORD": str(record)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    words = record.read_text("utf-8")
    record.unlink()
    calls = words.split("\n\0")
    return [call.split("\0")[:-1] for call in calls[:-1]]


def check_words(words: Sequence[str]) -> None:
    """Refuse a verb or a key that flasheval does not have, without running anything."""
    verb, *rest = words
    assert verb in VERBS or verb.startswith("-"), f"{verb}: no such verb"
    if verb not in VERBS:
        return
    known = {*keys_of(conf_dir() / f"{verb}.yaml"), *keys_of(conf_dir() / COMMON), "hydra"}
    for choice in VERBS[verb].choices:
        known.add(choice.group)
        for path in (conf_dir() / choice.group).glob("*.yaml"):
            known |= set(keys_of(path))
    for path in (conf_dir() / "importer").glob("*.yaml") if verb == "import" else ():
        known |= set(keys_of(path))
    for word in rest:
        key = re.match(r"\+*([A-Za-z_]\w*)(?:[./][\w./]+)?=", word)
        assert key is None or key[1] in known, f"{verb}: no key {key[1]}"


class Reader:
    """Somebody who types a page's blocks one after another, in one folder and one Python."""

    def __init__(
        self, page: str, folder: Path, quick: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        """Begin in ``folder``, which is the working directory; ``page`` names it in errors.

        ``quick`` are words that a verb gets beside those typed, where these have not their keys.
        """
        self.quick = quick or {}
        self.page = page
        self.folder = folder
        module = ModuleType("page")  # dataclasses look their own module up
        sys.modules["page"] = module
        self.names = module.__dict__
        self.printed = ""

    def read(self, block: Block) -> None:
        """Do what a block says; `printed` is what it printed."""
        if block.file:
            (self.folder / block.file).write_text(block.code, "utf-8")
        if not block.is_run:
            return
        where = f"{self.page}:{block.line}"
        with self._printing():
            if block.kind == "python":
                exec(compile(block.code, where, "exec"), self.names)  # noqa: S102 - our own pages
            else:
                for line in flasheval_lines(block.code):
                    self._type(line, where)

    def _type(self, line: str, where: str) -> None:
        if line.startswith("pip install "):
            _, both, line = line.partition(" && ")
            if not both:
                return
        into = _INTO.search(line)
        for words in words_of(line, self.folder):
            keys = {word.partition("=")[0] for word in words}
            more = [w for w in self.quick.get(words[0], ()) if w.partition("=")[0] not in keys]
            before = sys.stdout.tell()
            code = main([*words, *more])
            assert code == 0, f"{where}: flasheval {' '.join(words)}: exit code {code}"
            if into:
                sys.stdout.seek(before)
                (self.folder / into["file"]).write_text(sys.stdout.read(), "utf-8")
                into = None

    @contextlib.contextmanager
    def _printing(self) -> Iterator[None]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            yield
        self.printed = out.getvalue()


def alike(shown: str, printed: str) -> str:
    """Say how a page's output differs from what is printed; nothing where it does not.

    Space is free, so that lines may be folded; so are seconds. Numbers may differ by a hundredth of
    themselves, as they do between processors. A line ``...`` stands for any number of lines.
    """
    parts = [_plain(part) for part in re.split(r"^\.\.\.$", shown, flags=re.MULTILINE)]
    rest = _plain(printed)
    for number, part in enumerate(one for one in parts if one):
        starts = range(len(rest)) if number else [0]
        found = next((one for one in starts if _same(part, rest[one:])), None)
        if found is None:
            return f"shown:\n{' '.join(part)}\n\nprinted:\n{' '.join(rest)}"
        rest = rest[found + len(part) :]
    return f"further:\n{' '.join(rest)}" if rest and not shown.rstrip().endswith("...") else ""


def _plain(text: str) -> list[str]:
    return _HASH.sub("-HASH", _TIME.sub("TIME", text)).split()


def _same(part: Sequence[str], rest: Sequence[str]) -> bool:
    return len(rest) >= len(part) and all(map(_near, part, rest))


def _near(a: str, b: str) -> bool:
    if a == b:
        return True
    if _NUMBER.sub("#", a) != _NUMBER.sub("#", b):
        return False
    pairs = zip(_NUMBER.findall(a), _NUMBER.findall(b), strict=True)
    return all(_close(*(float(one.replace(",", "")) for one in pair)) for pair in pairs)


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= max(0.01 * max(abs(a), abs(b)), 0.002)
