from itertools import pairwise

import numpy as np
import pytest
import scipy.stats

from flasheval.base.errors import DataError, SettingError
from flasheval.selection.methods.random_sets import draw_key, draw_sets
from flasheval.set_metrics.frechet import FrechetReference, frechet_distance
from flasheval.set_metrics.subset_search import (
    distances_of_sets,
    full_distances,
    search_subset,
)


def test_what_it_says_is_true(make_features):
    features, real = make_features()
    reference = FrechetReference.of(real)
    found = search_subset(features, reference, 8, np.random.default_rng(0), n_sets=200)
    assert found.indices.tolist() == sorted(set(found.indices.tolist()))
    assert len(found.indices) == 8
    full = [frechet_distance(one, reference).value for one in features]
    on_subset = [frechet_distance(one[found.indices], reference).value for one in features]
    np.testing.assert_allclose(found.full_distances, full, rtol=1e-9)
    np.testing.assert_allclose(found.distances, on_subset, rtol=1e-6)
    assert found.tau == pytest.approx(scipy.stats.kendalltau(on_subset, full).statistic)
    assert found.tau == max(row["best_tau"] for row in found.history)
    assert found.tau > found.history[0]["mean_tau"] + 0.1
    pools = [row["pool"] for row in found.history]
    assert pools[0] == 120
    assert all(later < earlier for earlier, later in pairwise(pools))


def test_the_same_seed_gives_the_same_subset_on_any_number_of_threads(make_features, tmp_path):
    features, real = make_features(8, 60)
    np.save(tmp_path / "features.npy", features)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    reference = FrechetReference.of(real)
    one, other, another = (
        search_subset(which, reference, 5, np.random.default_rng(seed), n_sets=50, threads=threads)
        for which, seed, threads in ((features, 3, 1), (mapped, 3, 3), (features, 4, 1))
    )
    np.testing.assert_array_equal(one.indices, other.indices)
    np.testing.assert_array_equal(one.distances, other.distances)
    assert one.history == other.history
    assert one.history != another.history


def test_pools_are_those_asked_for_and_told(make_features):
    features, real = make_features(5, 40)
    told = []
    found = search_subset(
        *(features, FrechetReference.of(real), 6, np.random.default_rng(0)),
        n_sets=20,
        pools=(20, 6),
        report=lambda done, of: told.append((done, of)),
    )
    assert [row["pool"] for row in found.history] == [40, 20, 6]
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_of_one_pool_the_best_set_is_taken_and_of_equals_the_closest(make_features):
    features, real = make_features(5, 40)
    reference = FrechetReference.of(real)
    options = {"n_sets": 80, "pools": ()}
    found = search_subset(features, reference, 6, np.random.default_rng(12), **options)
    key = draw_key(np.random.default_rng(12))
    sets = draw_sets(key, np.arange(80), np.arange(40, dtype=np.int32), 6, False)
    distances = distances_of_sets(features, reference, sets)
    full = full_distances(features, reference)
    taus = np.array([scipy.stats.kendalltau(one, full).statistic for one in distances.T])
    near = np.array([scipy.stats.pearsonr(one, full).statistic for one in distances.T])
    best = np.flatnonzero(np.isclose(taus, taus.max()))
    assert 1 < len(best) < 80
    assert near.argmax() not in best  # or the test would say less than it does
    assert found.indices.tolist() == sorted(sets[best[near[best].argmax()]].tolist())


def test_later_pools_have_better_prompts(make_features):
    features, real = make_features(20, 200)
    found = search_subset(
        features, FrechetReference.of(real), 8, np.random.default_rng(0), n_sets=200
    )
    assert found.history[-1]["mean_tau"] > found.history[0]["mean_tau"] + 0.1


def test_a_set_may_take_everything(make_features):
    features, real = make_features(4, 6)
    found = search_subset(
        features, FrechetReference.of(real), 6, np.random.default_rng(0), n_sets=3
    )
    assert found.indices.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.tau == 1


def test_half_precision_and_more_prompts_than_features(make_features):
    features, real = make_features(4, 50, 6)
    reference = FrechetReference.of(real)
    sets = np.stack([np.random.default_rng(i).permutation(50)[:20] for i in range(4)])
    stored = features.astype(np.float16)
    found = distances_of_sets(stored, reference, sets.astype(np.int32))
    expected = [[frechet_distance(one[s], reference).value for s in sets] for one in stored]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert full_distances(stored, reference).shape == (4,)


def test_mistakes_are_told_in_one_line(make_features):
    features, real = make_features(4, 30)
    reference, rng = FrechetReference.of(real), np.random.default_rng(0)
    for size in (1, 31):
        with pytest.raises(SettingError, match=f"size={size}: expected from 2 to the 30"):
            search_subset(features, reference, size, rng)
    for pools in ((30,), (10, 20), (20, 4)):
        with pytest.raises(SettingError, match="expected sizes that shrink"):
            search_subset(features, reference, 5, rng, pools=pools)
    for options in ({"n_sets": 0}, {"keep": 0.0}, {"keep": 1.5}):
        with pytest.raises(SettingError, match="expected sets, and a share"):
            search_subset(features, reference, 5, rng, **options)
    with pytest.raises(DataError, match="2 variants"):
        search_subset(features[:2], reference, 5, rng)
    with pytest.raises(DataError, match=r"expected \[variants, prompts, 12\]"):
        search_subset(features[0], reference, 5, rng)
    with pytest.raises(DataError, match="equally far"):
        search_subset(np.repeat(features[:1], 4, axis=0), reference, 5, rng)
    broken = features.copy()
    broken[2, 7, 1] = np.nan
    with pytest.raises(DataError, match="variant 2: features: row 7 has a NaN"):
        search_subset(broken, reference, 5, rng)
