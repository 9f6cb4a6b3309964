"""Plain records to JSON data and back, and JSON files that are none, each fault in one line."""

import gzip
import json
import lzma
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.canonical import JSON
from flasheval.base.errors import DataError
from flasheval.base.json_data import from_plain, read_json, to_plain, write_json
from flasheval.subset import Subset


@dataclass(frozen=True)
class Leaf:
    """Every scalar kind of field."""

    name: str
    share: float = 0.5
    count: int = 0
    good: bool = False
    kind: Literal["old", "new"] = "old"

    def __post_init__(self) -> None:
        if self.count < 0:
            raise DataError(f"count is {self.count}; expected 0 or more")


@dataclass(frozen=True)
class Tree:
    """Every composed kind of field, none of them required."""

    leaf: Leaf | None = None
    leaves: tuple[Leaf, ...] = ()
    by_name: Mapping[str, Leaf] = field(default_factory=dict)
    shares: tuple[float | None, ...] = ()
    anything: Mapping[str, JSON] = field(default_factory=dict)


NAMES = st.text(st.characters(codec="utf-8"), max_size=8)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.builds(
    Leaf, NAMES, FINITE, st.integers(0), st.booleans(), st.sampled_from(["old", "new"])
)
JSON_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
TREES = st.builds(
    Tree,
    st.none() | LEAVES,
    st.lists(LEAVES, max_size=2).map(tuple),
    st.dictionaries(NAMES, LEAVES, max_size=2),
    st.lists(st.none() | FINITE, max_size=3).map(tuple),
    st.dictionaries(NAMES, JSON_DATA, max_size=2),
)


# --- records to JSON data and back --------------------------------------------------------------


def test_a_record_by_hand() -> None:
    tree = Tree(
        leaves=(Leaf("a"), Leaf("b", 0.25, kind="new")),
        by_name={"c": Leaf("c", count=3, good=True)},
        shares=(0.1, None),
    )
    data = {
        "leaves": [{"name": "a"}, {"name": "b", "share": 0.25, "kind": "new"}],
        "by_name": {"c": {"name": "c", "count": 3, "good": True}},
        "shares": [0.1, None],
    }
    assert to_plain(tree) == data
    assert from_plain(Tree, data) == tree
    assert to_plain(Tree()) == {}
    assert from_plain(Tree, {}) == Tree()


@given(TREES)
@settings(deadline=None)
def test_any_record_survives_json_exactly(tree: Tree) -> None:
    text = json.dumps(to_plain(tree), allow_nan=False)
    assert from_plain(Tree, json.loads(text)) == tree


@given(TREES)
@settings(deadline=None)
def test_only_defaults_are_left_out(tree: Tree) -> None:
    # The standard library's own asdict, which keeps every field, reads as the same record.
    assert from_plain(Tree, asdict(tree)) == tree
    assert set(to_plain(tree)) == {key for key, value in asdict(tree).items() if value}


def test_numpy_scalars_become_python_numbers() -> None:
    plain = to_plain(Leaf("a", np.float32(0.25), np.int64(3), np.bool_(True)))  # type: ignore[arg-type]
    assert plain == {"name": "a", "share": 0.25, "count": 3, "good": True}
    assert [type(value) for value in plain.values()] == [str, float, int, bool]
    assert to_plain((np.int8(1), [np.float64(2.5)])) == [1, [2.5]]


def test_a_whole_number_may_stand_for_a_float_but_not_the_other_way() -> None:
    read = from_plain(Leaf, {"name": "a", "share": 1})
    assert type(read.share) is float
    with pytest.raises(DataError, match=r"^data: count is 1\.0; expected a whole number$"):
        from_plain(Leaf, {"name": "a", "count": 1.0})


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ([], "f: the top level is a list of 0; expected an object with string keys"),
        (None, "f: the top level is null; expected an object with string keys"),
        ({1: 2}, "f: the top level is an object; expected an object with string keys"),
        ({"leaf": {}}, "f: leaf.name is missing; add it"),
        ({"leaf": 3}, "f: leaf is 3; expected an object with string keys"),
        ({"leaf": {"name": None}}, "f: leaf.name is null; expected a string"),
        ({"leaf": {"name": "a", "share": "x"}}, 'f: leaf.share is "x"; expected a number'),
        ({"leaf": {"name": "a", "share": True}}, "f: leaf.share is true; expected a number"),
        ({"leaf": {"name": "a", "count": True}}, "f: leaf.count is true; expected a whole number"),
        ({"leaf": {"name": "a", "good": 0}}, "f: leaf.good is 0; expected true or false"),
        (
            {"leaf": {"name": "a", "kind": "New"}},
            'f: leaf.kind is "New"; expected one of "old", "new"',
        ),
        (
            {"leaf": {"name": "a", "kind": ["old"]}},
            'f: leaf.kind is a list of 1; expected one of "old", "new"',
        ),
        ({"leaf": {"name": "a", "count": -1}}, "f: leaf: count is -1; expected 0 or more"),
        (
            {"leaf": {"name": "a", "shar": 1}},
            "f: leaf.shar is not a known key; did you mean 'share'?",
        ),
        (
            {"leaf": {"name": "a", "zzz": 1}},
            "f: leaf.zzz is not a known key; the keys are name, share, count, good, kind",
        ),
        ({"leaves": [{"name": "a"}, 1]}, "f: leaves[1] is 1; expected an object with string keys"),
        ({"leaves": "abc"}, 'f: leaves is "abc"; expected a list'),
        ({"by_name": {"x y": 1}}, 'f: by_name."x y" is 1; expected an object with string keys'),
        ({"shares": [0.5, None, "x"]}, 'f: shares[2] is "x"; expected a number'),
        ({"shares": [float("nan")]}, "f: shares[0] is not finite; expected a finite number"),
        ({"shares": [10**400]}, "f: shares[0] is not finite; expected a finite number"),
        ({"shares": [b"x"]}, "f: shares[0] is a bytes; expected a number"),
        (
            {"leaf": {"name": "a", "count": "y" * 100}},
            f'f: leaf.count is "{"y" * 56}...; expected a whole number',
        ),
    ],
)
def test_a_value_at_fault_is_named_by_its_key_path(data: object, line: str) -> None:
    with pytest.raises(DataError) as caught:
        from_plain(Tree, data, source="f")
    assert str(caught.value) == line


def test_the_path_given_goes_before() -> None:
    with pytest.raises(DataError, match=r'^a\.json: units\[3\]\.share is "x"; expected a number$'):
        from_plain(Leaf, {"name": "a", "share": "x"}, path="units[3]", source="a.json")
    with pytest.raises(DataError, match=r"^a\.json: units\[3\]: count is -1"):
        from_plain(Leaf, {"name": "a", "count": -1}, path="units[3]", source="a.json")


def outcome(data: object) -> Tree | str:
    """Give the tree, or the message of the one error there may be."""
    try:
        return from_plain(Tree, data)
    except DataError as error:
        return str(error)


@given(JSON_DATA | LEAVES.map(to_plain))
@settings(deadline=None)
def test_any_json_is_read_or_refused_in_one_line(data: object) -> None:
    found = outcome({"leaf": data, "anything": {"x": data}})
    if isinstance(found, str):
        assert found.startswith("data: leaf")
        assert "\n" not in found
    else:
        assert found.anything == {"x": data}
        assert data is None or isinstance(found.leaf, Leaf)


# --- JSON files ---------------------------------------------------------------------------------


@given(JSON_DATA)
@settings(deadline=None)
def test_what_json_wrote_is_read(tmp_path_factory: pytest.TempPathFactory, data: object) -> None:
    folder = tmp_path_factory.getbasetemp()
    text = json.dumps(data, ensure_ascii=False)
    for name, pack in (("a.json", bytes), ("a.json.gz", gzip.compress)):
        (folder / name).write_bytes(pack(text.encode()))
        assert read_json(folder / name) == data


def test_packed_files_and_byte_order_marks_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.json.xz").write_bytes(lzma.compress(b"[1]"))
    (tmp_path / "b.json").write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n')
    assert read_json(tmp_path / "a.json.xz") == [1]
    assert read_json(str(tmp_path / "b.json")) == {"a": 1}


@pytest.mark.parametrize("read", [read_json, Subset.load])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff\xfe{}", "UTF-8"),
        (b"{", "line 1, column 2"),
        (b'{\n "a": 1,\n}', "not JSON at line"),
        (b"[" * 100_000, "not usable JSON"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b'{"a": 1, "a": 2}', '"a" occurs twice'),
        (b'{"b": [{"a": 1, "c": 3, "a": 1}]}', 'the key "a" occurs twice in one object'),
        (b'{"a": ' + b"9" * 5000 + b"}", "not usable JSON"),
    ],
)
def test_a_file_that_is_no_json_is_one_readable_line(
    tmp_path: Path, read: Callable[[Path], Any], content: bytes, words: str
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("read", [read_json, Subset.load])
def test_a_missing_file_and_a_folder_are_named(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(DataError) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert "JSON file" in str(caught.value)


def test_json_is_written_whole_or_not_at_all(tmp_path):
    path = write_json(tmp_path / "a.json", {"é": [1, 0.5, None]})
    assert read_json(path) == {"é": [1, 0.5, None]}
    assert path.read_text("utf-8").endswith("}\n")
    before = path.read_bytes()
    for wrong, error in (({"a": float("nan")}, ValueError), ({"a": {1}}, TypeError)):
        with pytest.raises(error):
            write_json(path, wrong)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.json"]


def test_a_whole_number_that_no_float_can_hold_is_refused():
    assert from_plain(Leaf, {"name": "a", "count": 2**1000 - 1}).count == 2**1000 - 1
    for number in (10**400, -(10**400)):
        with pytest.raises(DataError, match=r"a\.json: count is a number of over 1000 bits"):
            from_plain(Leaf, {"name": "a", "count": number}, source="a.json")
