"""Cells by kind, split, method, size and metric, whatever order they came in."""

import numpy as np
import pytest

from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.random_curve import RandomAgreement
from flasheval.selection.held_out.records import MEASURES, ValidationCell
from flasheval.selection.held_out.splits import Split

METRICS = ("clip", "hps")
SPLITS = tuple(Split(f"random:{k}", np.arange(4), np.arange(4, 9)) for k in range(3))
HALVES, MORE = Kind("halves", "random:3", SPLITS), Kind("more", "x", SPLITS[1:])


def cell(split, metric, first, *, method="m", size=10, kind="halves"):
    values = [first + number / 10 for number in range(6)]
    return ValidationCell(kind, split, method, size, metric, *values, 4, 5, 7.0)


@pytest.fixture
def measurement():
    curves = {
        kind.name: RandomAgreement(
            (5, 10), {m: np.zeros((len(kind.splits), 2, 2)) for m in METRICS}
        )
        for kind in (HALVES, MORE)
    }
    return Measurement((HALVES, MORE), METRICS, ("random", "m"), (10, 20), curves, seed=0)


def test_a_cell_stands_in_its_row_and_column_whatever_the_order(measurement):
    numbers = {("random:2", "hps"): 1.0, ("random:0", "clip"): 2.0, ("random:2", "clip"): 3.0}
    for (split, metric), number in numbers.items():
        measurement.add(cell(split, metric, number))
    measurement.add(cell("random:0", "hps", 9.0, method="random"))
    measurement.add(cell("random:0", "hps", 9.0, size=20))
    measurement.add(cell("random:2", "hps", 9.0, kind="more"))
    arrays = measurement.arrays()
    assert set(arrays) == {
        ("halves", "m", 10),
        ("halves", "random", 10),
        ("halves", "m", 20),
        ("more", "m", 10),
    }
    mine = arrays["halves", "m", 10]
    assert set(mine) == {*MEASURES, "seconds"}
    expected = np.array([[2.0, np.nan], [np.nan, np.nan], [3.0, 1.0]])
    for number, what in enumerate(MEASURES):
        np.testing.assert_allclose(mine[what], expected + number / 10)
    np.testing.assert_allclose(arrays["more", "m", 10]["search_tau"], [[np.nan] * 2, [np.nan, 9.0]])
    assert arrays["more", "m", 10]["seconds"][1, 1] == 7.0


def test_values_are_of_the_last_method_on_the_first_kind(measurement):
    for k, split in enumerate(SPLITS[:2]):
        for shift, metric in enumerate(METRICS):
            measurement.add(cell(split.name, metric, 10 * k + shift))
            measurement.add(cell(split.name, metric, 99.0, method="random"))
            measurement.add(cell(SPLITS[1].name, metric, 99.0, kind="more"))
    np.testing.assert_allclose(measurement.values(10, "hps", "search_tau"), [1.0, 11.0, np.nan])
    np.testing.assert_allclose(measurement.values(10, None, "search_tau"), [0.5, 10.5, np.nan])
    np.testing.assert_allclose(measurement.values(10, "clip", "held_out_tau"), [0.1, 10.1, np.nan])
    assert np.isnan(measurement.values(20, None, "search_tau")).tolist() == [True] * 3
    assert measurement.splits == SPLITS
    assert measurement.random is measurement.baseline["halves"]


def test_the_mean_over_metrics_is_unknown_where_one_of_them_is(measurement):
    measurement.add(cell("random:0", "clip", 1.0))
    assert np.isnan(measurement.values(10, None, "search_tau")).all()
    measurement.add(cell("random:0", "hps", np.nan))
    assert np.isnan(measurement.values(10, None, "search_tau")).all()


def test_what_is_done_is_known_split_by_split(measurement):
    assert measurement.judged_sizes == ()
    measurement.add(cell("random:2", "clip", np.nan))  # done, though undefined
    measurement.add(cell("random:0", "clip", 1.0))
    measurement.add(cell("random:1", "clip", 1.0, method="random"))
    measurement.add(cell("random:1", "clip", 1.0, size=5))
    assert measurement.done(HALVES, "m", 10) == (0, 2)
    assert measurement.done(HALVES, "m", 5) == (1,)
    assert measurement.done(HALVES, "random", 10) == (1,)
    assert measurement.done(MORE, "m", 10) == ()
    assert measurement.judged_sizes == (5, 10)


def test_draws_of_groups_are_kept_beside_their_cell(measurement):
    draws = np.array([0.1, 0.2])
    measurement.add(cell("random:2", "clip", 1.0), draws)
    measurement.add(cell("random:1", "clip", 1.0))
    assert list(measurement.resampled) == [("halves", "random:2", "m", 10, "clip")]
    assert measurement.resampled["halves", "random:2", "m", 10, "clip"] is draws
