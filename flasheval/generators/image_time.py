"""How long a variant takes to make an image, and on what that was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from flasheval.base.errors import DataError
from flasheval.base.text import first_few

__all__ = ["ImageTime", "uneven_times"]


@dataclass(frozen=True)
class ImageTime:
    """Seconds that an image takes, without warm-up, and on what they were measured.

    Raises DataError for seconds that are not a positive number, and a batch below 1.

    Attributes:
        seconds: Seconds an image.
        device: The hardware, such as "NVIDIA H200"; None where that is not known.
        batch: Images made at a time; None where that is not known.

    Example:
        >>> ImageTime(0.25, "NVIDIA H200", batch=8).seconds
        0.25
        >>> ImageTime(-1)
        Traceback (most recent call last):
        flasheval.base.errors.DataError: seconds an image are -1; expected a positive number

    """

    seconds: float
    device: str | None = None
    batch: int | None = None

    def __post_init__(self) -> None:
        if not (self.seconds > 0 and math.isfinite(self.seconds)):
            raise DataError(f"seconds an image are {self.seconds:g}; expected a positive number")
        if self.batch is not None and self.batch < 1:
            raise DataError(f"images in a batch are {self.batch}; expected 1 or more")


def uneven_times(times: Iterable[ImageTime | None]) -> list[str]:
    """Say where seconds were measured on several devices or batch sizes: not comparable then.

    Example:
        >>> uneven_times([ImageTime(1.0, "A", 8), ImageTime(0.5, "B", 8), None])
        ['seconds were measured on 2 devices, so they do not compare: A (1), B (1)']
        >>> uneven_times([ImageTime(1.0, "A", 8), ImageTime(0.5, "A", 8)])
        []

    """
    known = [one for one in times if one is not None]
    devices: dict[str, int] = {}
    batches: dict[str, int] = {}
    for one in known:
        device = one.device or "not known"
        devices[device] = devices.get(device, 0) + 1
        batch = "not known" if one.batch is None else str(one.batch)
        batches[batch] = batches.get(batch, 0) + 1
    said = []
    for what, found in (("devices", devices), ("batch sizes", batches)):
        if len(found) > 1:
            counts = first_few([f"{name} ({count})" for name, count in found.items()])
            at = "on" if what == "devices" else "in"
            said.append(
                f"seconds were measured {at} {len(found)} {what}, so they do not compare: {counts}"
            )
    return said
