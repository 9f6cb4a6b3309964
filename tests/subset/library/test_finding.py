import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError, FlashevalError
from flasheval.base.resources import bundled
from flasheval.prompts import save_prompts
from flasheval.subset import Subset
from flasheval.subset.library import find_subset, finding, load_subset

COMMIT = "0123456789abcdef" * 2 + "01234567"


def test_sizes_stand_in_order_of_number(published):
    (published / "pets-clip-10.json").write_text("{}")
    assert list(bundled()) == [
        "pets-clip-2", "pets-clip-3", "pets-clip-5", "pets-clip-10", "rocks-clip-2",
    ]  # fmt: skip


def test_a_name_a_manifest_and_a_run_are_found(published, choose, tmp_path):
    assert find_subset("pets-clip-5").name == "pets-clip-5"
    mine = choose("mine", (0, 1))
    path = mine.save(tmp_path / "run" / "subset.json")
    assert find_subset(path) == find_subset(str(path)) == find_subset(path.parent) == mine


def test_it_says_which_it_found(published, choose, pets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shipped = load_subset("pets-clip-5", prompts=pets)
    assert shipped.found == shipped.without_texts().found == "shipped with flasheval"
    assert "found: shipped with flasheval" in str(shipped)
    assert shipped.prefix(2).found == ""
    mine = choose("mine", (0, 1))
    assert (mine.found, "found" in str(mine)) == ("", False)
    found = load_subset(mine.save(tmp_path / "run" / "subset.json"))
    assert found.found == "run/subset.json"
    assert found.with_texts(pets).with_tags(pets).found == "run/subset.json"
    assert "run/subset.json" not in json.dumps(found.to_dict())
    copy = load_subset(find_subset("pets-clip-5").save(tmp_path / "copy.json"))
    assert copy.found == "copy.json, a copy of the one shipped with flasheval"


def test_a_file_named_as_a_shipped_subset_is_read_and_told(published, choose, tmp_path):
    """As searches of earlier versions named theirs."""
    path = choose("Pets-clip-5", (6, 2, 7)).save(tmp_path / "old.json")
    with pytest.warns(UserWarning, match=r"old\.json has the name .* \(2 of 3 prompts"):
        found = load_subset(path)
    assert found.ids == ("7", "3", "8")
    assert found.found.endswith("old.json, not the one shipped with flasheval")
    (published / "pets-clip-5.json").write_text("{}")  # damaged: that is another matter
    assert load_subset(path).ids == found.ids


def test_a_file_called_like_a_published_subset_is_told_apart(
    published, choose, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    choose("other", (0,)).save(tmp_path / "pets-clip-5")
    with pytest.warns(UserWarning, match=r"published subset of that name; say \./pets-clip-5"):
        assert find_subset("pets-clip-5").name == "pets-clip-5"
    assert find_subset("./pets-clip-5").name == "other"
    assert find_subset(tmp_path / "pets-clip-5").name == "other"


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        (
            "pets-clip-50",
            ["'pets-clip-50'", "did you mean 'pets-clip-5'", "flasheval subsets list"],
        ),
        ("nowhere/pets-clip-5", ["nowhere/pets-clip-5 does not exist", "'pets-clip-5'"]),
        ("zzz", ["no subset 'zzz'", "no manifest"]),
        ("", ["empty"]),
        ("x" * 5000, ["no subset"]),
        ("a\0b", ["no subset"]),
        ("hf://me/mine/pets", ["@COMMIT", "40 hex digits"]),
        ("hf://me/mine@main/pets", ["40 hex digits"]),
        (f"hf://me/mine@{COMMIT[:39]}/pets", ["40 hex digits"]),
    ],
)
def test_what_cannot_be_found_is_one_line(published, source, parts):
    with pytest.raises(FlashevalError) as raised:
        find_subset(source)
    for part in parts:
        assert part in str(raised.value)


def test_a_folder_without_a_manifest(published, tmp_path):
    with pytest.raises(DataError, match=r"holds no subset\.json"):
        find_subset(tmp_path)


def test_a_manifest_under_another_name_is_refused(published):
    (published / "pets-clip-4.json").write_bytes((published / "pets-clip-5.json").read_bytes())
    with pytest.raises(DataError, match='holds the subset "pets-clip-5", not "pets-clip-4"'):
        find_subset("pets-clip-4")


def test_a_hub_address_goes_to_the_hub_and_is_checked(published, monkeypatch):
    asked = []

    def fetch(source):
        asked.append(source)
        return published / "pets-clip-5.json"

    monkeypatch.setattr(finding, "fetch_manifest", fetch)
    address = f"hf://me/mine@{COMMIT}/pets-clip-5"
    assert find_subset(address).name == "pets-clip-5"
    assert asked == [address]
    with pytest.raises(DataError, match='not "another"'):
        find_subset(f"hf://me/mine@{COMMIT}/another")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_flipped_byte_is_told_or_harmless(published, data):
    path = published / "pets-clip-5.json"
    original = (published / "pets-clip-5.json").read_bytes()
    before = Subset.load(path)
    position = data.draw(st.integers(0, len(original) - 1))
    flip = data.draw(st.integers(1, 255))
    changed = bytearray(original)
    changed[position] ^= flip
    try:
        path.write_bytes(changed)
        said, after = "", None
        try:
            after = find_subset("pets-clip-5")
        except FlashevalError as error:
            said = str(error)
        if after is None:
            assert "pets-clip-5.json" in said
            assert "\n" not in said
        else:
            assert after == before
            assert after.record == before.record
            assert original[position : position + 1] in (b" ", b"\n")
    finally:
        path.write_bytes(original)


def test_texts_are_looked_up_once(published, pets, tmp_path):
    bare = load_subset("pets-clip-5")
    with pytest.raises(DataError, match="flasheval subsets resolve pets-clip-5 prompts=FILE"):
        bare.texts  # noqa: B018 - the property raises
    file = save_prompts(pets, tmp_path / "pets.parquet")
    subset = load_subset("pets-clip-5", prompts=file)
    assert subset.texts == ("a bee ", "a newt ", "a cat ", "a hen ", "a dög ")
    assert subset.content_hash == bare.content_hash
    file.unlink()
    assert load_subset("pets-clip-5").texts == subset.texts
    assert load_subset("pets-clip-2").texts == subset.texts[:2]
    assert any(prompt.text is None for prompt in load_subset("rocks-clip-2").prompts)


def test_a_manifest_with_texts_needs_no_copy(published, pets, choose, tmp_path):
    path = choose("mine", (3,)).with_texts(pets).save(tmp_path / "mine.json")
    assert load_subset(path, prompts=tmp_path / "missing").texts == ("a cow ",)
