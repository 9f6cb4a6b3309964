import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from flasheval.generators.images import ImageFault
from flasheval.report.sheet_drawing import Sheet, draw_sheet, wrapped

FONT = ImageFont.load_default(12)
LONG = "stablediffusion1.4-finetuned/EulerAncestralDiscrete50/guidance7.5/fake-int8 " * 4


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab wW/_-é\n\N{SNOWMAN}", max_size=120), st.integers(30, 200))
def test_lines_hold_the_whole_text_and_are_no_wider_than_they_may_be(text, width):
    lines = wrapped(text, FONT, width, 1000)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(FONT.getlength(line) <= width for line in lines)
    for most in (1, 2):
        cut = wrapped(text, FONT, width, most)
        assert len(cut) == min(most, len(lines))
        assert all(FONT.getlength(line) <= width for line in cut)
        assert cut[-1].endswith("\N{HORIZONTAL ELLIPSIS}") == (len(lines) > most)


def test_lines_break_where_words_and_parts_of_names_end():
    assert wrapped("a red cat", FONT, FONT.getlength("a red "), 9) == ["a red", "cat"]
    assert wrapped("sd15/DDIM50", FONT, FONT.getlength("sd15/DDI"), 9) == ["sd15/", "DDIM50"]


def _sheet(cells, text="a", captions=True):
    columns = len(cells[0])
    words = [[text if captions else ""] * columns] * len(cells)
    bold = [[True] * columns] * len(cells)
    notes = [text if captions else ""] * columns
    return Sheet(text, text, [text] * columns, notes, [text] * len(cells), cells, words, bold)


@pytest.mark.parametrize("cell", [32, 64, 128])
@pytest.mark.parametrize("size", [(32, 32), (40, 20), (300, 200)])
def test_texts_neither_overlap_nor_leave_the_sheet(monkeypatch, cell, size):
    boxes, write = [], ImageDraw.ImageDraw.text

    def noted(self, xy, text, **more):
        if text:
            boxes.append(self.textbbox(xy, text, font=more["font"], anchor=more["anchor"]))
        write(self, xy, text, **more)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", noted)
    pictures, paste = [], Image.Image.paste
    monkeypatch.setattr(
        Image.Image,
        "paste",
        lambda self, im, box: (
            pictures.append((*box, box[0] + im.width, box[1] + im.height)) or paste(self, im, box)
        ),
    )
    picture = Image.new("RGB", size, "red")
    cells = [[picture, ImageFault(LONG)], [ImageFault("NaN"), picture]]
    image = draw_sheet(_sheet(cells, LONG), cell)
    every = [*boxes, *pictures]
    assert len(pictures) == 2
    for i, (left, top, right, bottom) in enumerate(every):
        assert left >= 0
        assert top >= 0
        assert right <= image.width
        assert bottom <= image.height
        for other in every[:i]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart, (every[i], other)


def test_a_small_picture_is_enlarged_pixel_by_pixel():
    values = np.random.default_rng(0).integers(1, 255, (32, 32, 3)).astype("u1")
    for size, factor in ((128, 4), (100, 3)):
        image = draw_sheet(_sheet([[Image.fromarray(values)]], captions=False), size)
        large = values.repeat(factor, 0).repeat(factor, 1)
        found = np.asarray(image)
        side = 32 * factor
        windows = np.lib.stride_tricks.sliding_window_view(found[..., 0], (side, side))
        ys, xs = np.nonzero(windows[:, :, 0, 0] == large[0, 0, 0])
        assert any(
            np.array_equal(found[y : y + side, x : x + side], large)
            for y, x in zip(ys, xs, strict=True)
        )


def test_a_wide_picture_leaves_no_empty_space_below():
    wide, square = Image.new("RGB", (400, 100), "red"), Image.new("RGB", (400, 400), "red")
    assert draw_sheet(_sheet([[square]])).height - draw_sheet(_sheet([[wide]])).height == 96
