import numpy as np
import pytest

from flasheval.report.page.ranks import Ranks
from flasheval.report.page.tie_rows import tie_table, ties_in_words
from flasheval.report.page.ties import ties_of
from flasheval.scores.ranking.significant import near_tie_share, significant_pairs


def _ranks(values, subset, higher=True):
    full = values.mean(axis=1, dtype=np.float64)
    names = tuple(f"v{row}" for row in range(len(values)))
    return Ranks("clip", higher, names, full, np.asarray(subset, float), np.ones(len(full), bool))


@pytest.mark.parametrize("higher", [True, False])
def test_ranks_reach_over_all_that_cannot_be_told_apart(higher):
    rng = np.random.default_rng(0)
    values = (rng.normal(size=(12, 1)) + rng.normal(size=(12, 50))).astype("f4")
    ties = ties_of(_ranks(values, rng.normal(size=12), higher), values)
    assert ties.tied_pairs / ties.pairs == pytest.approx(near_tie_share(values))
    full = values.mean(axis=1, dtype=np.float64)
    order = sorted(range(12), key=lambda row: -full[row] if higher else full[row])
    assert list(ties.variants) == [f"v{row}" for row in order]
    told_apart = significant_pairs(values)
    for place, row in enumerate(order):
        tied = [i + 1 for i, other in enumerate(order) if not told_apart[row, other]]
        assert (ties.best[place], ties.worst[place]) == (min(tied), max(tied))
        assert ties.count[place] == len(tied) - 1


def test_a_rank_is_within_where_the_full_set_could_as_well_have_it():
    base = np.tile([0.0, 1.0], 20)
    values = np.stack([base + 3, base + 2, base + 2.001 * np.roll(base, 1), base]).astype("f4")
    ties = ties_of(_ranks(values, [4, 1, 3, 2]), values)
    assert ties.variants == ("v0", "v1", "v2", "v3")
    assert ties.subset_rank.tolist() == [1, 4, 2, 3]
    assert not ties.within[1]
    assert ties.within[0]
    equal = ties_of(_ranks(values, [1, 1, 1, 1]), values)
    assert equal.subset_rank.tolist() == [2.5] * 4


def test_a_very_long_ranking_is_cut_and_says_so():
    values = np.arange(250.0)[:, None] + np.zeros((250, 4))
    values += np.random.default_rng(0).normal(scale=1e-6, size=values.shape)
    ties = ties_of(_ranks(values.astype("f4"), np.arange(250)), values.astype("f4"))
    table = tie_table(ties)
    assert (len(table.rows), table.left_out) == (200, 50)
    assert table.rows[0].variant == "v249"
    assert table.rows[0].ranks == "its own"
    said = ties_in_words(ties, 4)
    assert said.startswith("0 of 31,125 pairs (0.0%) differ by no more")
    assert "250 of 250 variants are told apart" in said
