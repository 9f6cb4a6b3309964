from pathlib import Path

import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.cli.commands.prompt_ids import read_ids
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset


def test_a_list_and_every_kind_of_file_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("17\n\n b \r\n")
    (tmp_path / "list.json").write_text('[17, "b"]')
    expected = ("17", "b")
    assert read_ids([17, "b"], "require") == expected
    assert read_ids(str(tmp_path / "lines.txt"), "require") == expected
    assert read_ids(str(tmp_path / "list.json"), "require") == expected
    assert read_ids(None, "require") == ()


@pytest.mark.parametrize("value", [3, "", True, {"a": 1}])
def test_what_is_neither_is_refused_by_its_key(value: object) -> None:
    with pytest.raises(SettingError, match=r"^forbid="):
        read_ids(value, "forbid")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('{"a": 1}', "not a subset manifest"),
        ("3", "JSON list"),
        ("[]", "no prompt ids"),
        ("[1.5]", "1.5 is no prompt id"),
        ("[true]", "True is no prompt id"),
        ('["1", 1]', "'1' more than once"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "ids.json").write_text(text)
    with pytest.raises(DataError, match=part) as caught:
        read_ids(str(tmp_path / "ids.json"), "require")
    assert "ids.json" in str(caught.value)


def test_a_manifest_of_other_prompts_under_the_same_ids_is_refused(tmp_path: Path) -> None:
    theirs = PromptSet("theirs", ("1", "2"), ("a cat", "a dog"))
    ours = PromptSet("ours", ("1", "2"), ("a cat", "a newt"))
    method, metrics = Method("random", seed=0), (MetricInfo("clip"),)
    subset = Subset.choose(theirs, [1], name="one", metrics=metrics, method=method)
    path = str(subset.save(tmp_path / "one.json"))
    assert read_ids(path, "require", theirs) == read_ids(path, "require") == ("2",)
    with pytest.raises(DataError, match=r"1 of 1 prompts have another text there .2."):
        read_ids(path, "require", ours)


def test_a_list_is_checked_against_the_prompts_it_is_of() -> None:
    pets = PromptSet("pets", ("1", "2"))
    assert read_ids([2], "require", pets) == ("2",)
    with pytest.raises(SettingError, match=r"^require=\[\.\.\.\]: 1 of 2 ids are not .*'q9'"):
        read_ids(["1", "q9"], "require", pets)
    with pytest.raises(SettingError, match=r"^forbid=\[\.\.\.\] names prompt '1' more than once"):
        read_ids([1, "1"], "forbid", pets)
