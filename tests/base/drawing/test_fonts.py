"""Text in any script: a font that has it draws it, and what no font has is told in one line."""

import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib.font_manager
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.text import Text
from PIL import Image, ImageDraw

from flasheval.base.drawing import fonts
from flasheval.base.drawing.figures import new_figure, save_png
from flasheval.base.drawing.fonts import FAMILY, Face, families_for, fit, missing_line
from flasheval.base.drawing.view import Figure, Plot, Series

HAN, HANGUL, KANA, EMOJI = "猫犬鳥", "고양이", "ねこ", "🦜🪁"
SCRIPTS = {HAN: "Chinese", HANGUL: "Korean", KANA: "Japanese", EMOJI: "emoji"}

AddFont = Callable[..., None]


@pytest.fixture
def add_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddFont:
    """A function that gives this process a font of solid squares for some letters.

    Of the machine's own fonts only those of DejaVu stay, so that every machine tests the same.
    """
    manager = matplotlib.font_manager.fontManager
    ours = [one for one in manager.ttflist if one.name.startswith("DejaVu")]
    monkeypatch.setattr(manager, "ttflist", ours)
    monkeypatch.setattr(fonts, "_find_new_fonts", lambda: None)

    def add(name: str, letters: str, weight: int = 400) -> None:
        path = tmp_path / f"{name}.ttf"
        _make_font(path, name, letters, weight)
        manager.addfont(str(path))
        manager._findfont_cached.cache_clear()

    yield add
    manager._findfont_cached.cache_clear()


def _make_font(path: Path, name: str, letters: str, weight: int) -> None:
    pen = TTGlyphPen(None)
    pen.moveTo((50, 0))
    for corner in ((50, 700), (750, 700), (750, 0)):
        pen.lineTo(corner)
    pen.closePath()
    glyphs = [".notdef", *(f"u{ord(letter):05X}" for letter in letters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({ord(letter): f"u{ord(letter):05X}" for letter in letters})
    empty = TTGlyphPen(None).glyph()
    builder.setupGlyf(dict.fromkeys(glyphs, pen.glyph()) | {".notdef": empty})
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (800, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": name, "styleName": "Regular"})
    builder.setupOS2(usWeightClass=weight)
    builder.setupPost()
    builder.save(path)


def test_text_that_dejavu_has_takes_no_other_font(recwarn: pytest.WarningsRecorder) -> None:
    text = "a café, привет, γάτα, قطة: 5 € ≤ 6\N{ZERO WIDTH JOINER}\N{VARIATION SELECTOR-16}\n"
    assert families_for(text, "a plot") == (FAMILY,)
    assert not recwarn.list


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_no_font_has_is_one_line_without_the_text(add_font: AddFont, script: str) -> None:
    with pytest.warns(UserWarning, match="no font here has") as caught:
        assert families_for(f"a {script} {script}", "the plot") == (FAMILY,)
    (line,) = (str(one.message) for one in caught)
    assert f"has {len(script)} letters of the plot ({SCRIPTS[script]}" in line
    assert "install " in line
    assert not set(script) & set(line)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["a b", "1 €", HAN, HANGUL, KANA, EMOJI]), max_size=8))
def test_a_face_parts_any_mixture_and_loses_no_letter(parts: list[str]) -> None:
    text = "".join(parts)
    face = Face((FAMILY,), 12)
    assert "".join(run for _, run in face._runs(text)) == text
    assert face.getlength(text) == sum(font.getlength(run) for font, run in face._runs(text))


def test_the_fewest_fonts_that_have_it_are_found(
    add_font: AddFont, recwarn: pytest.WarningsRecorder
) -> None:
    add_font("Han Only", HAN)
    add_font("Asian", HAN + KANA + HANGUL)
    add_font("Pictures", EMOJI)
    assert families_for(f"cat {HAN} {KANA} {HANGUL}", "a plot") == (FAMILY, "Asian")
    assert families_for(f"{EMOJI} {HAN}", "a plot") == (FAMILY, "Asian", "Pictures")
    assert not recwarn.list
    with pytest.warns(UserWarning, match=r"has 1 letter of a plot \(Devanagari\), so a box"):
        assert families_for(f"{HAN} \u0915", "a plot") == (FAMILY, "Asian")


@pytest.mark.parametrize("weight", [300, 500, 700])
def test_a_family_without_a_regular_font_is_found_too(
    add_font: AddFont, weight: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add_font("Heavy", HAN, weight)
    assert families_for(HAN, "a plot") == (FAMILY, "Heavy")
    Face((FAMILY, "Heavy"), 12, bold=True).getlength(HAN)
    series = (Series(HAN, (1, 2), (0, 1), (0, 1), (2, 3)),)
    save_png(Figure([[Plot("", "", "", series, (0, 3))]]), tmp_path / "a.png")
    assert not caplog.records


def test_a_font_with_a_box_for_everything_is_none(add_font: AddFont) -> None:
    add_font("Last Resort High-Efficiency", HAN)
    with pytest.warns(UserWarning, match="no font here has"):
        assert families_for(HAN, "a plot") == (FAMILY,)


def test_a_plot_draws_every_letter_by_a_font_that_has_it(add_font: AddFont, tmp_path: Path) -> None:
    rows = (f"model {HAN}", f"{KANA} $1$")
    series = (Series(f"name {HANGUL}", (1, 2), (0, 1), (0, 1), (2, 3)),)
    plot = Plot(f"title {HAN}", f"x {KANA}", "", series, (0, 3), rows=rows)
    with pytest.warns(UserWarning, match=r"8 letters of the plot a\.png"):
        save_png(Figure([[plot]]), tmp_path / "a.png")
    add_font("Asian", HAN + KANA + HANGUL)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_png(Figure([[plot]]), tmp_path / "b.png")
    a, b = (np.asarray(Image.open(tmp_path / name).convert("L")) for name in ("a.png", "b.png"))
    assert (b < 128).sum() > (a < 128).sum() + 1000  # squares are blacker than boxes


def test_ticks_too(add_font: AddFont) -> None:
    add_font("Asian", HAN)
    figure, axes = new_figure(4, 3)
    axes.set_yticks([0, 1], ["plain", HAN])
    fit(figure, "a plot")
    figure.canvas.draw()
    shown = [one for one in figure.findobj(Text) if one.get_text() == HAN]
    assert shown
    assert all(one.get_fontfamily() == [FAMILY, "Asian"] for one in shown)


def test_a_picture_draws_runs_side_by_side_on_one_base_line(add_font: AddFont) -> None:
    add_font("Asian", HAN)
    face = Face((FAMILY, "Asian"), 20)
    text = f"ab{HAN}cd"
    assert [run for _, run in face._runs(text)] == ["ab", HAN, "cd"]
    left, middle = (_drawn(face, text, anchor) for anchor in ("la", "ma"))
    assert left.sum() == pytest.approx(middle.sum(), rel=0.05)
    start, ends = np.flatnonzero(left.any(axis=0))[[0, -1]], np.flatnonzero(middle.any(axis=0))
    assert start[0] == pytest.approx(100, abs=3)
    assert (ends[0] + ends[-1]) / 2 == pytest.approx(100, abs=3)
    bottom = np.flatnonzero(left.any(axis=1))[-1]
    plain = np.flatnonzero(_drawn(face, "abcd", "la").any(axis=1))[-1]
    assert bottom == pytest.approx(plain, abs=1)


def _drawn(face: Face, text: str, anchor: str) -> np.ndarray:
    image = Image.new("L", (300, 60))
    face.write(ImageDraw.Draw(image), text, (100, 10), fill=255, anchor=anchor)
    return np.asarray(image) > 128


def test_signs_that_are_not_seen_are_never_boxes(add_font: AddFont) -> None:
    add_font("Asian", HAN)
    face = Face((FAMILY, "Asian"), 20)
    joined = HAN[0] + "\N{VARIATION SELECTOR-16}\N{ZERO WIDTH JOINER}" + HAN[1]
    assert [run for _, run in face._runs(joined)] == [HAN[:2]]


@given(st.frozensets(st.characters(), min_size=1, max_size=20))
def test_the_line_names_something_to_install_whatever_the_letters(letters: frozenset[str]) -> None:
    line = missing_line(letters, "a plot")
    assert line.count("\n") == 0
    assert "(Debian: fonts-" in line
