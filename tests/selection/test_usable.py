from dataclasses import replace

import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.scores import ScoreTable
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.usable import usable_scores

TABLE = synthetic_scores(n_variants=12, n_prompts=80)


def changed(change):
    matrices = {}
    for name, matrix in TABLE.matrices.items():
        values = matrix.values.copy()
        change(values)
        matrices[name] = replace(matrix, values=values)
    return ScoreTable(TABLE.prompts, TABLE.variants, matrices)


def test_what_is_whole_and_different_is_used_as_it_is():
    usable = usable_scores(TABLE, None, "drop")
    assert usable.table is usable.whole
    assert usable.given is TABLE
    assert (usable.dropped, usable.prompts_left_out) == ((), 0)
    assert set(usable.near_ties) == set(TABLE.metrics)


def test_of_twins_the_first_is_searched_and_they_are_named():
    def twin(values):
        values[7] = values[2]

    usable = usable_scores(changed(twin), "quality", "drop")
    assert len(usable.whole) == 12
    assert usable.table.variant_names == tuple(
        name for row, name in enumerate(TABLE.variant_names) if row != 7
    )
    assert usable.twins.tolist() == [0, 1, 2, 3, 4, 5, 6, 2, 8, 9, 10, 11]
    names = f"{TABLE.variant_names[2]} = {TABLE.variant_names[7]}"
    assert usable.warnings("drop")[0].endswith(f"each counted once: {names}")


def test_prompts_left_out_are_left_out_of_all_metrics():
    def gap(values):
        values[3, 5] = np.nan

    usable = usable_scores(changed(gap), "quality", "prompts")
    assert usable.prompts_left_out == 1
    assert usable.given.prompts.ids == usable.table.prompts.ids
    assert usable.given.metrics == TABLE.metrics
    assert "1 prompts without a score of every variant were left out" in usable.warnings("prompts")


def test_a_variant_left_out_comes_with_what_would_keep_it():
    def gap(values):
        values[3, 5] = np.nan

    table = changed(gap)
    usable = usable_scores(table, "quality", "drop")
    assert usable.dropped == (TABLE.variant_names[3],)
    advice = "incomplete=prompts would keep all 12 on 79 of 80 prompts"
    assert any(line.endswith(advice) for line in usable.warnings("drop"))
    with pytest.raises(DataError, match="1 of 12 variants are not measured"):
        usable_scores(table, "quality", "error")
