"""YAML of users: keys twice, bombs, resolvers and broken files."""

import time

import pytest

from flasheval.base.errors import DataError
from flasheval.base.yaml_files import read_yaml

BOMB = "\n".join(
    ["a: &a [x, x, x, x, x, x, x, x, x]"]
    + [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ]
)


def _read(tmp_path, text):
    path = tmp_path / "p.yaml"
    path.write_text(text)
    return read_yaml(path, "population file")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("variants: [1]\nname: x\nvariants: [2]\n", "'variants' twice, in lines 1 and 3"),
        ("a:\n  b: 1\n  b: 2\n", "'b' twice, in lines 2 and 3"),
        ("{steps: 1,\n steps: 2}", "'steps' twice"),
        (BOMB, "more than 1,000,000 values"),
        ("a: &a [*a]", "more than 1,000,000 values"),
        ("[" * 3000, "not YAML|nested without end"),
        ("a: [1", "not YAML"),
        ("a: !!python/object/apply:os.system [ls]", "not YAML"),
        ("? [a]\n: 1", "not YAML"),
    ],
)
def test_one_line_that_names_the_file(tmp_path, text, message):
    begun = time.perf_counter()
    with pytest.raises(DataError, match=message) as caught:
        _read(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert "p.yaml" in str(caught.value)
    assert time.perf_counter() - begun < 5


def test_plain_data_with_aliases_and_merges_is_read(tmp_path):
    text = "base: &b {steps: 4}\none: {<<: *b, name: '${oc.env:HOME}'}\n"
    assert _read(tmp_path, text)["one"] == {"steps": 4, "name": "${oc.env:HOME}"}
