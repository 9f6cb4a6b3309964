"""What Tab offers, and that the names are those of the tables everything else reads."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time

import pytest

from flasheval.base.resources import bundled, conf_dir, score_names
from flasheval.cli.configs import EvaluateConfig
from flasheval.cli.help import keys_of
from flasheval.cli.tab.offers import answer, completions, offered
from flasheval.cli.tab.scripts import SCRIPTS
from flasheval.cli.verbs import VERBS
from flasheval.evaluation.trackers.registry import TRACKERS
from flasheval.generators.registry import GENERATORS
from flasheval.runs.executors import EXECUTORS
from flasheval.scorers.registry import SCORERS
from flasheval.scores.importers import IMPORTERS
from flasheval.selection.methods.registry import METHODS
from flasheval.set_metrics.extractor_settings import EXTRACTORS
from flasheval.subset.exports.registry import FORMATS

_POPULATIONS = [
    *sorted(path.stem for path in (conf_dir() / "population").glob("min*.yaml")),
    "mine.yaml",
]


def _words(line):
    return list(completions(line.split(" ")).words)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with a few files."""
    monkeypatch.chdir(tmp_path)
    for name in ("my scores.csv", "mine.yaml", ".hidden", "runs/coco/subset.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return tmp_path


def test_verbs_come_in_the_order_of_the_help():
    assert _words("") == [*VERBS, "--help", "--version"]
    assert _words("s") == [name for name in VERBS if name.startswith("s")]
    assert _words("no-such-verb ") == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_key_is_offered_once_and_none_that_is_given(verb):
    row = VERBS[verb]
    keys = set(keys_of(conf_dir() / f"{verb}.yaml"))
    found = completions([verb, ""]).words
    assert {f"{key}=" for key in keys} - set(found) <= {f"{row.first}=", f"{row.rest}="}
    for key in keys:
        assert f"{key}=" not in completions([verb, f"{key}=1", ""]).words


def test_keys_of_a_choice_stand_beside_the_verbs_own():
    assert "checkpoint" not in EvaluateConfig.__dataclass_fields__
    assert "checkpoint=" in _words("evaluate ")
    assert "function=" in _words("evaluate generator=function ")
    assert "root=" in _words("import flasheval-official ")
    assert _words("search method=frequency method.n_s") == ["method.n_sets="]
    assert _words("search method.exp") == ["method.expect="]  # of the default, auto
    assert completions(["search", "method.exp"]).goes_on


@pytest.mark.parametrize(
    ("group", "registry"),
    [
        ("method", METHODS), ("scorer", SCORERS), ("generator", GENERATORS),
        ("executor", EXECUTORS), ("tracker", TRACKERS), ("importer", IMPORTERS),
        ("extractor", EXTRACTORS),
    ],
)  # fmt: skip
def test_the_choices_of_a_group_are_those_of_its_registry(group, registry):
    assert set(offered(group)) >= set(registry.names())
    assert registry.group == f"flasheval.{group}s"  # where plug-ins are found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("search method=an", ["method=anchors", "method=anneal"]),
        ("validate methods=[pooled,an", ["methods=[pooled,anchors", "methods=[pooled,anneal"]),
        ("run scorers=[clip,{name:pick", ["scorers=[clip,{name:pickscore"]),
        ("evaluate generator=fu", ["generator=function"]),
        ("import long", ["long"]),
        ("search metric=Q", ["metric=Quality"]),
        ("search metric=[CLIP,Q", ["metric=[CLIP,Quality"]),
        ("search overwrite=t", ["overwrite=true"]),
        ("evaluate seeds=o", ["seeds=other"]),
        ("search size=1", []),
        ("search experiment=t", ["experiment=training-loop"]),
        ("subsets ver", ["verify"]),
        ("subsets show coco-shared-20", ["coco-shared-20", "coco-shared-200"]),
        ("completion ", ["install", "uninstall", "show", "shell=", "yes="]),
        ("completion show shell=z", ["shell=zsh"]),
        ("run population=min", [f"population={one}" for one in _POPULATIONS]),
        ("search scores=my", ["scores=my scores.csv"]),
        ("search scores=runs/", ["scores=runs/coco/"]),
        ("search scores=.h", ["scores=.hidden"]),
        ("search scores=nowhere/", []),
        ("search -", ["--help", "-m"]),
        ("show -", ["--help"]),
    ],
)
def test_values(line, expected):
    assert _words(line) == expected


def test_names_come_from_the_package():
    assert _words("evaluate subset=coco-clip") == [
        f"subset={name}" for name in bundled() if name.startswith("coco-clip")
    ]
    assert _words("search scores=mini") == [f"scores={name}" for name in score_names()]
    assert _words("subsets export x format=") == [f"format={name}" for name in FORMATS.names()]


def test_bash_replaces_what_stands_after_its_last_break():
    assert answer("bash", ["flasheval search method=anne"]).splitlines()[1].startswith("anneal\t")
    assert answer("bash", ["flasheval search scores=my"]) == "files\nmy scores.csv\t"
    assert answer("bash", ['flasheval search scores="my s']) == "files\nmy scores.csv\t"
    assert answer("bash", ["flasheval search method=anne", " "]).startswith("\nmethod=anneal\t")
    assert answer("bash", ["flasheval sear\\"]).startswith("\nsearch\t")
    assert answer("bash", ["flasheval search siz"]).splitlines()[0] == "nospace"
    assert len(answer("bash", ["flasheval "]).splitlines()) == len(VERBS) + 3


def test_a_tab_needs_no_numbers_and_no_hydra():
    """What takes its time is the libraries: their absence is what makes an answer fast."""
    code = (
        "import sys; from flasheval.cli import main\n"
        "for line in ('flasheval search siz', 'flasheval search method=an', "
        "'flasheval evaluate subset=coco', 'flasheval search scores=x metric='):\n"
        "    assert main(['__complete', 'bash', line]) == 0\n"
        "heavy = {'numpy', 'numba', 'hydra', 'omegaconf', 'torch', 'pyarrow', 'rich', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "size=" in done.stdout


class _Shell:
    """A real shell on a pseudo-terminal, in which keys are typed."""

    def __init__(self, command, folder):
        program = folder / "bin" / "flasheval"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m flasheval "$@"\n')
        program.chmod(0o755)
        path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
        variables = {**os.environ, "HOME": str(folder), "ZDOTDIR": str(folder), "PATH": path}
        variables |= {"PS1": "ready> ", "TERM": "dumb", "XDG_CONFIG_HOME": str(folder)}
        self.seen = ""
        self.process, self.terminal = pty.fork()
        if self.process == 0:  # pragma: no cover - the shell
            os.execvpe(command[0], command, variables)  # noqa: S606

    def type(self, keys, until, seconds=60.0):
        """Type keys, and wait until a text is shown after them; return the seconds it took."""
        start, begun = len(self.seen), time.monotonic()
        os.write(self.terminal, keys.encode())
        while until not in self.seen[start:]:
            left = begun + seconds - time.monotonic()
            ready, _, _ = select.select([self.terminal], [], [], max(0.0, left))
            assert ready, f"{until!r} did not come after {keys!r}: {self.seen[start:]!r}"
            self.seen += os.read(self.terminal, 65536).decode("utf-8", "replace")
        return time.monotonic() - begun

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.process, 0)


@pytest.fixture
def bash(folder):
    (folder / "completion.bash").write_text(SCRIPTS["bash"])
    shell = _Shell(["bash", "--norc", "--noprofile", "-i"], folder)
    shell.type(
        "bind 'set enable-bracketed-paste off'; source completion.bash; echo go''od\n", "good"
    )
    yield shell
    shell.close()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_real_bash_completes_keys_values_and_files(bash):
    bash.type("flasheval sear\t", "flasheval search ")
    bash.type("siz\t", "size=")  # no space behind it
    bash.type("10 method=anne\t", "10 method=anneal ")
    bash.type("scores=my\t", "scores=my\\ scores.csv ")
    bash.type("\x15flasheval evaluate subset=miniature-qua\t", "lity-")
    bash.type("50\t", "0")


@pytest.mark.parametrize("shell", [one for one in ("zsh", "fish") if shutil.which(one)])
def test_other_shells_find_no_fault_in_their_script(shell, folder):
    path = folder / f"script.{shell}"
    path.write_text(SCRIPTS[shell])
    done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
