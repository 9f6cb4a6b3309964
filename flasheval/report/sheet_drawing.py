"""The drawing of a contact sheet: pictures in rows and columns, with text that never overlaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from flasheval.base.drawing.fonts import Face, families_for
from flasheval.base.text import visible
from flasheval.generators.images import ImageFault

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

__all__ = ["Sheet", "draw_sheet", "wrapped"]

_INK, _GREY, _LINE, _PAPER = "#1A1A1A", "#767676", "#C4C4C4", "#FFFFFF"
_MARGIN, _GAP = 20, 10
_TEXT_WIDTH = 190  # of the prompts at the left
_LEAST = 76  # width of a column, for a score fits below the smallest picture
_TITLE, _NAME, _SMALL = 16, 12, 11
_NAME_LINES = 4
_BREAKS = " /_-+@"  # names of variants may be broken after these


@dataclass(frozen=True)
class Sheet:
    """What is on a contact sheet.

    Attributes:
        title: One line over all of it.
        note: Lines under the title, wrapped.
        columns: A name for each column.
        column_notes: A few words below each name, or none.
        rows: A text for each row.
        cells: By row, a picture for each column, or why there is none.
        captions: By row, a few words below each picture, or none.
        bold: By row, whether the caption stands out.

    Example:
        >>> cells = [[ImageFault("no image is kept")]]  # one prompt, one variant
        >>> sheet = Sheet("run", "", ["sd"], [""], ["a cat"], cells, [[""]], [[False]])
        >>> sheet.cells[0][0].reason
        'no image is kept'

    """

    title: str
    note: str
    columns: Sequence[str]
    column_notes: Sequence[str]
    rows: Sequence[str]
    cells: Sequence[Sequence[Image | ImageFault]]
    captions: Sequence[Sequence[str]]
    bold: Sequence[Sequence[bool]]


def draw_sheet(sheet: Sheet, cell: int = 128) -> Image:
    """Draw a sheet as an RGB image whose pictures are at most ``cell`` pixels wide and high.

    A picture that is smaller is enlarged by the largest whole factor, pixel by pixel, so that what
    is seen is what was scored; a larger one is reduced. Text that does not fit ends in an ellipsis.

    Example:
        >>> cells = [[ImageFault("no image is kept")] * 2]  # one prompt, two variants
        >>> names, blank, bold = ["a", "b"], ["", ""], [[False, False]]
        >>> sheet = Sheet("run", "", names, blank, ["a cat"], cells, [blank], bold)
        >>> draw_sheet(sheet, 64).mode
        'RGB'

    """
    from PIL import Image, ImageDraw

    face = partial(Face, families_for("".join(_texts(sheet)), "the contact sheet"))
    title_face, name_face = face(_TITLE, bold=True), face(_NAME, bold=True)
    small, small_bold = face(_SMALL), face(_SMALL, bold=True)
    cells = [[_fitted(picture, cell) for picture in row] for row in sheet.cells]
    heights = [one.height for row in cells for one in row if not isinstance(one, ImageFault)]
    tall, width = max(heights, default=cell), max(cell, _LEAST)
    lefts = [_MARGIN + _TEXT_WIDTH + _GAP + i * (width + _GAP) for i in range(len(sheet.columns))]
    whole = lefts[-1] + width + _MARGIN
    names = [wrapped(name, name_face, width, _NAME_LINES) for name in sheet.columns]
    note = wrapped(sheet.note, small, whole - 2 * _MARGIN, 3)
    first = _MARGIN + _line(_TITLE) + len(note) * _line(_SMALL) + _GAP  # line of the names
    noted = first + max(map(len, names)) * _line(_NAME)
    top = noted + any(sheet.column_notes) * _line(_SMALL) + _GAP // 2
    step = tall + any(map(any, sheet.captions)) * (_line(_SMALL) + 2) + _GAP

    image = Image.new("RGB", (whole, top + len(sheet.rows) * step + _MARGIN - _GAP), _PAPER)
    draw = ImageDraw.Draw(image)
    title = wrapped(sheet.title, title_face, whole - 2 * _MARGIN, 1)
    _write(draw, title, (_MARGIN, _MARGIN - 4), title_face)
    _write(draw, note, (_MARGIN, _MARGIN - 4 + _line(_TITLE)), small, fill=_GREY)
    for left, lines, below in zip(lefts, names, sheet.column_notes, strict=True):
        place = (left + width / 2, noted - len(lines) * _line(_NAME))
        _write(draw, lines, place, name_face)
        below_it = (left + width / 2, noted)
        _write(draw, wrapped(below, small_bold, width, 1), below_it, small, fill=_GREY)
    for row, text in enumerate(sheet.rows):
        y = top + row * step
        lines = wrapped(text, face(_NAME), _TEXT_WIDTH - _GAP, max(1, tall // _line(_NAME)))
        _write(draw, lines, (_MARGIN, y + (tall - len(lines) * _line(_NAME)) / 2), face(_NAME))
        for left, picture, caption, bold in zip(
            lefts, cells[row], sheet.captions[row], sheet.bold[row], strict=True
        ):
            corner = (left + (width - cell) // 2, y)
            _picture(image, draw, picture, corner, (cell, tall), small)
            below_it = (left + width / 2, y + tall + 2)
            caption_face = small_bold if bold else small
            _write(draw, wrapped(caption, small_bold, width, 1), below_it, caption_face)
    return image


class _Measure(Protocol):
    def getlength(self, text: str) -> float: ...


def wrapped(text: str, font: _Measure, width: float, most: int) -> list[str]:
    """Break a text into lines no wider than ``width``, the last of ``most`` ending in an ellipsis.

    Breaks come after spaces and the signs that part names; within a word only where it must.
    """
    lines, line = [], ""
    for piece in _pieces(visible(" ".join(text.split()))):
        if font.getlength((line + piece).rstrip()) <= width:
            line += piece
            continue
        if line:
            lines.append(line.rstrip())
        line = ""
        for letter in piece:
            if line and font.getlength((line + letter).rstrip()) > width:
                lines.append(line)
                line = ""
            line += letter
    lines = [*lines, line.rstrip()] if line.strip() or not lines else lines
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and font.getlength(last + "\N{HORIZONTAL ELLIPSIS}") > width:
        last = last[:-1]
    return [*lines[: most - 1], last.rstrip() + "\N{HORIZONTAL ELLIPSIS}"]


def _pieces(text: str) -> list[str]:
    pieces, start = [], 0
    for i, letter in enumerate(text, 1):
        if letter in _BREAKS:
            pieces.append(text[start:i])
            start = i
    return [*pieces, text[start:]]


def _picture(
    image: Image,
    draw: ImageDraw,
    picture: Image | ImageFault,
    corner: tuple[int, int],
    size: tuple[int, int],
    face: Face,
) -> None:
    (x, y), (width, height) = corner, size
    if isinstance(picture, ImageFault):
        _crossed_box(draw, picture.reason, (x, y, x + width - 1, y + height - 1), face)
    else:
        image.paste(picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))


def _crossed_box(draw: ImageDraw, reason: str, box: tuple[int, int, int, int], face: Face) -> None:
    left, top, right, bottom = box
    draw.rectangle(box, outline=_LINE)
    draw.line((left, top, right, bottom), fill=_LINE)
    draw.line((left, bottom, right, top), fill=_LINE)
    room = max(1, (bottom - top - _GAP) // _line(face.size))
    lines = wrapped(reason, face, right - left - _GAP, room)
    height, wide = len(lines) * _line(face.size), max(map(face.getlength, lines)) / 2 + 2
    x, y = (left + right) / 2, (top + bottom - height) / 2
    draw.rectangle((x - wide, y, x + wide, y + height), fill=_PAPER)
    _write(draw, lines, (x, y), face)


def _fitted(picture: Image | ImageFault, cell: int) -> Image | ImageFault:
    from PIL.Image import Resampling

    if isinstance(picture, ImageFault):
        return picture
    longest = max(picture.size)
    if factor := cell // longest:
        size = (picture.width * factor, picture.height * factor)
        return picture.resize(size, Resampling.NEAREST)
    width, height = (max(1, round(side * cell / longest)) for side in picture.size)
    return picture.resize((width, height), Resampling.LANCZOS)


def _write(
    draw: ImageDraw,
    lines: Sequence[str],
    place: tuple[float, float],
    face: Face,
    *,
    fill: str = _INK,
) -> None:
    """Write lines below one another: from the margin to the right, elsewhere centred."""
    x, y = place
    anchor = "la" if x == _MARGIN else "ma"
    for number, line in enumerate(lines):
        spot = (round(x), round(y + number * _line(face.size)))
        face.write(draw, line, spot, fill=fill, anchor=anchor)


def _line(size: int) -> int:
    return round(size * 1.3)


def _texts(sheet: Sheet) -> Iterator[str]:
    """Give all that is written on a sheet."""
    yield from (sheet.title, sheet.note, *sheet.columns, *sheet.column_notes, *sheet.rows)
    for captions in sheet.captions:
        yield from captions
    for row in sheet.cells:
        yield from (one.reason for one in row if isinstance(one, ImageFault))
