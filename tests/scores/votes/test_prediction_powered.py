"""Intervals hold, and are never much wider than those of the labels alone."""

import numpy as np
import pytest
from scipy.stats import t

from flasheval.base.errors import DataError, SettingError
from flasheval.scores.votes.prediction_powered import powered_mean


def drawn(rng, n, rho, prompts=300):
    metric = rng.normal(size=prompts)
    labels = 1 + rho * metric + np.sqrt(1 - rho**2) * rng.normal(size=prompts)
    labels[rng.permutation(prompts)[n:]] = np.nan
    return labels, metric


def test_it_is_the_formula():
    labels, metric = drawn(np.random.default_rng(0), 30, 0.7)
    there = ~np.isnan(labels)
    y, f, others = labels[there], metric[there], metric[~there]
    covariance = ((y - y.mean()) * (f - f.mean())).sum() / 29
    weight = covariance / ((1 + 30 / 270) * metric.var(ddof=1))
    mean = y.mean() - weight * (f.mean() - others.mean())
    left = y - weight * f
    variance = ((left - left.mean()) ** 2).sum() / 28 / 30 + weight**2 * metric.var(ddof=1) / 270
    found = powered_mean(labels, metric, level=0.9)
    assert found.weight == pytest.approx(weight)
    assert found.mean == pytest.approx(mean)
    assert found.error == pytest.approx(np.sqrt(variance))
    assert found.high - found.mean == pytest.approx(t.ppf(0.95, 29) * np.sqrt(variance))
    assert found.saved == round(30 * ((y.var(ddof=1) / 30) / variance - 1))


@pytest.mark.parametrize(("n", "rho"), [(15, 0.0), (15, 0.9), (60, 0.6)])
def test_intervals_hold_and_labels_alone_are_no_better(n, rho):
    rng = np.random.default_rng(1)
    found = [powered_mean(*drawn(rng, n, rho), level=0.9) for _ in range(600)]
    assert 0.87 <= np.mean([one.low <= 1 <= one.high for one in found]) <= 0.94
    ours, theirs = (np.std([getattr(one, key) for one in found]) for key in ("mean", "labels_mean"))
    assert ours <= theirs * (1.06 if rho == 0 else 0.9)
    assert np.mean([one.saved for one in found]) >= 0.3 * n * (rho > 0)


def test_a_constant_metric_or_all_labels_leave_the_plain_mean():
    labels, metric = drawn(np.random.default_rng(0), 20, 0.5)
    flat = powered_mean(labels, metric * 0)
    assert (flat.weight, flat.mean, flat.error) == (0, flat.labels_mean, flat.labels_error)
    every = powered_mean(np.nan_to_num(labels), metric)
    assert (every.weight, every.saved) == (0, 0)
    # Another scale of the metric changes nothing; a turned one neither.
    one, other = powered_mean(labels, metric), powered_mean(labels, 5 - 100 * metric)
    assert (one.mean, one.error) == pytest.approx((other.mean, other.error))


@pytest.mark.parametrize(
    ("labels", "metric", "level", "said"),
    [
        ([1, 2, 3], [1, 2], 0.9, "labels are of 3 prompts, the metric of 2"),
        ([1, 2, np.nan], [1, 2, 3], 0.9, "2 prompts have a label; give at least 3"),
        ([1, 2, 3, np.nan], [1, 2, 3, np.nan], 0.9, "a finite number for every prompt"),
        (["x"], [1], 0.9, "labels: expected a list of numbers"),
        ([], [], 0.9, "one for each prompt"),
        ([1, 2, 3], [1, 2, 3], 9, "level=9"),
    ],
)
def test_what_cannot_be(labels, metric, level, said):
    with pytest.raises((DataError, SettingError), match=said):
        powered_mean(labels, metric, level=level)
