"""Files of unit scores: exact to the bit, and no damage passes for scores."""

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.runs import score_files
from flasheval.runs.score_files import (
    UnitScores,
    damage_of,
    read_unit_scores,
    write_unit_scores,
)

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
FLOATS = st.floats(width=32, allow_infinity=False)
TINY = float(np.finfo(np.float32).smallest_subnormal)


def unit_of(scores=(0.25, math.nan, -1e-3), **changes):
    ids = tuple(f"é{i}" for i in range(len(scores)))
    values = {
        "variant": "sd15/DDIM10",
        "variant_key": "k" * 64,
        "metric": "CLIP",
        "scorer_key": "s" * 64,
        "seed": 7,
        "prompts": "d" * 64,
        "ids": ids,
        "scores": np.array(scores, dtype=np.float32),
        "faults": {ids[1]: "the image holds NaN"} if len(ids) > 1 else {},
        "record": {"finished": 1.5, "device": "cpu"},
    }
    return UnitScores(**(values | changes))


def assert_same(found, written):
    assert found is not None
    assert found.scores.dtype == np.float32
    nan = np.isnan(written.scores)
    assert np.array_equal(np.isnan(found.scores), nan)
    # Bits, not values: -0.0 equals 0.0.
    assert found.scores[~nan].tobytes() == written.scores[~nan].tobytes()
    for name in UnitScores.__dataclass_fields__:
        if name != "scores":
            assert getattr(found, name) == getattr(written, name), name


@SAME_FOLDER
@given(st.lists(FLOATS, max_size=40))
@example([TINY, -TINY, 0.0, -0.0, math.nan])
@example([float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny), 0.1, 1 / 3])
def test_float32_comes_back_to_the_bit(tmp_path, scores):
    written = unit_of(scores)
    write_unit_scores(tmp_path / "a.json", written)
    assert_same(read_unit_scores(tmp_path / "a.json"), written)
    assert damage_of(tmp_path / "a.json") is None


@SAME_FOLDER
@given(
    st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, unique=True),
    st.dictionaries(st.text(), st.none() | st.floats(allow_nan=False, allow_infinity=False)),
)
def test_ids_and_record_come_back(tmp_path, ids, record):
    written = unit_of(np.zeros(len(ids)), ids=tuple(ids), faults={ids[0]: "x"}, record=record)
    write_unit_scores(tmp_path / "a.json", written)
    assert_same(read_unit_scores(tmp_path / "a.json"), written)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a file, and the path they were written to."""
    path = tmp_path_factory.mktemp("units") / "a.json"
    write_unit_scores(path, unit_of())
    return path.read_bytes(), path


def test_every_truncation_is_found(whole):
    data, path = whole
    for size in range(len(data)):
        path.write_bytes(data[:size])
        assert read_unit_scores(path) is None, size
        assert damage_of(path), size


def test_every_flipped_bit_is_found_or_says_the_same(whole):
    data, path = whole
    harmless = 0
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        found, damage = read_unit_scores(path), damage_of(path)
        assert (found is None) == (damage is not None), bit
        if found is not None:  # "\u00e9" and "\u00E9" are one letter
            assert_same(found, unit_of())
            harmless += 1
    assert harmless < 30


@SAME_FOLDER
@given(st.binary(max_size=200), st.integers(0, 600), st.integers(0, 200))
def test_bytes_written_over_or_pushed_in_are_found(whole, junk, start, gone):
    data, path = whole
    changed = data[:start] + junk + data[start + gone :]
    path.write_bytes(changed)
    found = read_unit_scores(path)
    if found is not None:
        assert_same(found, unit_of())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is cut short or not JSON"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"[]", "its checksum does not fit its content"),
        (b"{}", "its checksum does not fit its content"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_the_reason_is_readable(tmp_path, content, reason):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    assert read_unit_scores(path) is None
    assert reason in damage_of(path)


def test_a_file_that_is_not_there_has_no_scores(tmp_path):
    assert read_unit_scores(tmp_path / "a.json") is None
    assert damage_of(tmp_path / "a.json") == "No such file or directory"


def test_a_file_of_another_version_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("flasheval.runs.score_files._FORMAT", 3)
    write_unit_scores(tmp_path / "a.json", unit_of())
    monkeypatch.undo()
    assert read_unit_scores(tmp_path / "a.json") is None
    assert damage_of(tmp_path / "a.json") == "it has format 3, this version reads up to 2"


def test_the_file_is_plain_json(tmp_path):
    write_unit_scores(tmp_path / "a.json", unit_of((0.1, math.nan)))
    body = json.loads((tmp_path / "a.json").read_text("utf-8"), parse_constant=pytest.fail)
    assert body["scores"] == [0.1, None]  # the shortest decimals of float32(0.1)


def test_where_it_cannot_be_written_one_line_names_the_file(tmp_path):
    (tmp_path / "folder").write_bytes(b"a file in the way")
    with pytest.raises(DataError, match=r"cannot write .*folder.a\.json: "):
        write_unit_scores(tmp_path / "folder" / "a.json", unit_of())


@pytest.mark.parametrize(
    "changes",
    [
        {"faults": "x"},
        {"record": {"batches": 2.5}},
        {"record": {"warm": []}},
        {"metric": {}},
        {"ids": ("a",)},
        {"record": {"seconds_generate": ["x"]}},
    ],
)
def test_a_file_made_with_values_of_other_types_is_damaged_though_its_checksum_fits(
    tmp_path, changes
):
    body = {name: getattr(unit_of(), name) for name in UnitScores.__dataclass_fields__}
    body |= {"format": 1, "scores": [0.25, None, 0.5], **changes}
    path = tmp_path / "unit.json"
    path.write_text(json.dumps({**body, "check": score_files._check(json.loads(json.dumps(body)))}))
    assert read_unit_scores(path) is None
    assert damage_of(path)
