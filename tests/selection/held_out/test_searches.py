"""The searches of a comparison: which there are, in which order, and how they are judged."""

import numpy as np
import pytest

from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.clusters import GroupResampler
from flasheval.selection.held_out.judge import Judge, subset_means
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.one_search import search_part
from flasheval.selection.held_out.records import MEASURES
from flasheval.selection.held_out.searches import (
    Place,
    Procedure,
    Searcher,
    cell_of,
    plan_searches,
)
from flasheval.selection.held_out.splits import Split, make_splits
from flasheval.selection.methods.registry import make_selector
from flasheval.selection.request import SearchRequest

TABLE = synthetic_scores(n_variants=16, n_prompts=60)
HALVES = make_splits("random:2", TABLE)
GROUPS = make_splits("group:scheduler", TABLE)


def procedure(label, sizes=((5,),), table=TABLE):
    selector = make_selector(label)
    return Procedure(label, tuple(SearchRequest(table, selector, size) for size in sizes))


def no_steps(step, steps):
    """Nobody is told."""


def test_they_go_split_by_split():
    kinds = [Kind("halves", "random:2", HALVES), Kind("groups", "group:scheduler", GROUPS)]
    procedures = [procedure("random", ((5,), (8,))), procedure("balanced")]
    found = plan_searches(procedures, kinds, (), seed=0)
    assert [(one.places[0].split.name, one.label, one.request.size) for one in found] == [
        (split.name, label, size)
        for split in (*HALVES, *GROUPS)
        for label, size in (("random", 5), ("random", 8), ("balanced", 5))
    ]
    for one in found:
        ((kind, split, smaller),) = [(p.kind, p.split, p.smaller) for p in one.places]
        assert kind == ("halves" if split in HALVES else "groups")
        assert not smaller
        np.testing.assert_array_equal(one.members, split.search)


def test_one_that_several_kinds_have_in_common_is_made_once():
    kinds = [Kind("a", "a", HALVES), Kind("b", "b", HALVES[1:])]
    found = plan_searches([procedure("random")], kinds, (), seed=0)
    assert [[(p.kind, p.split.name) for p in one.places] for one in found] == [
        [("a", "random:0")],
        [("a", "random:1"), ("b", "random:1")],
    ]


def test_fewer_search_variants_are_tried_where_no_group_is_held_out():
    kinds = [Kind("halves", "random:2", HALVES), Kind("groups", "group:scheduler", GROUPS)]
    found = plan_searches([procedure("random")], kinds, (4,), seed=0)
    smaller = [(p.kind, len(p.split.search), p.smaller) for one in found for p in one.places[-1:]]
    whole = len(HALVES) + len(GROUPS)
    # Those on all of a split's search variants are the whole searches, judged there once more.
    assert smaller[: len(HALVES)] == [("halves", 8, True)] * 2
    assert smaller[whole:] == [("halves", 4, True)] * 2
    assert len(found) == whole + 2


def test_progress_is_told_what_is_searched():
    kinds = [Kind("halves", "random:2", HALVES)]
    one = procedure("balanced", table=TABLE.with_metrics(["quality"]))
    first, second = plan_searches([procedure("shared"), one], kinds, (), seed=0)[:2]
    assert first.description == "shared, random:0, 5 prompts"
    assert second.description == "balanced, random:0, 5 prompts, quality"


def test_a_subset_is_judged_at_each_of_its_places_and_sizes():
    request = SearchRequest(TABLE, make_selector("balanced"), (3, 6))
    rest = Split("other", HALVES[0].search, HALVES[0].held_out[:4])
    kinds = [Kind("a", "a", HALVES[:1]), Kind("b", "b", (rest,))]
    (search,) = plan_searches([Procedure("balanced", (request,))], kinds, (), seed=0)
    found = Searcher(TABLE).run(search, no_steps)
    cells = [cell_of(one, "balanced") for one in found]
    assert [(c.size, c.kind, c.split, c.metric, c.n_search, c.n_held_out) for c in cells] == [
        (size, kind, split, metric, 8, count)
        for size in (3, 6)
        for kind, split, count in (("a", "random:0", 8), ("b", "other", 4))
        for metric in TABLE.metrics
    ]
    selection = search_part(request, HALVES[0].search).selection
    for cell in cells:
        split = HALVES[0] if cell.kind == "a" else rest
        judged = Judge(TABLE[cell.metric])(split, selection.first(cell.size))
        assert {what: getattr(cell, what) for what in MEASURES} == {
            what: getattr(judged, what) for what in MEASURES
        }
    assert len({cell.seconds for cell in cells}) == 1


def test_groups_are_drawn_again_but_not_for_fewer_search_variants():
    resampler = GroupResampler(
        [str(value) for value in TABLE.factor("scheduler")], np.random.default_rng(0), draws=20
    )
    searcher = Searcher(TABLE, resampler=resampler)
    means = subset_means(
        TABLE["quality"].values,
        search_part(
            SearchRequest(TABLE, make_selector("random"), (6,)), HALVES[0].search
        ).selection,
    )[None]
    one = searcher.judge_random(Place("a", HALVES[0]), "quality", means, 6)
    expected = resampler.taus(means, searcher.judges["quality", None].target, HALVES[0].held_out)
    np.testing.assert_array_equal(one.resampled, expected)
    smaller = searcher.judge_random(Place("a", HALVES[0], smaller=True), "quality", means, 6)
    assert smaller.resampled is None
    assert smaller.agreements == one.agreements


@pytest.mark.parametrize("sizes", [((5,),), ((5,), (8,))])
def test_searches_of_all_sizes_share_what_is_kept(tmp_path, sizes):
    kinds = [Kind("halves", "random:2", HALVES)]
    searches = plan_searches([procedure("random", sizes)], kinds, (), seed=0)
    searcher = Searcher(TABLE, tmp_path / "units")
    searcher.ready(searches)
    assert (tmp_path / "units").is_dir()
    for search in searches:
        searcher.run(search, no_steps)
    assert len(list((tmp_path / "units").glob("*.json"))) == 2 * len(sizes)


def test_one_stopped_half_way_is_none():
    def stop(step, steps):
        raise KeyboardInterrupt

    (search,) = plan_searches([procedure("random")], [Kind("a", "a", HALVES[:1])], (), seed=0)
    assert Searcher(TABLE).run(search, stop) is None
