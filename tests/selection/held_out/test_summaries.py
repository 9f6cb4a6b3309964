"""Numbers that follow from cells; above all, which splits count for an equivalent size."""

from dataclasses import replace

import numpy as np
import pytest

from flasheval.selection.held_out.equivalent import (
    equivalent_random_size,
    equivalent_size_with_interval,
)
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.random_curve import RandomAgreement
from flasheval.selection.held_out.records import Gain
from flasheval.selection.held_out.splits import Split
from flasheval.selection.held_out.summaries import Cut, paired_gain
from flasheval.subset.evidence import EquivalentSize, RandomSize

NAN = np.nan
SIZES = (10, 100, 1000)


def cut_of(curves, *, groups=None, seed=0, metric="clip", **others):
    """A cut whose random curve is float64 [splits, sizes] for each draw of `clip`."""
    curves = np.asarray(curves, dtype=float)
    splits = tuple(
        Split(str(k), np.arange(4), np.arange(4, 9), () if groups is None else (f"m{k % groups}",))
        for k in range(len(curves))
    )
    kind = Kind("halves", "x", splits)
    taus = {"clip": curves[:, None], **{name: np.asarray(c)[:, None] for name, c in others.items()}}
    baseline = {"halves": RandomAgreement(SIZES, taus)}
    measurement = Measurement((kind,), tuple(taus), ("m",), (10,), baseline, seed)
    return Cut(measurement, {}, kind, 10, metric)


def test_an_equivalent_size_by_hand():
    cut = cut_of([[0.4, 0.6, 0.8], [0.6, 0.8, 1.0]])  # on average .5, .7, .9
    assert cut.equivalent(np.array([0.5, 0.9])) == EquivalentSize(RandomSize(100.0))


@pytest.mark.parametrize(
    ("held_out", "curves"),
    [
        # The method has no ranking on the last split: random does not count there either.
        ([0.6, 0.8, NAN], [[0.4, 0.6, 0.8], [0.6, 0.8, 1.0], [-1.0, -0.9, 1.0]]),
        # Random has none: the method does not count there either.
        ([0.6, 0.8, -1.0], [[0.4, 0.6, 0.8], [0.6, 0.8, 1.0], [NAN, NAN, NAN]]),
        # Random has none at one size.
        ([0.6, 0.8, -1.0], [[0.4, 0.6, 0.8], [0.6, 0.8, 1.0], [0.1, NAN, 0.2]]),
        # Neither has one, as where all held-out variants tie.
        ([0.6, 0.8, NAN], [[0.4, 0.6, 0.8], [0.6, 0.8, 1.0], [NAN, NAN, NAN]]),
        # One is unknown on one split, the other on another.
        ([NAN, 0.6, 0.8, 0.0], [[9.0] * 3, [0.4, 0.6, 0.8], [0.6, 0.8, 1.0], [NAN] * 3]),
    ],
)
def test_a_split_where_either_is_undefined_counts_for_neither(held_out, curves):
    assert cut_of(curves).equivalent(np.array(held_out)) == EquivalentSize(RandomSize(100.0))


def test_with_no_split_where_both_are_known_there_is_none():
    assert cut_of([[0.4, 0.6, 0.8]]).equivalent(np.array([NAN])) is None
    assert cut_of([[NAN] * 3]).equivalent(np.array([0.5])) is None
    assert cut_of([[NAN] * 3, [0.4, 0.6, 0.8]]).equivalent(np.array([0.5, NAN])) is None


@pytest.mark.parametrize(("missing", "interval"), [((), True), ((3,), True), ((3, 6, 8), False)])
def test_the_interval_is_over_the_splits_that_count(missing, interval):
    rng = np.random.default_rng(5)
    curves = np.array([0.4, 0.6, 0.8]) + rng.uniform(-0.1, 0.1, (10, 1))
    taus = 0.65 + rng.uniform(-0.1, 0.1, 10)
    rest = np.setdiff1d(np.arange(10), missing)
    with_holes = taus.copy()
    with_holes[list(missing)] = NAN
    found = cut_of(curves, seed=4).equivalent(with_holes)
    if interval:
        expected = equivalent_size_with_interval(
            taus[rest], SIZES, curves[rest], np.random.default_rng([4, 11])
        )
        assert expected.low is not None
    else:
        mean = curves[rest].mean(axis=0)
        expected = EquivalentSize(equivalent_random_size(float(taus[rest].mean()), SIZES, mean))
    assert found == expected
    holes = curves.copy()
    holes[list(missing)] = NAN
    assert cut_of(holes, seed=4).equivalent(taus) == expected
    assert cut_of(holes, seed=4).equivalent(with_holes) == expected


def test_few_groups_have_no_interval():
    curves = np.array([0.4, 0.6, 0.8]) + np.linspace(0, 0.1, 12)[:, None]
    taus = np.linspace(0.6, 0.7, 12)
    few, many = (cut_of(curves, groups=n).equivalent(taus) for n in (7, 8))
    assert few == EquivalentSize(many.estimate)
    assert many.low is not None


def test_of_several_metrics_the_mean_of_their_curves_counts():
    clip, hps = [[0.2, 0.4, 0.6]], [[0.8, 1.0, 1.0]]
    both = cut_of(clip, hps=hps, metric=None)
    assert both.equivalent(np.array([0.7])) == EquivalentSize(RandomSize(100.0))
    unknown = cut_of(clip, hps=[[0.8, NAN, 1.0]], metric=None)
    assert unknown.equivalent(np.array([0.7])) is None


def test_random_is_of_all_draws_on_the_splits_asked_for():
    cut = cut_of(np.zeros((3, 3)))
    tau = np.arange(3 * 4 * 3, dtype=float).reshape(3, 4, 3)
    tau[2] = NAN
    curve = RandomAgreement(SIZES, {"clip": tau})
    cut = replace(cut, measurement=replace(cut.measurement, baseline={"halves": curve}), size=100)
    assert cut.random((0, 1)).mean == tau[:2, :, 1].mean()
    assert cut.random((1,)).low == np.quantile(tau[1, :, 1], 0.05)
    assert cut.random((0, 1, 2)) == cut.random((0, 1))  # one without a ranking counts for nothing
    assert cut.random((1,)).kind == "5-95%"


def test_gains_are_paired_and_unknown_where_either_is():
    splits = cut_of(np.zeros((3, 3))).kind.splits
    found = paired_gain(np.array([0.5, NAN, 0.75]), np.array([0.25, 0.1, NAN]), splits, 0)
    assert found == Gain(0.25, None, None, (0.25, None, None))
    assert paired_gain(np.array([NAN] * 3), np.zeros(3), splits, 0) is None
