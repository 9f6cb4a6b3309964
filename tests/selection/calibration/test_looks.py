"""Looks: each smaller size of a nested search is calibrated as a search of that size would be."""

from dataclasses import replace

import numpy as np
import pytest

from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.calibration.fit import fit_calibration
from flasheval.selection.calibration.folds import make_folds
from flasheval.selection.calibration.looks import fit_looks
from flasheval.selection.methods.selector import Selection

TABLE = synthetic_scores(n_variants=24, n_prompts=60)
MATRICES = list(TABLE.matrices.values())
FOLDS = make_folds(TABLE, "similar", "base_model", seed=0)


def _lists(weighted=False):
    rng = np.random.default_rng(1)
    return [
        Selection(rng.permutation(60)[:12], rng.uniform(1, 2, 12) if weighted else None)
        for _ in range(len(FOLDS) + 1)
    ]


@pytest.mark.parametrize("weighted", [False, True])
def test_a_look_is_the_calibration_of_the_first_prompts_of_every_list(weighted):
    chosen, *without = _lists(weighted)
    ties = dict.fromkeys(TABLE.metrics, 0.1)
    looks = fit_looks(MATRICES, chosen, FOLDS, without, [12, 3, 6], near_ties=ties)
    assert [look.size for look in looks] == [3, 6]
    for look in looks:
        first = [one.first(look.size) for one in without]
        alone = fit_calibration(MATRICES, chosen.first(look.size), FOLDS, first, near_ties=ties)
        assert look.calibration == alone


def test_what_a_fold_saw_beyond_the_look_does_not_count():
    chosen, *without = _lists()
    cut = [one.first(3) for one in without]
    assert fit_looks(MATRICES, chosen, FOLDS, without, [3, 12]) == fit_looks(
        MATRICES, chosen, FOLDS, cut, [3, 12]
    )


def test_a_list_of_one_size_has_no_looks():
    chosen, *without = _lists()
    assert fit_looks(MATRICES, chosen, FOLDS, without, [12]) == ()


def test_where_nothing_differs_nothing_is_calibrated():
    chosen, *without = _lists()
    flat = [replace(one, values=np.ones((24, 60), dtype=np.float32)) for one in MATRICES]
    assert fit_looks(flat, chosen, FOLDS, without, [3, 12]) == ()
