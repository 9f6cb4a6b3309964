"""Averages among rows, by value, in tables small and large."""

import numpy as np
import pytest

from flasheval.scores.importers.summaries import summaries


@pytest.mark.parametrize("rows", [20, 30_000])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_a_last_row_that_averages_the_others_is_found(rows, missing):
    rng = np.random.default_rng(rows)
    scores = (rng.standard_cauchy((rows, 1)).clip(-9, 9) + rng.random((rows, 6))).astype("f4")
    scores[rng.random(scores.shape) < missing] = np.nan
    labels = [f"p{row}" for row in range(rows)]
    assert summaries(scores, labels, anywhere=False) == []
    table = np.vstack([scores, np.nanmean(scores.astype(float), axis=0)]).astype("f4")
    assert summaries(table, [*labels, "p"], anywhere=False) == [rows]


def test_a_row_near_the_average_is_none():
    scores = np.random.default_rng(0).random((30_000, 6), dtype=np.float32)
    table = np.vstack([scores, scores.mean(axis=0) + 0.05])
    assert summaries(table, ["x"] * len(table), anywhere=False) == []
