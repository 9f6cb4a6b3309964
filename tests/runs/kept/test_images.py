"""Kept images: read back as they were written, or not at all."""

import hashlib
import json
import tarfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from flasheval.base.errors import DataError, SettingError
from flasheval.generators.images import ImageFault
from flasheval.runs.kept.codec import decode, encode
from flasheval.runs.kept.images import ImageUnit
from flasheval.runs.kept.opening import open_image_store

FORMS = ("shards", "folder")
UNIT = ImageUnit("0" * 31 + "a", "sd15_DDIM10", ("7", "A/b", "a/B", "x"), ("one", "", "déjà", "4"))


def images_of(seed=0, size=(20, 12)):
    """Three images and a fault."""
    rng = np.random.default_rng(seed)
    arrays = rng.integers(0, 256, (3, size[1], size[0], 3), dtype=np.uint8)
    first, second, third = map(Image.fromarray, arrays)
    return [first, ImageFault("the image holds NaN"), second, third]


def same(found, written):
    return found is not None and all(
        one == other
        if isinstance(other, ImageFault)
        else not isinstance(one, ImageFault)
        and one.mode == "RGB"
        and np.array_equal(np.asarray(one), np.asarray(other))
        for one, other in zip(found, written, strict=True)
    )


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("image_format", ["png", "webp"])
def test_images_and_faults_come_back_exactly(tmp_path, form, image_format):
    store = open_image_store(tmp_path, form, image_format)
    assert not store.has(UNIT)
    assert store.read(UNIT) is store.damage(UNIT) is None
    store.write(UNIT, images_of())
    assert store.has(UNIT)
    assert same(store.read(UNIT), images_of())
    assert store.damage(UNIT) is None


@pytest.mark.parametrize("form", FORMS)
def test_jpeg_comes_back_nearly(tmp_path, form):
    store = open_image_store(tmp_path, form, "jpeg")
    smooth = Image.linear_gradient("L").resize((64, 64)).convert("RGB")
    unit = ImageUnit("a" * 32, "v", ("1",), ("p",))
    store.write(unit, [smooth])
    (found,) = store.read(unit)
    assert np.abs(np.asarray(found, int) - np.asarray(smooth, int)).max() <= 3


@pytest.mark.parametrize("form", FORMS)
def test_units_of_another_format_are_read_too(tmp_path, form):
    open_image_store(tmp_path, form, "png").write(UNIT, images_of())
    assert same(open_image_store(tmp_path, form, "webp").read(UNIT), images_of())


@pytest.mark.parametrize("form", FORMS)
def test_equal_images_give_equal_bytes(tmp_path, form):
    for name in ("one", "two"):
        open_image_store(tmp_path / name, form).write(UNIT, images_of())
    first, second = (files_of(tmp_path / name) for name in ("one", "two"))
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize("form", FORMS)
def test_a_unit_of_faults_alone(tmp_path, form):
    store = open_image_store(tmp_path, form)
    unit = ImageUnit("b" * 32, "v", ("1", "2"), ("p", "q"))
    faults = [ImageFault("no image"), ImageFault("the image holds NaN")]
    store.write(unit, faults)
    assert store.read(unit) == faults


@pytest.mark.parametrize("form", FORMS)
def test_a_wrong_number_of_images_is_a_bug_and_nothing_is_kept(tmp_path, form):
    store = open_image_store(tmp_path, form)
    with pytest.raises(ValueError, match="zip"):
        store.write(UNIT, images_of()[:3])
    assert not store.has(UNIT)


@pytest.mark.parametrize("form", FORMS)
def test_other_prompts_under_the_same_name_are_no_images_of_these(tmp_path, form):
    store = open_image_store(tmp_path, form)
    store.write(UNIT, images_of())
    other = ImageUnit(UNIT.name, UNIT.folder, ("7", "A/b", "a/B", "y"), UNIT.prompts)
    assert store.read(other) is None
    assert store.damage(other) == "it holds images of other prompts"


def test_a_renamed_shard_is_no_shard_of_that_unit(tmp_path):
    store = open_image_store(tmp_path)
    store.write(UNIT, images_of())
    other = ImageUnit("f" * 32, UNIT.folder, UNIT.ids, UNIT.prompts)
    store.path_of(UNIT).rename(store.path_of(other))
    assert store.read(other) is None
    assert "another unit" in store.damage(other)


# --- damage -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    """A whole shard: its store, its bytes and its images."""
    store = open_image_store(tmp_path_factory.mktemp("shard"))
    store.write(UNIT, images_of())
    return store, store.path_of(UNIT).read_bytes(), images_of()


QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_shard_cut_anywhere_is_no_shard(shard, share):
    store, data, _ = shard
    store.path_of(UNIT).write_bytes(data[: int(len(data) * share)])
    assert store.read(UNIT) is None
    assert store.damage(UNIT)


@QUICK
@given(data=st.data())
def test_a_flipped_bit_never_gives_a_wrong_image(shard, data):
    store, whole, images = shard
    flipped = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(whole) - 1))
        flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    store.path_of(UNIT).write_bytes(flipped)
    found = store.read(UNIT)
    assert (found is None) == (store.damage(UNIT) is not None)
    assert found is None or same(found, images)


def test_every_byte_of_images_and_texts_is_watched(shard):
    store, whole, _ = shard
    end = whole.rindex(b"__index__")
    for place in range(0, end, 97):
        flipped = bytearray(whole)
        flipped[place] ^= 16
        store.path_of(UNIT).write_bytes(flipped)
        assert store.read(UNIT) is None, place
        assert store.damage(UNIT), place


def test_no_byte_of_the_index_changes_what_is_read(shard):
    store, whole, images = shard
    start = whole.rindex(b"__index__")
    changed = 0
    for place in range(start, whole.rindex(b"}") + 1):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        store.path_of(UNIT).write_bytes(flipped)
        found = store.read(UNIT)
        assert found is None or same(found, images), place
        changed += found is None
    assert changed > 700  # all but a few idle bytes of the header


@QUICK
@given(junk=st.binary(max_size=3000))
def test_junk_is_no_shard(shard, junk):
    store, _, _ = shard
    store.path_of(UNIT).write_bytes(junk)
    assert store.read(UNIT) is None
    assert store.damage(UNIT)


def test_a_shard_is_written_again_over_damage(shard):
    store, whole, images = shard
    store.path_of(UNIT).write_bytes(whole[:100])
    store.write(UNIT, images)
    assert store.path_of(UNIT).read_bytes() == whole


def test_every_damage_to_a_folder_is_seen(tmp_path):
    store = open_image_store(tmp_path, "folder")
    store.write(UNIT, images_of())
    for path in files_of(tmp_path):
        whole = path.read_bytes()
        for place in range(0, len(whole), 41):
            flipped = bytearray(whole)
            flipped[place] ^= 4
            for damaged in (bytes(flipped), whole[:place]):
                path.write_bytes(damaged)
                assert store.read(UNIT) is None, (path, place)
                assert store.damage(UNIT)
        path.unlink()
        assert store.read(UNIT) is None
        path.write_bytes(whole)
    assert same(store.read(UNIT), images_of())


def test_an_image_gone_from_a_folder_is_named(tmp_path):
    store = open_image_store(tmp_path, "folder")
    store.write(UNIT, images_of())
    (tmp_path / "sd15_DDIM10" / "7.png").unlink()
    assert store.damage(UNIT) == "7.png cannot be read (No such file or directory)"


# --- what lies there ----------------------------------------------------------------------------


def test_a_folder_is_for_people(tmp_path):
    open_image_store(tmp_path, "folder").write(UNIT, images_of())
    names = [path.relative_to(tmp_path).as_posix() for path in files_of(tmp_path)]
    assert names == [
        f"sd15_DDIM10/.units/{UNIT.name}.json",
        "sd15_DDIM10/7.png",
        "sd15_DDIM10/a=2f+b.png",
        "sd15_DDIM10/x.png",
    ]
    with Image.open(tmp_path / "sd15_DDIM10" / "7.png") as image:
        assert same([image.convert("RGB")], images_of()[:1])


def test_the_mark_is_written_last(tmp_path, monkeypatch):
    store = open_image_store(tmp_path, "folder")
    blocked = tmp_path / "sd15_DDIM10" / "x.png"
    blocked.mkdir(parents=True)
    with pytest.raises(DataError, match=r"cannot write .*x\.png"):
        store.write(UNIT, images_of())
    assert not store.has(UNIT)


def test_a_shard_is_a_plain_tar_with_an_index_at_its_end(tmp_path):
    store = open_image_store(tmp_path)
    store.write(UNIT, images_of())
    assert files_of(tmp_path) == [tmp_path / "sd15_DDIM10" / f"{UNIT.name}.tar"]
    with tarfile.open(store.path_of(UNIT)) as tar:
        members = tar.getmembers()
        assert {(m.mtime, m.uid, m.gid, m.uname, m.mode) for m in members} == {(0, 0, 0, "", 0o644)}
        index = json.load(tar.extractfile(members[-1]))
    assert [member.name for member in members] == [
        *("000000.png", "000000.txt", "000000.json"),
        *("000002.png", "000002.txt", "000002.json"),
        *("000003.png", "000003.txt", "000003.json"),
        "__index__",
    ]
    body = store.path_of(UNIT).read_bytes()[: members[-1].offset]
    assert index["sha256"] == hashlib.sha256(body).hexdigest()
    assert index["faults"] == {"A/b": "the image holds NaN"}


def test_webdataset_loads_a_shard(tmp_path):
    wds = pytest.importorskip("webdataset")
    store = open_image_store(tmp_path)
    store.write(UNIT, images_of())
    dataset = wds.WebDataset(str(store.path_of(UNIT)), shardshuffle=False).decode("pil")
    samples = list(dataset.to_tuple("png", "txt", "json"))
    good = [i for i, image in enumerate(images_of()) if not isinstance(image, ImageFault)]
    assert [(text, data) for _, text, data in samples] == [
        (UNIT.prompts[i], {"prompt_id": UNIT.ids[i]}) for i in good
    ]
    assert same([image for image, _, _ in samples], [images_of()[i] for i in good])


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["png", "webp"]),
)
def test_lossless_formats_lose_nothing(width, height, seed, image_format):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    np.testing.assert_array_equal(
        np.asarray(decode(encode(Image.fromarray(pixels), image_format))), pixels
    )


@pytest.mark.parametrize(
    ("form", "image_format", "words"),
    [
        ("shard", "png", "image_store=shard: choose one of shards, folder; did you mean 'shards'"),
        ("shards", "jpg", "image_format=jpg: choose one of png, webp, jpeg; did you mean 'jpeg'"),
    ],
)
def test_another_form_or_format_is_one_line(tmp_path, form, image_format, words):
    with pytest.raises(SettingError, match=words):
        open_image_store(tmp_path, form, image_format)


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    for form in FORMS:
        with pytest.raises(DataError, match="cannot write"):
            open_image_store(tmp_path / "file", form).write(UNIT, images_of())
