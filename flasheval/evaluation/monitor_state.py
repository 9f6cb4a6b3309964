"""The records of a checkpoint monitor: the result of one step, and the whole state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flasheval.base.canonical import JSON

__all__ = ["MonitorState", "MonitoredStep", "Verdict"]

Verdict = Literal["first", "better", "worse", "undecided"]


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
        declines: Number of steps since the best that were decided to be worse.

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

    def scalars(self, prefix: str = "") -> dict[str, float]:
        """Return plain numbers for any tracker.

        >>> MonitoredStep(200, 10, 0.71, 0.702, "worse", 0.993, 100, 2).scalars()
        {'prompts': 10.0, 'certainty': 0.993, 'declines': 2.0, 'best_step': 100.0}
        """
        found = {"prompts": float(self.size), "certainty": self.certainty}
        found["declines"] = float(self.declines)
        if self.best is not None:
            found["best_step"] = float(self.best)
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
        return (
            f"step {self.step}: {full} by {self.size} prompts, {beside}; declines: {self.declines}"
        )


@dataclass(frozen=True)
class MonitorState:
    """The state of a monitor: the hash of its subset, its metric, steps and best report."""

    subset: str
    metric: str
    steps: tuple[MonitoredStep, ...] = ()
    best: Mapping[str, JSON] | None = field(default=None, hash=False)
