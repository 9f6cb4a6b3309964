"""Images that a run kept: some chosen prompts, by the best, the median and the worst variant."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flasheval.base.errors import DataError
from flasheval.generators.images import ImageFault
from flasheval.runs.kept.opening import open_image_store
from flasheval.runs.status.requested_work import RequestedWork
from flasheval.scores import ScoreMatrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image

__all__ = ["Picture", "Pictures", "kept_pictures"]

_PROMPTS = 5
_LONGEST = 320  # pixels: 15 of them as JPEG are some 500 kB
_QUALITY = 85


@dataclass(frozen=True)
class Picture:
    """One image.

    Attributes:
        data: A data URI; empty where there is none, and `reason` says why.
        width: Pixels.
        height: Pixels.
        score: Its score; NaN where there is none.
        reason: Why there is none.

    Example:
        >>> Picture("", 0, 0, score=0.3, reason="no image is kept").reason
        'no image is kept'

    """

    data: str
    width: int
    height: int
    score: float
    reason: str = ""


@dataclass(frozen=True)
class Pictures:
    """Images of some prompts by some variants.

    Attributes:
        metric: The metric by which the variants were chosen.
        variants: Which they are, and why, such as ``("best", "large/DDIM50")``.
        rows: The position in the subset and one picture a variant.

    """

    metric: str
    variants: tuple[tuple[str, str], ...]
    rows: tuple[tuple[int, tuple[Picture, ...]], ...]


def kept_pictures(run: Path, matrix: ScoreMatrix, ids: Sequence[str]) -> Pictures:
    """Read the kept images, the first of each prompt, of the first few chosen prompts with any.

    Args:
        run: Folder of a population's run.
        matrix: Complete scores of one metric: which variant is best, which median, which worst.
        ids: The chosen prompts, in order.

    Raises:
        DataError: It is not the run of a population, or it kept no image of a chosen prompt.

    """
    work = RequestedWork.of_run(run)
    store = open_image_store(run / "images", work.asked.image_store)
    kept = {
        name: {one for unit in work.first_images(name) if store.has(unit) for one in unit.ids}
        for name in work.variants
        if name in matrix.variants
    }
    some = [name for name, there in kept.items() if there.intersection(ids)]
    if not some:
        raise DataError(
            f"{run} kept no images of the chosen prompts; run it again with keep_images=true"
        )
    chosen = _three(matrix, some)
    any_kept = set().union(*(kept[name] for _, name in chosen))
    shown = [one for one in ids if one in any_kept][:_PROMPTS]
    rows: dict[str, list[Picture]] = {one: [] for one in shown}
    for _, name in chosen:
        images = _images(work, name, set(shown))
        row = matrix.variants.index(name)
        scores = matrix.values[row] if matrix.images is None else matrix.images[row, :, 0]
        for one in shown:
            score = float(scores[matrix.prompt_ids.index(one)])
            rows[one].append(_picture(images.get(one, ImageFault("no image is kept")), score))
    positions = {one: place for place, one in enumerate(ids)}
    return Pictures(
        matrix.metric,
        tuple(chosen),
        tuple((positions[one], tuple(pictures)) for one, pictures in rows.items()),
    )


def _three(matrix: ScoreMatrix, names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the best, the median and the worst variant by full mean, fewer where there are."""
    means = [matrix.full_means[matrix.variants.index(name)] for name in names]
    order = [names[row] for row in np.argsort(-matrix.sign * np.array(means), kind="stable")]
    if len(order) < 3:
        return list(zip(("best", "worst"), order, strict=False))
    return [("best", order[0]), ("median", order[len(order) // 2]), ("worst", order[-1])]


def _images(work: RequestedWork, name: str, wanted: set[str]) -> dict[str, Image | ImageFault]:
    store = open_image_store(work.store.folder / "images", work.asked.image_store)
    found: dict[str, Image | ImageFault] = {}
    for unit in work.first_images(name):
        if wanted.intersection(unit.ids):
            images = zip(unit.ids, store.read(unit) or (), strict=False)
            found.update((one, image) for one, image in images if one in wanted)
    return found


def _picture(image: Image | ImageFault, score: float) -> Picture:
    from PIL.Image import Resampling

    if isinstance(image, ImageFault):
        return Picture("", 0, 0, score, image.reason)
    longest = max(image.size)
    if longest > _LONGEST:
        width, height = (max(1, round(side * _LONGEST / longest)) for side in image.size)
        image = image.resize((width, height), Resampling.LANCZOS)
    buffer = io.BytesIO()
    form = "JPEG" if longest > 128 else "PNG"  # a small one is enlarged: every pixel is seen
    image.save(buffer, form, quality=_QUALITY)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Picture(f"data:image/{form.lower()};base64,{data}", *image.size, score)
