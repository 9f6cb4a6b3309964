"""Tags of a subset: its manifest, its hashes, its exports and its shares."""

import csv
import io
import json
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.prompts import PromptSet
from flasheval.subset import Method, Subset, SubsetPrompt
from flasheval.subset.exports.csv_table import Csv
from flasheval.subset.exports.json_lines import JsonLines
from flasheval.subset.exports.parquet_table import Parquet
from flasheval.subset.tag_shares import tag_shares
from flasheval.subset.upload.tables import prompt_table

TEXTS = ("A cat.", "A dog.", "Two dogs.", "A cat and a dog.")
KINDS = ("cat", "dog", "dog", '["cat", "dog"]')
PETS = PromptSet("pets", "1234", TEXTS, extras={"kind": KINDS}, tag_keys=("kind",))


def _subset(**changes):
    given = {"name": "two", "metrics": (), "method": Method("mine"), "with_texts": True}
    return Subset.choose(PETS, [0, 3], **given | changes)


def test_a_manifest_keeps_tags_and_notices_a_change():
    subset = _subset()
    data = subset.to_dict()
    assert Subset.from_dict(data) == subset
    assert data["prompts"][1]["tags"] == {"kind": ["cat", "dog"]}
    assert subset.record.tag_counts == {"kind": {"cat": 2, "dog": 3}}
    data["prompts"][1]["tags"] = {"kind": ["hen"]}
    with pytest.raises(DataError, match="the record, texts or tags do not match"):
        Subset.from_dict(data)


def test_tags_are_no_part_of_the_content():
    without = replace(PETS, extras={}, tag_keys=None)
    bare = Subset.choose(
        without, [0, 3], name="two", metrics=(), method=Method("mine"), with_texts=True
    )
    assert bare.content_hash == _subset().content_hash
    assert bare.with_tags(PETS) == _subset()
    assert "tags" not in json.dumps(bare.to_dict())
    other = replace(PETS, ids=("a", "b", "c", "d"))  # ids of another file, the same texts
    assert bare.with_tags(other).prompts[1].tags == {"kind": ("cat", "dog")}
    assert _subset().prefix(1).prompts[0].tags == {"kind": ("cat",)}


def test_prompts_that_a_file_lacks_are_said():
    bare = Subset.choose(
        replace(PETS, extras={}, tag_keys=None),
        [0, 3],
        name="two",
        metrics=(),
        method=Method("mine"),
    )
    with pytest.warns(UserWarning, match=r"pets lacks 1 of the 2 prompts of subset \"two\".*\(4\)"):
        found = bare.with_tags(PETS.take([0, 1]))
    assert [one.tags for one in found.prompts] == [{"kind": ("cat",)}, {}]
    assert found.record.tag_counts == {}  # of a part of the set


def test_exports_carry_them_where_there_are_some():
    subset = _subset()
    assert json.loads(JsonLines().write(subset).splitlines()[1])["tags"] == {"kind": ["cat", "dog"]}
    (first, _) = csv.DictReader(io.StringIO(Csv().write(subset).decode()))
    assert json.loads(first["tags"]) == {"kind": ["cat"]}
    table = pq.read_table(io.BytesIO(Parquet().write(subset)))
    assert json.loads(table["tags"][1].as_py()) == {"kind": ["cat", "dog"]}
    assert prompt_table(subset)["kind"].to_pylist() == ["cat", '["cat", "dog"]']
    assert "kind" not in prompt_table(_bare()).column_names


def _bare():
    prompts = (SubsetPrompt("1", text="A cat."),)
    return Subset("one", "pets", None, prompts, (), Method("mine"))


def test_shares_stand_beside_those_of_the_whole_set():
    assert tag_shares(_subset(), "kind").rows == [
        ("dog", "1", "50%", "3", "75%"),
        ("cat", "2", "100%", "2", "50%"),
    ]
    with pytest.raises(
        SettingError, match='by=mood: subset "two" has no such tag; there are: kind'
    ):
        tag_shares(_subset(), "mood")
    with pytest.raises(SettingError, match="there are: none"):
        _bare().by_tag("kind")
