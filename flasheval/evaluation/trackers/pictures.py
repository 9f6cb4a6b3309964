"""The images of a report's first prompts, to show in a tracker."""

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

    Where prompts have several images, those of one prompt stand together, by number, and no prompt
    is shown with some of them. A prompt is always at the same place: a missing image is replaced by
    a crossed box of the same size.

    Args:
        report: A report with images.
        count: The largest number of images.

    >>> from PIL import Image
    >>> from flasheval.evaluation.report import MetricScores, Report
    >>> from flasheval.subset import Method, Subset, SubsetPrompt
    >>> prompts = (SubsetPrompt("7", text="a cat"),)
    >>> subset = Subset("one", "pets", None, prompts, (), Method("random"))
    >>> scores = {"clip": MetricScores("1", True, (0.5,))}
    >>> report = Report(subset, 0, scores, images=(Image.new("RGB", (8, 8)),))
    >>> [(image.size, words) for image, words in pictures(report, 4)]
    [((8, 8), 'a cat (clip 0.5)')]

    """
    from PIL import Image

    several = report.images_per_prompt
    images: list[Any] = list(report.images[: count - count % several if count > several else count])
    sizes = [one.size for one in images if isinstance(one, Image.Image)]
    box = _crossed(sizes[0] if sizes else (64, 64))
    return [
        (one if isinstance(one, Image.Image) else box, _words(report, i))
        for i, one in enumerate(images)
    ]


def picture_grid(report: Report, count: int) -> Image | None:
    """Return the images of the first prompts as one image, at least four in a row; None without.

    The images of one prompt stand in one row. The pixels are exactly those that were scored.

    >>> from PIL import Image
    >>> from flasheval.evaluation.report import Report
    >>> from flasheval.subset import Method, Subset, SubsetPrompt
    >>> prompts = tuple(SubsetPrompt(name) for name in "ab")
    >>> subset = Subset("two", "pets", None, prompts, (), Method("random"))
    >>> report = Report(subset, 0, {}, images=(Image.new("RGB", (8, 8)), Image.new("RGB", (8, 8))))
    >>> picture_grid(report, 4).size  # two images side by side, 4 pixels apart
    (20, 8)
    """
    from PIL import Image

    images = [image for image, _ in pictures(report, count)]
    if not images:
        return None
    several, wide = report.images_per_prompt, max(4, round(len(images) ** 0.5))
    columns = min(len(images), several * max(1, round(wide / several)))
    rows = -(-len(images) // columns)
    width, height = (max(image.size[axis] for image in images) + _GAP for axis in (0, 1))
    grid = Image.new("RGB", (columns * width - _GAP, rows * height - _GAP), _PAPER)
    for i, image in enumerate(images):
        grid.paste(image, ((i % columns) * width, (i // columns) * height))
    return grid


def _words(report: Report, index: int) -> str:
    place, number = divmod(index, report.images_per_prompt)
    prompt = report.subset.prompts[place]
    found = {
        metric: part.images[place][number] if part.images else part.scores[place]
        for metric, part in report.metrics.items()
    }
    scores = [f"{metric} {score:.4g}" for metric, score in found.items() if score is not None]
    fault = report.fault_of(prompt.id, number)
    notes = "; ".join(scores if fault is None else [*scores, fault])
    about = prompt.id if prompt.text is None else prompt.text
    if report.images_per_prompt > 1:
        about += f", image {number}"
    return f"{about} ({notes})" if notes else about


def _crossed(size: tuple[int, int]) -> Image:
    from PIL import Image, ImageDraw

    box = Image.new("RGB", size, _GREY)
    draw = ImageDraw.Draw(box)
    right, bottom = size[0] - 1, size[1] - 1
    draw.line((0, 0, right, bottom), fill=_LINE)
    draw.line((0, bottom, right, 0), fill=_LINE)
    return box
