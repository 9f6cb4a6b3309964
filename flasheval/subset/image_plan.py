"""Which images a subset's prompts get: their number, their seeds, and whose seeds these are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, get_args

from flasheval.base.checks import checked_seed, checked_word
from flasheval.base.errors import SettingError
from flasheval.generators.seeds import ImageSeeds, checked_images_per_prompt
from flasheval.subset.evidence import Record

__all__ = ["ImagePlan", "SeedsKind", "checked_seeds", "other_run_seed", "plan_images", "seeds_line"]

SeedsKind = Literal["search", "other"]
"""Whether images have the seeds of the images searched on, or other ones."""


@dataclass(frozen=True)
class ImagePlan:
    """The images of an evaluation.

    Attributes:
        seeds: How the images' seeds are made.
        kind: ``search`` where these are the seeds of the images searched on, as far as is known.
        images: Images a prompt.

    """

    seeds: ImageSeeds
    kind: SeedsKind = "search"
    images: int = 1


def checked_seeds(seeds: str) -> SeedsKind:
    """Return `seeds`; SettingError when it is neither word.

    >>> checked_seeds("others")
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: seeds=others: expected search or other; did you mean \
'other'?
    """
    return checked_word("seeds", seeds, get_args(SeedsKind))


def plan_images(
    record: Record,
    *,
    images_per_prompt: int | None = None,
    seeds: str = "search",
    seed: int | None = None,
) -> ImagePlan:
    """Return which images to make for a subset of this record.

    Args:
        record: The subset's record.
        images_per_prompt: Images a prompt; None for as many as the subset is to be used with, else
            as many as were searched, else 1.
        seeds: ``search`` for the seeds of the images searched on, ``other`` for others.
        seed: The run seed. None takes the search's (0 where it is not known), and with
            ``seeds="other"`` one that is surely another. A run seed other than the search's gives
            other seeds, whatever ``seeds`` says: `ImagePlan.kind` tells.

    Raises:
        SettingError: No image a prompt, an unknown word, or the search's run seed with
            ``seeds="other"``.

    Example:
        >>> searched = Record(seeds=ImageSeeds(3), images_searched=2)
        >>> plan_images(searched)
        ImagePlan(seeds=ImageSeeds(run_seed=3, variant_seeds=False), kind='search', images=2)
        >>> plan_images(searched, seed=4, images_per_prompt=1).kind
        'other'
        >>> plan_images(searched, seeds="other").seeds.run_seed == other_run_seed(3)
        True

    """
    kind = checked_seeds(seeds)
    if images_per_prompt is None:
        images = record.images_per_prompt or record.images_searched or 1
    else:
        images = checked_images_per_prompt(images_per_prompt)
    known = record.seeds
    searched = None if known is None else known.run_seed
    if kind == "other" and seed is not None and seed == searched:
        raise SettingError(
            f"seeds=other with seed={seed}: the search's images have this run seed; leave seed "
            "out, or give another"
        )
    if seed is not None:
        checked_seed(seed)
    else:
        seed = other_run_seed(searched) if kind == "other" else searched or 0
    if seed != searched and (searched is not None or record.other_seeds is not None):
        kind = "other"  # where nobody knows the search's seeds, these are others
    own = known is not None and known.variant_seeds
    return ImagePlan(ImageSeeds(seed, own), kind, images)


def other_run_seed(searched: int | None) -> int:
    """Return a run seed that is surely another than the search's, always the same one.

    It is the first four bytes of the sha256 of ``other than SEED``, with 0 for a seed that is not
    known; one more where that is the seed itself.

    >>> other_run_seed(0), other_run_seed(0) == other_run_seed(None), other_run_seed(7)
    (3050890706, True, 792094931)
    """
    digest = hashlib.sha256(f"other than {searched or 0}".encode()).digest()
    found = int.from_bytes(digest[:4], "big")
    return found + 1 if found == searched else found


def seeds_line(record: Record, run_seed: int) -> str:
    """Return one line on images of other seeds than the search's, and whose the intervals are.

    >>> seeds_line(Record(seeds=ImageSeeds(0)), 5)
    "made with run seed 5, not the search's 0"
    """
    known = record.seeds
    whose = "not the search's" if known is None else f"not the search's {known.run_seed}"
    said = f"made with run seed {run_seed}, {whose}"
    if record.other_seeds is not None:
        return f"{said}: intervals are those for other seeds"
    if record.calibration is not None and known is not None and known.variant_seeds:
        return f"{said}: each variant searched had seeds of its own, so intervals hold all the same"
    return said
