import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.set_metrics.features import extract_features, images_of_folder
from flasheval.set_metrics.protocol import ImageProtocol

Image = pytest.importorskip("PIL.Image")


class Corner:
    """Sees the size, and the first pixel."""

    version = "corner"

    def __init__(self):
        self.batches = []

    def embed(self, images):
        self.batches.append(len(images))
        return np.array([[*image.size, *image.getpixel((0, 0))] for image in images])


def _images(count):
    return (Image.new("RGB", (10 + i, 10), (i, 0, 0)) for i in range(count))


def test_images_go_through_in_order_and_in_batches():
    corner = Corner()
    found = extract_features(_images(5), corner, batch=2)
    assert found.dtype == np.float32
    assert found.tolist() == [[10 + i, 10, i, 0, 0] for i in range(5)]
    assert corner.batches == [2, 2, 1]


def test_a_protocol_comes_first():
    found = extract_features(_images(3), Corner(), protocol=ImageProtocol(2, 6))
    assert found[:, :2].tolist() == [[6, 6]] * 3


def test_mistakes_are_told():
    with pytest.raises(SettingError, match="batch=0"):
        extract_features(_images(2), Corner(), batch=0)
    with pytest.raises(DataError, match="there are no images"):
        extract_features([], Corner())
    bad = Corner()
    bad.embed = lambda images: np.zeros(3)
    with pytest.raises(DataError, match=r"corner gave features of shape \[3\] for 2 images"):
        extract_features(_images(2), bad)


def test_a_folder_is_read_by_names(tmp_path):
    for name, level in (("b.png", 2), ("a.PNG", 1), ("c.jpg", 3)):
        Image.new("L", (4, 4), level).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    levels = [image.getpixel((0, 0)) for image in images_of_folder(tmp_path)]
    assert levels == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]
    (tmp_path / "d.png").write_bytes(b"\x89PNG no")
    with pytest.raises(DataError, match=r"d\.png cannot be read as an image"):
        list(images_of_folder(tmp_path))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="has no images"):
        list(images_of_folder(tmp_path / "empty"))
    with pytest.raises(DataError, match="cannot read"):
        list(images_of_folder(tmp_path / "none"))
