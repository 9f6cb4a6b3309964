from dataclasses import replace

import numpy as np
import pytest

import flasheval.report.page.replay as module
from flasheval.report.page.agreement import measured_again, median_split
from flasheval.report.page.origin import find_origin
from flasheval.report.page.replay import Replay, replay_of
from flasheval.report.page.score_sources import scores_of
from flasheval.selection.held_out.judge import Judge
from flasheval.subset.evidence import Agreement, Spread


@pytest.fixture
def origin(searched):
    return find_origin(searched)


@pytest.fixture
def scored(origin, table):
    return scores_of(origin.subset, table)


def _taus(replay, scored):
    """Held-out tau-b of each split, judged anew."""
    judges = [Judge(scored.table[name]) for name in scored.table.metrics]
    return [
        np.mean([judge(split, chosen).held_out_tau for judge in judges])
        for split, chosen in zip(replay.splits, replay.selections, strict=True)
    ]


def test_searches_are_read_back_and_give_the_evidence(origin, scored, monkeypatch):
    monkeypatch.setattr(module, "search_part", lambda *_, **__: pytest.fail("searched again"))
    replay = replay_of(origin, scored)
    assert isinstance(replay, Replay)
    wanted = origin.subset.record.evidence.pooled.held_out_tau_by_split
    np.testing.assert_allclose(_taus(replay, scored), wanted)


def test_a_cheap_method_is_searched_again_without_a_folder(origin, scored):
    replay = replay_of(replace(origin, folder=None, settings={}), scored)
    assert isinstance(replay, Replay)
    wanted = origin.subset.record.evidence.pooled.held_out_tau_by_split
    np.testing.assert_allclose(_taus(replay, scored), wanted)


def test_splits_drawn_at_random_are_known_by_their_names(origin, scored):
    evidence = replace(origin.subset.record.evidence, split_spec="four random halves")
    record = replace(origin.subset.record, evidence=evidence)
    told = replace(origin, subset=replace(origin.subset, record=record), settings={})
    replay = replay_of(told, scored)
    for one, other in zip(replay.splits, replay_of(origin, scored).splits, strict=True):
        assert one.name == other.name
        assert one.search.tolist() == other.search.tolist()


def test_a_slow_one_is_not(origin, scored, monkeypatch):
    replay = replay_of(replace(origin, folder=None), scored)
    monkeypatch.setattr(type(replay.plan.selector), "cheap", False)
    assert replay.selections == (None,) * 4
    assert replay.selection(0) is None


def test_why_searches_cannot_be_told_again(origin, scored, table):
    def reason(**changes):
        return replay_of(replace(origin, subset=replace(origin.subset, **changes)), scored)

    bare = replace(origin.subset.record, evidence=None)
    assert reason(record=bare) == "nothing was held out"
    method = origin.subset.method
    assert "no method 'magic'" in reason(method=replace(method, name="magic"))
    assert "names no seed" in reason(method=replace(method, seed=None))
    part = {"prefix_of": {"name": "x", "size": 9, "content_hash": "y"}, "prefix_size": 5}
    assert "chosen as a whole" in reason(
        method=replace(method, settings={**method.settings, **part})
    )
    other = replace(origin, settings={"splits": "random:4@7"})
    assert "cannot be made again" in replay_of(other, scored)
    few = scores_of(origin.subset, table.with_variants(np.arange(8)))
    assert "variants or metrics of it are missing" in replay_of(origin, few)


def test_agreement_is_as_the_run_wrote_it_beside_random_prompts(origin, scored):
    replay = replay_of(origin, scored)
    found = measured_again(origin, replay)
    assert found.sizes == (5, 10)
    wanted = origin.subset.record.evidence
    np.testing.assert_allclose(found.pooled(5, "held_out_tau"), wanted.pooled.held_out_tau_by_split)
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
