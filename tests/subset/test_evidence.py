"""The records of a manifest: what they refuse, how they read, and their trip through JSON."""

import json
import math
import platform
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.base.json_data import from_plain, to_plain
from flasheval.base.versions import library_versions, utc_now
from flasheval.subset import Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import (
    Agreement,
    EquivalentSize,
    Evidence,
    KnownVariant,
    RandomSize,
    Record,
    SplitSizes,
    Spread,
)
from flasheval.subset.predictor import MetricCalibration, Predictor

MakeSubset = Callable[..., Subset]
AGREEMENT = Agreement(Spread(0.8, 0.7, 0.9), Spread(0.6, 0.5, 0.7))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Spread(0.5, 0.9, 0.1), "above high"),
        (lambda: Spread(float("nan"), 0.0, 1.0), "mean is nan"),
        (lambda: Spread(0.0, 0.0, math.inf), "high is inf; expected a finite number"),
        (lambda: RandomSize(-math.inf), "value is -inf; expected a finite number"),
        (lambda: SplitSizes("s", -1, 2), "negative"),
        (lambda: SplitSizes("s", 1, -2), 'split "s" has a negative number'),
        (lambda: Record(created="yesterday"), "ISO time in UTC"),
        (lambda: Record(created="2025-01-31T12:00:00+02:00"), "ISO time in UTC"),
        (lambda: Record(created="2025-01-31T12:00:00"), "ISO time in UTC"),
        (lambda: Record(created="2025-02-30T12:00:00+00:00"), "ISO time in UTC"),
    ],
)
def test_impossible_records_are_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_evidence_needs_a_prompt_and_one_value_a_split(record: Record) -> None:
    evidence = record.evidence
    assert evidence is not None
    with pytest.raises(DataError, match="at least 1"):
        replace(evidence, size=0)
    with pytest.raises(DataError, match="2 values by split for 0"):
        replace(evidence, splits=())
    one = replace(AGREEMENT, held_out_tau_by_split=(0.5,))
    with pytest.raises(DataError, match="fid has 1 values by split for 2 splits; give one a split"):
        replace(evidence, metrics={"clip": AGREEMENT, "fid": one})
    assert replace(evidence, pooled=AGREEMENT, metrics={}, splits=()).splits == ()


def test_ends_may_coincide_and_times_may_be_written_with_z() -> None:
    assert Spread(2.0, 1.0, 1.0).low == 1.0  # a mean may lie outside its quantiles
    assert SplitSizes("s", 0, 0).n_search == 0
    assert Record(created="2025-01-31T12:00:00Z").created == "2025-01-31T12:00:00Z"
    assert Record().created == ""


def test_numbers_read_with_three_digits() -> None:
    assert str(Spread(0.83267, -0.0004, 1)) == "0.833 (-0.000 to 1.000)"
    assert [str(RandomSize(248.4, relation)) for relation in ("=", "<", ">")] == [
        "248",
        "<248",
        ">248",
    ]
    assert str(EquivalentSize(RandomSize(7), low=RandomSize(5))) == "7"
    whole = EquivalentSize(RandomSize(7), RandomSize(5, "<"), RandomSize(9))
    assert str(whole) == "7 (<5 to 9)"
    assert str(AGREEMENT) == "held-out tau 0.800 (0.700 to 0.900), random 0.600 (0.500 to 0.700)"
    assert str(replace(AGREEMENT, search_tau=1.0, equivalent_random_size=whole)) == (
        f"{AGREEMENT}, search 1.000; as good as 7 (<5 to 9) random prompts"
    )


def test_evidence_says_what_it_is_of() -> None:
    splits = (SplitSizes("a", 3, 2),)
    evidence = Evidence(5, "random:1", splits, AGREEMENT, {"clip": AGREEMENT})
    assert str(evidence).splitlines() == [
        "evidence: 1 splits (random:1), measured on sets chosen in the same way, not on this one",
        f"  all metrics: {AGREEMENT}",
        f"  clip: {AGREEMENT}",
    ]
    of_this = Evidence(5, "mine.json", splits, AGREEMENT, applies_to="this set")
    first = str(of_this).splitlines()[0]
    assert first == "evidence: 1 splits (mine.json), measured on this exact set"


def test_the_time_is_now_in_utc_and_whole_seconds() -> None:
    said = datetime.fromisoformat(utc_now())
    assert said.utcoffset() == timedelta(0)
    assert said.microsecond == 0
    assert abs(datetime.now(UTC) - said) < timedelta(seconds=60)
    assert Record(created=utc_now()).created


def test_versions_are_those_installed_and_no_others() -> None:
    assert library_versions(["numpy", "no-such-distribution"]) == {
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    assert library_versions(())["python"].count(".") == 2
    installed = {"numpy", "scipy", "numba"}
    assert {name: library_versions()[name] for name in installed} == {
        name: metadata.version(name) for name in installed
    }


def test_a_record_by_hand_is_plain_json() -> None:
    part = MetricCalibration(
        True, 0.3, 0.01, 0.31, 0.8, 0.28, 0.34, Predictor({"clip": 1.5}, 0.25, by_error=0.5)
    )
    record = Record(
        evidence=Evidence(3, "halves:1", (SplitSizes("h", 2, 1),), AGREEMENT),
        calibration=Calibration({"clip": part}, 8, 7, 6),
        known_variants=(KnownVariant("v", {"clip": 0.5}),),
        warnings=("few variants",),
    )
    spreads = {
        "held_out_tau": {"mean": 0.8, "low": 0.7, "high": 0.9},
        "random_tau": {"mean": 0.6, "low": 0.5, "high": 0.7},
    }
    expected = {
        "evidence": {
            "size": 3,
            "split_spec": "halves:1",
            "splits": [{"name": "h", "n_search": 2, "n_held_out": 1}],
            "pooled": spreads,
        },
        "calibration": {
            "metrics": {
                "clip": {
                    "higher_is_better": True,
                    "full_mean": 0.3,
                    "full_sd": 0.01,
                    "subset_mean": 0.31,
                    "slope": 0.8,
                    "low": 0.28,
                    "high": 0.34,
                    "alone": {"weights": {"clip": 1.5}, "scale": 0.25, "by_error": 0.5},
                }
            },
            "dof": 8,
            "difference_dof": 7,
            "folds": 6,
        },
        "known_variants": [{"name": "v", "full_means": {"clip": 0.5}}],
        "warnings": ["few variants"],
    }
    assert to_plain(record) == expected
    assert from_plain(Record, expected) == record
    assert to_plain(Record()) == {}


def test_numbers_given_as_integers_or_numpy_scalars_survive(
    make_subset: MakeSubset, tmp_path: Path
) -> None:
    agreement = Agreement(Spread(1, 0, 1), Spread(0, 0, 0), companions={"a": np.float64(0.25)})
    evidence = Evidence(3, "halves:1", (SplitSizes("a", 2, 2),), agreement)
    known = (KnownVariant("v", {"clip": np.float32(0.5)}, {"clip": np.int64(2)}),)
    subset = make_subset(record=Record(evidence=evidence, known_variants=known))
    assert Subset.load(subset.save(tmp_path / "a.json")) == subset


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TAUS = st.floats(-1, 1)
TAU_SPREADS = st.tuples(TAUS, TAUS, TAUS).map(lambda v: Spread(v[0], min(v[1:]), max(v[1:])))
SIZES = st.builds(RandomSize, st.floats(0, allow_infinity=False), st.sampled_from(["=", "<", ">"]))
AGREEMENTS = st.builds(
    Agreement,
    TAU_SPREADS,
    TAU_SPREADS,
    st.none() | TAUS,
    st.just(()),
    st.none() | st.builds(EquivalentSize, SIZES, st.none() | SIZES, st.none() | SIZES),
    st.dictionaries(NAMES, FLOATS, max_size=2),
)
EVIDENCE = st.builds(
    Evidence,
    st.integers(1, 1000),
    NAMES,
    st.lists(st.builds(SplitSizes, NAMES, st.integers(0, 9), st.integers(0, 9)), max_size=2).map(
        tuple
    ),
    AGREEMENTS,
    st.dictionaries(NAMES, AGREEMENTS, max_size=2),
    st.sampled_from(["procedure", "this set"]),
)
RECORDS = st.builds(
    Record,
    st.none() | EVIDENCE,
    notes=st.lists(NAMES, max_size=2).map(tuple),
    versions=st.dictionaries(NAMES, NAMES, max_size=2),
    interrupted=st.booleans(),
)


@given(RECORDS)
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_any_record_survives_json_exactly(make_subset: MakeSubset, drawn: Record) -> None:
    assert from_plain(Record, json.loads(json.dumps(to_plain(drawn)))) == drawn
    subset = make_subset(record=drawn)
    assert Subset.from_dict(json.loads(json.dumps(subset.to_dict()))) == subset


def test_a_metric_called_mean_does_not_hide_the_mean_over_metrics():
    one, other = (Agreement(Spread(x, x, x), Spread(0.5, 0.5, 0.5)) for x in (0.8, 0.6))
    splits = (SplitSizes("half 0", 24, 24),)
    rows = Evidence(50, "halves:1", splits, one, {"mean": other, "x": other}).rows
    assert list(rows) == ["all metrics", "mean", "x"]
    assert (rows["all metrics"], rows["mean"]) == (one, other)
