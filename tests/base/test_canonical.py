"""Canonical JSON: checked against ``json`` and ``hashlib``, and by properties."""

import hashlib
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.canonical import canonical_json, canonical_value, sha256_of
from flasheval.base.errors import DataError

NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(VALUES)
def test_parsing_the_text_and_writing_it_again_changes_nothing(value: object) -> None:
    text = canonical_json(value)
    assert canonical_json(json.loads(text)) == text
    assert json.loads(text) == canonical_value(value)
    assert canonical_value(canonical_value(value)) == canonical_value(value)


@settings(deadline=None)
@given(st.dictionaries(TEXTS, LEAVES), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(value: dict[str, object], random) -> None:
    keys = list(value)
    random.shuffle(keys)
    assert sha256_of({key: value[key] for key in keys}) == sha256_of(value)


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_six_significant_digits(number: float) -> None:
    kept = canonical_value(number)
    assert isinstance(kept, int | float)
    assert math.isclose(kept, number, rel_tol=5.1e-6, abs_tol=5e-324)
    assert float(kept) == float(f"{number:.6g}")


@settings(deadline=None)
@given(st.integers(-(2**53), 2**53))
def test_integers_are_exact_and_short_whole_floats_equal_them(number: int) -> None:
    assert canonical_json(number) == str(number)
    if abs(number) < 1_000_000:
        assert canonical_json(float(number)) == str(number)


def test_texts_written_out_by_hand() -> None:
    assert canonical_json({"b": [1.0, -0.0, 0.1 + 0.2], "a": {"z": None, "é": True}}) == (
        '{"a":{"z":null,"é":true},"b":[1,0,0.3]}'
    )
    assert canonical_json(1234567.0) == "1234570"
    assert canonical_json(1234567) == "1234567"
    assert canonical_json(1e22) == "10000000000000000000000"
    assert canonical_json(1.5e-7) == "1.5e-07"
    assert canonical_json('tab\t"quote" \\ \x7f \u2028') == '"tab\\t\\"quote\\" \\\\ \x7f \u2028"'


def test_the_hash_is_that_of_the_utf8_text() -> None:
    assert sha256_of(["é", 2.0]) == hashlib.sha256('["é",2]'.encode()).hexdigest()


def test_numpy_scalars_count_as_numbers() -> None:
    value = {"a": np.float32(0.1), "b": np.int64(3), "c": np.bool_(True), "d": np.float64(0.5)}
    assert canonical_json(value) == '{"a":0.1,"b":3,"c":true,"d":0.5}'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [0, math.nan]}, ["value.a[1]", "nan"]),
        ({"a": math.inf}, ["value.a", "inf"]),
        ({"a": -math.inf}, ["value.a", "-inf"]),
        (np.float32("nan"), ["value", "nan"]),
        ({"a": {1: 2}}, ["value.a", "key 1", "strings"]),
        ({"a": {"b", "c"}}, ["value.a", "set"]),
        ({"a": np.zeros(2)}, ["value.a", "ndarray"]),
        (b"bytes", ["value", "bytes"]),
        ("\ud800", ["value", "surrogate"]),
        ({"\ud800": 1}, ["key of value", "surrogate"]),
        (2**2000, ["value", "1024 bits"]),
    ],
)
def test_what_json_cannot_hold_is_refused_by_its_path(value: object, words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        canonical_json(value)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)
    str(caught.value).encode()


def test_endless_nesting_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(DataError, match="deeper than 64"):
        canonical_value(loop)


def test_the_path_can_be_named() -> None:
    with pytest.raises(DataError, match=r"settings\.pools\[0\]"):
        sha256_of({"pools": [math.nan]}, path="settings")
