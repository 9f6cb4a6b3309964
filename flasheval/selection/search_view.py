"""What a search shows: its subset's view, and the figure of what was measured on the splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from flasheval.base.drawing.view import Figure, View
from flasheval.selection.held_out.measurement import Measurement
from flasheval.subset import Subset
from flasheval.subset.agreement_figure import RandomBand, agreement_figure
from flasheval.subset.evidence import SplitSizes

__all__ = ["measurement_data", "search_figure", "search_view"]


def search_view(
    subset: Subset,
    measurement: Measurement | None,
    n_prompts: int | None = None,
    notes: Sequence[str] = (),
) -> View:
    """Return what to know of a search; the arguments are those of `Subset.view` and the figure."""
    view = subset.view(n_prompts, notes)
    return view if measurement is None else View((*view.parts, search_figure(subset, measurement)))


def search_figure(subset: Subset, measurement: Measurement) -> Figure:
    """Return held-out agreement against subset size, averaged over the metrics.

    Args:
        subset: The subset chosen.
        measurement: What was measured of the procedure that chose it.

    """
    name = subset.prompt_set_name
    about = f"{name} population: "
    notes = [note.removeprefix(about) for note in subset.record.notes if note.startswith(about)]
    evidence = subset.record.evidence
    sizes, metrics = measurement.judged_sizes, measurement.metrics
    random = measurement.random
    taus = np.mean([random.tau[metric] for metric in metrics], axis=0)
    flat = taus.reshape(-1, taus.shape[-1])
    curve = (np.nanmean(flat, axis=0), *np.nanquantile(flat, [0.05, 0.95], axis=0))
    return agreement_figure(
        sizes,
        [measurement.values(size, None, "held_out_tau").tolist() for size in sizes],
        [measurement.values(size, None, "search_tau").tolist() for size in sizes],
        RandomBand(random.sizes, *(one.tolist() for one in curve)),
        splits=[
            SplitSizes(one.name, len(one.search), len(one.held_out)) for one in measurement.splits
        ],
        metrics=metrics,
        method=subset.method.name,
        size=subset.size,
        prompt_set=f"{name} ({'; '.join(notes)})" if notes else name,
        equivalent=None if evidence is None else evidence.pooled.equivalent_random_size,
    )


def measurement_data(measurement: Measurement) -> dict[str, Any]:
    """Return what was measured on held-out variants as plain data: the splits and every cell."""
    return {
        "kinds": [
            {
                "name": kind.name,
                "spec": kind.spec,
                "splits": [
                    {"name": one.name, "n_search": len(one.search), "n_held_out": len(one.held_out)}
                    for one in kind.splits
                ],
            }
            for kind in measurement.kinds
        ],
        "metrics": measurement.metrics,
        "sizes": measurement.judged_sizes,
        "cells": measurement.cells,
    }
