"""One metric's order: ranks, ties and near ties as `show` and the report count them."""

import numpy as np
import pytest

from flasheval.scores.leaderboard.standings import standings_of
from flasheval.scores.ranking import near_tie_share, significant_pairs
from flasheval.scores.ranking.moments import paired_moments


def _standings(values, higher=True, **settings):
    values = np.asarray(values, dtype=np.float32)
    names = tuple(f"v{row}" for row in range(len(values)))
    moments = paired_moments(values)
    return standings_of("m", higher, names, moments, prompts=values.shape[1], **settings)


@pytest.mark.parametrize("seed", range(5))
def test_near_ties_are_those_of_show(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.1, (30, 1)) + rng.normal(size=(30, 400)) + rng.normal(size=400)
    values[3], values[4] = values[2], values[2] + 1  # a copy is tied, one a constant apart is not
    values = values.astype(np.float32)
    found = _standings(values)
    assert found.near_ties / found.pairs == pytest.approx(near_tie_share(values))
    apart = significant_pairs(values)
    assert found.near_ties == found.pairs - np.triu(apart, 1).sum()
    rows = [int(name[1:]) for name in found.variants]
    assert not (found.separated & ~apart[np.ix_(rows, rows)]).any()  # all at once tells fewer apart


def test_lower_is_better_turns_the_order_and_nothing_else():
    values = np.random.default_rng(0).normal(size=(8, 100)) + np.arange(8)[:, None] / 5
    up, down = _standings(values), _standings(-values, higher=False)
    assert up.variants == down.variants
    np.testing.assert_allclose(up.means, -down.means)
    np.testing.assert_allclose(up.low, -down.high)
    assert up.best.tolist() == down.best.tolist()
    assert up.groups == down.groups


def test_equal_variants_share_a_rank_and_a_group():
    row = np.random.default_rng(1).normal(size=50)
    found = _standings([row, row + 1, row, row - 1])
    assert found.variants == ("v1", "v0", "v2", "v3")
    assert found.ranks.tolist() == [1, 2, 2, 4]
    assert (found.best.tolist(), found.worst.tolist()) == ([1, 2, 2, 4], [1, 3, 3, 4])
    assert found.groups == (("v1",), ("v0", "v2"), ("v3",))
    assert found.leaders == ("v1",)
    assert found.tied_pairs == 1


def test_constants_one_variant_and_one_prompt():
    constant = _standings(np.ones((3, 10)))
    assert constant.ranks.tolist() == [1, 1, 1]
    assert constant.tied_pairs == constant.near_ties == 3
    alone = _standings([[1, 2, 3]])
    assert (alone.pairs, alone.tied_pairs, alone.groups) == (0, 0, (("v0",),))
    single = _standings([[1], [2]])
    assert single.worst.tolist() == [2, 2]
    assert np.isnan(single.low).all()


def test_groups_name_each_variant_and_hold_only_pairs_that_tie():
    values = np.random.default_rng(2).normal(size=(12, 80)) + np.arange(12)[:, None] / 6
    found = _standings(values)
    assert {name for group in found.groups for name in group} == set(found.variants)
    place = {name: number for number, name in enumerate(found.variants)}
    for group in found.groups:
        rows = [place[name] for name in group]
        assert not found.separated[np.ix_(rows, rows)].any()
    assert len(found.groups) > 2
