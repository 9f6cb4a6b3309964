import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.base.records import read_records

_PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
_OBJECTS = st.lists(
    st.dictionaries(st.text(min_size=1, max_size=4), _PLAIN, max_size=3), min_size=1, max_size=4
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(_OBJECTS, st.sampled_from(["lines", "list", "pretty", "coco"]))
def test_every_layout_gives_the_same_objects(tmp_path, objects, layout):
    path = tmp_path / "a.json"
    text = {
        "lines": "\n".join(map(json.dumps, objects)),
        "list": json.dumps(objects),
        "pretty": json.dumps(objects, indent=1),
        "coco": json.dumps({"info": {}, "annotations": objects}),
    }[layout]
    path.write_text(text)
    assert [record for _, record in read_records(path, "file")] == objects


def test_places_count_lines_and_items_from_one(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": 1}\n\n{"a": 2}\n')
    assert [place for place, _ in read_records(path, "file")] == ["line 1", "line 3"]
    path.write_text('[{"a": 1}]')
    assert [place for place, _ in read_records(path, "file")] == ["item 1"]


def test_a_broken_first_line_is_blamed_on_that_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": }\n{"a": 2}\n')
    with pytest.raises(DataError, match="line 1 is not valid JSON"):
        read_records(path, "file")
