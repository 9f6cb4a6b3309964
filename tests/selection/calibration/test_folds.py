"""How variants are parted for the calibration."""

from dataclasses import replace

import numpy as np
import pytest

from flasheval.base.errors import SettingError
from flasheval.generators.variants import Variant
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.calibration.folds import (
    checked_expect,
    group_folds,
    make_folds,
    random_folds,
)


@pytest.mark.parametrize("n", [8, 9, 16, 39, 78])
def test_random_folds_part_the_variants_evenly(n):
    folds = random_folds(n, np.random.default_rng(0))
    held_out = np.concatenate([fold.held_out for fold in folds])
    assert sorted(held_out) == list(range(n))
    sizes = [len(fold.held_out) for fold in folds]
    assert min(sizes) >= 2  # pairs are needed
    assert max(sizes) - min(sizes) <= 1
    assert len(folds) == min(8, n // 2)
    for fold in folds:
        assert sorted([*fold.search, *fold.held_out]) == list(range(n))


def test_a_seed_gives_the_same_folds(make_table):
    table = make_table(20)
    first, second, other = (make_folds(table, "similar", None, seed) for seed in (0, 0, 1))
    assert [f.held_out.tolist() for f in first] == [f.held_out.tolist() for f in second]
    assert [f.held_out.tolist() for f in first] != [f.held_out.tolist() for f in other]


def test_groups_are_the_values_of_a_factor(make_table):
    folds = make_folds(make_table(12), "new_family", None, 0)
    assert [fold.name for fold in folds] == [f"base_model=base{i}" for i in range(4)]
    assert folds[1].held_out.tolist() == [1, 5, 9]
    assert folds[1].groups == ("base1",)
    by_scheduler = make_folds(make_table(12), "new_family", "scheduler", 0)
    assert [len(fold.held_out) for fold in by_scheduler] == [4, 4, 4]


def test_what_cannot_be_is_said(make_table):
    with pytest.raises(SettingError, match=r"6 complete variants; expected at least 8.*false"):
        make_folds(make_table(6), "similar", None, 0)
    with pytest.raises(SettingError, match=r"no variant has 'family'; there are: base_model, sch"):
        group_folds(make_table(12), "family")
    with pytest.raises(SettingError, match="'precision' has 2 values"):
        group_folds(make_table(12), "precision")
    with pytest.raises(SettingError, match="expect=new: expected similar or new_family"):
        checked_expect("new")


def test_a_variant_of_unknown_family_is_named():
    table = synthetic_scores(10, 20)
    variants = (*table.variants[:-1], Variant(table.variants[-1].name, {"steps": 10}))
    with pytest.raises(SettingError, match=f"'{variants[-1].name}' has no 'base_model'"):
        group_folds(replace(table, variants=variants), "base_model")
    bare = replace(table, variants=tuple(Variant(v.name) for v in table.variants))
    with pytest.raises(SettingError, match="there are: none"):
        group_folds(bare, "base_model")


@pytest.mark.parametrize("expect", ["similar", "new_family"])
def test_twins_are_never_on_both_sides_of_a_fold(make_table, with_twins, expect):
    table = with_twins(make_table(16), range(0, 16, 2))
    first = table.first_of_twins
    folds = make_folds(table, expect, None, 0)
    for fold in folds:
        assert not np.intersect1d(first[fold.search], first[fold.held_out]).size
    assert sorted(np.concatenate([fold.held_out for fold in folds])) == list(range(24))


def test_twins_count_once_in_folds(make_table, with_twins):
    plain = make_table(16)
    folds = make_folds(with_twins(plain), "similar", None, 0)
    for fold, single in zip(folds, make_folds(plain, "similar", None, 0), strict=True):
        assert fold.held_out.tolist() == [*single.held_out, *(single.held_out + 16)]
    with pytest.raises(SettingError, match="calibrate: 7 complete variants"):
        make_folds(with_twins(make_table(7)), "similar", None, 0)
