from dataclasses import replace

import numpy as np
import pytest

from flasheval.selection.held_out.equivalent import (
    equivalent_random_size,
    equivalent_size_with_interval,
)
from flasheval.selection.held_out.evidence import evidence_of
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.random_curve import RandomAgreement
from flasheval.selection.held_out.records import ValidationCell
from flasheval.selection.held_out.splits import Split
from flasheval.subset.evidence import EquivalentSize

METRICS = ("clip", "hps")
SIZES = (5, 10, 50)


def _measurement(
    n_splits, *, done=None, nan_at=(), metrics=METRICS, seed=0, spec="random:10", draw=0
):
    """Made-up cells at sizes 10 and 50; the numbers of one metric at `nan_at` are missing."""
    rng = np.random.default_rng(draw)
    splits = tuple(Split(f"random:{k}", np.arange(6), np.arange(6, 13)) for k in range(n_splits))
    cells = []
    for size, count in ((10, n_splits), (50, n_splits if done is None else done)):
        for k in range(count):
            for metric in metrics:
                missing = k in nan_at and metric == metrics[0]
                tau = np.nan if missing else rng.uniform(0.5, 0.9)
                measures = (rng.uniform(0.8, 1), tau, tau / 2, (1 + tau) / 2, tau / 3, 0.2)
                cells.append(
                    ValidationCell("halves", f"random:{k}", "m", size, metric, *measures, 6, 7, 0.1)
                )
    tau = {}
    for metric in metrics:
        block = rng.uniform(0.2, 0.5, (n_splits, 20, 1)) + np.array([0.0, 0.1, 0.4])
        if metric == metrics[0]:
            block[list(nan_at)] = np.nan
        tau[metric] = block
    kind = Kind("halves", spec, splits)
    baseline = {"halves": RandomAgreement(SIZES, tau)}
    return Measurement((kind,), metrics, ("m",), (10, 50), baseline, seed, cells=cells)


def _with_splits(measurement, splits):
    (kind,) = measurement.kinds
    return replace(measurement, kinds=(replace(kind, splits=splits),))


def _values(measurement, size, metric, what):
    return np.array(
        [
            getattr(cell, what)
            for cell in measurement.cells
            if (cell.size, cell.metric) == (size, metric)
        ]
    )


def test_every_number_is_that_of_the_cells():
    measurement = _measurement(10, seed=3)
    evidence = evidence_of(measurement, 50)
    assert (evidence.size, evidence.split_spec, evidence.applies_to) == (
        50,
        "random:10",
        "procedure",
    )
    assert [(s.name, s.n_search, s.n_held_out) for s in evidence.splits] == [
        (f"random:{k}", 6, 7) for k in range(10)
    ]
    assert list(evidence.metrics) == list(METRICS)
    for names, found in (
        (METRICS, evidence.pooled),
        (("clip",), evidence.metrics["clip"]),
        (("hps",), evidence.metrics["hps"]),
    ):
        held_out = np.mean([_values(measurement, 50, n, "held_out_tau") for n in names], axis=0)
        assert found.held_out_tau.mean == pytest.approx(held_out.mean())
        assert found.held_out_tau.low == pytest.approx(np.quantile(held_out, 0.05))
        assert found.held_out_tau.high == pytest.approx(np.quantile(held_out, 0.95))
        assert found.held_out_tau.kind == "5-95%"
        assert found.held_out_tau_by_split == pytest.approx(held_out.tolist())
        draws = np.mean([measurement.random.tau[n][:, :, 2] for n in names], axis=0)
        assert found.random_tau.mean == pytest.approx(draws.mean())
        assert found.random_tau.low == pytest.approx(np.quantile(draws, 0.05))
        search = np.mean([_values(measurement, 50, n, "search_tau") for n in names])
        assert found.search_tau == pytest.approx(search)
        assert found.companions["tau_significant"] == pytest.approx(held_out.mean() / 2)
        assert found.companions["pairwise_accuracy"] == pytest.approx((1 + held_out.mean()) / 2)
        curves = np.mean([measurement.random.tau[n].mean(axis=1) for n in names], axis=0)
        expected = equivalent_size_with_interval(
            held_out, SIZES, curves, np.random.default_rng([3, 11])
        )
        assert found.equivalent_random_size == expected


def test_few_splits_give_their_range_instead_of_quantiles():
    measurement = _measurement(7)
    found = evidence_of(measurement, 10).metrics["hps"]
    values = _values(measurement, 10, "hps", "held_out_tau")
    assert found.held_out_tau.kind == "min-max"
    assert (found.held_out_tau.low, found.held_out_tau.high) == (values.min(), values.max())
    assert found.random_tau.kind == "5-95%"


def test_a_split_without_a_held_out_ranking_is_left_out():
    measurement = _measurement(9, nan_at=(2, 5))
    evidence = evidence_of(measurement, 50)
    clip = evidence.metrics["clip"]
    values = _values(measurement, 50, "clip", "held_out_tau")
    assert clip.held_out_tau.mean == pytest.approx(np.nanmean(values))
    assert [k for k, tau in enumerate(clip.held_out_tau_by_split) if tau is None] == [2, 5]
    rest = np.delete(np.arange(9), [2, 5])
    curves = measurement.random.tau["clip"].mean(axis=1)[rest]
    size = equivalent_random_size(values[rest].mean(), SIZES, curves.mean(axis=0))
    assert clip.equivalent_random_size == EquivalentSize(size)  # 7 splits are left: no interval
    assert evidence.metrics["hps"].equivalent_random_size.low is not None
    pooled = evidence.pooled
    assert [k for k, tau in enumerate(pooled.held_out_tau_by_split) if tau is None] == [2, 5]
    assert clip.random_tau.mean == pytest.approx(
        np.nanmean(measurement.random.tau["clip"][:, :, 2])
    )


def test_no_held_out_ranking_at_all_is_no_evidence():
    assert evidence_of(_measurement(3, nan_at=(0, 1, 2)), 50) is None
    assert evidence_of(_measurement(3, done=0), 50) is None
    assert evidence_of(_measurement(3), 20) is None


def test_after_an_interruption_random_counts_on_the_same_splits_only():
    measurement = _measurement(10, done=4)
    evidence = evidence_of(measurement, 50)
    assert [split.name for split in evidence.splits] == [f"random:{k}" for k in range(4)]
    for metric, found in evidence.metrics.items():
        assert len(found.held_out_tau_by_split) == 4
        assert found.random_tau.mean == pytest.approx(
            measurement.random.tau[metric][:4, :, 2].mean()
        )
    assert len(evidence_of(measurement, 10).splits) == 10


@pytest.mark.parametrize(("n_groups", "kind"), [(6, "min-max"), (8, "5-95%")])
def test_few_groups_give_no_interval_however_they_are_paired(n_groups, kind):
    measurement = _measurement(12)
    splits = tuple(
        replace(split, groups=(f"m{k % n_groups}", f"m{(k + 1) % n_groups}"))
        for k, split in enumerate(measurement.splits)
    )
    pooled = evidence_of(_with_splits(measurement, splits), 50).pooled
    assert pooled.held_out_tau.kind == kind
    assert (pooled.equivalent_random_size.low is None) == (kind == "min-max")
    plain = evidence_of(measurement, 50).pooled.equivalent_random_size
    assert pooled.equivalent_random_size.estimate == plain.estimate


def test_the_splits_are_named_as_the_kind_says_unless_told_otherwise():
    measurement = _measurement(8, spec="mine.json")
    assert evidence_of(measurement, 10).split_spec == "mine.json"
    told = evidence_of(measurement, 10, "leave one out")
    assert told == replace(evidence_of(measurement, 10), split_spec="leave one out")


def test_it_is_of_the_last_method_and_the_first_kind():
    measurement = _measurement(8)
    (kind,) = measurement.kinds
    other = [replace(cell, method="random", held_out_tau=0.0) for cell in measurement.cells]
    elsewhere = [replace(cell, kind="more", held_out_tau=0.0) for cell in measurement.cells]
    several = replace(
        measurement,
        kinds=(kind, replace(kind, name="more", spec="x")),
        labels=("random", "m"),
        baseline={**measurement.baseline, "more": measurement.random},
        cells=[*other, *elsewhere, *measurement.cells],
    )
    assert evidence_of(several, 50) == evidence_of(measurement, 50)


def test_subsets_that_give_all_search_variants_one_score_have_no_search_tau():
    measurement = _measurement(8)
    cells = [replace(cell, search_tau=np.nan) for cell in measurement.cells]
    found = evidence_of(replace(measurement, cells=cells), 50)
    known = evidence_of(measurement, 50)
    assert found.pooled == replace(known.pooled, search_tau=None)
    assert found.metrics["clip"] == replace(known.metrics["clip"], search_tau=None)
