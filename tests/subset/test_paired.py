"""Paired standard errors against scipy, and a variant's means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flasheval.base.errors import DataError
from flasheval.subset.paired import paired_errors, paired_errors_of, weighted_means


def test_equal_weights_give_the_paired_t_test() -> None:
    scores = np.random.default_rng(0).normal(5.0, 1.0, size=(4, 30))
    errors = paired_errors(scores)
    for i, j in ((0, 1), (2, 3)):
        t = stats.ttest_rel(scores[i], scores[j]).statistic
        assert (scores[i] - scores[j]).mean() / errors[i, j] == pytest.approx(t)
    assert (errors == errors.T).all()
    assert (np.diag(errors) == 0).all()
    np.testing.assert_allclose(paired_errors(scores, np.full(30, 3.0)), errors)


def test_weights_are_those_of_the_weighted_mean() -> None:
    rng = np.random.default_rng(1)
    first, second, weights = *rng.normal(size=(2, 12)), rng.uniform(0.1, 2.0, 12)
    u, d = weights / weights.sum(), first - second
    expected = np.sqrt(12 / 11 * np.sum(u**2 * (d - u @ d) ** 2))
    assert paired_errors([first, second], weights)[0, 1] == pytest.approx(expected)


def test_a_shift_costs_no_digits_and_twins_do_not_differ() -> None:
    base = np.random.default_rng(2).normal(size=50)
    near = base + 1e-6 * np.random.default_rng(3).normal(size=50)
    plain = np.std(near - base, ddof=1) / np.sqrt(50)
    assert paired_errors([base + 1e4, near + 1e4])[0, 1] == pytest.approx(plain, rel=1e-3)
    twins = paired_errors([base, base, base + 1.0])
    assert twins[0, 1] == 0.0
    assert twins[0, 2] == 0.0  # differ by the same on every prompt


def test_a_single_prompt_says_nothing_of_errors() -> None:
    assert np.isnan(paired_errors([[1.0], [2.0]])).all()
    assert paired_errors_of({"m": [1.0]}, {"m": [2.0]}, np.ones(1)) == {}


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_means_weigh_scores_and_take_means_as_they_are(values: list[float]) -> None:
    weights = np.arange(1.0, len(values) + 1)
    means = weighted_means({"a": values, "b": 0.25}, weights)
    assert means["a"] == pytest.approx(np.average(values, weights=weights), abs=1e-9)
    assert means["b"] == 0.25


def test_errors_are_of_metrics_scored_prompt_by_prompt_in_both() -> None:
    first = {"a": [1.0, 2.0], "b": [1.0, 2.0], "c": 0.5}
    second = {"a": [1.0, 3.0], "b": 2.0, "d": [1.0, 2.0]}
    assert paired_errors_of(first, second, np.ones(2)) == {"a": pytest.approx(0.5)}


def test_scores_of_another_number_of_prompts_are_refused() -> None:
    with pytest.raises(DataError, match=r'"a" have shape \(3,\).*each of the 2 prompts'):
        weighted_means({"a": [1.0, 2.0, 3.0]}, np.ones(2))
