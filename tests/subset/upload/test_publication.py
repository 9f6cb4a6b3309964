"""The folder: what is in it, that it is the same each time, and that nothing else gets in."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.prompts import load_prompts
from flasheval.subset import Subset
from flasheval.subset.upload import publication as module
from flasheval.subset.upload import publish
from flasheval.subset.upload.publication import public_name


def state(folder):
    """The bytes of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def left_beside(folder):
    """What lies beside a folder."""
    return [path.name for path in folder.parent.iterdir() if path != folder]


@pytest.fixture
def two(make_subset):
    return [make_subset(), make_subset("things-all-50", 50, ("clip", "hps"))]


def test_the_folder_holds_data_manifests_evidence_and_card(two, tmp_path):
    made = publish(two, tmp_path / "up")
    assert made.files == (
        "README.md",
        "data/things-all-50.parquet",
        "data/things-clip-5.parquet",
        "evidence.csv",
        "manifests/things-all-50.json",
        "manifests/things-clip-5.json",
    )
    assert tuple(state(tmp_path / "up")) == made.files
    assert made.configs == ("things-clip-5", "things-all-50")
    for subset in two:
        manifest = tmp_path / "up" / "manifests" / f"{subset.name}.json"
        assert manifest.read_bytes() == subset.save(tmp_path / "alone.json").read_bytes()
        assert Subset.load(manifest) == subset
    assert "snow" not in str(state(tmp_path / "up")).lower()
    assert not any(b"a thing numbered" in data for data in state(tmp_path / "up").values())


def test_the_data_are_the_prompts_in_order(make_subset, tmp_path):
    subset = make_subset()
    prompts = list(subset.prompts)
    prompts[1] = replace(prompts[1], multiplicity=3, sources={})
    subset = replace(subset, prompts=tuple(prompts))
    publish([subset], tmp_path / "up")
    table = pq.read_table(tmp_path / "up" / "data" / "things-clip-5.parquet")
    assert table.to_pydict() == {
        "prompt_id": list(subset.ids),
        "text_sha256": [prompt.text_hash for prompt in subset.prompts],
        "weight": [1.0, 1.25, 1.5, 1.75, 2.0],
        "multiplicity": [1, 3, 1, 1, 1],
        "image_name": ["0.png", None, "2.png", "3.png", "4.png"],
    }
    (tmp_path / "up" / "data" / "things-clip-5.parquet").rename(tmp_path / "p.parquet")
    assert load_prompts(tmp_path / "p.parquet").ids == subset.ids


def test_texts_go_in_only_when_asked_for_or_there(make_subset, things, tmp_path):
    bare = make_subset()
    made = publish([bare], tmp_path / "asked", prompts=things)
    table = pq.read_table(tmp_path / "asked" / "data" / "things-clip-5.parquet")
    assert table["text"].to_pylist() == list(things.texts[:5])
    published = Subset.load(tmp_path / "asked" / "manifests" / "things-clip-5.json")
    assert published.texts == things.texts[:5]
    assert published.content_hash == bare.content_hash
    assert made.subsets[0].texts == things.texts[:5]
    carried = publish([make_subset(texts=True)], tmp_path / "carried")
    assert state(made.folder) == state(carried.folder)
    assert "their texts are included" in made.warnings[0]
    assert "texts" not in publish([bare], tmp_path / "bare").warnings[0].split(":")[0]


def test_the_wrong_prompts_are_refused_and_nothing_is_written(make_subset, things, tmp_path):
    other = type(things)("other", things.ids, tuple(f"{text}!" for text in things.texts))
    with pytest.raises(DataError, match="things-clip-5"):
        publish([make_subset()], tmp_path / "up", prompts=other)
    assert not (tmp_path / "up").exists()


def test_the_same_again_is_left_alone_and_identical_elsewhere(two, tmp_path):
    first = publish(two, tmp_path / "up")
    stamps = {name: (first.folder / name).stat().st_mtime_ns for name in first.files}
    inode = first.folder.stat().st_ino
    assert publish(two, tmp_path / "up") == first
    assert {name: (first.folder / name).stat().st_mtime_ns for name in first.files} == stamps
    assert first.folder.stat().st_ino == inode
    assert state(publish(two, tmp_path / "again").folder) == state(first.folder)


def test_a_changed_publication_takes_the_place_of_the_old(two, tmp_path):
    publish(two, tmp_path / "up", title="Old")
    publish(two, tmp_path / "up", title="New")
    assert "# New" in (tmp_path / "up" / "README.md").read_text(encoding="utf-8")
    assert left_beside(tmp_path / "up") == []


@pytest.mark.parametrize("name", ["notes.txt", "data/old.parquet", ".git/config", "link"])
def test_other_files_are_named_and_kept(two, tmp_path, name):
    publish(two, tmp_path / "up")
    other = tmp_path / "up" / name
    other.parent.mkdir(exist_ok=True)
    if name == "link":
        other.symlink_to(tmp_path)
    else:
        other.write_text("mine")
    before = state(tmp_path / "up")
    with pytest.raises(DataError, match=f"holds a file that is not of this .*{name}"):
        publish(two, tmp_path / "up", title="New")
    assert state(tmp_path / "up") == before
    assert left_beside(tmp_path / "up") == []


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interruption_leaves_no_half_folder(two, tmp_path, monkeypatch, there, error):
    if there:
        publish(two, tmp_path / "up", title="Old")
    before = state(tmp_path)

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(module, "write_card", fails)  # after data and manifests
    with pytest.raises((KeyboardInterrupt, DataError)):
        publish(two, tmp_path / "up", title="New")
    assert state(tmp_path) == before
    assert (tmp_path / "up").exists() == there


def test_an_interruption_between_the_two_names_brings_the_old_back(two, tmp_path, monkeypatch):
    publish(two, tmp_path / "up", title="Old")
    before, rename = state(tmp_path), os.rename

    def fails_once(source, target):
        if Path(target).name == "up" and not Path(source).name.endswith("-old"):
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "rename", fails_once)
    with pytest.raises(KeyboardInterrupt):
        publish(two, tmp_path / "up", title="New")
    assert state(tmp_path) == before


def test_a_file_the_working_folder_and_a_folder_that_cannot_be_are_refused(
    two, tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="is a file; name a folder"):
        publish(two, tmp_path / "file")
    with pytest.raises(DataError, match="cannot be written"):
        publish(two, tmp_path / "file" / "below")
    monkeypatch.chdir(tmp_path)
    for out in (".", "..", tmp_path):
        with pytest.raises(SettingError, match="is the working folder or above it"):
            publish(two, out)
    assert publish(two, "here").folder == Path("here")


@pytest.mark.parametrize(
    "name", ["", "a b", "a[1]", "ä", "a/b", "../x", ".x", "a@b", "a#b", "a%2e", "x" * 97, "a\n"]
)
def test_names_that_a_glob_or_url_reads_otherwise_are_refused(name):
    with pytest.raises(SettingError, match="cannot be published"):
        public_name(name)


def test_subsets_must_be_there_and_have_names_of_their_own(make_subset, tmp_path):
    with pytest.raises(SettingError, match="no subset to publish"):
        publish([], tmp_path / "up")
    with pytest.raises(SettingError, match='called "a-5" and "A-5"'):
        publish([make_subset("a-5"), make_subset("A-5")], tmp_path / "up")
    with pytest.raises(SettingError, match='"few things" cannot be published'):
        publish([make_subset("few things")], tmp_path / "up")
    with pytest.raises(SettingError, match="license=CC BY: expected the Hub's name"):
        publish([make_subset()], tmp_path / "up", license="CC BY")
    assert not (tmp_path / "up").exists()


def test_a_damaged_file_is_found_by_its_hash(make_subset, tmp_path):
    publish([make_subset()], tmp_path / "up")
    path = tmp_path / "up" / "manifests" / "things-clip-5.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["prompts"][0]["weight"] = 7.0
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(FlashevalError, match="do not match content_hash"):
        Subset.load(path)
