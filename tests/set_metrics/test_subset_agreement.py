import numpy as np
import pytest
import scipy.stats

from flasheval.base.errors import DataError, SettingError
from flasheval.set_metrics.frechet import FrechetReference, frechet_distance
from flasheval.set_metrics.subset_agreement import SubsetAgreement, subset_agreement
from flasheval.set_metrics.subset_search import search_subset


def test_agreement_is_that_of_the_distances(make_features):
    features, real = make_features(9, 40)
    reference = FrechetReference.of(real)
    chosen = np.array([3, 17, 30, 31])
    found = subset_agreement(features, reference, chosen, np.random.default_rng(0), draws=25)
    full = [frechet_distance(one, reference).value for one in features]
    on_subset = [frechet_distance(one[chosen], reference).value for one in features]
    assert found.tau == pytest.approx(scipy.stats.kendalltau(on_subset, full).statistic)
    assert found.random.shape == (25,)
    assert len(np.unique(found.random)) > 3


def test_a_share_counts_ties_half():
    found = SubsetAgreement(0.5, np.array([0.1, 0.5, 0.5, 0.9]))
    assert found.share_beaten == 0.5
    assert found.mean_random == 0.5


def test_a_searched_subset_beats_random_ones_on_variants_it_never_saw(make_features):
    features, real = make_features(60, 200, seed=1)
    reference = FrechetReference.of(real)
    beaten = []
    for seed in range(3):
        rows = np.random.default_rng(seed).permutation(60)
        rng = np.random.default_rng(seed)
        found = search_subset(features[rows[:40]], reference, 10, rng, n_sets=300)
        held_out = subset_agreement(features[rows[40:]], reference, found.indices, rng, draws=100)
        beaten.append(held_out.share_beaten)
    assert np.mean(beaten) > 0.7


def test_mistakes_are_told(make_features):
    features, real = make_features(3, 10)
    reference, rng = FrechetReference.of(real), np.random.default_rng(0)
    chosen = np.array([1, 2, 3])
    with pytest.raises(DataError, match="1 held-out variants"):
        subset_agreement(features[:1], reference, chosen, rng)
    with pytest.raises(SettingError, match="draws=0"):
        subset_agreement(features, reference, chosen, rng, draws=0)
    with pytest.raises(DataError, match="subset of 1 prompts"):
        subset_agreement(features, reference, chosen[:1], rng)
    broken = features.copy()
    broken[1, 7, 0] = np.inf
    with pytest.raises(DataError, match="variant 1: features: row 7 has a NaN or infinite"):
        subset_agreement(broken, reference, chosen, rng)
