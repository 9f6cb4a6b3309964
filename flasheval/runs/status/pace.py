"""The speed of a run, computed from its newest units, and the cost of the work left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from flasheval.generators.variants import Factor
from flasheval.runs.score_files import UnitScores

__all__ = ["Cost", "Finished", "Pace", "cost_of", "likely_costs", "pace_of"]

_PAUSE = 300.0  # seconds nothing happens in, longer than any model takes to load: a pause
_SLOW = 5.0  # where units take longer than that themselves: so many times the usual wait


@dataclass(frozen=True)
class Finished:
    """A finished unit.

    Attributes:
        at: The time it was finished, in seconds since 1970.
        seconds: Seconds of work it took; 0 when unknown.
        images: Number of its images.

    """

    at: float
    seconds: float
    images: int


@dataclass(frozen=True)
class Pace:
    """The speed at which the newest units were finished.

    Attributes:
        images_per_second: Images per second of wall time, over all runners.
        workers: Seconds of work done per second of wall time; 0 when unknown.

    """

    images_per_second: float
    workers: float


@dataclass(frozen=True)
class Cost:
    """The time that a variant's units took, for one image.

    Attributes:
        make: Seconds to make an image, without warm-up; None when none was made.
        score: Seconds to score an image, by metric.
        evaluations: Network evaluations an image.

    """

    make: float | None
    score: Mapping[str, float]
    evaluations: int | None = None

    def of(self, to_make: int, to_score: Mapping[str, int]) -> float:
        """Return the seconds to make and to score these numbers of images.

        >>> cost = Cost(make=0.5, score={"CLIP": 0.01})
        >>> cost.of(to_make=10, to_score={"CLIP": 100})  # 10 x 0.5 s + 100 x 0.01 s
        6.0
        """
        scoring = sum(self.score.get(metric, 0.0) * count for metric, count in to_score.items())
        return (self.make or 0.0) * to_make + scoring


def pace_of(finished: Iterable[Finished]) -> Pace | None:
    """Return the pace of the newest units, back to the last pause; None without units.

    The time runs from the start of the first of them, when that is known.

    >>> pace_of([Finished(at=10.0 * i, seconds=10.0, images=32) for i in range(1, 5)])
    Pace(images_per_second=3.2, workers=1.0)

    """
    units = sorted(finished, key=lambda unit: unit.at)
    if not units:
        return None
    waits = [after.at - after.seconds - unit.at for unit, after in pairwise(units)]
    pause = max(_PAUSE, _SLOW * median(waits)) if waits else _PAUSE
    first = max((i + 1 for i, wait in enumerate(waits) if wait > pause), default=0)
    units = units[first:]
    begun = min(unit.at - unit.seconds for unit in units)
    counted = units if units[0].seconds else units[1:]
    took = units[-1].at - begun
    if not counted or took <= 0:
        return None
    images, work = sum(one.images for one in counted), sum(one.seconds for one in counted)
    return Pace(images / took, work / took)


def cost_of(units: Iterable[UnitScores]) -> Cost:
    """Return the cost of one variant's units, from their records.

    The first batch that a loaded model made counts as warm-up and is left out.

    >>> import numpy as np
    >>> record = {"warm": True, "seconds_generate": [3.0, 1.0], "batches": [6, 2],
    ...           "seconds_score": 0.5, "evaluations": 50}
    >>> ids, scores = tuple("12345678"), np.zeros(8, dtype=np.float32)
    >>> cost_of([UnitScores("sd15", "k1", "CLIP", "k2", 0, "d", ids, scores, {}, record)])
    Cost(make=0.5, score={'CLIP': 0.0625}, evaluations=50)
    """
    seconds, images, evaluations = 0.0, 0, None
    scoring: dict[str, tuple[float, int]] = {}
    for unit in units:
        timing = unit.timing
        skipped = 0 if timing.warm else 1
        seconds += sum(timing.seconds_generate[skipped:])
        images += sum(timing.batches[skipped:])
        evaluations = timing.evaluations if evaluations is None else evaluations
        before = scoring.get(unit.metric, (0.0, 0))
        scoring[unit.metric] = (
            before[0] + timing.seconds_score,
            before[1] + len(unit.ids) - len(unit.faults),
        )
    score = {metric: took / count for metric, (took, count) in scoring.items() if count}
    return Cost(seconds / images if images else None, score, evaluations)


def likely_costs(
    costs: Mapping[str, Cost], factors: Mapping[str, Mapping[str, Factor]]
) -> dict[str, Cost]:
    """Return a cost for every variant: its own, else the mean cost of the most similar ones.

    Similarity is the number of factors (base model, scheduler, steps, ...) two variants share.

    Args:
        costs: The costs of the variants that were measured.
        factors: The factors of all variants.

    >>> factors = {"a10": {"base": "a", "steps": 10}, "a50": {"base": "a", "steps": 50},
    ...            "b50": {"base": "b", "steps": 50}}
    >>> costs = {"a10": Cost(0.1, {}), "b50": Cost(0.7, {})}
    >>> round(likely_costs(costs, factors)["a50"].make, 3)  # it shares one factor with each
    0.4

    """
    known = {name: cost for name, cost in costs.items() if cost.make is not None or cost.score}
    if not known:
        return {}
    return {name: known.get(name) or _like(name, known, factors) for name in factors}


def _like(
    name: str, known: Mapping[str, Cost], factors: Mapping[str, Mapping[str, Factor]]
) -> Cost:
    mine = factors[name].items()
    shared = {other: len(mine & factors.get(other, {}).items()) for other in known}
    most = max(shared.values())
    alike = [known[other] for other, count in shared.items() if count == most]
    makes = [cost.make for cost in alike if cost.make is not None]
    metrics = {metric for cost in alike for metric in cost.score}
    return Cost(
        sum(makes) / len(makes) if makes else None,
        {
            metric: sum(cost.score.get(metric, 0.0) for cost in alike) / len(alike)
            for metric in metrics
        },
    )
