from dataclasses import replace

import numpy as np
from PIL import Image

from flasheval.evaluation.trackers.pictures import picture_grid, pictures
from flasheval.generators.images import ImageFault


def test_the_first_prompts_keep_their_places(report):
    found = pictures(report(0.5, None, 0.25, images=True), 2)
    assert [image.size for image, _ in found] == [(8, 6), (8, 6)]
    assert [words for _, words in found] == [
        "a red | square (CLIP 0.5; Quality 0)",
        "two\nblue cats (Quality 1; the image is black)",
    ]
    assert found[0][0].getpixel((3, 3)) == (255, 0, 0)
    assert found[1][0].getpixel((4, 0)) == (196, 196, 196)


def test_without_images_there_is_nothing(report):
    assert pictures(report(0.5), 8) == []
    assert picture_grid(report(0.5), 8) is None
    assert picture_grid(report(0.5, images=True), 0) is None


def test_no_image_at_all_is_boxes(report):
    found = pictures(report(None, None, images=True), 8)
    assert [image.size for image, _ in found] == [(64, 64)] * 2


def test_a_grid_holds_every_pixel(report):
    rng = np.random.default_rng(0)
    arrays = [rng.integers(0, 256, (6 + i % 2, 8, 3), dtype=np.uint8) for i in range(6)]
    made = tuple(Image.fromarray(one) for one in arrays)
    grid = picture_grid(replace(report(*[0.5] * 6), images=made), 8)  # four in a row, two rows
    drawn = np.asarray(grid)
    assert drawn.shape == (7 + 4 + 7, 4 * 8 + 3 * 4, 3)
    for i, one in enumerate(arrays):
        top, left = 11 * (i // 4), 12 * (i % 4)
        np.testing.assert_array_equal(drawn[top : top + len(one), left : left + 8], one)
    assert (drawn[:, 8:12] == 255).all()


def test_a_fault_in_the_middle_is_a_box(report):
    made = (Image.new("RGB", (4, 4), "blue"), ImageFault("none"), Image.new("RGB", (4, 4), "blue"))
    grid = picture_grid(replace(report(0.5, None, 0.5), images=made), 3)
    assert grid.size == (3 * 8 - 4, 4)
    assert [grid.getpixel((x, 1)) for x in (1, 17)] == [(0, 0, 255)] * 2
    assert grid.getpixel((10, 0)) == (196, 196, 196)
