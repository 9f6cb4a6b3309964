"""Subsets and their manifests: identity, round trips, damage, prefixes, verification."""

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.errors import DataError, SettingError
from flasheval.prompts import PromptSet, text_hash
from flasheval.storage.canonical import sha256_of
from flasheval.storage.plain import from_plain, to_plain
from flasheval.subset import Method, MetricInfo, Subset, SubsetPrompt
from flasheval.subset.evidence import (
    Agreement,
    Calibration,
    EquivalentSize,
    Evidence,
    KnownVariant,
    RandomSize,
    Record,
    SplitSizes,
    Spread,
)

TEXTS = ("a cat", "a dög", "a newt ", "a cow", "a hen")
PETS = PromptSet(
    "pets", ("1", "2", "3", "4", "5"), TEXTS, extras={"image_name": ("a", "b", "c", "d", "e")}
)


def make_record() -> Record:
    agreement = Agreement(
        held_out_tau=Spread(0.8333333333333334, 0.7, 0.9),
        random_tau=Spread(0.6, 0.5, 0.7, "min-max"),
        search_tau=0.97,
        held_out_tau_by_split=(0.1 + 0.2, None),
        equivalent_random_size=EquivalentSize(
            RandomSize(248.25), RandomSize(5.0, "<"), RandomSize(40504.0, ">")
        ),
        companions={"pairwise_accuracy": 0.9},
    )
    evidence = Evidence(
        size=3,
        split_spec="halves:2",
        splits=(SplitSizes("half 0", 39, 39), SplitSizes("half 1", 39, 39)),
        pooled=agreement,
        metrics={"clip": agreement},
    )
    return Record(
        evidence=evidence,
        calibration=Calibration({"clip": {"slope": 1.25, "looks": [10, 20]}}),
        known_variants=(KnownVariant("sd15/DDIM10", {"clip": 0.29661}, {"clip": 0.3}),),
        versions={"numpy": "2.0"},
        created="2025-01-31T12:00:00+00:00",
        notes=("a note",),
        warnings=("search tau saturates",),
        interrupted=True,
    )


def make_subset(**changes: Any) -> Subset:
    subset = Subset.choose(
        PETS,
        [2, 0, 4],
        name="three-pets",
        metrics=(MetricInfo("clip"), MetricInfo("fid", higher_is_better=False)),
        method=Method("balanced", {"lambda": 2.0, "pools": (500, 100)}, seed=7),
        searched_variants=("sd14/DDIM10", "sd15/DDIM10"),
        weights=[1 / 3, 1.0, 2.0],
        record=make_record(),
        with_texts=True,
    )
    return replace(subset, **changes)


# --- what a subset is ---------------------------------------------------------------------------


def test_choosing_takes_ids_hashes_weights_sources_and_texts() -> None:
    subset = make_subset()
    assert subset.ids == ("3", "1", "5")
    assert subset.size == 3
    assert subset.texts == ("a newt ", "a cat", "a hen")
    assert subset.weights.dtype == np.float64
    assert subset.weights.tolist() == [0.333333, 1.0, 2.0]
    assert subset.prompts[0].text_hash == text_hash("a newt")
    assert subset.prompts[2].sources == {"image_name": "e"}
    assert (subset.prompt_set_name, subset.prompt_set_hash) == ("pets", PETS.hash)


def test_texts_stay_out_unless_asked_for() -> None:
    subset = Subset.choose(PETS, [0], name="one", metrics=(), method=Method("random"))
    assert subset.prompts[0].text is None
    assert subset.prompts[0].text_hash == text_hash("a cat")
    with pytest.raises(DataError, match=r"flasheval subsets resolve one prompts=FILE"):
        _ = subset.texts


def test_weights_count_the_multiplicity() -> None:
    prompts = (SubsetPrompt("1", multiplicity=3), SubsetPrompt("2", weight=0.5, multiplicity=2))
    assert make_subset(prompts=prompts).weights.tolist() == [3.0, 1.0]
    assert "2 prompts of pets (5 with repeats)" in str(make_subset(prompts=prompts))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: make_subset(prompts=()), "no prompts"),
        (lambda: make_subset(prompts=(SubsetPrompt("1"),) * 2), '"1" occurs twice'),
        (lambda: make_subset(metrics=(MetricInfo("clip"),) * 2), '"clip" occurs twice'),
        (lambda: make_subset(searched_variants=("a", "a")), '"a" occurs twice'),
        (lambda: make_subset(name="../evil"), "cannot be a file name"),
        (lambda: make_subset(name=""), "cannot be a file name"),
        (lambda: make_subset(prompt_set_hash="abc"), "64 lower-case hex"),
        (lambda: SubsetPrompt(""), "empty id"),
        (lambda: SubsetPrompt("\ud800"), "surrogate"),
        (lambda: SubsetPrompt("1", weight=float("nan")), 'weight of prompt "1" is nan'),
        (lambda: SubsetPrompt("1", multiplicity=0), "multiplicity 0"),
        (lambda: SubsetPrompt("1", text_hash="A" * 64), "64 lower-case hex"),
        (lambda: SubsetPrompt("1", text_hash="a" * 64, text="x"), "does not match its text_hash"),
        (lambda: Method("m", {"a": [float("inf")]}), r"settings\.a\[0\] is inf"),
        (lambda: MetricInfo(""), "empty name"),
        (lambda: Spread(0.5, 0.9, 0.1), "above high"),
        (lambda: Spread(float("nan"), 0.0, 1.0), "mean is nan"),
        (lambda: SplitSizes("s", -1, 2), "negative"),
        (lambda: Record(created="yesterday"), "ISO time in UTC"),
        (lambda: Record(created="2025-01-31T12:00:00+02:00"), "ISO time in UTC"),
        (lambda: Record(created="2025-01-31T12:00:00"), "ISO time in UTC"),
        (lambda: replace(make_record().evidence, size=0), "at least 1"),
        (lambda: replace(make_record().evidence, splits=()), "2 values by split for 0"),
    ],
)
def test_impossible_parts_are_refused(make: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        make()


def test_choosing_refuses_weights_of_another_length_and_repeated_indices() -> None:
    with pytest.raises(DataError, match="2 weights for 1 prompts"):
        Subset.choose(PETS, [0], name="x", metrics=(), method=Method("m"), weights=[1, 2])
    with pytest.raises(DataError):
        Subset.choose(PETS, [0, 0], name="x", metrics=(), method=Method("m"))


def test_the_summary_is_short_and_says_what_counts() -> None:
    assert str(make_subset()).splitlines() == [
        "three-pets: 3 prompts of pets",
        "  method: balanced(lambda=2, pools=[500, 100]), seed 7, 2 variants searched",
        "  metrics: clip (higher is better), fid (lower is better)",
        "  evidence: 2 splits (halves:2), of the procedure, not of this exact set",
        "    all metrics: held-out tau 0.833 (0.700 to 0.900), random 0.600 (0.500 to 0.700), "
        "search 0.970; as good as 248 (<5 to >40504) random prompts",
        "    clip: held-out tau 0.833 (0.700 to 0.900), random 0.600 (0.500 to 0.700), "
        "search 0.970; as good as 248 (<5 to >40504) random prompts",
        "  warning: search tau saturates",
        "  interrupted: the search was stopped early",
        f"  content: sha256 {make_subset().content_hash[:12]}",
    ]


# --- the content hash ---------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"prompt_set_name": "other"},
        {"prompt_set_hash": "0" * 64},
        {"prompts": make_subset().prompts[::-1]},
        {"prompts": (replace(make_subset().prompts[0], weight=0.333334),)},
        {"metrics": (MetricInfo("clip", higher_is_better=False),)},
        {"method": Method("balanced", {"lambda": 2, "pools": [500, 101]}, 7)},
        {"method": Method("balanced", {"lambda": 2, "pools": [500, 100]}, 8)},
        {"searched_variants": ("sd15/DDIM10", "sd14/DDIM10")},
    ],
)
def test_a_change_of_content_changes_the_hash(change: dict[str, Any]) -> None:
    assert make_subset(**change).content_hash != make_subset().content_hash


def test_record_texts_and_float_noise_leave_the_hash_alone() -> None:
    subset = make_subset()
    assert replace(subset, record=Record()).content_hash == subset.content_hash
    assert subset.without_texts().content_hash == subset.content_hash
    noisy = replace(subset.prompts[0], weight=0.33333333333334)
    assert replace(subset, prompts=(noisy, *subset.prompts[1:])) == subset


# --- round trips --------------------------------------------------------------------------------


def test_saving_and_loading_gives_an_equal_subset(tmp_path: Path) -> None:
    subset = make_subset()
    path = subset.save(tmp_path / "three-pets.json")
    loaded = Subset.load(path)
    assert loaded == subset
    assert loaded.content_hash == subset.content_hash
    assert loaded.record.evidence == subset.record.evidence
    assert json.loads(path.read_text())["content_hash"] == subset.content_hash
    assert [entry.name for entry in tmp_path.iterdir()] == ["three-pets.json"]
    assert path.read_text().endswith("}\n")
    assert "a dög" not in path.read_text()


def test_saving_a_loaded_manifest_writes_the_same_bytes(tmp_path: Path) -> None:
    first = make_subset().save(tmp_path / "a.json").read_bytes()
    assert Subset.load(tmp_path / "a.json").save(tmp_path / "b.json").read_bytes() == first


def test_numbers_given_as_integers_or_numpy_scalars_survive(tmp_path: Path) -> None:
    agreement = Agreement(Spread(1, 0, 1), Spread(0, 0, 0), companions={"a": np.float64(0.25)})
    evidence = Evidence(3, "halves:1", (SplitSizes("a", 2, 2),), agreement)
    known = (KnownVariant("v", {"clip": np.float32(0.5)}, {"clip": np.int64(2)}),)
    subset = make_subset(record=Record(evidence=evidence, known_variants=known))
    assert Subset.load(subset.save(tmp_path / "a.json")) == subset


def test_other_json_tools_may_rewrite_a_manifest(tmp_path: Path) -> None:
    data = json.loads(make_subset().save(tmp_path / "a.json").read_text())
    data["prompts"][1]["weight"] = 1  # as JavaScript writes 1.0
    shuffled = {key: data[key] for key in sorted(data, reverse=True)}
    (tmp_path / "b.json").write_text("\ufeff" + json.dumps(shuffled, indent=4))
    assert Subset.load(tmp_path / "b.json") == make_subset()


def test_a_record_that_json_cannot_hold_is_not_written(tmp_path: Path) -> None:
    record = Record(known_variants=(KnownVariant("v", {"clip": float("nan")}),))
    with pytest.raises(DataError, match=r"known_variants\[0\]\.full_means\.clip is nan"):
        make_subset(record=record).save(tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def test_pickle_and_deepcopy_keep_a_subset_whole() -> None:
    subset = make_subset()
    assert pickle.loads(pickle.dumps(subset)) == subset  # noqa: S301
    assert copy.deepcopy(subset) == subset
    assert hash(subset) == hash(make_subset())


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SPREADS = st.tuples(FLOATS, FLOATS, FLOATS).map(lambda v: Spread(v[0], min(v[1:]), max(v[1:])))
SIZES = st.builds(RandomSize, FLOATS, st.sampled_from(["=", "<", ">"]))
AGREEMENTS = st.builds(
    Agreement,
    SPREADS,
    SPREADS,
    st.none() | FLOATS,
    st.just(()),
    st.none() | st.builds(EquivalentSize, SIZES, st.none() | SIZES, st.none() | SIZES),
    st.dictionaries(NAMES, FLOATS, max_size=2),
)
EVIDENCE = st.builds(
    Evidence,
    st.integers(1, 1000),
    NAMES,
    st.lists(st.builds(SplitSizes, NAMES, st.integers(0, 9), st.integers(0, 9)), max_size=2).map(
        tuple
    ),
    AGREEMENTS,
    st.dictionaries(NAMES, AGREEMENTS, max_size=2),
    st.sampled_from(["procedure", "this set"]),
)
RECORDS = st.builds(
    Record,
    st.none() | EVIDENCE,
    notes=st.lists(NAMES, max_size=2).map(tuple),
    versions=st.dictionaries(NAMES, NAMES, max_size=2),
    interrupted=st.booleans(),
)


@given(RECORDS)
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_any_record_survives_json_exactly(record: Record) -> None:
    assert from_plain(Record, json.loads(json.dumps(to_plain(record)))) == record
    subset = make_subset(record=record)
    assert Subset.from_dict(json.loads(json.dumps(subset.to_dict()))) == subset


# --- manifests from outside ---------------------------------------------------------------------


def edited(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    data = make_subset().to_dict()
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
        (("record", "calibration", "metrics", "clip", "x"), "\ud800", "surrogate"),
    ],
)
def test_an_edited_manifest_is_refused_by_its_key(
    path: tuple[str | int, ...], value: object, words: str
) -> None:
    with pytest.raises(DataError) as caught:
        Subset.from_dict(edited(path, value), source="a.json")
    assert words in str(caught.value)
    assert str(caught.value).startswith(("a.json: ", '"'))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, 1, "x", [], {}, {1: 2}, {"format": "flasheval-subset"}])
def test_other_json_is_no_manifest(data: object) -> None:
    with pytest.raises(DataError, match=r"^manifest: "):
        Subset.from_dict(data)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff\xfe{}", "UTF-8"),
        (b"{", "line 1, column 2"),
        (b"[" * 100_000, "not usable JSON"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": 1, "a": 2}', '"a" occurs twice'),
        (b'{"a": ' + b"9" * 5000 + b"}", "not usable JSON"),
    ],
)
def test_a_file_that_is_no_json_is_one_readable_line(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        Subset.load(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(DataError) as caught:
            Subset.load(path)
        assert str(path) in str(caught.value)
        assert "JSON file" in str(caught.value)


def test_an_unwritable_place_is_one_readable_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "a.json"):
        with pytest.raises(DataError, match="cannot write"):
            make_subset().save(path)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
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


MANIFEST = json.dumps(make_subset().to_dict(), indent=1, ensure_ascii=False).encode()


@given(st.integers(0, len(MANIFEST) - 1), st.integers(1, 255))
@settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_flipped_byte_is_refused_or_changes_nothing(
    tmp_path: Path, place: int, flip: int
) -> None:
    damaged = bytearray(MANIFEST)
    damaged[place] ^= flip
    path = tmp_path / "a.json"
    path.write_bytes(damaged)
    found = outcome(lambda: Subset.load(path))
    if isinstance(found, str):
        assert str(path) in found
    else:  # white space, or 1e-7 as 1E-7
        assert found == make_subset()


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(["id", "mean", "name"]), inner)
    ),
    max_leaves=6,
)


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, item in items:
        found += places(item, (*path, key))
    return found


PLACES = places(make_subset().to_dict())


@given(st.sampled_from(PLACES), JSON_VALUES, st.booleans())
@settings(deadline=None, max_examples=400)
def test_any_mutation_loads_or_is_refused_in_one_line(
    path: tuple[str | int, ...], value: object, remove: bool
) -> None:
    data = edited(path, value)
    if remove:
        place: Any = data
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
    body = {key: data[key] for key in data if key not in ("format", "schema_version")}
    for hash_key in ("content_hash", "record_hash"):
        body.pop(hash_key, None)
    # Once guarded by the hashes, and once without them, as if the hashes had been mended too.
    for read in (lambda: Subset.from_dict(data), lambda: from_plain(Subset, body)):
        found = outcome(read)
        if isinstance(found, str):
            assert "\n" not in found
            found.encode()
        else:
            assert isinstance(found, Subset)


# --- verifying against a prompt set -------------------------------------------------------------


def test_verify_accepts_the_prompt_set_it_came_from_and_larger_ones() -> None:
    subset = make_subset()
    subset.verify()
    subset.verify(PETS)
    subset.verify(PETS.without_texts())
    subset.verify(PromptSet("more", ("9", "5", "3", "1"), ("x", "a hen ", "a newt", "a cat")))


def test_verify_names_prompts_that_are_absent_or_have_another_text() -> None:
    subset = make_subset()
    with pytest.raises(DataError, match=r"2 of 3 prompts are not there \(3, 5\)"):
        subset.verify(PETS.take([0, 1]))
    swapped = PromptSet("other", ("1", "3", "5"), ("a dog", "a newt", "a cow"))
    with pytest.raises(DataError, match=r"2 of 3 prompts have another text there \(1, 5\)"):
        subset.verify(swapped)


def test_verify_does_not_trust_ids_alone() -> None:
    with pytest.raises(DataError, match="cannot be compared"):
        make_subset().verify(PromptSet("ids", ("1", "3", "5")))
    bare = PromptSet("ids", ("1", "3", "5"))
    chosen = Subset.choose(bare, [0, 2], name="x", metrics=(), method=Method("m"))
    chosen.verify(bare)  # the very prompt set: nothing more can be known
    with pytest.raises(DataError, match="cannot be compared"):
        chosen.verify(PETS)


def test_verify_sees_a_change_in_place() -> None:
    subset = make_subset()
    subset.method.settings["lambda"] = 3  # type: ignore[index]
    with pytest.raises(DataError, match="changed in place"):
        subset.verify()


def test_texts_are_filled_in_and_taken_out_again() -> None:
    bare = make_subset().without_texts()
    filled = bare.with_texts(PETS)
    assert filled.texts == ("a newt ", "a cat", "a hen")
    assert filled == make_subset()
    with pytest.raises(DataError, match="has no texts"):
        bare.with_texts(PETS.without_texts())
    with pytest.raises(DataError, match="another text"):
        bare.with_texts(PromptSet("other", ("1", "3", "5"), ("x", "y", "z")))


# --- prefixes -----------------------------------------------------------------------------------


def test_a_prefix_is_a_subset_of_its_own_without_the_evidence() -> None:
    subset = make_subset()
    prefix = subset.prefix(2)
    assert prefix.ids == subset.ids[:2]
    assert prefix.name == "three-pets-first-2"
    assert prefix.method.settings["prefix_size"] == 2
    assert prefix.method.settings["prefix_of"] == {
        "name": "three-pets",
        "size": 3,
        "content_hash": subset.content_hash,
    }
    assert prefix.record.evidence is None
    assert prefix.record.calibration is None
    assert prefix.record.known_variants[0].subset_means == {}
    assert prefix.record.known_variants[0].full_means == {"clip": 0.29661}
    assert prefix.content_hash != subset.content_hash
    prefix.verify(PETS)
    assert Subset.from_dict(prefix.to_dict()) == prefix


def test_prefixes_nest() -> None:
    subset = make_subset()
    assert subset.prefix(3) is subset
    assert subset.prefix(2).prefix(1).content_hash == subset.prefix(1).content_hash


@pytest.mark.parametrize("size", [0, -1, 4])
def test_a_prefix_of_impossible_size_is_refused(size: int) -> None:
    with pytest.raises(SettingError, match="1 to 3 prompts"):
        make_subset().prefix(size)
