"""A small subset with a record in which every field is set, shared by the tests here."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import (
    Agreement,
    EquivalentSize,
    Evidence,
    KnownVariant,
    PrefixCalibration,
    RandomSize,
    Record,
    SplitSizes,
    Spread,
)
from flasheval.subset.predictor import MetricCalibration, Predictor

MakeSubset = Callable[..., Subset]

_TEXTS = ("a cat", "a dög", "a newt ", "a cow", "a hen")


_PETS = PromptSet(
    "pets", ("1", "2", "3", "4", "5"), _TEXTS, extras={"image_name": ("a", "b", "c", "d", "e")}
)


def _make_calibration() -> Calibration:
    alone = Predictor({"clip": 1.1}, 0.2, 1.05, by_error=0.4, by_size=0.05, typical_difference=1.4)
    joint = Predictor({"clip": 1.0, "hps": 0.1}, 0.1 + 0.05, 1.05, by_error=0.35, by_size=0.04)
    clip = MetricCalibration(True, 0.3, 0.01, 0.31, 0.8, 0.28, 0.34, alone, joint, near_ties=0.2)
    worse = Predictor({"hps": 1.0}, 0.3)
    hps = MetricCalibration(False, 0.21, 0.02, 0.2, 0.9, 0.15, 0.26, worse)
    return Calibration({"clip": clip, "hps": hps}, 5, 4, 6, expect="new_family", group="base_model")


def _make_record() -> Record:
    agreement = Agreement(
        held_out_tau=Spread(0.8333333333333334, 0.7, 0.9),
        random_tau=Spread(0.6, 0.5, 0.7, "min-max"),
        search_tau=0.97,
        held_out_tau_by_split=(0.1 + 0.2, None),
        equivalent_random_size=EquivalentSize(
            RandomSize(248.25), RandomSize(5.0, "<"), RandomSize(40504.0, ">")
        ),
        companions={"pairwise_accuracy": 0.9},
    )
    evidence = Evidence(
        size=3,
        split_spec="halves:2",
        splits=(SplitSizes("half 0", 39, 39), SplitSizes("half 1", 39, 39)),
        pooled=agreement,
        metrics={"clip": agreement},
    )
    return Record(
        evidence=evidence,
        calibration=_make_calibration(),
        looks=(PrefixCalibration(2, replace(_make_calibration(), difference_dof=3)),),
        known_variants=(KnownVariant("sd15/DDIM10", {"clip": 0.29661}, {"clip": 0.3}),),
        versions={"numpy": "2.0"},
        created="2025-01-31T12:00:00+00:00",
        notes=("a note",),
        warnings=("search tau saturates",),
        interrupted=True,
    )


def _make_subset(**changes: Any) -> Subset:
    subset = Subset.choose(
        _PETS,
        [2, 0, 4],
        name="three-pets",
        metrics=(MetricInfo("clip"), MetricInfo("fid", higher_is_better=False)),
        method=Method("balanced", {"lambda": 2.0, "pools": (500, 100)}, seed=7),
        searched_variants=("sd14/DDIM10", "sd15/DDIM10"),
        weights=[1 / 3, 1.0, 2.0],
        record=_make_record(),
        with_texts=True,
    )
    return replace(subset, **changes)


@pytest.fixture(scope="session")
def pets() -> PromptSet:
    """The prompt set the subset is of: 5 prompts with texts and image names."""
    return _PETS


@pytest.fixture(scope="session")
def record() -> Record:
    """A record with every field set."""
    return _make_record()


@pytest.fixture(scope="session")
def make_subset() -> MakeSubset:
    """A function: make_subset(**changes) -> prompts 3, 1 and 5 of the pets, with that record."""
    return _make_subset
