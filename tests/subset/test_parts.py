"""Prompts, metrics and methods of a subset: what they refuse and how they read."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.subset.parts import Method, MetricInfo, SubsetPrompt, require_hash


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SubsetPrompt(""), "empty id"),
        (lambda: SubsetPrompt("\ud800"), "surrogate"),
        (lambda: SubsetPrompt("1", weight=float("nan")), 'weight of prompt "1" is nan'),
        (lambda: SubsetPrompt("1", multiplicity=0), "multiplicity 0"),
        (lambda: SubsetPrompt("1", text_hash="A" * 64), "64 lower-case hex"),
        (lambda: SubsetPrompt("1", text_hash="a" * 64, text="x"), "does not match its text_hash"),
        (
            lambda: SubsetPrompt("1", sources={"a": {1: 2}}),
            r'sources of prompt "1"\.a has the key 1',
        ),
        (lambda: Method("m", {"a": [float("inf")]}), r"settings\.a\[0\] is inf"),
        (lambda: Method("m", {"a": {1, 2}}), r"settings\.a is a set"),
        (lambda: MetricInfo(""), "empty name"),
    ],
)
def test_impossible_parts_are_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_text_hash_follows_from_the_text() -> None:
    expected = hashlib.sha256("a d\u00f6g".encode()).hexdigest()
    apart = SubsetPrompt("1", text=" a do\u0308g\n")  # the accent on its own, white space around
    assert apart.text_hash == expected
    assert apart.text == " a do\u0308g\n"
    assert SubsetPrompt("1", text_hash=expected, text="a d\u00f6g").text_hash == expected
    assert SubsetPrompt("1", text_hash=expected).text is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_weights_are_kept_to_six_digits_once_and_for_all(weight: float) -> None:
    kept = SubsetPrompt("1", weight=weight).weight
    assert isinstance(kept, float)
    assert kept == pytest.approx(weight, rel=5.000001e-6, abs=5e-324)
    assert float(f"{kept:.6g}") == kept
    assert SubsetPrompt("1", weight=kept).weight == kept


def test_weights_by_hand() -> None:
    weights = [SubsetPrompt("1", weight=w).weight for w in (1, 2 / 3, 1234567.0, np.float32(0.1))]
    assert weights == [1.0, 0.666667, 1234570.0, 0.1]


def test_settings_and_sources_are_kept_in_canonical_form() -> None:
    method = Method("m", {"pools": (500, np.int64(100)), "rate": 1 / 3, "deep": {"x": 2.0}}, seed=7)
    assert method.settings == {"pools": [500, 100], "rate": 0.333333, "deep": {"x": 2}}
    assert type(method.settings["deep"]["x"]) is int
    assert method == Method("m", {"rate": 0.33333333, "deep": {"x": 2}, "pools": [500, 100]}, 7)
    given = {"image_name": "a.png"}
    prompt = SubsetPrompt("1", sources=given)
    given["image_name"] = "changed since"
    assert prompt.sources == {"image_name": "a.png"}


def test_parts_read_well() -> None:
    assert str(MetricInfo("clip")) == "clip (higher is better)"
    assert str(MetricInfo("fid", higher_is_better=False)) == "fid (lower is better)"
    assert str(Method("random")) == "random()"
    assert str(Method("random", seed=0)) == "random(), seed 0"
    settings = {"keep": 0.5, "replace": False, "levels": None, "pools": [5, 1], "how": "x"}
    assert str(Method("frequency", settings, 3)) == (
        'frequency(keep=0.5, replace=false, levels=null, pools=[5, 1], how="x"), seed 3'
    )


def test_equal_parts_have_equal_hashes_for_sets_and_keys() -> None:
    prompt = SubsetPrompt("1", sources={"image_name": "a"})
    assert hash(prompt) == hash(replace(prompt))
    assert len({Method("m", {"a": 1}), Method("m", {"a": 1.0}), Method("m", {"a": 2})}) == 2


@pytest.mark.parametrize("good", [None, "0" * 64, "0123456789abcdef" * 4])
def test_a_hash_may_be_absent_or_whole(good: str | None) -> None:
    require_hash(good, "it")
    assert SubsetPrompt("1", text_hash=good).text_hash == good


@pytest.mark.parametrize("bad", ["", "0" * 63, "0" * 65, "g" * 64, "A" * 64, "0" * 64 + "\n"])
def test_a_bad_hash_is_named_and_cut_short(bad: str) -> None:
    with pytest.raises(DataError, match=r"the hash of it is .*; expected 64 lower-case hex digits"):
        require_hash(bad, "the hash of it")
    with pytest.raises(DataError) as caught:
        require_hash("x" * 10_000, "it")
    assert len(str(caught.value)) < 120
