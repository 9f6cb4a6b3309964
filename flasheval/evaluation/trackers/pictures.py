"""A report's images of its first prompts, for a person to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

    from flasheval.evaluation.report import Report

__all__ = ["picture_grid", "pictures"]

_GREY, _LINE, _PAPER = "#C4C4C4", "#767676", "#FFFFFF"
_GAP = 4


def pictures(report: Report, count: int) -> list[tuple[Image, str]]:
    """Return the images of the first prompts, each with its text and scores; none without images.

    The same prompt is always at the same place: where an image is missing, a crossed box of the
    size of the others stands for it.

    Args:
        report: With its images.
        count: How many at most.

    """
    from PIL import Image

    images: list[Any] = list(report.images[:count])
    sizes = [one.size for one in images if isinstance(one, Image.Image)]
    box = _crossed(sizes[0] if sizes else (64, 64))
    return [
        (one if isinstance(one, Image.Image) else box, _words(report, i))
        for i, one in enumerate(images)
    ]


def picture_grid(report: Report, count: int) -> Image | None:
    """Return the same images as one, four or more in a row; None without images.

    Each is, pixel by pixel, what was scored.
    """
    from PIL import Image

    images = [image for image, _ in pictures(report, count)]
    if not images:
        return None
    columns = min(len(images), max(4, round(len(images) ** 0.5)))
    rows = -(-len(images) // columns)
    width, height = (max(image.size[axis] for image in images) + _GAP for axis in (0, 1))
    grid = Image.new("RGB", (columns * width - _GAP, rows * height - _GAP), _PAPER)
    for i, image in enumerate(images):
        grid.paste(image, ((i % columns) * width, (i // columns) * height))
    return grid


def _words(report: Report, index: int) -> str:
    prompt = report.subset.prompts[index]
    scores = [
        f"{metric} {part.scores[index]:.4g}"
        for metric, part in report.metrics.items()
        if part.scores[index] is not None
    ]
    fault = report.faults.get(prompt.id)
    notes = "; ".join(scores if fault is None else [*scores, fault])
    about = prompt.id if prompt.text is None else prompt.text
    return f"{about} ({notes})" if notes else about


def _crossed(size: tuple[int, int]) -> Image:
    from PIL import Image, ImageDraw

    box = Image.new("RGB", size, _GREY)
    draw = ImageDraw.Draw(box)
    right, bottom = size[0] - 1, size[1] - 1
    draw.line((0, 0, right, bottom), fill=_LINE)
    draw.line((0, bottom, right, 0), fill=_LINE)
    return box
