"""The words of a command line as Hydra's options and overrides, read back by Hydra's own parser."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import SettingError
from flasheval.cli.arguments import lifted, read_options, tidied

PARSER = OverridesParser.create()
# What means something to Hydra, to a shell or to a path, and a few letters.
ODD = "ab1.-_/~ ,:=()[]{}\"'\\$%#@!+*?éß\n\t;&|<>^`"


def tidy(*words: str, verb: str = "search", config_dir: str | None = None) -> list[str]:
    return tidied(verb, SimpleNamespace(overrides=list(words), config_dir=config_dir))


def outcome(*words: str, verb: str = "search") -> list[str] | SettingError:
    """Give the overrides, or the one error there may be."""
    try:
        return tidy(*words, verb=verb)
    except SettingError as mistake:
        return mistake


# --- options ------------------------------------------------------------------------------------


def test_overrides_may_stand_before_after_and_between_options() -> None:
    options = read_options("search", ["size=7", "--cfg", "job", "seed=3", "-p", "method", "a"])
    assert options.overrides == ["size=7", "seed=3", "a"]
    assert (options.cfg, options.package, options.multirun) == ("job", "method", False)
    many = read_options("search", ["size=1,2", "-m", "--config-dir", "mine"])
    assert (many.multirun, many.config_dir, many.overrides) == (True, "mine", ["size=1,2"])
    assert read_options("show", []).overrides == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--sise", "3"], "--sise: there is no such option; keys are written key=value"),
        (["--cfg", "jobs"], "invalid choice: 'jobs'"),
        (["--config-dir"], "expected one argument; flasheval search --help"),
        (["--experimental-rerun", "x"], "--experimental-rerun reads pickled files"),
        (["--config-name", "x"], "--config-path and --config-name are fixed"),
        (["-cn", "x"], "--config-path and --config-name are fixed"),
        (["--config-path", "x"], "add a folder by --config-dir"),
        (["-m", "--cfg", "job"], "--cfg shows the settings of one job; leave out -m"),
    ],
)
def test_an_option_that_is_not_ours_to_give_is_a_mistake(words: list[str], line: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_options("search", words)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


# --- overrides ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "word", "expected"),
    [
        ("search", "size=7", "size=7"),
        ("search", "metric=[a,b]", "metric=[a,b]"),
        ("search", "method=anneal,evolve", "method=anneal,evolve"),
        ("search", "scores=a (1).csv", 'scores="a (1).csv"'),
        ("search", "splits=value:precision=_6,_8", 'splits="value:precision=_6,_8"'),
        ("search", "+experiment=training-loop", "experiment=training-loop"),
        ("search", "++size=5", "++size=5"),
        ("show", "a.json", 'path="a.json"'),
        ("show", "path=a.json", "path=a.json"),
        ("show", "a (b).json", 'path="a (b).json"'),
        ("import", "wide", 'importer="wide"'),
        ("import", "importer=wide", "importer=wide"),
    ],
)
def test_a_word_becomes_an_override(verb: str, word: str, expected: str) -> None:
    assert tidy(word, verb=verb) == [expected]


def test_only_the_first_word_is_positional() -> None:
    assert tidy("wide", "source=x", verb="import") == ['importer="wide"', "source=x"]
    assert tidy("metric=clip", "path=a", verb="show") == ["metric=clip", "path=a"]
    with pytest.raises(SettingError, match="b: expected key=value"):
        tidy("a", "b", verb="show")


def test_a_path_with_an_equals_sign_is_shown_where_it_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tidy("size=5", verb="show") == ["size=5"]
    (tmp_path / "size=5").touch()
    assert tidy("size=5", verb="show") == ['path="size=5"']


def test_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("USERPROFILE", "/home/me")
    assert tidy("scores=~/x.csv", "out=a~/b") == ["scores=/home/me/x.csv", 'out="a~/b"']
    assert tidy("scores=~/my (1) x.csv") == ['scores="/home/me/my (1) x.csv"']


@pytest.mark.parametrize(
    ("verb", "words", "line"),
    [
        ("search", ["foo"], "foo: expected key=value"),
        ("search", ["größe=5"], "größe=5: 'größe' is not a key"),
        ("search", ["1x=a (b"], "1x=a (b: '1x' is not a key"),
        ("search", ["size = 5"], "size = 5: 'size ' is not a key"),
        ("search", ["nested=[1,"], "nested=[1,: the value of nested cannot be read"),
        ("search", ['scores="a'], "the value of scores cannot be read"),
        ("search", ["~size"], "~size: a setting can be changed, not deleted"),
        ("search", ["~method=random"], "a setting can be changed, not deleted"),
        ("search", ["method.name=shared"], "a method is chosen by method=shared"),
        ("search", ["hydra.mode=RUN"], "-m runs a sweep, and without -m one job runs"),
        ("search", ["method=3"], "method=3: expected one name, as in method=NAME"),
        ("search", ["experiment=[a]"], "expected one name, as in experiment=NAME"),
        ("show", ["[x"], "path=[x: the value of path cannot be read"),
        ("import", [], "say which importer: flasheval import NAME key=value ...; there are: "),
        ("import", ["source=x"], "there are: flasheval-official, long, wide, npz"),
        ("import", ["importer={a:1}"], "expected one name, as in importer=NAME"),
    ],
)
def test_a_word_that_is_no_override_is_a_mistake(verb: str, words: list[str], line: str) -> None:
    with pytest.raises(SettingError) as caught:
        tidy(*words, verb=verb)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(ODD, min_size=1, max_size=8) | st.text(st.characters(codec="utf-8"), max_size=8))
@settings(deadline=None, max_examples=300)
def test_any_value_is_read_by_hydra_or_a_mistake(value: str) -> None:
    found = outcome(f"scores={value}")
    if isinstance(found, SettingError):
        assert str(found)
        return
    (word,) = found
    parsed = PARSER.parse_override(word)
    assert parsed.key_or_group == "scores"
    if word != f"scores={value}" and not value.startswith("~/"):  # in quotes: not a letter changes
        assert parsed.value() == value


@given(st.text(ODD, max_size=8).filter(lambda word: "=" not in word and word))
@settings(deadline=None, max_examples=300)
def test_any_path_given_to_show_is_that_path(path: str) -> None:
    found = outcome(path, verb="show")
    if isinstance(found, SettingError):  # quotes and brackets are Hydra's own
        assert path[0] in "'\"[{"
        return
    (word,) = found
    parsed = PARSER.parse_override(word)
    assert parsed.key_or_group == "path"
    if path[0] not in "'\"[{":
        assert parsed.value() == path


@given(
    st.lists(st.text(ODD, max_size=8), max_size=3), st.sampled_from(["search", "show", "import"])
)
@settings(deadline=None, max_examples=300)
def test_any_words_are_overrides_or_a_mistake(words: list[str], verb: str) -> None:
    found = outcome(*words, verb=verb)
    if not isinstance(found, SettingError):
        assert len(PARSER.parse_overrides(found)) == len(words)


# --- --config-dir -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mine", "my own (1), {x}=y", "it's"])
def test_a_config_dir_becomes_a_search_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    for given_as in (name, str(tmp_path / name), f"./{name}"):
        size, path = tidy("size=3", config_dir=given_as)
        assert size == "size=3"
        parsed = PARSER.parse_override(path)
        assert parsed.key_or_group == "hydra.searchpath"
        assert [str(entry) for entry in parsed.value()] == [f"file://{tmp_path / name}"]


def test_a_config_dir_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "none"):
        with pytest.raises(SettingError, match=r"^--config-dir .* is not a folder$"):
            tidy(config_dir=str(path))


# --- sweeps -------------------------------------------------------------------------------------


def test_settings_of_a_swept_method_become_sweeps_of_one() -> None:
    words = ["method=anneal,evolve", "method.swaps=9", "method.population=5,7", "size=3"]
    assert lifted(words) == [
        "method=anneal,evolve",
        "method.swaps=choice(9)",
        "method.population=5,7",
        "size=3",
    ]
    assert lifted(["+method.x=1", "method=a,b"]) == ["+method.x=choice(1)", "method=a,b"]
    assert lifted(["method=a,b", 'method.x="1,2"']) == ["method=a,b", 'method.x=choice("1,2")']
    assert lifted(["method=a,b", "method.x=[1,2]"]) == ["method=a,b", "method.x=choice([1,2])"]


@pytest.mark.parametrize(
    "words", [[], ["method=anneal", "method.swaps=9"], ["size=1,2", "method.swaps=9"]]
)
def test_without_a_swept_method_nothing_changes(words: list[str]) -> None:
    assert lifted(words) == words


@pytest.mark.parametrize("value", ["9", "1.5", "true", "[1,2]", "a b", '"a,b"', "{a:1}"])
def test_a_sweep_of_one_has_the_value_it_had(value: str) -> None:
    before = PARSER.parse_override(f"method.x={value}").value()
    _, word = lifted(["method=a,b", f"method.x={value}"])
    (after,) = PARSER.parse_override(word).sweep_string_iterator()
    job = PARSER.parse_override(f"method.x={after}")
    assert not job.is_sweep_override()
    assert (job.value(), type(job.value())) == (before, type(before))


def test_there_is_no_sweep_of_null() -> None:
    with pytest.raises(
        SettingError, match=r"^method\.pools=null: null cannot be given beside several"
    ):
        lifted(["method=frequency,random", "method.pools=null"])
    words = ["method=frequency", "method.pools=null", "size=1,2"]
    assert lifted(words) == words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "10"], "--size 10: keys have no dashes; write size=10"),
        (["--size=10"], "--size=10: keys have no dashes; write size=10"),
        (["-size", "10"], "-size 10: keys have no dashes; write size=10"),
        (["--images-per-prompt", "4"], "write images_per_prompt=4"),
        (["--overwrite", "seed=1"], "--overwrite: keys have no dashes; write overwrite=VALUE"),
        (["--sise", "10"], "--sise: there is no such option; .* did you mean 'size'"),
        (["-k"], "-k: there is no such option; keys are written key=value"),
    ],
)
def test_a_key_written_as_an_option_is_told_how_to_write_it(words, said):
    with pytest.raises(SettingError, match=said):
        read_options("search", words)


def test_hydras_own_options_are_taken_as_before():
    assert read_options("search", ["-m", "size=1,2"]).multirun
    assert read_options("search", ["--multirun", "size=1,2"]).multirun
    assert read_options("search", ["-cjob"]).cfg == "job"
    assert read_options("search", ["--cfg", "job"]).cfg == "job"
    assert read_options("search", ["size=-1"]).overrides == ["size=-1"]
