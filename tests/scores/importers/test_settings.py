"""What the importers of tables share: prompts by path, and a metric's direction."""

import itertools

import pytest

from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.prompts import PromptSet
from flasheval.scores.importers.settings import as_prompts, direction_of, finish

_SAID = {  # (setting, source) -> higher is better
    (None, None): True,
    (None, True): True,
    (None, False): False,
    (True, None): True,
    (True, True): True,
    (False, None): False,
    (False, False): False,
}


@pytest.mark.parametrize(("given", "said"), list(itertools.product([None, True, False], repeat=2)))
def test_the_setting_goes_before_the_source_and_may_not_contradict_it(given, said):
    forms = [given, {"clip": given}, {"clip": given, "other": not given}]
    for form in forms:
        if (given, said) in _SAID:
            assert direction_of("clip", form, said) is _SAID[given, said]
        else:
            with pytest.raises(
                ConflictError,
                match=f"is {given} by the setting but {said} in the source for metric 'clip'",
            ):
                direction_of("clip", form, said)


def test_a_setting_for_other_metrics_says_nothing_of_this_one():
    assert direction_of("clip", {"fid": False}, None) is True
    assert direction_of("clip", {"fid": False}, False) is False
    assert direction_of("clip", {}, None) is True


@pytest.mark.parametrize("bad", ["yes", 1, 0, 0.0, [True]])
def test_a_direction_is_true_or_false(bad):
    for form in (bad, {"clip": bad}):
        with pytest.raises(SettingError, match="of 'clip' must be true or false, not ") as caught:
            direction_of("clip", form, None)
        assert str(caught.value).endswith(f"not {bad!r}")


def test_prompts_may_be_a_file(tmp_path):
    (tmp_path / "pets.txt").write_text("a cat\na dog\n")
    expected = PromptSet("pets", ("1", "2"), ("a cat", "a dog"))
    assert as_prompts(tmp_path / "pets.txt") == expected
    assert as_prompts(str(tmp_path / "pets.txt")) == expected
    assert as_prompts(expected) is expected
    with pytest.raises(DataError, match=r"none\.txt"):
        as_prompts(tmp_path / "none.txt")


def test_finishing_looks_texts_up(make_table, tmp_path):
    table = make_table(3, 2, ("clip", "fid"))
    bare = table.with_prompts(table.prompts.without_texts())
    assert finish(table) is table
    assert finish(bare, table.prompts).prompts.texts == table.prompts.texts
    lines = [f'{{"id": "p{i}", "text": "a thing numbered p{i}"}}\n' for i in range(2)]
    (tmp_path / "things.jsonl").write_text("".join(lines))
    assert finish(bare, tmp_path / "things.jsonl").prompts.texts == table.prompts.texts
    other = PromptSet("other", table.prompts.ids, ("x", "y"))
    with pytest.raises(ConflictError, match="another text in prompt set"):
        finish(table, other)


def test_finishing_refuses_a_direction_for_a_metric_that_is_not_there(make_table):
    table = make_table(3, 2, ("clip", "fid"))
    with pytest.raises(SettingError) as caught:
        finish(table, higher_is_better={"clip": True, "fd": False})
    assert str(caught.value) == (
        "higher_is_better names the metric 'fd'; there are: clip, fid; did you mean 'fid'?"
    )
    for fine in (None, True, {}, {"fid": True}):
        assert finish(table, higher_is_better=fine) is table
