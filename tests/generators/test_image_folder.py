"""Images that are there already: found by name or map, never outside of their folder."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from flasheval.base.errors import DataError, SettingError
from flasheval.generators.generator import Batch
from flasheval.generators.image_folder import ImageFolderSettings
from flasheval.generators.images import ImageFault, to_images

IDS = ("a", "b", "c", "d")


@pytest.fixture
def folder(tmp_path):
    """Four images of the colours 10, 20, 30, 40, each in another format."""
    root = tmp_path / "images"
    root.mkdir()
    for i, suffix in enumerate((".png", ".jpg", ".jpeg", ".webp")):
        Image.new("RGB", (16, 16), (10 * (i + 1),) * 3).save(root / f"{IDS[i]}{suffix}")
    return root


def images_of(settings, *ids):
    batch = Batch(ids, ids, (0,) * len(ids))
    return to_images(settings.load("cpu").generate(batch), len(ids))


def colours(settings, *ids):
    return [image.getpixel((0, 0))[0] for image in images_of(settings, *ids)]


def test_files_are_found_by_the_ids_in_every_format(folder):
    settings = ImageFolderSettings(str(folder))
    assert colours(settings, *IDS) == [10, 20, 30, 40]
    assert colours(settings, "c", "a") == [30, 10]
    generator = settings.load("cpu")
    assert (generator.family, generator.evaluations) == ("images", None)
    assert ImageFolderSettings(str(folder), family="gan").factors() == {"family": "gan"}


def test_a_pattern_may_say_folder_and_suffix(folder):
    (folder / "sub").mkdir()
    os.rename(folder / "a.png", folder / "sub" / "image-a.png")
    settings = ImageFolderSettings(str(folder), pattern="sub/image-{prompt_id}.png")
    assert colours(settings, "a") == [10]
    assert images_of(settings, "b") == [ImageFault("no image sub/image-b.png")]
    assert colours(ImageFolderSettings(str(folder), pattern="sub/image-{prompt_id}"), "a") == [10]


def test_a_missing_file_is_a_fault_of_its_prompt_alone(folder):
    settings = ImageFolderSettings(str(folder))
    missing, there = images_of(settings, "z", "b")
    assert missing == ImageFault("no image z.png")
    assert there.size == (16, 16)


def test_a_damaged_file_is_a_fault_that_names_it(folder):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / "a.png")
    whole = (folder / "a.png").read_bytes()
    (folder / "b.jpg").write_text("no image at all")
    (folder / "c.jpeg").write_bytes(b"")
    Image.new("F", (4, 4)).save(folder / "d.tiff")
    os.rename(folder / "d.tiff", folder / "d.webp")
    for length in (10, 50, 1000, len(whole) // 2):
        (folder / "a.png").write_bytes(whole[:length])
        faults = images_of(ImageFolderSettings(str(folder)), *IDS)
        for fault, name in zip(faults, ("a.png", "b.jpg", "c.jpeg", "d.webp"), strict=True):
            assert fault.reason.startswith(f"the image {name} cannot be read (")


def test_photographs_are_turned_upright(folder):
    exif = Image.Exif()
    exif[0x0112] = 6  # on its side
    Image.new("RGB", (8, 4), "white").save(folder / "a.png", exif=exif)
    (image,) = images_of(ImageFolderSettings(str(folder)), "a")
    assert image.size == (4, 8)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_a_map_names_the_files(folder, tmp_path, suffix):
    rows = [("1", "c.jpeg"), ("2", "./a.png"), ("x", "gone.png")]
    path = tmp_path / f"map{suffix}"
    if suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        ids, files = zip(*rows, strict=True)
        pq.write_table(pa.table({"prompt_id": ids, "file": files}), path)
    elif suffix == ".jsonl":
        lines = (json.dumps({"prompt_id": key, "file_name": file}) for key, file in rows)
        path.write_text("\n".join(lines))
    else:
        comma = "," if suffix == ".csv" else "\t"
        path.write_text("\n".join(comma.join(row) for row in [("prompt_id", "file"), *rows]))
    settings = ImageFolderSettings(str(folder), map=str(path))
    assert colours(settings, "2", "1") == [10, 30]
    gone, unnamed = images_of(settings, "x", "y")
    assert gone == ImageFault("no image gone.png")
    assert unnamed == ImageFault(f"no image: {path} names none")


def test_a_map_that_cannot_be_used_is_one_line(folder, tmp_path):
    path = tmp_path / "map.csv"
    for text, words in (
        ("prompt_id,file\n1,a.png\n1,a.png\n", "names a.png twice for prompt '1'"),
        ("prompt,file\n1,a.png\n", "has no column 'prompt_id' or 'id' for the prompts' ids"),
        ("id,path\n1,a.png\n", "has no column 'file'"),
        ("", "is empty"),
    ):
        path.write_text(text)
        for use in ("load", "identity"):
            with pytest.raises(DataError, match=words) as caught:
                getattr(ImageFolderSettings(str(folder), map=str(path)), use)("cpu")
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize("prompt_id", ["../outside", "sub/../../outside", "ABSOLUTE", "link"])
def test_no_image_is_taken_from_outside(folder, tmp_path, prompt_id):
    outside = tmp_path / "outside.png"
    Image.new("RGB", (4, 4), "white").save(outside)
    (folder / "link.png").symlink_to(outside)
    prompt_id = prompt_id.replace("ABSOLUTE", str(tmp_path / "outside"))
    settings = ImageFolderSettings(str(folder))
    path = tmp_path / "map.csv"
    path.write_text(f"prompt_id,file\n1,{prompt_id}.png\n")
    mapped = ImageFolderSettings(str(folder), map=str(path))
    for use in (
        lambda: images_of(settings, prompt_id),
        lambda: settings.state([prompt_id]),
        lambda: images_of(mapped, "1"),
    ):
        with pytest.raises(DataError, match="lies outside of the folder") as caught:
            use()
        assert "\n" not in str(caught.value)


def test_a_folder_reached_through_a_link_will_do(folder, tmp_path):
    (tmp_path / "alias").symlink_to(folder)
    alias = ImageFolderSettings(str(tmp_path / "alias"))
    assert colours(alias, "a") == [10]
    assert alias.identity("cpu") == ImageFolderSettings(str(folder)).identity("cpu")


@pytest.mark.parametrize("prompt_id", ["null\0character", "long" * 100])
def test_an_id_that_is_no_file_name_is_one_line(folder, prompt_id):
    with pytest.raises(DataError, match="cannot be a file name") as caught:
        images_of(ImageFolderSettings(str(folder)), prompt_id)
    assert "\n" not in str(caught.value)


def test_the_state_follows_the_files(folder):
    settings = ImageFolderSettings(str(folder))
    before = settings.state(["a", "b", "z"])
    stat = (folder / "a.png").stat()
    assert before[0] == ["a.png", stat.st_size, stat.st_mtime_ns]
    assert before[2] is None
    assert settings.state(["b"]) == before[1:2]
    Image.new("RGB", (17, 16)).save(folder / "a.png")
    Image.new("RGB", (17, 16)).save(folder / "z.jpeg")
    after = settings.state(["a", "b", "z"])
    assert [one != other for one, other in zip(before, after, strict=True)] == [True, False, True]
    os.utime(folder / "b.jpg", ns=(0, 0))
    assert settings.state(["b"]) != before[1:2]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"folder": "x", "pattern": "image.png"}, "expected {prompt_id} in it"),
        ({"folder": "x", "pattern": "i{prompt_id}", "map": "m.csv"}, "both given"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(SettingError, match=words):
        ImageFolderSettings(**settings)


def test_a_missing_folder_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    for name in ("none", "file"):
        with pytest.raises(DataError, match=f"{name}: there is no such folder"):
            ImageFolderSettings(str(tmp_path / name)).identity("cpu")
