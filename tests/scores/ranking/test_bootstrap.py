import math

import numpy as np
import pytest
from scipy.stats import bootstrap

from flasheval.base.errors import DataError, SettingError
from flasheval.scores.ranking import bootstrap_interval


def rng(seed=0):
    return np.random.default_rng(seed)


def test_agrees_with_scipy():
    values = rng(1).exponential(size=40)
    ours = bootstrap_interval(values, rng=rng(2), draws=20_000)
    theirs = bootstrap(
        (values,),
        np.mean,
        confidence_level=0.9,
        n_resamples=20_000,
        method="percentile",
        rng=rng(3),
    ).confidence_interval
    np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_another_statistic_and_level():
    values = rng(4).normal(size=200)
    low, high = bootstrap_interval(values, rng=rng(), level=0.5, statistic=np.median)
    wide = bootstrap_interval(values, rng=rng(), level=0.99, statistic=np.median)
    assert wide[0] < low < np.median(values) < high < wide[1]


def test_the_same_state_gives_the_same_interval():
    values = rng(5).normal(size=30)
    assert bootstrap_interval(values, rng=rng(6)) == bootstrap_interval(values, rng=rng(6))


def test_columns_are_drawn_together():
    # Each column alone varies by 100; their difference is 1 in every unit.
    first = rng(7).normal(0, 100, 25)
    values = np.stack([first, first + 1], axis=1)
    interval = bootstrap_interval(
        values, rng=rng(), statistic=lambda drawn: float((drawn[:, 1] - drawn[:, 0]).mean())
    )
    np.testing.assert_allclose(interval, (1.0, 1.0))


def test_clusters_of_equal_units_are_one_unit_each():
    means = rng(8).normal(size=6)
    values, labels = np.repeat(means, 50), np.repeat(list("fbadce"), 50)
    clustered = bootstrap_interval(values, rng=rng(9), clusters=labels)
    order = np.argsort(list("fbadce"))
    np.testing.assert_allclose(clustered, bootstrap_interval(means[order], rng=rng(9)))
    naive = bootstrap_interval(values, rng=rng(9))
    assert clustered[1] - clustered[0] > 3 * (naive[1] - naive[0])


def test_conventions():
    assert bootstrap_interval([2.0, 2.0, 2.0], rng=rng()) == (2.0, 2.0)
    for values in ([], [1.0], [1.0, math.nan]):
        assert all(math.isnan(end) for end in bootstrap_interval(values, rng=rng()))
    one_cluster = bootstrap_interval([1.0, 2.0], rng=rng(), clusters=["a", "a"])
    assert all(math.isnan(end) for end in one_cluster)


@pytest.mark.parametrize(
    "setting", [{"level": 0.0}, {"level": 90}, {"level": math.nan}, {"draws": 0}]
)
def test_useless_settings_are_named(setting):
    with pytest.raises(SettingError, match=next(iter(setting))):
        bootstrap_interval([1.0, 2.0], rng=rng(), **setting)


def test_wrong_shapes_are_named():
    with pytest.raises(DataError, match="values"):
        bootstrap_interval(np.ones((2, 2, 2)), rng=rng())
    with pytest.raises(DataError, match="clusters"):
        bootstrap_interval([1.0, 2.0], rng=rng(), clusters=["a"])
