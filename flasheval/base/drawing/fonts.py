"""Fonts for any text: those here that have its letters, and one line for letters that none has.

Plots and picture sheets are drawn with DejaVu Sans, which comes with matplotlib and has Latin,
Greek, Cyrillic, Arabic and many signs. What it lacks (Chinese, Korean, emoji) is taken from other
fonts of the machine. Pages in a browser need none of this: it has fonts of its own.
"""

from __future__ import annotations

import logging
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.text import visible

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

__all__ = ["FAMILY", "Face", "families_for", "fit", "missing_line", "other_weights"]

FAMILY = "DejaVu Sans"
"""The family that draws whatever it can."""

_CJK = ("Noto Sans CJK", "fonts-noto-cjk")
_SYMBOLS = ("Symbola", "fonts-symbola")
_SCRIPTS = {
    "CJK": ("Chinese", _CJK),
    "IDEOGRAPHIC": ("Chinese", _CJK),
    "FULLWIDTH": ("Chinese", _CJK),
    "HALFWIDTH": ("Japanese", _CJK),
    "HIRAGANA": ("Japanese", _CJK),
    "KATAKANA": ("Japanese", _CJK),
    "HANGUL": ("Korean", _CJK),
}


def families_for(text: str, what: str) -> tuple[str, ...]:
    """Return the font families that draw a text, DejaVu Sans first.

    Warns in one line of letters that no font here has, for which boxes will stand.

    Args:
        text: All that will be drawn.
        what: What it is drawn into, for the warning, such as ``the contact sheet``.

    Example:
        >>> families_for("costs 5 €, добрый день", "a plot")
        ('DejaVu Sans',)

    """
    families, left = _chosen(frozenset(text))
    if left:
        warnings.warn(missing_line(left, what), UserWarning, stacklevel=2)
    return families


def missing_line(letters: frozenset[str], what: str) -> str:
    """Return one line about letters that no font has: how many, of which kind, what to install.

    Example:
        >>> missing_line(frozenset("猫犬"), "the contact sheet")
        'no font here has 2 letters of the contact sheet (Chinese), so boxes stand for them; \
install Noto Sans CJK (Debian: fonts-noto-cjk)'

    """
    kinds = Counter(_kind(letter) for letter in sorted(letters))
    names = ", ".join(dict.fromkeys(name for name, _ in kinds))
    fonts = dict.fromkeys(font for _, font in kinds)
    install = " and ".join(f"{name} (Debian: {package})" for name, package in fonts)
    count = f"{len(letters)} letter{'' if len(letters) == 1 else 's'}"
    stand = "a box stands for it" if len(letters) == 1 else "boxes stand for them"
    return f"no font here has {count} of {what} ({names}), so {stand}; install {install}"


def fit(figure: Any, what: str) -> None:
    """Make every text of a matplotlib figure visible, in families that draw it.

    Every plot is drawn after it came here. Warns as `families_for`.

    Example:
        >>> from flasheval.base.drawing.figures import new_figure
        >>> fit(new_figure(4, 3)[0], "a plot")

    """
    from matplotlib.text import Text

    texts = figure.findobj(Text)
    for one in texts:
        one.set_text(visible(one.get_text()))
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        labels = [one.get_text() for one in axis.get_ticklabels()]
        if labels != (shown := list(map(visible, labels))):  # they are written anew when drawn
            axis.set_ticks(axis.get_ticklocs(), shown)
    families = families_for("".join(one.get_text() for one in texts), what)
    if families != (FAMILY,):
        for one in texts:
            one.set_fontfamily(list(families))


@contextmanager
def other_weights() -> Iterator[None]:
    """Let matplotlib take the nearest weight that a family has without a word about it.

    Example:
        >>> with other_weights():
        ...     pass

    """
    logger = logging.getLogger("matplotlib.font_manager")

    def keep(record: logging.LogRecord) -> bool:
        return "font weight" not in record.msg

    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)


@dataclass(frozen=True)
class Face:
    """Fonts at one size for pictures drawn with PIL; the first that has a letter draws it.

    Attributes:
        families: As `families_for` gives them.
        size: In pixels.
        bold: Whether bold ones are taken, where a family has one.

    Example:
        >>> Face((FAMILY,), 12).getlength("word") < Face((FAMILY,), 24).getlength("word")
        True

    """

    families: tuple[str, ...]
    size: int
    bold: bool = False

    def getlength(self, text: str) -> float:
        """Return the width of a line of text in pixels."""
        return sum(font.getlength(run) for font, run in self._runs(text))

    def write(self, draw: ImageDraw, text: str, place: tuple[int, int], **look: Any) -> None:
        """Draw a line of text with its top at `place`; `look` is PIL's, the anchor la or ma."""
        runs = list(self._runs(text))
        if len(runs) < 2:
            for font, run in runs:
                draw.text(place, run, font=font, **look)
            return
        x, y = place
        centred = look.pop("anchor", "la") == "ma"
        start = x - self.getlength(text) / 2 if centred else float(x)
        baseline = y + _font(FAMILY, self.size, self.bold)[0].getmetrics()[0]
        for font, run in runs:
            draw.text((start, baseline), run, font=font, anchor="ls", **look)
            start += font.getlength(run)

    def _runs(self, text: str) -> Iterator[tuple[FreeTypeFont, str]]:
        """Part a text into what one font draws; letters that are not seen stay with the last."""
        fonts = [_font(family, self.size, self.bold) for family in self.families]
        run, current = "", 0
        for letter in text:
            if _is_seen(letter):
                having = (i for i, (_, letters) in enumerate(fonts) if letter in letters)
                wanted = next(having, 0)
                if wanted != current and run:
                    yield fonts[current][0], run
                    run = ""
                current = wanted
            elif letter not in fonts[current][1]:
                continue  # a joiner or selector that would show as a box
            run += letter
        if run:
            yield fonts[current][0], run


def _chosen(letters: frozenset[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return families that draw letters, and the letters that none here has."""
    left = frozenset(filter(_is_seen, letters)) - _letters(_path(FAMILY, bold=False))
    families = [FAMILY]
    paths = _other_fonts() if left else {}
    while left and paths:
        # The most letters; of those alike the first by name.
        best = min(paths, key=lambda name: (-len(left & _letters(paths[name])), name))
        found = left & _letters(paths.pop(best))
        if not found:
            break
        families.append(best)
        left -= found
    return tuple(families), left


def _other_fonts() -> dict[str, str]:
    """Return the font of each family of the machine that is nearest to a regular one, by family."""
    from matplotlib import get_data_path
    from matplotlib.font_manager import fontManager, weight_dict

    _find_new_fonts()

    def slant_and_weight(one: Any) -> tuple[bool, float]:
        weight = weight_dict.get(one.weight, one.weight)  # some families have medium ones only
        return one.style != "normal", abs(float(weight) - weight_dict["regular"])

    fonts: dict[str, str] = {}
    for one in sorted(fontManager.ttflist, key=slant_and_weight):
        # Of matplotlib's own only DejaVu is for text: the others draw signs in letters' places.
        ours = one.fname.startswith(get_data_path()) and not one.name.startswith("DejaVu")
        last_resort = "lastresort" in one.name.replace(" ", "").lower()  # has a box for everything
        if not ours and not last_resort:
            fonts.setdefault(one.name, one.fname)
    return fonts


@lru_cache(maxsize=1)
def _find_new_fonts() -> None:
    """Add fonts installed after matplotlib wrote down its list, which it keeps in a file."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {one.fname for one in fontManager.ttflist}
    for path in sorted(set(findSystemFonts()) - known):
        try:
            fontManager.addfont(path)
        except (OSError, RuntimeError, NotImplementedError, ValueError, KeyError):
            continue  # one that it cannot use: of pictures, or damaged


@lru_cache(maxsize=256)
def _letters(path: str) -> frozenset[str]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError):  # gone or damaged since it was listed
        return frozenset()


@lru_cache(maxsize=256)
def _font(family: str, size: int, bold: bool) -> tuple[FreeTypeFont, frozenset[str]]:
    from PIL import ImageFont

    path = _path(family, bold=bold)
    return ImageFont.truetype(Path(path), size), _letters(path)


def _path(family: str, *, bold: bool) -> str:
    from matplotlib.font_manager import FontProperties, findfont

    with other_weights():
        return str(findfont(FontProperties(family=[family], weight="bold" if bold else "normal")))


def _is_seen(letter: str) -> bool:
    """Tell whether a letter needs a glyph: joiners, selectors of variants and blanks need none."""
    if "\N{VARIATION SELECTOR-1}" <= letter <= "\N{VARIATION SELECTOR-16}":
        return False
    return unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")


def _kind(letter: str) -> tuple[str, tuple[str, str]]:
    """Return what a letter is, and a font with its Debian package that has it."""
    script = unicodedata.name(letter, "").partition(" ")[0]
    if script in _SCRIPTS:
        return _SCRIPTS[script]
    category = unicodedata.category(letter)
    if category[0] in "LMN" and script:
        return script.capitalize(), (f"Noto Sans {script.capitalize()}", "fonts-noto-core")
    if category == "So" or category[0] in "SP":
        return "emoji and symbols", _SYMBOLS
    return "unassigned", ("GNU Unifont", "fonts-unifont")
