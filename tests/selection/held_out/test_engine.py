"""Methods repeated on every split: the cells, what is kept, what Ctrl-C leaves, and random."""

import itertools
import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kendalltau

from flasheval.base.errors import DataError
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out import engine as module
from flasheval.selection.held_out import one_search
from flasheval.selection.held_out.engine import measure
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.judge import Judge
from flasheval.selection.held_out.kinds import Kind, read_kinds
from flasheval.selection.held_out.random_curve import random_agreement, random_means
from flasheval.selection.held_out.records import MEASURES
from flasheval.selection.held_out.searches import Procedure
from flasheval.selection.held_out.splits import make_splits
from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.registry import make_selector
from flasheval.selection.request import SearchRequest, hints_for

TABLE = synthetic_scores(n_variants=16, n_prompts=80)
SPLITS = make_splits("random:4", TABLE)
ANNEAL = make_selector("anneal", {"swaps": 3_000})


def _but_for_seconds(cells):
    return [replace(cell, seconds=0.0) for cell in cells]


def _same(first, second):
    # NaN differs from itself, but no variants tie here.
    assert _but_for_seconds(first.cells) == _but_for_seconds(second.cells)
    assert first.random.sizes == second.random.sizes
    for metric in first.metrics:
        np.testing.assert_array_equal(first.random.tau[metric], second.random.tau[metric])


@pytest.fixture
def searches(monkeypatch):
    """Sizes of the searches that are really made; threads make them in any order."""
    made = []

    def counting(*arguments, **rest):
        made.append(arguments[1].size)
        return drive(*arguments, **rest)

    monkeypatch.setattr(one_search, "drive", counting)
    return made


@contextmanager
def ctrl_c_at_step(number):
    """Make the n-th step of any annealing a Ctrl-C."""
    count, real = itertools.count(1), Anneal.step

    def step(self, work, state):
        if next(count) == number:
            raise KeyboardInterrupt
        real(self, work, state)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Anneal, "step", step)
        yield


def test_every_split_and_size_has_its_cells(measure_one):
    found = measure_one(TABLE, make_selector("balanced"), [12, 5], SPLITS, engine={"draws": 20})
    assert [(cell.split, cell.size, cell.metric) for cell in found.cells] == [
        (f"random:{k}", size, metric)
        for k in range(4)
        for size in (12, 5)
        for metric in TABLE.metrics
    ]
    assert {(cell.kind, cell.method) for cell in found.cells} == {("splits", "balanced")}
    assert {(cell.n_search, cell.n_held_out) for cell in found.cells} == {(8, 8)}
    assert found.sizes == found.judged_sizes == (5, 12)
    assert found.metrics == TABLE.metrics
    assert found.labels == ("balanced",)
    assert not found.interrupted
    assert {5, 12, 80} <= set(found.random.sizes)
    by_metric = [found.values(12, metric, "held_out_tau") for metric in TABLE.metrics]
    np.testing.assert_allclose(found.values(12, None, "held_out_tau"), np.mean(by_metric, axis=0))


def test_cells_are_searches_on_the_search_variants_alone(measure_one, a_search):
    found = measure_one(TABLE, ANNEAL, [6], SPLITS, seed=3)
    cells = {(cell.split, cell.metric): cell for cell in found.cells}
    assert len(cells) == len(found.cells) == 4 * 2
    for split in SPLITS:
        chosen = a_search(TABLE, ANNEAL, split, 6, 3)
        for metric in TABLE.metrics:
            cell = cells[split.name, metric]
            block = TABLE[metric].values
            means = block[:, chosen].mean(axis=1, dtype=np.float64)
            full = block.mean(axis=1, dtype=np.float64)
            for side, tau in (
                (split.search, cell.search_tau),
                (split.held_out, cell.held_out_tau),
            ):
                assert tau == pytest.approx(kendalltau(means[side], full[side]).statistic)


def test_the_random_curve_is_that_of_the_splits_and_the_seed(measure_one):
    found = measure_one(TABLE, make_selector("random"), [6], SPLITS, seed=9, engine={"draws": 7})
    expected = random_agreement(TABLE, SPLITS, [6], seed=9, draws=7)
    assert found.random.sizes == expected.sizes
    for metric in TABLE.metrics:
        np.testing.assert_array_equal(found.random.tau[metric], expected.tau[metric])


def test_a_given_random_baseline_is_not_measured_again(monkeypatch, measure_one):
    baseline = random_agreement(TABLE, SPLITS, [6], seed=9, draws=7)
    monkeypatch.setattr(module, "random_agreement", None)
    given = {"baseline": baseline}
    found = measure_one(TABLE, make_selector("random"), [6], SPLITS, engine=given)
    assert found.random.sizes == baseline.sizes
    for metric in TABLE.metrics:
        np.testing.assert_array_equal(found.random.tau[metric], baseline.tau[metric])


def test_each_kind_has_its_part_of_the_random_curve():
    kinds = read_kinds(["random:3", "group:scheduler"], TABLE)
    request = SearchRequest(TABLE, make_selector("random"), (6,))
    found = measure(TABLE, [Procedure("random", (request,))], kinds, [6], draws=5)
    assert list(found.baseline) == ["random:3", "group:scheduler"]
    for kind in kinds:
        expected = random_agreement(TABLE, kind.splits, [6], seed=0, draws=5)
        for metric in TABLE.metrics:
            np.testing.assert_array_equal(
                found.baseline[kind.name].tau[metric], expected.tau[metric]
            )


def test_random_subsets_get_cells_of_their_own_where_they_are_judged():
    kinds = (Kind("halves", "random:4", SPLITS),)
    request = SearchRequest(TABLE, make_selector("balanced"), (6,))
    asked = (TABLE, [Procedure("balanced", (request,))], kinds, [6])
    found = measure(*asked, seed=2, draws=11)
    assert found.labels == ("random", "balanced")
    random = {(c.split, c.metric): c for c in found.cells if c.method == "random"}
    assert len(random) == 4 * 2
    for metric in TABLE.metrics:
        rng = np.random.default_rng([2, 7])
        means = random_means(TABLE[metric].values, [6], rng, draws=11).means[:, 0]
        for split in SPLITS:
            judged = Judge(TABLE[metric]).of_means(split, means)
            cell = random[split.name, metric]
            for what in MEASURES:
                assert getattr(cell, what) == getattr(judged, what), what
            assert cell.seconds == 0.0
    alone = measure(*asked, seed=2, draws=11, judge_random=False)
    assert alone.labels == ("balanced",)
    assert _but_for_seconds(alone.cells) == _but_for_seconds(
        [cell for cell in found.cells if cell.method == "balanced"]
    )


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_numbers_do_not_depend_on_the_workers(measure_one, workers):
    whole = measure_one(TABLE, ANNEAL, [6, 9], SPLITS)
    _same(measure_one(TABLE, ANNEAL, [6, 9], SPLITS, engine={"workers": workers}), whole)


def test_finished_searches_are_read_back(tmp_path, searches, measure_one):
    engine = {"folder": tmp_path}
    first = measure_one(TABLE, ANNEAL, [6, 9], SPLITS, engine=engine)
    assert sorted(searches) == [6] * 4 + [9] * 4
    second = measure_one(TABLE, ANNEAL, [6, 9], SPLITS, engine=engine)
    assert len(searches) == 8
    assert first.cells == second.cells  # the seconds too: they are those of the search
    _same(first, second)
    measure_one(TABLE, ANNEAL, [6], make_splits("random:6", TABLE), engine=engine)
    assert len(searches) == 10  # only the two new splits


def test_a_damaged_unit_is_searched_again(tmp_path, searches, measure_one):
    engine = {"folder": tmp_path}
    first = measure_one(TABLE, ANNEAL, [6], SPLITS, engine=engine)
    files = sorted(tmp_path.glob("*.json"))
    assert len(files) == 4
    files[0].write_text(files[0].read_text()[:-9])
    files[1].unlink()
    _same(measure_one(TABLE, ANNEAL, [6], SPLITS, engine=engine), first)
    assert len(searches) == 6


def test_a_folder_that_cannot_be_written_is_found_before_any_search(
    tmp_path, searches, measure_one
):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="name a folder"):
        measure_one(TABLE, ANNEAL, [6], SPLITS, engine={"folder": tmp_path / "file"})
    assert searches == []


# --- Ctrl-C --------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("after", [1, 2, 3, 5, 8])
def test_interrupted_within_a_search_and_continued_it_is_the_same(
    tmp_path, measure_one, after, nested, workers
):
    engine = {"folder": tmp_path, "workers": workers}
    whole = measure_one(TABLE, ANNEAL, [4, 8], SPLITS, nested=nested)
    with ctrl_c_at_step(after):  # of two steps a search
        stopped = measure_one(TABLE, ANNEAL, [4, 8], SPLITS, nested=nested, engine=engine)
    assert stopped.interrupted
    assert len(stopped.cells) < len(whole.cells)
    known = _but_for_seconds(whole.cells)
    kept = _but_for_seconds(stopped.cells)
    assert kept == [cell for cell in known if cell in kept]  # in their order, as they will be
    _same(measure_one(TABLE, ANNEAL, [4, 8], SPLITS, nested=nested, engine=engine), whole)
    assert not list(tmp_path.glob("*.npz"))


def test_stopped_between_two_searches_what_is_judged_is_kept(monkeypatch, measure_one):
    calls = itertools.count()

    def third_is_ctrl_c(*arguments, **rest):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return drive(*arguments, **rest)

    monkeypatch.setattr(one_search, "drive", third_is_ctrl_c)
    found = measure_one(TABLE, ANNEAL, [6], SPLITS, engine={"workers": 1})
    assert found.interrupted
    kept = [cell.split for cell in found.cells if cell.metric == "quality"]
    assert kept[:2] == ["random:0", "random:1"]
    assert "random:2" not in kept


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_while_it_waits_stops_the_searches_that_run(tmp_path, measure_one, workers):
    calls, caught, ended = itertools.count(), [], []

    def endless_but_the_first(*arguments, progress, **rest):
        if next(calls) == 0:
            found = drive(*arguments, progress=progress, **rest)
            ended.append(1)
            return found
        patience = threading.Event()
        for _ in range(3000):
            try:
                progress(1, 10)
            except KeyboardInterrupt:
                caught.append(1)
                raise
            patience.wait(0.01)
        return pytest.fail("it was never told to stop")

    def report(label, done, planned):
        if ended:
            raise KeyboardInterrupt

    engine = {"report": report, "workers": workers, "folder": tmp_path}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one_search, "drive", endless_but_the_first)
        found = measure_one(TABLE, ANNEAL, [6], SPLITS, engine=engine)
    assert found.interrupted
    assert len({cell.split for cell in found.cells}) == 1
    assert len(caught) <= workers
    assert len(list(tmp_path.glob("*.json"))) == 1
    whole = measure_one(TABLE, ANNEAL, [6], SPLITS)
    _same(measure_one(TABLE, ANNEAL, [6], SPLITS, engine={"folder": tmp_path}), whole)


def test_ctrl_c_before_the_searches_is_one(measure_one, searches):
    def report(label, done, planned):
        assert (label, done, planned) == ("random prompts", 0, 8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_one(TABLE, ANNEAL, [6, 8], SPLITS, engine={"report": report})
    assert searches == []


# --- what is asked of each search ----------------------------------------------------------------


def test_nested_sizes_are_prefixes_of_one_search(searches, measure_one):
    found = measure_one(TABLE, make_selector("random"), [8, 4], SPLITS, nested=True)
    assert found.sizes == (4, 8)
    assert searches == []  # nested searches run stage by stage elsewhere
    assert list(dict.fromkeys((cell.split, cell.size) for cell in found.cells))[:2] == [
        ("random:0", 4),
        ("random:0", 8),
    ]
    assert len(found.values(4, "quality", "held_out_tau")) == 4
    assert not np.isnan(found.values(4, "quality", "held_out_tau")).any()


def test_required_and_forbidden_prompts_hold_on_every_split(tmp_path, measure_one):
    asked = {"required": (7, 3), "forbidden": tuple(range(20, 80))}
    balanced = make_selector("balanced")
    measure_one(TABLE, balanced, [5], SPLITS, **asked, engine={"folder": tmp_path})
    kept = FinishedSearches(tmp_path, SearchRequest(TABLE, balanced, (5,), **asked).context())
    for split in SPLITS:
        chosen = kept.read(kept.key(split.search.tolist(), [5])).selection.indices
        assert chosen[:2].tolist() == [7, 3]
        assert (chosen < 20).all()


def test_hints_are_of_each_split_s_search_variants(borrower, check_hints, make_table, measure_one):
    table = make_table(16, 40, ("a", "b", "c"))
    served = table.with_metrics(["b"])
    splits = make_splits("random:3", table)
    method = make_selector("borrower")
    asked = {"hints": hints_for(table, served), "engine": {"workers": 1}}
    measure_one(served, method, [3, 5], splits, **asked)
    found = [check_hints(problem, table, "base_model") for problem in borrower]
    assert found == [set(split.search.tolist()) for split in splits for _ in range(2)]
    borrower.clear()
    measure_one(served, method, [3, 5], splits, nested=True, **asked)
    assert len(borrower) == 6
    for problem in borrower:
        check_hints(problem, table, "base_model")
