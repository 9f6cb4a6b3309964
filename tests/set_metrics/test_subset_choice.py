import numpy as np
import pytest
import scipy.stats

from flasheval.base.errors import DataError, SettingError
from flasheval.set_metrics.feature_sets import FeatureSets
from flasheval.set_metrics.frechet import frechet_distance
from flasheval.set_metrics.references import Reference
from flasheval.set_metrics.subset_choice import (
    BEATEN,
    check_sizes,
    choose_subset,
    part_variants,
)
from flasheval.subset import Subset


@pytest.fixture(scope="module")
def toys(make_features):
    features, real = make_features(11, 30)
    ids = tuple(f"p{number}" for number in range(30))
    names = tuple(f"v{row}" for row in range(11))
    return FeatureSets(names, features, (ids,) * 11, "toy", "toy-1"), Reference.of("real", real)


def test_what_is_measured_is_of_this_very_set(toys, tmp_path):
    sets, real = toys
    halves = part_variants(sets, real, 0.5, seed=3)
    subset = choose_subset(sets, real, halves, 6, seed=3, n_sets=60, draws=30)
    assert subset.searched_variants == tuple(sets.names[row] for row in halves.search)
    rows = [int(one[1:]) for one in subset.ids]
    for part, tau in (
        (halves.held_out, subset.record.evidence.pooled.held_out_tau.mean),
        (halves.search, subset.record.evidence.pooled.search_tau),
    ):
        some = [frechet_distance(sets.features[row][rows], real.statistics).value for row in part]
        full = [frechet_distance(sets.features[row], real.statistics).value for row in part]
        assert tau == pytest.approx(scipy.stats.kendalltau(some, full).statistic)
    assert subset.record.evidence.applies_to == "this set"
    assert 0 <= subset.record.evidence.pooled.companions[BEATEN] <= 1
    assert [str(metric) for metric in subset.metrics] == ["Frechet toy (lower is better)"]
    assert subset.method.settings["features"] == "toy-1"
    assert "6 search variants: below 20" in " ".join(subset.record.warnings)
    subset.save(tmp_path / "s.json")
    assert Subset.load(tmp_path / "s.json") == subset
    again = choose_subset(sets, real, halves, 6, seed=3, n_sets=60, draws=30, threads=2)
    assert again.content_hash == subset.content_hash
    other = choose_subset(sets, real, halves, 6, seed=4, n_sets=60, draws=30)
    assert other.content_hash != subset.content_hash


def test_the_halves(toys):
    sets, real = toys
    halves = part_variants(sets, real, 0.5, seed=3)
    drawn = np.random.default_rng(3).permutation(11)
    assert halves.search.tolist() == sorted(drawn[:6])
    assert halves.held_out.tolist() == sorted(drawn[6:])
    named = part_variants(sets, real, ["v2", "v5"])
    assert named.held_out.tolist() == [2, 5]
    variant = Reference.of("v4", sets.features[4], sets.ids[4])
    halves = part_variants(sets, variant, 0.5)
    assert sorted([*halves.search, *halves.held_out]) == [0, 1, 2, 3, *range(5, 11)]
    assert len(halves.search) == 5


@pytest.mark.parametrize(
    ("held_out", "said"),
    [
        (0, "held_out=0: expected a share"),
        (True, "held_out=True: expected a share such as 0.5, or a list"),
        ("v1", "held_out=v1: expected a share such as"),
        (["x1"], "'x1' is not a variant"),
        (["v1"], "10 of 11 variants to search on, 1 held out"),
        (0.9, "2 of 11 variants to search on, 9 held out"),
    ],
)
def test_parts_that_cannot_be(toys, held_out, said):
    with pytest.raises(SettingError, match=said):
        part_variants(*toys, held_out)


def test_prompts_that_cannot_be(toys):
    sets, _ = toys
    check_sizes(sets, [2, 30])
    with pytest.raises(SettingError, match="size=31: expected from 2 to the 30 prompts"):
        check_sizes(sets, [3, 31])
    odd = FeatureSets(("a", "b"), sets.features[:2], (sets.ids[0], sets.ids[0][1:]), "toy", "1")
    with pytest.raises(DataError, match="b has no image of prompt 'p0'"):
        check_sizes(odd, [3])
