"""One list of image suffixes serves every verb, in any case and any depth."""

import numpy as np
import pytest
from PIL import Image, features

from flasheval.base.errors import DataError
from flasheval.generators.generator import Batch
from flasheval.generators.image_files import IMAGE_SUFFIXES, find_images, read_image
from flasheval.generators.image_folder import ImageFolderSettings
from flasheval.generators.images import ImageFault
from flasheval.set_metrics.features import images_of_folder

WRITTEN = [
    pytest.param(one, marks=pytest.mark.skipif(not features.check("avif"), reason="PIL lacks avif"))
    if one == ".avif"
    else one
    for one in IMAGE_SUFFIXES
]


@pytest.mark.parametrize("suffix", WRITTEN)
@pytest.mark.parametrize("written", [str.lower, str.upper])
def test_every_suffix_is_read_by_every_verb(tmp_path, suffix, written):
    Image.new("RGB", (16, 16), (200, 30, 30)).save(tmp_path / f"one{written(suffix)}")
    (by_walk,) = images_of_folder(tmp_path)
    (by_id,) = ImageFolderSettings(str(tmp_path)).load("cpu").generate(Batch(("one",), ("",), (1,)))
    for image in (by_walk, by_id):
        assert np.abs(np.asarray(image, int).mean(axis=(0, 1)) - (200, 30, 30)).max() < 8


def test_subfolders_are_read_hidden_ones_are_not_and_links_end(tmp_path):
    for name in ("b.png", "a/2.JPG", "a/deep/1.bmp", ".cache/3.png", "._b.png", "a/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert found == ["a/2.JPG", "a/deep/1.bmp", "b.png"]
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"has no images \(.png, .jpg, .*avif"):
        find_images(tmp_path / "none")
    with pytest.raises(DataError, match="cannot read"):
        find_images(tmp_path / "absent")


def test_only_readers_of_images_are_let_near_a_file(tmp_path):
    (tmp_path / "one.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(OSError, match="cannot identify"):
        read_image(tmp_path / "one.png")


def test_images_in_subfolders_are_told_where_a_prompt_has_none(tmp_path):
    (tmp_path / "signs").mkdir()
    Image.new("RGB", (4, 4), "red").save(tmp_path / "signs" / "1.png")
    batch = Batch(("1",), ("a cat",), (7,))
    (fault,) = ImageFolderSettings(str(tmp_path)).load("cpu").generate(batch)
    assert fault == ImageFault(
        "no image 1.png (1 image lies in subfolders: name them in a map, or say "
        "pattern=signs/{prompt_id})"
    )
    named = ImageFolderSettings(str(tmp_path), pattern="signs/{prompt_id}")
    (image,) = named.load("cpu").generate(batch)
    assert image.size == (4, 4)


def test_the_cases(cases):
    ids = ("ok", "upper", "bmp", "tif", "jpg", "webp", "tiff")
    settings = ImageFolderSettings(str(cases / "i01_image_suffixes" / "pictures"))
    made = settings.load("cpu").generate(Batch(ids, ids, (1,) * 7))
    assert [image.size for image in made] == [(16, 16)] * 7
    assert len(find_images(cases / "i02_image_subfolders" / "made")) == 24
