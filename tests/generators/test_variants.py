import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.generators.variants import Variant

_VALUES = st.one_of(st.text(max_size=5), st.integers(-(10**6), 10**6), st.booleans(), st.none())
_KEYS = st.text(min_size=1, max_size=5).filter(lambda key: key != "name")


def test_the_fingerprint_is_the_hash_of_canonical_json():
    variant = Variant("a/b", {"steps": 10, "base": "é"})
    expected = '{"factors":{"base":"é","steps":10},"name":"a/b"}'
    assert json.loads(expected)["name"] == "a/b"
    assert variant.fingerprint == hashlib.sha256(expected.encode()).hexdigest()


@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_the_order_of_factors_does_not_count(factors):
    backwards = dict(reversed(list(factors.items())))
    assert Variant("v", factors).fingerprint == Variant("v", backwards).fingerprint
    assert Variant("v", factors) == Variant("v", backwards)


def test_name_and_factors_both_count():
    prints = {
        Variant(name, factors).fingerprint
        for name in ("a", "b")
        for factors in ({}, {"steps": 1}, {"steps": 2}, {"steps": True}, {"steps": "1"})
    }
    assert len(prints) == 10


def test_an_unknown_factor_is_no_factor():
    assert Variant("v", {"guidance": None}) == Variant("v")


def test_numpy_scalars_are_unwrapped():
    variant = Variant(np.str_("v"), {"steps": np.int64(5), "flag": np.bool_(True)})
    assert type(variant.name) is str
    assert type(variant.factors["steps"]) is int
    assert variant.factors["flag"] is True


def test_variants_can_be_put_into_sets():
    assert len({Variant("v", {"a": 1}), Variant("v", {"a": 1})}) == 1


@pytest.mark.parametrize(
    ("name", "factors", "message"),
    [
        ("", {}, "non-empty string"),
        (3, {}, "non-empty string"),
        ("prompt_id", {}, "prompts' column"),
        ("v", {"": 1}, "cannot be called ''"),
        ("v", {"name": 1}, "cannot be called 'name'"),
        ("v", {"a": [1]}, "is a list"),
        ("v", {"a": float("nan")}, "give a finite number"),
        ("v\ud800", {}, "surrogate"),
    ],
)
def test_what_cannot_be_written_is_refused(name, factors, message):
    with pytest.raises(DataError, match=message):
        Variant(name, factors)
