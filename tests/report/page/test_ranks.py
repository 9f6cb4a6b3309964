import numpy as np
import pytest
from scipy.stats import kendalltau

from flasheval.report.page.ranks import Ranks, known_ranks, scored_ranks, split_ranks
from flasheval.report.page.replay import replay_of


def test_a_manifest_knows_the_same_means_as_the_scores(origin, scored):
    for told, found in zip(known_ranks(origin.subset), scored_ranks(scored), strict=True):
        assert (told.metric, told.variants) == (found.metric, found.variants)
        np.testing.assert_allclose(told.full, found.full, rtol=1e-5)
        np.testing.assert_allclose(told.subset, found.subset, rtol=1e-5)
        assert told.higher_is_better == found.higher_is_better
        assert told.tau() == pytest.approx(kendalltau(found.full, found.subset).statistic)


def test_the_sides_of_a_split_are_told_apart(origin, scored):
    replay = replay_of(origin, scored)
    split, evidence = replay.splits[1], origin.subset.record.evidence
    for ranks in split_ranks(scored, split, replay.selections[1]):
        names = np.array(ranks.variants)
        held_out = [scored.table.variant_names[row] for row in split.held_out]
        assert names[~ranks.searched].tolist() == held_out
        wanted = evidence.metrics[ranks.metric].held_out_tau_by_split[1]
        assert ranks.tau(searched=False) == pytest.approx(wanted)


def test_one_variant_has_no_ranking():
    ranks = Ranks("clip", True, ("a", "b"), np.arange(2.0), np.arange(2.0), np.array([True, False]))
    assert ranks.tau() == 1
    assert np.isnan(ranks.tau(searched=True))
