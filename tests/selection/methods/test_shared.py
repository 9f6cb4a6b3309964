"""`shared`: the balanced loss summed over metrics."""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.stats import kendalltau

from flasheval.base.errors import SettingError
from flasheval.selection.methods.balanced import Balanced
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.registry import METHODS, make_selector
from flasheval.selection.methods.shared import Shared


def test_it_is_balanced_with_fewer_passes(a_problem):
    assert Shared() == Shared(passes=4, noise_weight=2.0, screen=10_000)
    problem = a_problem(n_metrics=3)
    found = drive(Shared(passes=2), problem, np.random.default_rng(0))
    same = drive(Balanced(passes=2), problem, np.random.default_rng(0))
    np.testing.assert_array_equal(found.selection.indices, same.selection.indices)
    assert found.history == same.history


def test_it_has_a_name_and_default_of_its_own():
    assert METHODS["shared"] is Shared
    assert METHODS["balanced"] is Balanced
    assert Shared() != Balanced(passes=4)
    differing = [
        key.name
        for key in fields(Shared)
        if getattr(Shared(), key.name) != getattr(Balanced(), key.name)
    ]
    assert differing == ["passes"]
    assert Shared.cheap


def test_its_mistakes_go_by_its_own_name(a_problem):
    with pytest.raises(SettingError, match=r"method\.noise_weight=0 \(shared\)"):
        Shared(noise_weight=0).prepare(a_problem())
    with pytest.raises(SettingError, match=r"method\.passes=-1 \(shared\): expected 0 or more"):
        Shared(passes=-1).prepare(a_problem())
    with pytest.raises(SettingError, match=r"'shared' has no setting 'pases'; .*mean 'passes'"):
        make_selector("shared", {"pases": 3})


def test_the_order_of_metrics_does_not_matter(a_problem):
    problem = a_problem(n_metrics=2)
    turned = replace(problem, scores=problem.scores[::-1], metrics=problem.metrics[::-1])
    found, same = (
        drive(Shared(), one, np.random.default_rng(0)).selection.indices
        for one in (problem, turned)
    )
    np.testing.assert_array_equal(found, same)


def _worst_tau(blocks, chosen):
    """Kendall tau of the metric that a subset serves worst, by scipy."""
    return min(
        kendalltau(block[:, chosen].mean(axis=1), block.mean(axis=1)).statistic for block in blocks
    )


def test_it_serves_every_metric_where_a_subset_made_for_one_serves_its_own(make_table):
    table = make_table(30, 300, ("a", "b", "c"), seed=3, noise=2.0)
    # Metrics that disagree: each sees the same qualities on other variants.
    rng = np.random.default_rng(3)
    blocks = [table[name].values[rng.permutation(30)] for name in table.metrics]
    worst = []
    for served in (blocks, *([block] for block in blocks)):
        problem = make_problem(served, table.metrics[: len(served)], 12)
        found = drive(Shared(), problem, np.random.default_rng(0)).selection
        worst.append(_worst_tau(blocks, found.indices))
    assert worst[0] > max(worst[1:]) + 0.05
