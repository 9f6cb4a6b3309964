"""`flasheval completion`: only its own marked lines come and go."""

import re
from types import SimpleNamespace

import pytest

from flasheval.cli import main
from flasheval.cli.tab.scripts import SCRIPTS

OWN = b"# mine\r\nexport A=1\n\xff\xfe no UTF-8, no line feed at the end"


@pytest.fixture
def run(capsys):
    """Run a command line in this process."""

    def run(*words):
        code = main(list(words))
        said = capsys.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    return run


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/usr/bin/bash")
    for name in ("ZDOTDIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_show_prints_the_script(run, home):
    assert run("completion", "show", "shell=zsh").out == SCRIPTS["zsh"]
    assert run("completion").out == SCRIPTS["bash"]


@pytest.mark.parametrize("before", [None, b"", b"alias x=y\n", OWN])
def test_what_was_there_stays_to_the_byte(run, home, before):
    rc = home / ".bashrc"
    if before is not None:
        rc.write_bytes(before)
        rc.chmod(0o600)
    done = run("completion", "install", "yes=true")
    assert done.code == 0, done.err
    assert str(rc) in done.out
    written = rc.read_bytes()
    assert written.startswith(before or b"")
    assert SCRIPTS["bash"].encode() in written
    if before is not None:
        assert rc.stat().st_mode & 0o777 == 0o600
    assert "has them already" in run("completion", "install", "yes=true").out
    assert rc.read_bytes() == written
    rc.write_bytes(written.replace(b"complete -F", b"complete -X") + b"# after\n")  # an older one
    assert run("completion", "install", "yes=true").code == 0
    assert b"complete -X" not in rc.read_bytes()
    assert run("completion", "uninstall", "yes=true").code == 0
    gap = b"\n" if before and not before.endswith(b"\n") else b""
    assert rc.read_bytes() == (before or b"") + gap + b"# after\n"
    assert "nothing to remove" in run("completion", "uninstall").out


def _say(asked, word, prompt):
    asked.append(prompt)
    return word


def test_it_names_the_file_and_waits_for_a_yes(run, home, monkeypatch):
    done = run("completion", "install")
    assert done.code == 2
    assert f"this would write flasheval's lines to {home / '.bashrc'}; add yes=true" in done.err
    assert not (home / ".bashrc").exists()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked = []
    for word, code in (("n", 1), ("", 1), ("y", 0)):
        monkeypatch.setattr(
            "builtins.input", lambda prompt, word=word: asked.append(prompt) or word
        )
        assert run("completion", "install").code == code
        assert (home / ".bashrc").exists() == (code == 0)
    assert asked == [f"write flasheval's lines to {home / '.bashrc'}? [y/N] "] * 3


def test_fish_gets_a_file_of_its_own_and_zsh_its_folder(run, home, monkeypatch):
    fish = home / ".config" / "fish" / "completions" / "flasheval.fish"
    assert run("completion", "install", "shell=fish", "yes=true").code == 0
    assert SCRIPTS["fish"] in fish.read_text()
    assert run("completion", "uninstall", "shell=fish", "yes=true").code == 0
    assert not fish.exists()
    monkeypatch.setenv("ZDOTDIR", str(home / "z"))
    assert run("completion", "install", "shell=zsh", "yes=true").code == 0
    assert (home / "z" / ".zshrc").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["instal"], "there is no action 'instal' of completion; .* did you mean 'install'"),
        (["install", "shell=csh"], "shell=csh: expected one of bash, zsh, fish"),
    ],
)
def test_mistakes(run, home, words, said):
    done = run("completion", *words)
    assert done.code == 2
    assert re.search(said, done.err)


def test_lines_without_an_end_are_left_alone(run, home):
    (home / ".bashrc").write_text("# >>> flasheval completion >>>\nexport A=1\n")
    done = run("completion", "uninstall", "yes=true")
    assert done.code != 0
    assert "remove those lines by hand" in done.err
    assert "export A=1" in (home / ".bashrc").read_text()


def test_a_shell_nobody_names(run, home, monkeypatch):
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert "your shell, tcsh: expected one of" in run("completion", "show").err
