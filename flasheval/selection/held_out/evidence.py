"""From a measurement to the evidence that a manifest carries."""

from __future__ import annotations

import numpy as np

from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.summaries import Cut
from flasheval.subset.evidence import Agreement, Evidence, SplitSizes

__all__ = ["evidence_of"]

_COMPANIONS = {
    "tau_significant": "held_out_tau_significant",
    "pairwise_accuracy": "held_out_accuracy",
}


def evidence_of(
    measurement: Measurement, size: int, spec: str | None = None, number: int = 0
) -> Evidence | None:
    """Summarise what the last procedure does at one size on one kind of splits.

    Args:
        measurement: From `flasheval.selection.held_out.engine.measure`.
        size: The subset's size.
        spec: The splits as the user named them; as the kind says unless given.
        number: The number of the kind; the first by default.

    Returns:
        The evidence, measured on sets that each split chose in the same way; None when no split
        gave a held-out agreement.

    """
    kind, label = measurement.kinds[number], measurement.labels[-1]
    done = measurement.done(kind, label, size)  # after Ctrl-C not all of them
    splits = [kind.splits[row] for row in done]
    if not splits or np.isnan(measurement.values(size, None, "held_out_tau", number)).all():
        return None
    return Evidence(
        size=size,
        split_spec=kind.spec if spec is None else spec,
        splits=tuple(
            SplitSizes(split.name, len(split.search), len(split.held_out)) for split in splits
        ),
        pooled=_agreement(measurement, kind, size, None, done),
        metrics={
            metric: _agreement(measurement, kind, size, metric, done)
            for metric in measurement.metrics
        },
        seeds=kind.seeds,
    )


def _agreement(
    measurement: Measurement, kind: Kind, size: int, metric: str | None, done: tuple[int, ...]
) -> Agreement:
    label = measurement.labels[-1]
    cut = Cut(measurement, measurement.arrays(), kind, size, metric)
    measures = cut.measures(label)
    held_out = cut.values(label, "held_out_tau")
    search = measures.get("search_tau")  # none where each subset gives all it searched one score
    return Agreement(
        held_out_tau=measures["held_out_tau"],
        random_tau=cut.random(done),
        search_tau=None if search is None else search.mean,
        held_out_tau_by_split=tuple(
            None if np.isnan(held_out[row]) else float(held_out[row]) for row in done
        ),
        equivalent_random_size=cut.equivalent(held_out),
        companions={
            name: measures[what].mean for name, what in _COMPANIONS.items() if what in measures
        },
    )
