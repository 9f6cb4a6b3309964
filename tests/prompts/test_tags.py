"""Tags: what is one, cells of several values, and where they are kept."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.base.errors import DataError, SettingError
from flasheval.prompts import PromptSet, load_prompts, save_prompts
from flasheval.prompts.tags import cell_of, counted, looks_like_tags, values_of, written

_VALUES = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), unique=True)


@given(_VALUES)
def test_what_is_written_is_read_again(values):
    assert values_of(written(values)) == tuple(values)


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_any_text_is_a_cell_of_some_values(text):
    values = values_of(text)
    assert all(values)
    assert values or text in ("", "[]", '[""]') or not json.loads(text).count


def test_cells_of_other_kinds():
    assert [cell_of(one) for one in (None, False, 3, 0.5, [], ["a"], ["a", True])] == [
        *("", "false", "3", "0.5", "", "a", '["a", "true"]')
    ]
    assert values_of("[1, 2]") == ("[1, 2]",)  # no list of texts
    assert values_of("[not json]") == ("[not json]",)


def test_columns_of_few_short_values_are_tags():
    count = 300
    columns = {
        "kind": [str(place % 3) for place in range(count)],
        "one": ["same"] * count,
        "many": [str(place % 120) for place in range(count)],
        "id": [str(place) for place in range(count)],
        "texts": [
            f"{place % 2} is a text that is much longer than the name of a category is"
            for place in range(count)
        ],
        "lists": ['["a", "b"]' if place % 2 else "a" for place in range(count)],
        "empty": [""] * count,
    }
    assert looks_like_tags(columns) == ("kind", "lists")
    assert counted(columns["lists"]) == {"a": 300, "b": 150}


def test_tags_asked_for_are_the_only_ones_and_are_kept_in_files(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [
        {"id": i, "prompt": f"{i} cats", "kind": "ab"[i % 2], "mood": "xy"[i % 2]} for i in range(8)
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert list(load_prompts(path).tags) == ["kind", "mood"]
    asked = load_prompts(path, tag_keys=["mood"])
    assert list(asked.tags) == ["mood"]
    assert load_prompts(save_prompts(asked, tmp_path / "a.parquet")) == asked
    assert list(asked.take([1]).tags) == ["mood"]
    assert list(asked.without_texts().tags) == ["mood"]
    with pytest.raises(SettingError, match=r"a.jsonl: tags=moood: .* did you mean 'mood'"):
        load_prompts(path, tag_keys="moood")


def test_a_file_of_each_values_ids_is_a_tag(tmp_path):
    (tmp_path / "a.json").write_text(
        json.dumps({"00000": "A cat.", "00001": "A dog.", "00002": "x"})
    )
    skills = tmp_path / "skills.json"
    skills.write_text(json.dumps({"basic": [0, "00001"], "counting": [1]}))
    prompts = load_prompts(tmp_path / "a.json", tag_keys=str(skills))
    assert prompts.tags == {"skills": (("basic",), ("basic", "counting"), ())}
    assert {v: rows.tolist() for v, rows in prompts.by_tag("skills").items()} == {
        "basic": [0, 1],
        "counting": [1],
    }
    skills.write_text('{"basic": [7]}')
    with pytest.raises(DataError, match="'basic' lists the prompt '7', which is not there"):
        load_prompts(tmp_path / "a.json", tag_keys=str(skills))
    skills.write_text('["basic"]')
    with pytest.raises(DataError, match=r"expected \{value"):
        load_prompts(tmp_path / "a.json", tag_keys=str(skills))


def test_a_tag_that_is_no_column_is_refused():
    pets = PromptSet("pets", "12", extras={"kind": ("cat", "dog")})
    with pytest.raises(SettingError, match=r"tags=kinds: .* there are: kind; did you mean"):
        replace(pets, tag_keys=("kinds",))
    with pytest.raises(SettingError, match="by=mood"):
        pets.by_tag("mood")
