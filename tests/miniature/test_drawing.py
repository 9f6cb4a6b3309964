"""Pictures have the colours, grounds and styles they are to have, at their pixels."""

import numpy as np
import pytest

from flasheval.miniature.drawing import RGB, SIZE, draw
from flasheval.miniature.layout import Item, Picture
from flasheval.miniature.world import BACKGROUNDS, COLOURS, SHAPES, STYLES

pytest.importorskip("PIL")
GREY = (178, 180, 184)


def pixels(item, background=None, style=None):
    image = draw(Picture((item,), background, style))
    assert (image.size, image.mode) == ((SIZE, SIZE), "RGB")
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("shape", sorted(set(SHAPES) - {"moon"}))
@pytest.mark.parametrize("colour", COLOURS)
def test_the_centre_has_the_colour_and_the_rest_the_ground(shape, colour):
    found = pixels(Item(shape, colour, 0.375, 0.625, 0.2))
    assert tuple(found[20, 12]) == RGB[colour]
    far = np.hypot(*np.meshgrid(np.arange(32) - 11.5, np.arange(32) - 19.5)) > 0.2 * 1.2 * 32 + 1
    assert (found[far] == GREY).all()


def test_a_moon_is_hollow_at_its_right():
    found = pixels(Item("moon", "red", 0.5, 0.5, 0.29))
    assert tuple(found[16, 9]) == RGB["red"]
    assert tuple(found[16, 20]) == GREY


def test_shapes_differ():
    drawn = [pixels(Item(shape, "black", 0.5, 0.5, 0.2)) for shape in SHAPES]
    for number, one in enumerate(drawn):
        for other in drawn[:number]:
            # In whole pixels of black on grey; circle and square are the nearest.
            assert np.abs(one - other).max(axis=2).sum() / (184 - 25) > 10


@pytest.mark.parametrize("background", [None, *BACKGROUNDS])
def test_grounds(background):
    corner = pixels(Item("circle", "red", 0.7, 0.7, 0.1), background)[:16, :16]
    pale, dark = [214, 216, 220], [150, 152, 158]
    plain = {None: GREY, "white": RGB["white"], "black": RGB["black"], "beige": (232, 214, 172)}
    rows, columns = np.indices((16, 16))
    if background in plain:
        assert (corner == plain[background]).all()
    elif background == "striped":
        assert (corner == np.where((rows // 4 % 2)[..., None], dark, pale)).all()
    else:
        assert (corner == np.where(((rows // 8 + columns // 8) % 2)[..., None], dark, pale)).all()


@pytest.mark.parametrize("style", STYLES)
def test_styles(style):
    item = Item("square", "blue", 0.5, 0.5, 0.25)
    flat, found = pixels(item), pixels(item, style=style)
    changed = (flat != found).any(axis=2)
    assert changed.any()
    if style == "outlined":
        assert tuple(found[16, 16]) == GREY
        assert np.abs(found[16, 9] - RGB["blue"]).max() < 20  # a line of 1.75 pixels
    elif style == "shadowed":
        assert not changed[9:22, 9:22].any()
        assert tuple(found[23, 20]) == (90, 90, 95)
    else:
        assert tuple(found[14, 14]) == (255, 255, 255)
        assert not changed[17:, 17:].any()


def test_later_things_lie_over_earlier_ones():
    items = (Item("square", "red", 0.5, 0.5, 0.3), Item("circle", "blue", 0.5, 0.5, 0.1))
    assert draw(Picture(items)).getpixel((16, 16)) == RGB["blue"]
    assert draw(Picture(items[::-1])).getpixel((16, 16)) == RGB["red"]
