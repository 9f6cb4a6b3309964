"""Manifests: the hashes that guard them, and those from outside, edited, damaged or foreign."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.base.canonical import sha256_of
from flasheval.base.errors import DataError
from flasheval.base.json_data import from_plain
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset, SubsetPrompt
from flasheval.subset.evidence import KnownVariant, Record
from flasheval.subset.manifest import content_hash, record_hash, write_manifest

MakeSubset = Callable[..., Subset]
Place = tuple[str | int, ...]


def test_the_content_hash_is_the_sha256_of_the_documented_content() -> None:
    subset = Subset(
        name="s",
        prompt_set_name="p",
        prompt_set_hash=None,
        prompts=(SubsetPrompt("1", weight=1 / 3),),
        metrics=(MetricInfo("fid", higher_is_better=False),),
        method=Method("random", {"k": 2.0}, seed=None),
        searched_variants=("v",),
    )
    prompt = {"id": "1", "text_hash": None, "weight": 0.333333, "multiplicity": 1, "sources": {}}
    content = {
        "schema_version": 1,
        "name": "s",
        "prompt_set": {"name": "p", "hash": None},
        "prompts": [prompt],
        "metrics": [["fid", False]],
        "method": ["random", {"k": 2}, None],
        "searched_variants": ["v"],
    }
    assert subset.content_hash == sha256_of(content)
    text = (
        '{"method":["random",{"k":2},null],"metrics":[["fid",false]],"name":"s",'
        '"prompt_set":{"hash":null,"name":"p"},"prompts":[{"id":"1","multiplicity":1,"sources":{},'
        '"text_hash":null,"weight":0.333333}],"schema_version":1,"searched_variants":["v"]}'
    )
    assert content_hash(subset) == hashlib.sha256(text.encode()).hexdigest()


def test_the_record_hash_covers_record_and_texts_to_the_last_digit(
    make_subset: MakeSubset, pets: PromptSet
) -> None:
    known = (KnownVariant("v", {"clip": 0.1 + 0.2}),)
    prompts = (SubsetPrompt("1", text="a dög"), SubsetPrompt("2"))
    subset = make_subset(record=Record(known_variants=known), prompts=prompts)
    text = (
        '{"record":{"known_variants":[{"full_means":{"clip":0.30000000000000004},"name":"v"}]},'
        '"texts":["a dög",null]}'
    )
    assert record_hash(subset) == hashlib.sha256(text.encode()).hexdigest()
    whole = make_subset()
    assert record_hash(whole.without_texts()) != record_hash(whole)
    assert record_hash(whole.without_texts().with_texts(pets)) == record_hash(whole)
    assert record_hash(make_subset(name="other")) == record_hash(whole)


def test_a_manifest_is_one_flat_object_without_what_is_by_default() -> None:
    subset = Subset("s", "p", None, (SubsetPrompt("1"),), (MetricInfo("clip"),), Method("random"))
    assert write_manifest(subset) == {
        "format": "flasheval-subset",
        "schema_version": 1,
        "content_hash": subset.content_hash,
        "record_hash": hashlib.sha256(b'{"record":{},"texts":[null]}').hexdigest(),
        "name": "s",
        "prompt_set_name": "p",
        "prompt_set_hash": None,
        "prompts": [{"id": "1"}],
        "metrics": [{"name": "clip"}],
        "method": {"name": "random"},
    }
    assert list(write_manifest(subset))[:4] == [
        "format",
        "schema_version",
        "content_hash",
        "record_hash",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"prompt_set_name": "other"},
        {"prompt_set_hash": "0" * 64},
        lambda prompts: prompts[::-1],
        lambda prompts: (replace(prompts[0], weight=0.333334),),
        lambda prompts: (replace(prompts[0], weight=0.333334), *prompts[1:]),
        lambda prompts: (replace(prompts[0], multiplicity=2), *prompts[1:]),
        lambda prompts: (replace(prompts[0], sources={"image_name": "x"}), *prompts[1:]),
        {"metrics": (MetricInfo("clip", higher_is_better=False),)},
        {"method": Method("balanced", {"lambda": 2, "pools": [500, 101]}, 7)},
        {"method": Method("balanced", {"lambda": 2, "pools": [500, 100]}, 8)},
        {"searched_variants": ("sd15/DDIM10", "sd14/DDIM10")},
    ],
)
def test_a_change_of_content_changes_the_hash(
    make_subset: MakeSubset, change: dict[str, Any] | Callable[..., Any]
) -> None:
    if callable(change):
        change = {"prompts": change(make_subset().prompts)}
    assert make_subset(**change).content_hash != make_subset().content_hash


def test_record_texts_and_float_noise_leave_the_hash_alone(make_subset: MakeSubset) -> None:
    subset = make_subset()
    assert replace(subset, record=Record()).content_hash == subset.content_hash
    assert subset.without_texts().content_hash == subset.content_hash
    noisy = replace(subset.prompts[0], weight=0.33333333333334)
    assert replace(subset, prompts=(noisy, *subset.prompts[1:])) == subset


def test_saving_a_loaded_manifest_writes_the_same_bytes(
    make_subset: MakeSubset, tmp_path: Path
) -> None:
    first = make_subset().save(tmp_path / "a.json").read_bytes()
    assert Subset.load(tmp_path / "a.json").save(tmp_path / "b.json").read_bytes() == first


def test_other_json_tools_may_rewrite_a_manifest(make_subset: MakeSubset, tmp_path: Path) -> None:
    data = json.loads(make_subset().save(tmp_path / "a.json").read_text())
    data["prompts"][1]["weight"] = 1  # as JavaScript writes 1.0
    shuffled = {key: data[key] for key in sorted(data, reverse=True)}
    (tmp_path / "b.json").write_text("\ufeff" + json.dumps(shuffled, indent=4))
    assert Subset.load(tmp_path / "b.json") == make_subset()


def test_a_record_that_json_cannot_hold_is_not_written(
    make_subset: MakeSubset, tmp_path: Path
) -> None:
    record = Record(known_variants=(KnownVariant("v", {"clip": float("nan")}),))
    with pytest.raises(DataError, match=r"known_variants\[0\]\.full_means\.clip is nan"):
        make_subset(record=record).save(tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def edited(subset: Subset, path: Place, value: object) -> dict[str, Any]:
    data = subset.to_dict()
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("prompts", 1, "weight"), "1", 'a.json: prompts[1].weight is "1"; expected a number'),
        (("prompts", 1, "weight"), True, "prompts[1].weight is true; expected a number"),
        (("prompts", 1, "id"), 5, "prompts[1].id is 5; expected a string"),
        (("prompts", 1, "multiplicity"), 1.5, "prompts[1].multiplicity is 1.5; expected a whole"),
        (
            ("prompts", 1, "wieght"),
            1,
            "prompts[1].wieght is not a known key; did you mean 'weight'",
        ),
        (("prompts", 1), {}, "prompts[1].id is missing"),
        (("prompts", 1), [], "prompts[1] is a list of 0; expected an object"),
        (
            ("prompts", 1, "sources", "part id"),
            3,
            'prompts[1].sources."part id" is 3; expected a s',
        ),
        (("prompts",), {}, "prompts is an object; expected a list"),
        (("prompts",), [], "no prompts"),
        (("prompts", 1, "id"), "3", '"3" occurs twice'),
        (("prompts", 1, "text"), "another", "prompts[1]: the text of prompt"),
        (("metrics", 0, "higher_is_better"), 1, "metrics[0].higher_is_better is 1; expected true"),
        (("method", "seed"), "x", 'method.seed is "x"; expected a whole number'),
        (("method", "settings"), [], "method.settings is a list of 0; expected an object"),
        (("record", "evidence", "applies_to"), "all", 'expected one of "procedure", "this set"'),
        (
            ("record", "evidence", "pooled", "random_tau", "low"),
            None,
            "pooled.random_tau.low is nul",
        ),
        (("record", "evidence", "pooled", "random_tau", "low"), 0.8, "pooled.random_tau: low is"),
        (("record", "created"), "today", "record: created is"),
        (("record", "calibration", "metrics", "clip"), 1, "record.calibration.metrics.clip is 1"),
        (("name",), None, "name is null; expected a string"),
        (("format",), "x", "not a subset manifest"),
        (("schema_version",), 2, "schema_version is 2, this flasheval reads 1"),
        (("schema_version",), True, "schema_version is true"),
        (("content_hash",), None, "content_hash is missing"),
        (("extra",), 1, "extra is not a known key"),
        (("name",), "renamed", "do not match content_hash"),
        (("prompts", 1, "weight"), 1.0001, "do not match content_hash"),
        (("prompts", 1, "weight"), 10**400, "prompts[1].weight is not finite"),
        (("record", "notes", 0), "A note", "do not match record_hash"),
        (("record", "known_variants", 0, "full_means", "clip"), 0.296610001, "record_hash"),
        (("record", "calibration", "metrics", "clip", "x"), 1, "metrics.clip.x is not a known key"),
        (("record", "calibration", "metrics", "clip", "slope"), float("nan"), "clip.slope is not"),
        (("record", "calibration", "dof"), 0, "record.calibration: dof is 0"),
        (("record", "calibration", "folds"), 7, "do not match record_hash"),
        (("record", "calibration", "group"), "\ud800", "surrogate"),
    ],
)
def test_an_edited_manifest_is_refused_by_its_key(
    make_subset: MakeSubset, path: Place, value: object, words: str
) -> None:
    with pytest.raises(DataError) as caught:
        Subset.from_dict(edited(make_subset(), path, value), source="a.json")
    assert words in str(caught.value)
    assert str(caught.value).startswith(("a.json: ", '"'))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, 1, "x", [], {}, {1: 2}, {"format": "flasheval-subset"}])
def test_other_json_is_no_manifest(data: object) -> None:
    with pytest.raises(DataError, match=r"^manifest: "):
        Subset.from_dict(data)


def test_every_truncation_is_refused(make_subset: MakeSubset, tmp_path: Path) -> None:
    whole = make_subset().save(tmp_path / "a.json").read_bytes().rstrip()
    path = tmp_path / "cut.json"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError) as caught:
            Subset.load(path)
        assert str(path) in str(caught.value)


def outcome(read: Callable[[], Subset]) -> Subset | str:
    """Give the subset, or the message of the one error there may be."""
    try:
        return read()
    except DataError as error:
        return str(error)


@given(st.data(), st.integers(1, 255))
@settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_flipped_byte_is_refused_or_changes_nothing(
    make_subset: MakeSubset, tmp_path: Path, data: st.DataObject, flip: int
) -> None:
    manifest = json.dumps(make_subset().to_dict(), indent=1, ensure_ascii=False)
    damaged = bytearray(manifest.encode())
    damaged[data.draw(st.integers(0, len(damaged) - 1), "place")] ^= flip
    path = tmp_path / "a.json"
    path.write_bytes(damaged)
    found = outcome(lambda: Subset.load(path))
    if isinstance(found, str):
        assert str(path) in found
    else:  # white space, or 1e-7 as 1E-7
        assert found == make_subset()


FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(["id", "mean", "name"]), inner)
    ),
    max_leaves=6,
)


def places(value: object, path: Place = ()) -> list[Place]:
    found = [path] if path else []
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, item in items:
        found += places(item, (*path, key))
    return found


@given(st.data(), JSON_VALUES, st.booleans())
@settings(deadline=None, max_examples=400)
def test_any_mutation_loads_or_is_refused_in_one_line(
    make_subset: MakeSubset, data: st.DataObject, value: object, remove: bool
) -> None:
    path = data.draw(st.sampled_from(places(make_subset().to_dict())), "path")
    manifest = edited(make_subset(), path, value)
    if remove:
        place: Any = manifest
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
    body = {key: manifest[key] for key in manifest if key not in ("format", "schema_version")}
    for hash_key in ("content_hash", "record_hash"):
        body.pop(hash_key, None)
    # Once guarded by the hashes, and once without them, as if the hashes had been mended too.
    for read in (lambda: Subset.from_dict(manifest), lambda: from_plain(Subset, body)):
        found = outcome(read)
        if isinstance(found, str):
            assert "\n" not in found
            found.encode()
        else:
            assert isinstance(found, Subset)


TAU = {"mean": 0.5, "low": 0.4, "high": 0.6}


def _with(path, value):
    """A manifest in which one place of the record or the prompts holds another value."""
    agreement = {"held_out_tau": TAU, "random_tau": TAU, "companions": {"pairwise_accuracy": 0.8}}
    splits = [{"name": "half", "n_search": 4, "n_held_out": 4}]
    evidence = {"size": 1, "split_spec": "halves:1", "splits": splits, "pooled": agreement}
    data = {
        "name": "one",
        "prompt_set_name": "pets",
        "prompt_set_hash": None,
        "prompts": [{"id": "7"}],
        "metrics": [{"name": "clip"}],
        "method": {"name": "random"},
        "record": {"evidence": evidence},
    }
    data = json.loads(json.dumps(data))
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return data


POOLED = ("record", "evidence", "pooled")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ((*POOLED, "held_out_tau", "high"), 1.5, "pooled: held_out_tau.high is 1.5; expected a"),
        ((*POOLED, "random_tau", "low"), -7, "random_tau.low is -7; expected a number from -1 to"),
        ((*POOLED, "search_tau"), 1.01, "search_tau is 1.01"),
        ((*POOLED, "held_out_tau_by_split"), [-2], r"held_out_tau_by_split\[0\] is -2"),
        ((*POOLED, "companions"), {"pairwise_accuracy": -0.1}, "pairwise_accuracy is -0.1"),
        ((*POOLED, "companions"), {"tau_significant": 2}, "tau_significant is 2"),
        (
            (*POOLED, "equivalent_random_size"),
            {"estimate": {"value": -3}},
            "estimate: value is -3; expected a number at least 0",
        ),
        (("record", "evidence", "splits", 0, "n_search"), -1, "negative number of variants"),
        (("record", "evidence", "size"), 0, "size is 0; expected at least 1"),
        (("prompts", 0, "weight"), 0, 'weights of subset "one" sum to 0'),
        (("prompts", 0, "multiplicity"), 10**12, "expected at most 1,000,000,000"),
        (("prompts", 0, "multiplicity"), 0, "multiplicity 0; expected 1 or more"),
    ],
)
def test_a_number_that_cannot_be_is_named_whatever_the_hashes_say(path, value, message):
    assert from_plain(Subset, _with(("name",), "one")).name == "one"
    with pytest.raises(DataError, match=message):
        from_plain(Subset, _with(path, value), source="a.json")
