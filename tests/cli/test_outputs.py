"""What a command writes replaces its own earlier result, and nothing else unless asked."""

from pathlib import Path

import pytest

from flasheval import cli
from flasheval.base.errors import SettingError
from flasheval.cli.outputs import kept_output
from flasheval.cli.verbs import VERBS
from flasheval.prompts import PromptSet
from flasheval.scores.synthetic import synthetic_scores
from flasheval.subset import Method, Subset

SEARCH = (
    *("search", "scores=scores", "metric=quality", "method=random", "splits=null", "curve=null"),
    *("draws=5", "calibrate=false", "size=4"),
)
FIRST = {  # a command for each verb that writes, and what makes it another
    "search": ((*SEARCH, "out=o"), ("seed=1",)),
    "validate": (
        (
            *("validate", "scores=scores", "metric=quality", "methods=[random]"),
            *("splits=random:2", "size=4", "draws=5", "out=o"),
        ),
        ("seed=1",),
    ),
    "rank": (("rank", "scores=scores", "metric=quality", "draws=50", "out=o"), ("level=0.5",)),
    "votes": (("votes", "scores=scores", "metric=quality", "draws=50", "out=o"), ("level=0.5",)),
    "report": (("report", "two.json", "out=o.html"), ("path=three.json",)),
    "export": (("subsets", "export", "two.json", "format=text", "out=o.txt"), ("format=csv",)),
    "import subset": (
        ("subsets", "import", "theirs.jsonl", "settings.metric=clip", "out=o.json"),
        ("settings.name=mine", "settings.metric=clip"),
    ),
    "publish": (("publish", "two.json", "license=cc0-1.0", "out=o"), ("title=Mine",)),
    "import": (("import", "wide", "source=scores.csv", "out=o"), ("higher_is_better=false",)),
}


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    """A function: the exit code and the standard error of a command in a folder with data."""
    monkeypatch.chdir(tmp_path)
    synthetic_scores(6, 20).save(tmp_path / "scores")
    Path("scores.csv").write_text("prompt_id,a,b\n1,0.5,0.25\n2,0.75,0.5\n3,0.1,0.5\n4,1,2\n")
    pets = PromptSet("pets", ("1", "2", "3"), texts=("a cat", "a dog", "a fox"))
    for name, chosen in (("two", [0, 1]), ("three", [0, 1, 2])):
        made = Subset.choose(
            pets, chosen, name=name, metrics=(), method=Method("random"), with_texts=True
        )
        made.save(f"{name}.json")
    Path("theirs.jsonl").write_text('{"id": "1", "caption": "a cat"}\n')

    def say(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = cli.main(list(words))
        return code, capsys.readouterr().err

    return say


def files(path: str) -> dict[str, bytes]:
    """The files of a result, hidden ones apart, by name."""
    top = Path(path)
    found = top.rglob("*") if top.is_dir() else [top]
    return {str(one): one.read_bytes() for one in found if one.is_file() and one.name[0] != "."}


@pytest.mark.parametrize("name", FIRST)
def test_another_result_is_refused_and_the_own_goes_on(say, name):
    words, other = FIRST[name]
    out = next(word for word in words if word.startswith("out="))[4:]
    assert say(*words)[0] == 0
    assert say(*words)[0] == 0
    before = files(out)
    keys = {word.partition("=")[0] for word in other}
    changed = [word for word in words if word.partition("=")[0] not in keys]
    changed = [word for word in changed if not ("path" in keys and word == "two.json")]
    code, said = say(*changed, *other)
    assert code == 2
    assert said.count("\n") == 1
    assert said.startswith(f"flasheval: error: out={out} holds ")
    for part in ("made with other settings (", min(keys).partition(".")[0], "overwrite=true"):
        assert part in said
    assert files(out) == before
    assert say(*changed, *other, "overwrite=true")[0] == 0
    assert files(out) != before
    assert say(*changed, *other)[0] == 0  # and that is the own one from then on
    assert say(*words)[0] == 2


@pytest.mark.parametrize("name", FIRST)
def test_what_flasheval_did_not_make_is_refused(say, name):
    words, _ = FIRST[name]
    out = Path(next(word for word in words if word.startswith("out="))[4:])
    mine = out if out.suffix else out / "mine.txt"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("my work")
    code, said = say(*words)
    assert code == 2
    assert said.count("\n") == 1
    for part in (f"out={out} ", "did not make", "overwrite=true", mine.name):
        assert part in said
    assert mine.read_text() == "my work"
    assert list(out.parent.glob(f"{out}/*")) in ([], [mine])


def test_results_of_two_commands_do_not_mix(say):
    assert say(*SEARCH, "out=o")[0] == 0
    for words in (FIRST["rank"][0], FIRST["validate"][0], FIRST["import"][0]):
        code, said = say(*words)
        assert (code, said.count("\n")) == (2, 1)
        assert "out=o holds a search, made by flasheval search: name another out" in said
    assert say("report", "o", "out=o")[0] == 0  # a page beside the search replaces nothing
    assert say("report", "o", "out=o")[0] == 0
    Path("o/report.html").write_text("my notes")
    assert "was changed since" in say("report", "o", "out=o")[1]


def test_a_sweep_is_refused_where_another_one_is(say):
    words = (*SEARCH[:-1], "out=o", "-m")
    assert say(*words, "size=3,4")[0] == 0
    assert say(*words, "size=3,4")[0] == 0
    assert "out=o holds a sweep made with other settings" in say(*words, "size=3")[1]
    assert "out=o holds a sweep, made by flasheval search -m" in say(*SEARCH, "out=o")[1]
    assert say(*words, "size=3", "overwrite=true")[0] == 0


def test_a_failed_command_makes_nothing_its_own(say):
    Path("o.txt").write_text("my work")
    words = ("subsets", "export", "none.json", "format=text", "out=o.txt")
    assert say(*words, "overwrite=true")[0] == 1
    assert "did not make" in say(*FIRST["export"][0])[1]


def test_settings_are_shown_whatever_the_folder_holds(say):
    Path("o").mkdir()
    Path("o/mine.txt").write_text("my work")
    assert say("rank", "out=o", "--cfg", "job")[0] == 0


@pytest.mark.parametrize("content", ["", "[]", "{", '{"o.txt": 3}', '{".": {"settings": 3}}'])
def test_a_damaged_record_makes_nothing_ones_own(say, content):
    Path("o").mkdir()
    Path("o/rank.md").write_text("my work")
    Path("o/.flasheval").write_text(content)
    assert "did not make" in say(*FIRST["rank"][0])[1]


@pytest.mark.parametrize("name", ["run", "watch"])
def test_what_resumes_goes_on_whatever_the_settings(tmp_path, name):
    row = VERBS[name]
    assert row.output is not None
    (tmp_path / row.output.continues[0]).write_text("{}")
    for seed in (0, 1):
        with kept_output(row, {"out": str(tmp_path), "seed": seed}):
            pass
    (tmp_path / row.output.continues[0]).rename(tmp_path / "mine.json")
    (tmp_path / ".flasheval").unlink()
    with pytest.raises(SettingError, match="did not make"), kept_output(row, {"out": tmp_path}):
        pass


def test_every_verb_with_an_out_says_what_it_writes():
    """A new verb with `out` has `overwrite`, and says in its row what it writes."""
    checks_itself, reads = {"evaluate"}, {"doctor"}
    for name, row in VERBS.items():
        keys = {key for one in row.config_types().values() for key in one.__dataclass_fields__}
        writes = "out" in keys and name not in reads
        assert ("overwrite" in keys) == writes, name
        assert (row.output is not None) == (writes and name not in checks_itself), name


@pytest.mark.parametrize("more", [(), ("overwrite=true",)])
def test_a_file_of_a_folder_that_is_read_stays(say, more):
    assert say(*SEARCH, "out=found")[0] == 0
    before = files("found")
    code, said = say("subsets", "export", "found", "format=csv", "out=found/subset.json", *more)
    assert code == 2
    assert "is a file of the folder that names reads" in said
    assert files("found") == before
    assert say("report", "found", "out=found/page.html")[0] == 0
    assert say("report", "found", "out=found/page.html")[0] == 0  # it is the report's own


def test_what_a_killed_command_left_is_its_own(say, monkeypatch):
    """A kill between the files and the record of who made them: the same command goes on."""
    words = ("rank", "scores=scores", "metric=quality", "draws=50", "out=board")

    def killed(*_):
        raise SystemExit(9)  # stands for the end of the process: nothing is tidied up

    with monkeypatch.context() as patched:
        patched.setattr("flasheval.cli.outputs._Place.note", killed)
        patched.setattr("flasheval.cli.outputs._Place.forget", killed)
        with pytest.raises(SystemExit):
            say(*words)
    assert (Path("board") / "rank.md").is_file()
    assert say(*words, "seed=1")[0] == 2  # another command's
    assert say(*words)[0] == 0


def test_a_command_that_makes_nothing_leaves_nothing(say):
    Path("empty").mkdir()
    assert say("rank", "scores=scores", "metric=nope", "out=new")[0] != 0
    assert not Path("new").exists()
    assert say("subsets", "export", "two.json", "format=nope", "out=empty/x.csv")[0] != 0
    assert list(Path("empty").iterdir()) == []


@pytest.mark.parametrize("verb", ["rank", "search", "evaluate", "report", "run"])
def test_a_name_too_long_for_a_file_is_one_line(say, verb):
    code, said = say(verb, f"out={'x' * 300}.json")
    assert code == 2
    assert "a name of 305 letters" in said
    assert said.count("\n") == 1
