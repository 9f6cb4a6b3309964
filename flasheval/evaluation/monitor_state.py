"""The records of a checkpoint monitor: the result of one step, and the whole state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flasheval.base.canonical import JSON

__all__ = ["LostFidelity", "MonitorState", "MonitoredStep", "Verdict"]

Verdict = Literal["first", "better", "worse", "undecided"]


@dataclass(frozen=True)
class LostFidelity:
    """What a checkpoint has lost of a second metric since the first one; prints as words.

    Attributes:
        metric: The second metric.
        since: Step of the checkpoint that it is compared with, if known.
        value: Predicted loss on the full set, in the metric's units; below 0 where it gained.
        low: Lower end of its interval.
        high: Upper end.
        level: Probability that the true loss lies in it.
        too_much: Whether it is decided that more was lost than may be.

    >>> print(LostFidelity("Composition", 0, 0.0121, 0.0042, 0.02, 0.9, False))
    Composition lost 0.0121 (0.0042 to 0.02) since step 0
    >>> print(LostFidelity("Composition", 0, -0.01, -0.02, 0.001, 0.9, False))
    Composition gained 0.01 (-0.001 to 0.02) since step 0

    """

    metric: str
    since: int | None
    value: float
    low: float
    high: float
    level: float
    too_much: bool

    def __str__(self) -> str:
        did, sign = ("lost", 1) if self.value >= 0 else ("gained", -1)
        ends = sorted((sign * self.low, sign * self.high))
        said = f"{self.metric} {did} {abs(self.value):.3g} ({ends[0]:.2g} to {ends[1]:.2g})"
        said += " since the first" if self.since is None else f" since step {self.since}"
        return f"{said}, too much" if self.too_much else said


@dataclass(frozen=True)
class MonitoredStep:
    """The result of one monitored training step; prints as a line.

    Attributes:
        step: The training step.
        size: Number of prompts evaluated.
        mean: Mean of the monitored metric over prompts with a score; None without any.
        full: Predicted full score; None when scores are missing.
        verdict: Comparison with the best before it: ``better`` or ``worse`` when decided.
        certainty: Probability that the predicted difference has the right sign.
        best: Step of the best checkpoint, this one included.
        declines: Number of steps since the best that were decided to be worse, or to have lost
            too much.
        metric: The monitored metric, where there is a second one.
        lost: What was lost of the second metric; None without one, at the first checkpoint, and
            where its scores are missing.

    >>> print(MonitoredStep(200, 10, 0.71, 0.702, "worse", 0.993, 100, 2))
    step 200: 0.702 on the full set by 10 prompts, worse than step 100 (99.3%); declines: 2

    """

    step: int
    size: int
    mean: float | None
    full: float | None
    verdict: Verdict
    certainty: float
    best: int | None
    declines: int = 0
    metric: str | None = None
    lost: LostFidelity | None = None

    def scalars(self, prefix: str = "") -> dict[str, float]:
        """Return plain numbers for any tracker.

        >>> MonitoredStep(200, 10, 0.71, 0.702, "worse", 0.993, 100, 2).scalars()
        {'prompts': 10.0, 'certainty': 0.993, 'declines': 2.0, 'best_step': 100.0}
        """
        found = {"prompts": float(self.size), "certainty": self.certainty}
        found["declines"] = float(self.declines)
        if self.best is not None:
            found["best_step"] = float(self.best)
        if self.lost is not None:
            found["lost"], found["too_much_lost"] = self.lost.value, float(self.lost.too_much)
            found["lost_low"], found["lost_high"] = self.lost.low, self.lost.high
        return {f"{prefix}{name}": value for name, value in found.items()}

    def __str__(self) -> str:
        full = "no full score" if self.full is None else f"{self.full:.4g} on the full set"
        beside = {
            "first": "the first",
            "better": f"better than the best before ({self.certainty:.1%})",
            "worse": f"worse than step {self.best} ({self.certainty:.1%})",
            "undecided": f"not told from the best before ({self.certainty:.1%})",
        }[self.verdict]
        if self.verdict in ("better", "undecided"):
            beside += f", best now: step {self.best}"
        called = "" if self.metric is None else f"{self.metric} "
        lost = "" if self.lost is None else f"{self.lost}; "
        return (
            f"step {self.step}: {called}{full} by {self.size} prompts, {beside}; "
            f"{lost}declines: {self.declines}"
        )


@dataclass(frozen=True)
class MonitorState:
    """The state of a monitor: the hash of its subset, its metric, steps and best report.

    With a second metric its name, the most that may be lost of it, and the first report too.
    """

    subset: str
    metric: str
    steps: tuple[MonitoredStep, ...] = ()
    best: Mapping[str, JSON] | None = field(default=None, hash=False)
    fidelity: str | None = None
    most_lost: float | None = None
    reference: Mapping[str, JSON] | None = field(default=None, hash=False)
