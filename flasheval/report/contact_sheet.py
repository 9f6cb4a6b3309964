"""The contact sheet of a run: its kept images, prompts by variants, with their scores."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import atomic_write
from flasheval.generators.images import ImageFault
from flasheval.report.sheet_drawing import Sheet, draw_sheet
from flasheval.runs.kept.opening import open_image_store
from flasheval.runs.status.requested_work import RequestedWork
from flasheval.scores import ScoreTable
from flasheval.scores.matrix import sign_of

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["CONTACT_SHEET", "contact_sheet", "save_contact_sheet", "together"]

CONTACT_SHEET = "contact-sheet.png"
"""The file's name in a run folder."""

_MOST_BYTES = 1_000_000
_SIZES = (128, 112, 96, 80, 64, 48, 32)  # of a picture; smaller ones where the file grows too large
_TOGETHER = 9  # images of a prompt in one picture at most
_NOT_KEPT = ImageFault("no image is kept")


def save_contact_sheet(
    run: str | Path,
    path: str | Path | None = None,
    *,
    metric: str | None = None,
    variants: int = 8,
    prompts: int = 8,
) -> Path:
    """Draw a run's kept images as a PNG of at most 1 MB and return its path.

    The arguments and errors of `contact_sheet`; ``path`` is ``contact-sheet.png`` in the run folder
    unless given. Raises DataError when the file cannot be written.

    Example:
        >>> save_contact_sheet("run", prompts=0)
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: prompts=0: expected at least 1 on a contact sheet

    """
    sheet = _sheet(Path(run), metric, variants, prompts)
    path = Path(run) / CONTACT_SHEET if path is None else Path(path)
    for size in _SIZES:
        buffer = io.BytesIO()
        draw_sheet(sheet, size).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= _MOST_BYTES:
            break
    with atomic_write(path) as temporary:
        temporary.write_bytes(buffer.getvalue())
    return path


def contact_sheet(
    run: str | Path, *, metric: str | None = None, variants: int = 8, prompts: int = 8
) -> Image:
    """Draw a run's kept images: a row a prompt, a column a variant, the score below each image.

    Variants go from the worst to the best mean score, prompts from the highest to the lowest. Where
    there are more than fit, those shown are spread evenly over that ranking. An image that is
    faulty is a crossed box with the reason.

    Args:
        run: The run folder; its images are those of the last command's variants and prompts.
        metric: The metric shown and ranked by; the first of the run unless given. A run without
            scores is drawn in the order of its population and prompts.
        variants: How many variants at most.
        prompts: How many prompts at most.

    Returns:
        An RGB image. `save_contact_sheet` writes one to a file.

    Raises:
        DataError: No run, no such metric, or no image is kept.
        SettingError: Fewer than one variant or prompt.

    Example:
        >>> contact_sheet("run", variants=0)
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: variants=0: expected at least 1 on a contact sheet

    """
    return draw_sheet(_sheet(Path(run), metric, variants, prompts))


@dataclass(frozen=True)
class _Kept:
    """What a run has kept, and its scores.

    Attributes:
        work: The work of its last command.
        variants: The variants with images, in the population's order.
        ids: The prompts' ids.
        scores: float32 [variants, prompts] of one metric, NaN where there is none.
        metric: Its name; empty where there are no scores.
        higher_is_better: Its direction.
        seconds: Seconds an image of each variant, NaN where they are not known.

    """

    work: RequestedWork
    variants: tuple[str, ...]
    ids: tuple[str, ...]
    scores: NDArray[np.float32]
    metric: str
    higher_is_better: bool
    seconds: tuple[float, ...] = ()

    @property
    def quality(self) -> NDArray[np.float32]:
        """The scores, higher always better."""
        return sign_of(self.higher_is_better) * self.scores

    def images(self, row: int, columns: Sequence[int]) -> list[Image | ImageFault]:
        """Return a variant's images of some prompts, or why there is none."""
        store = self.work.store
        images = open_image_store(store.folder / "images", self.work.asked.image_store)
        wanted = {self.ids[column] for column in columns}
        found: dict[str, list[Image | ImageFault]] = {}
        for unit in self.work.image_units(self.variants[row]):
            if unit.image < _TOGETHER and wanted.intersection(unit.ids):
                for one, image in zip(unit.ids, images.read(unit) or (), strict=False):
                    found.setdefault(one, []).append(image)
        return [together(found.get(self.ids[column], [_NOT_KEPT])) for column in columns]


def together(images: Sequence[Image | ImageFault]) -> Image | ImageFault:
    """Return the images of one prompt as one: side by side in a square, faulty ones left out.

    >>> from PIL import Image as Pil
    >>> together([Pil.new("RGB", (8, 6)), ImageFault("black"), Pil.new("RGB", (8, 6))]).size
    (17, 13)
    """
    from PIL import Image as Pil

    good = [image for image in images if not isinstance(image, ImageFault)]
    if len(images) == 1 or not good:
        return images[0]
    side = int(np.ceil(np.sqrt(len(images))))
    width, height = good[0].size
    rows = -(-len(images) // side)
    gap = max(1, width // 64)
    size = side * (width + gap) - gap, rows * (height + gap) - gap
    whole = Pil.new("RGB", size, "white")
    for place, image in enumerate(images):
        if not isinstance(image, ImageFault):
            down, right = divmod(place, side)
            place_of = right * (width + gap), down * (height + gap)
            whole.paste(image.resize((width, height)), place_of)
    return whole


def _sheet(run: Path, metric: str | None, variants: int, prompts: int) -> Sheet:
    for key, count in (("variants", variants), ("prompts", prompts)):
        if count < 1:
            raise SettingError(f"{key}={count}: expected at least 1 on a contact sheet")
    kept = _kept(run, metric)
    rows = _spread(_ranked(kept.quality), variants)
    columns = _spread(_ranked(kept.quality.T, best_first=True), prompts)
    texts = {one: text for c in kept.work.chunks for one, text in zip(c.ids, c.texts, strict=True)}
    cells = [kept.images(row, columns) for row in rows]
    shown = kept.scores[np.ix_(rows, columns)]
    digits = _digits(kept.scores)
    notes = [_column_note(kept, row, digits) for row in rows]
    return Sheet(
        f"{run.resolve().name}: {_of(len(rows), len(kept.variants), 'variant')} on "
        f"{_of(len(columns), len(kept.ids), 'prompt')}",
        _note(kept),
        [kept.variants[row] for row in rows],
        notes,
        [texts[kept.ids[column]] for column in columns],
        [list(row) for row in zip(*cells, strict=True)],
        [["" if np.isnan(one) else f"{one:.{digits}f}" for one in row] for row in shown.T],
        _best(kept.quality[np.ix_(rows, columns)].T),
    )


def _column_note(kept: _Kept, row: int, digits: int) -> str:
    """Return a variant's mean, and seconds an image where they are known."""
    mean = _mean(kept.scores[row])
    said = [] if np.isnan(mean) else [f"mean {mean:.{digits}f}"]
    if kept.seconds and not np.isnan(kept.seconds[row]):
        seconds = kept.seconds[row]
        said.append(f"{1000 * seconds:.2g} ms" if seconds < 0.1 else f"{seconds:.2g} s")
    return ", ".join(said)


def _kept(run: Path, metric: str | None) -> _Kept:
    work = RequestedWork.of_run(run)
    asked = work.asked
    images = open_image_store(run / "images", asked.image_store)
    there = {
        name: [one for unit in work.image_units(name) if images.has(unit) for one in unit.ids]
        for name in work.variants
    }
    names = tuple(name for name, ids in there.items() if ids)
    if not names:
        raise DataError(
            f"{run} keeps no images of its last command's variants; give the command again with "
            "keep_images=true"
        )
    any_ids = {one for ids in there.values() for one in ids}
    ids = tuple(one for chunk in work.chunks for one in chunk.ids if one in any_ids)
    if not (run / "scores").is_dir() or not asked.metrics:
        if metric is not None:
            raise DataError(f"{run} has no scores, so none of {metric!r} to show")
        return _Kept(work, names, ids, np.full((len(names), len(ids)), np.nan, "f4"), "", True)
    table = ScoreTable.load(run).with_variants(names)
    chosen = table[metric or asked.metrics[0]]
    scores = chosen.values[:, table.prompts.index_of(ids)]
    seconds = tuple(table.seconds.tolist())
    return _Kept(work, names, ids, scores, chosen.metric, chosen.higher_is_better, seconds)


def _ranked(quality: NDArray[np.float32], *, best_first: bool = False) -> NDArray[np.intp]:
    """Return the rows by their means, equal ones in order; a row of NaN counts as the worst."""
    means = np.array([_mean(row) for row in quality])
    means[np.isnan(means)] = -np.inf
    return np.argsort(-means if best_first else means, kind="stable")


def _mean(values: NDArray[np.float32]) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean(dtype=np.float64)) if there.size else float("nan")


def _spread(order: NDArray[np.intp], most: int) -> list[int]:
    """Return at most so many of a ranking, both ends among them."""
    places = np.linspace(0, len(order) - 1, min(len(order), most)).round().astype(int)
    return [int(order[place]) for place in places]


def _digits(scores: NDArray[np.float32]) -> int:
    """Return the decimals that show a hundredth of the scores' spread."""
    finite = scores[np.isfinite(scores)]
    spread = float(finite.std(dtype=np.float64)) if finite.size else 0.0
    return min(6, max(0, 2 - int(np.floor(np.log10(spread))))) if spread else 3


def _best(quality: NDArray[np.float32]) -> list[list[bool]]:
    """Return for each row which is its best, where they differ."""
    return [
        [bool(one == np.nanmax(row) != np.nanmin(row)) for one in row]
        if not np.isnan(row).all()
        else [False] * len(row)
        for row in quality
    ]


def _of(shown: int, there: int, noun: str) -> str:
    said = f"{shown}" if shown == there else f"{shown} of {there:,}"
    return f"{said} {noun}{'' if there == 1 else 's'}"


def _note(kept: _Kept) -> str:
    if not kept.metric:
        return "Without scores: in the order of the population and of the prompts."
    better = "higher" if kept.higher_is_better else "lower"
    several = kept.work.asked.images_per_prompt
    each = f"{several} images a prompt, and their mean. " if several > 1 else ""
    return (
        f"{each}Below each image its {kept.metric} ({better} is better), the best of a row in "
        f"bold. Variants from the worst mean to the best, prompts from easy to hard."
    )
