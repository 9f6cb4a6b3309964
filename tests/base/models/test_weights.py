"""Checkpoints found in folders and in a Hub cache, and told apart by what is in them."""

import os
import shutil
from pathlib import Path

import pytest

from flasheval.base.errors import DataError
from flasheval.base.models.weights import locate, locate_file

SHA = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "model"
    (place / "unet").mkdir(parents=True)
    (place / "config.json").write_text("{}", "utf-8")
    (place / "unet" / "weights.safetensors").write_bytes(b"abc")
    (place / "merges.txt").write_text("a b", "utf-8")
    return place


def test_a_folder_is_told_by_its_content_wherever_it_is(folder, tmp_path):
    found = locate(str(folder))
    assert found.path == found.name == str(folder)
    assert found.revision.startswith("sha256:")
    assert found.commit is None
    assert found.label == f"model@{found.revision[7:15]}"
    moved = shutil.copytree(folder, tmp_path / "elsewhere")
    assert locate(str(moved)).revision == found.revision


@pytest.mark.parametrize("name", ["unet/weights.safetensors", "merges.txt", "config.json"])
def test_a_file_overwritten_in_place_is_another_revision(folder, name):
    before = locate(str(folder)).revision
    (folder / name).write_bytes(b"abd")
    assert locate(str(folder)).revision != before


def test_files_added_moved_or_renamed_are_another_revision(folder):
    seen = {locate(str(folder)).revision}
    (folder / "unet" / "more.safetensors").write_bytes(b"")
    seen.add(locate(str(folder)).revision)
    (folder / "unet" / "more.safetensors").rename(folder / "more.safetensors")
    seen.add(locate(str(folder)).revision)
    (folder / "more.safetensors").unlink()
    (folder / "unet" / "weights.safetensors").rename(folder / "unet" / "weight.safetensors")
    seen.add(locate(str(folder)).revision)
    assert len(seen) == 4


def test_what_does_not_change_the_numbers_does_not_count(folder):
    before = locate(str(folder)).revision
    (folder / "README.md").write_text("# hello", "utf-8")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "x.json").write_text("{}", "utf-8")
    (folder / ".hidden.json").write_text("{}", "utf-8")
    os.utime(folder / "config.json", (1, 1))
    assert locate(str(folder)).revision == before


def test_a_hidden_folder_above_does_not_hide_its_files(folder, tmp_path):
    hidden = shutil.copytree(folder, tmp_path / ".cache" / "model")
    assert locate(str(hidden)).revision == locate(str(folder)).revision


def test_the_name_of_a_folder_however_it_is_written(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder.parent))
    names = (".", "../model", "~/model", f"{folder}/", str(folder))
    assert len({locate(name).label for name in names}) == 1
    assert locate(".").label.startswith("model@")


def test_a_folder_is_taken_before_the_hub(folder, monkeypatch):
    monkeypatch.chdir(folder.parent.parent)
    name = f"{folder.parent.name}/model"
    assert locate(name, tested={name: SHA}).commit is None


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub cache without a network: a/b at main and at a pinned commit."""
    constants = pytest.importorskip("huggingface_hub.constants")
    cache = tmp_path / "hub"
    repository = cache / "models--a--b"
    for commit in (SHA, OTHER):
        snapshot = repository / "snapshots" / commit
        (snapshot / "unet").mkdir(parents=True)
        (snapshot / "config.json").write_text("{}", "utf-8")
        (snapshot / "unet" / "config.json").write_text("{}", "utf-8")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(SHA, "utf-8")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return cache


def test_a_hub_checkpoint_is_told_by_its_commit(hub):
    found = locate("a/b")
    assert (found.name, found.path, found.revision, found.commit) == ("a/b", "a/b", SHA, SHA)
    assert found.label == "a/b@01234567"
    assert locate("a/b", "main").revision == SHA
    assert locate("a/b", OTHER).revision == OTHER
    assert locate("a/b", marker="unet/config.json").revision == SHA


def test_the_tested_commit_is_taken_where_none_is_given(hub):
    assert locate("a/b", tested={"a/b": OTHER}).revision == OTHER
    assert locate("a/b", tested={"c/d": OTHER}).revision == SHA
    assert locate("a/b", "main", tested={"a/b": OTHER}).revision == SHA


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("no/such", {}),
        ("a/b", {"revision": "v2"}),
        ("a/b", {"revision": "a" * 40}),
        ("a/b", {"marker": "model_index.json"}),
        ("a/b--", {}),
    ],
)
def test_what_the_hub_does_not_have_is_one_line(hub, name, options):
    with pytest.raises(DataError) as caught:
        locate(name, **options)
    message = str(caught.value)
    assert message.startswith(f"checkpoint {name}: it is not a local folder, and the Hub")
    assert "\n" not in message
    assert "  " not in message


@pytest.mark.parametrize("name", ["model", "/no/such", "./a", "~/none", "a/b/c", ""])
def test_what_is_no_name_is_one_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"a Hub name is OWNER/NAME|has no config\.json"):
        locate(name)


def test_a_folder_has_no_revision_and_needs_its_marker(folder):
    with pytest.raises(DataError, match="is a folder, which has no revision; leave it out"):
        locate(str(folder), "main")
    with pytest.raises(DataError, match=r"the folder has no model_index\.json; is it the right"):
        locate(str(folder), marker="model_index.json")


def test_a_file_that_cannot_be_read_is_one_line(folder, monkeypatch):
    real = Path.open

    def refuse(path, *args):
        if path.name == "merges.txt":
            raise PermissionError(13, "Permission denied")
        return real(path, *args)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"cannot read .*merges\.txt: Permission denied"):
        locate(str(folder))


def test_a_single_file_is_told_by_its_content(folder, tmp_path):
    file = folder / "unet" / "weights.safetensors"
    found = locate_file(str(file), "other.pt")
    assert (found.path, found.commit) == (str(file), None)
    assert found.label == f"weights.safetensors@{found.revision[7:15]}"
    assert locate_file(str(folder / "unet"), file.name).revision == found.revision
    moved = shutil.copy(file, tmp_path / "head.pth")
    assert locate_file(str(moved), file.name).revision == found.revision
    file.write_bytes(b"abd")
    assert locate_file(str(file), file.name).revision != found.revision


def test_a_single_file_on_the_hub_is_told_by_the_commit(hub):
    assert locate_file("a/b", "unet/config.json").revision == SHA
    assert locate_file("a/b", "config.json", tested={"a/b": OTHER}).revision == OTHER
    assert locate_file("a/b", "config.json", "main", tested={"a/b": OTHER}).revision == SHA


def test_a_single_file_that_is_not_there_is_one_line(folder, hub):
    with pytest.raises(DataError, match=r"checkpoint a/b\.pth: there is no such file"):
        locate_file("a/b.pth", "x.pt")
    with pytest.raises(DataError, match=r"model: the folder has no x\.pt; is it the right one"):
        locate_file(str(folder), "x.pt")
    with pytest.raises(DataError, match="is local and has no revision; leave it out"):
        locate_file(str(folder), "merges.txt", "main")
    with pytest.raises(DataError, match="checkpoint a/b: it is not a local folder, and"):
        locate_file("a/b", "x.pt")
