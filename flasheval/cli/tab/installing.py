"""`flasheval completion`: Tab completion for the shell, put in place or taken out again."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import atomic_write
from flasheval.base.suggest import nearest
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.configs import CompletionConfig
from flasheval.cli.exit_codes import DONE, FAILED
from flasheval.cli.tab.scripts import SCRIPTS

__all__ = ["ACTIONS", "run_completion"]

ACTIONS = ("install", "uninstall", "show")
"""What `flasheval completion` does; its row in `flasheval.cli.verbs` has the same."""

_BEGIN = "# >>> flasheval completion >>>"
_NOTE = "# written by flasheval completion install; flasheval completion uninstall removes it"
_END = "# <<< flasheval completion <<<"


def run_completion(config: CompletionConfig, context: Context) -> Outcome:
    """Print, install or uninstall the script of a shell, and return the outcome.

    Nothing but flasheval's own marked lines is ever written or removed.

    Raises FlashevalError for an unknown action or shell, and a file that cannot be written.
    """
    if config.action not in ACTIONS:
        raise SettingError(
            f"there is no action {config.action!r} of completion; there are: {', '.join(ACTIONS)}"
            f"{nearest(config.action, ACTIONS)}"
        )
    shell = _shell(config.shell)
    result = {"kind": "completion", "schema": 1, "action": config.action, "shell": shell}
    if config.action == "show":
        sys.stdout.write(SCRIPTS[shell])
        said = f"the script for {shell}"
        return Outcome(DONE, answer=Answer({**result, "script": SCRIPTS[shell]}, said))
    path = _place(shell)
    code, said = _change(config, shell, path)
    print(said)
    if code == DONE and config.action == "install":
        print("undo: flasheval completion uninstall" + (f" shell={shell}" if config.shell else ""))
    return Outcome(code, answer=Answer(result, said, files={"completion": path}))


def _change(config: CompletionConfig, shell: str, path: Path) -> tuple[int, str]:
    """Write or remove our lines; return the exit code and what to say."""
    before = _read(path)
    rest = _without_block(before, path)
    if config.action == "uninstall":
        if rest == before:
            return DONE, f"nothing to remove: {path} has no lines of flasheval completion"
        what, after = f"remove flasheval's lines from {path}", rest
    else:
        what, after = f"write flasheval's lines to {path}", _with_block(rest, SCRIPTS[shell])
        if after == before:
            return DONE, f"{path} has them already; open a new {shell}"
    if not _agreed(what, config.yes):
        return FAILED, "nothing was changed"
    _write(path, after)
    return DONE, f"done: {path}; open a new {shell}"


def _shell(named: str | None) -> str:
    """Return the shell that is named, else the user's own."""
    own = Path(os.environ.get("SHELL", "")).name
    shell = named or own
    if shell not in SCRIPTS:
        said = f"shell={named}" if named else f"your shell, {own or 'which SHELL does not name'}"
        raise SettingError(
            f"{said}: expected one of {', '.join(SCRIPTS)}{nearest(shell, SCRIPTS)}; "
            "say which by shell=NAME"
        )
    return shell


def _place(shell: str) -> Path:
    """Return the file that the shell reads when it starts; of fish one of our own."""
    home = Path.home()
    if shell == "fish":
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        return config / "fish" / "completions" / "flasheval.fish"
    if shell == "zsh":
        return Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
    return home / ".bashrc"


def _read(path: Path) -> str:
    """Return a file's text, every byte of it kept; empty where there is none yet."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else ""
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _with_block(text: str, script: str) -> str:
    gap = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{gap}{_BEGIN}\n{_NOTE}\n{script}{_END}\n"


def _without_block(text: str, path: Path) -> str:
    """Return a file's text without our lines. Raises DataError where they have no end."""
    start = text.find(_BEGIN)
    if start < 0:
        return text
    end = text.find(f"{_END}\n", start)
    if end < 0 or _BEGIN in text[start + 1 : end]:
        raise DataError(
            f'{path}: after "{_BEGIN}" there is no "{_END}"; remove those lines by hand'
        )
    return text[:start] + text[end + len(_END) + 1 :]


def _agreed(what: str, yes: bool) -> bool:
    """Tell whether the user agrees. Raises SettingError where nobody can be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise SettingError(f"this would {what}; add yes=true to do it")
    try:
        return input(f"{what}? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _write(path: Path, text: str) -> None:
    """Write a file with the rights it had; our own that is empty now goes."""
    if not text and path.suffix == ".fish":
        path.unlink(missing_ok=True)
        return
    with atomic_write(path) as temporary:
        temporary.write_bytes(text.encode("utf-8", "surrogateescape"))
        if path.exists():
            shutil.copymode(path, temporary)
