import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.set_metrics.protocol import COCO_30K, ImageProtocol

Image = pytest.importorskip("PIL.Image")


@pytest.mark.parametrize("size", [(640, 480), (480, 641), (100, 256), (256, 256)])
def test_the_centred_square_is_resized_by_lanczos(size):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    found = COCO_30K.prepare(Image.fromarray(pixels))
    edge = min(size)
    top, left = (size[1] - edge) // 2, (size[0] - edge) // 2
    square = Image.fromarray(pixels[top : top + edge, left : left + edge])
    expected = square.resize((256, 256), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


def test_grey_images_become_rgb():
    assert ImageProtocol(2, 8).prepare(Image.new("L", (10, 9), 7)).getpixel((3, 3)) == (7, 7, 7)


def test_prompts_are_drawn_once_each():
    chosen = ImageProtocol(30, 8).choose(40, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 30
    assert chosen.tolist() == sorted(chosen.tolist())
    assert chosen.max() < 40
    with pytest.raises(DataError, match="29999 prompts; the protocol takes 30000"):
        COCO_30K.choose(29_999, np.random.default_rng(0))


def test_impossible_protocols_are_told():
    with pytest.raises(SettingError, match="images=1, side=256"):
        ImageProtocol(1, 256)
