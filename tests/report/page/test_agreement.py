from dataclasses import replace

import numpy as np

from flasheval.report.page.agreement import measured_again, median_split
from flasheval.report.page.replay import replay_of
from flasheval.subset.evidence import Agreement, Spread


def test_agreement_is_as_the_run_wrote_it_beside_random_prompts(origin, scored):
    replay = replay_of(origin, scored)
    found = measured_again(origin, replay)
    assert found.sizes == (5, 10)
    wanted = origin.subset.record.evidence
    np.testing.assert_allclose(
        found.values(5, None, "held_out_tau"), wanted.pooled.held_out_tau_by_split
    )
    np.testing.assert_allclose(
        found.random.at("clip", 5).mean(), wanted.metrics["clip"].random_tau.mean
    )
    alone = measured_again(replace(origin, folder=None, settings={"draws": 10}), replay)
    assert alone.sizes == (5,)
    np.testing.assert_allclose(
        alone.values(5, "fid", "held_out_tau"), wanted.metrics["fid"].held_out_tau_by_split
    )
    np.testing.assert_allclose(
        alone.random.at("clip", 5).mean(), wanted.metrics["clip"].random_tau.mean
    )


def test_the_median_split_is_the_lower_one_and_passes_over_what_is_not_known(origin):
    def median(*taus):
        spread = Spread(0, 0, 0)
        pooled = Agreement(spread, spread, held_out_tau_by_split=taus)
        evidence = origin.subset.record.evidence
        splits = (evidence.splits * 2)[: len(taus)]
        return median_split(replace(evidence, splits=splits, pooled=pooled, metrics={}))

    assert median(0.5, 0.9, 0.7) == 2
    assert median(0.5, 0.9, 0.7, 0.6) == 3
    assert median(None, 0.9, None) == 1
    assert median(None, None) is None
    assert median() is None
