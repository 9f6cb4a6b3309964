from dataclasses import replace

import numpy as np
import pytest

import flasheval.report.page.replay as module
from flasheval.cli import main
from flasheval.report.page import find_origin
from flasheval.report.page.replay import Replay, replay_of
from flasheval.report.page.score_sources import scores_of
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.judge import Judge


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
    monkeypatch.setattr(type(replay.request.selector), "cheap", False)
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


def test_after_ctrl_c_only_the_splits_that_were_done_are_replayed(origin, scored):
    whole = origin.subset.record.evidence
    done = (1, 3)  # threads finish them in any order

    def some(agreement):
        taus = agreement.held_out_tau_by_split
        return replace(agreement, held_out_tau_by_split=tuple(taus[k] for k in done))

    evidence = replace(
        whole,
        splits=tuple(whole.splits[k] for k in done),
        pooled=some(whole.pooled),
        metrics={name: some(one) for name, one in whole.metrics.items()},
    )
    record = replace(origin.subset.record, evidence=evidence)
    replay = replay_of(replace(origin, subset=replace(origin.subset, record=record)), scored)
    assert [split.name for split in replay.splits] == [whole.splits[k].name for k in done]
    np.testing.assert_allclose(_taus(replay, scored), evidence.pooled.held_out_tau_by_split)


@pytest.mark.parametrize("splits", ["random:4", "random:4+seeds"])
def test_searches_on_images_are_told_again_on_the_images_they_saw(tmp_path, splits, monkeypatch):
    table = synthetic_scores(24, 60, images=2)
    scores = table.save(tmp_path / "scores")
    words = [f"scores={scores}", f"splits={splits}", "method=balanced", "images_per_prompt=1"]
    words += ["size=5", "draws=10", "calibrate=false", f"out={tmp_path / 'run'}", "metric=quality"]
    assert main(["search", *words]) == 0
    origin = find_origin(tmp_path / "run")
    scored = scores_of(origin.subset, table)
    again = replay_of(replace(origin, folder=None, settings={}), scored)
    monkeypatch.setattr(module, "search_part", lambda *_, **__: pytest.fail("searched again"))
    wanted = origin.subset.record.evidence.pooled.held_out_tau_by_split
    for replay in (replay_of(origin, scored), again):
        assert isinstance(replay, Replay)
        found = [
            Judge(table["quality"], split.images)(split, chosen).held_out_tau
            for split, chosen in zip(replay.splits, replay.selections, strict=True)
        ]
        np.testing.assert_allclose(found, wanted)
        monkeypatch.undo()
