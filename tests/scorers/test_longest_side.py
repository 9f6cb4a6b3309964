import numpy as np
import pytest

from flasheval.scorers.longest_side import LongestSide

pytest.importorskip("torch")


def _seen(image, side):
    pixels = LongestSide(side)([image], return_tensors="pt")["pixel_values"]
    assert pixels.shape == (1, 3, side, side)
    mean = np.array([0.48145466, 0.4578275, 0.40821073])[:, None, None]
    std = np.array([0.26862954, 0.26130258, 0.27577711])[:, None, None]
    return pixels[0].numpy() * std + mean


@pytest.mark.parametrize(("size", "rows"), [((32, 16), slice(8, 24)), ((64, 32), slice(8, 24))])
def test_all_of_an_image_is_seen_with_black_around_it(size, rows):
    from PIL import Image

    seen = _seen(Image.new("RGB", size, (255, 0, 51)), 32)
    np.testing.assert_allclose(seen[:, rows].reshape(3, -1).mean(1), [1, 0, 0.2], atol=1e-6)
    black = np.ones(32, dtype=bool)
    black[rows] = False
    np.testing.assert_allclose(seen[:, black], 0, atol=1e-6)


def test_a_square_of_the_right_size_is_left_as_it_is():
    from PIL import Image

    values = np.random.default_rng(0).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    seen = _seen(Image.fromarray(values), 28)
    np.testing.assert_allclose(seen, values.transpose(2, 0, 1) / 255, atol=1e-6)


def test_a_strip_keeps_a_pixel_and_a_small_image_grows():
    from PIL import Image

    assert (_seen(Image.new("RGB", (900, 1), "white"), 28)[0] > 0.5).sum() == 28
    assert (_seen(Image.new("RGB", (5, 5), "white"), 28) > 0.99).all()
