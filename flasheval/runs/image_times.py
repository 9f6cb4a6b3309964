"""How long an image of each variant of a run took, from the records of its units."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from flasheval.generators.image_time import ImageTime
from flasheval.runs.score_files import Timing

__all__ = ["ImageTimes"]

_Setting = tuple[str | None, int | None]  # the hardware and the images in a batch


@dataclass
class ImageTimes:
    """What the units of a run tell of seconds an image.

    A variant's seconds are the median over its images, each with its share of its batch's time;
    the first batch after a model was loaded is warm-up and does not count. Where a run went over
    several devices or batch sizes, each variant's are those of the setting that most variants have.

    Example:
        >>> seen = ImageTimes()
        >>> seen.note("sd15", "p", Timing(seconds_generate=(9.0, 2.0, 4.0), batches=(4, 4, 2)))
        >>> seen.times()["sd15"]  # six images count: four took half a second, two took two
        ImageTime(seconds=0.5, device=None, batch=4)

    """

    _noted: dict[str, dict[object, tuple[_Setting, list[float]]]] = field(default_factory=dict)

    def note(self, variant: str, which: str, timing: Timing) -> None:
        """Take in a unit's record; `which` names its images, as every metric has the same record.

        variant: The variant's name. timing: The unit's times and counts.
        """
        skipped = 0 if timing.warm else 1
        batches = list(zip(timing.seconds_generate, timing.batches, strict=False))[skipped:]
        shares = [took / size for took, size in batches if size for _ in range(size)]
        if shares:
            batch = timing.batch or max(timing.batches)
            made = (which, timing.seconds_generate)
            self._noted.setdefault(variant, {})[made] = (timing.hardware, batch), shares

    def times(self) -> dict[str, ImageTime]:
        """Return what is known of each variant; none of one whose every batch was warm-up."""
        by_setting: dict[str, dict[_Setting, list[float]]] = {}
        for variant, units in self._noted.items():
            mine = by_setting.setdefault(variant, {})
            for setting, shares in units.values():
                mine.setdefault(setting, []).extend(shares)
        common = Counter(setting for mine in by_setting.values() for setting in mine)
        found = {}
        for variant, mine in by_setting.items():
            setting = max(mine, key=lambda one: (common[one], len(mine[one])))
            seconds = float(np.median(mine[setting]))
            if seconds > 0:  # a function may take less than the records' microsecond
                found[variant] = ImageTime(seconds, *setting)
        return found
