from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flasheval
from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.scores import ScoreMatrix, ScoreTable
from flasheval.scores.ranking.bootstrap import bootstrap_interval
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.equivalent import equivalent_size_with_interval
from flasheval.selection.held_out.judge import Judge
from flasheval.selection.held_out.random_curve import random_agreement, random_means
from flasheval.selection.held_out.records import MEASURES
from flasheval.selection.held_out.splits import make_splits
from flasheval.selection.methods import driver as run_module
from flasheval.selection.methods.registry import make_selector

TABLE = synthetic_scores(24, 120)
QUICK = {"name": "frequency", "n_sets": 200}
SETTINGS = {"size": [12, 6], "methods": [QUICK, "balanced", "shared"], "draws": 20}


def validate(table=TABLE, **settings):
    return flasheval.validate(table, **{**SETTINGS, "progress": False, **settings})


@pytest.fixture(scope="module")
def report():
    return validate(splits=["random:8", "group:scheduler"])


def numbers(report):
    """Everything measured but the time it took."""
    cells = (*report.cells, *report.learning_cells)
    return {
        (cell.kind, cell.split, cell.method, cell.size, cell.metric, cell.n_search): replace(
            cell, seconds=0.0
        )
        for cell in cells
    }


def test_cells_are_those_of_measure(report, measure_one):
    for kind in ("random:8", "group:scheduler"):
        splits = make_splits(kind, TABLE)
        for label, joint in (("balanced", False), ("shared", True)):
            groups = [TABLE.metrics] if joint else [(metric,) for metric in TABLE.metrics]
            for names in groups:
                part = TABLE.with_metrics(names)
                expected = measure_one(part, make_selector(label), [6, 12], splits)
                for size in (6, 12):
                    for metric in names:
                        for what in MEASURES:
                            found = report.values(
                                what, kind=kind, method=label, size=size, metric=metric
                            )
                            wanted = expected.values(size, metric, what)
                            np.testing.assert_array_equal(found, wanted)


# --- search says of itself what a comparison says of it -----------------------------------------


def _is_the_evidence(table, method, settings, **kwargs):
    """Assert that both say exactly the same of one method; return the search and the summary."""
    kwargs = {"size": 12, "splits": "random:8", "draws": 20, "progress": False, **kwargs}
    searched = flasheval.search(table, method=method, settings=settings, calibrate=False, **kwargs)
    compared = flasheval.validate(table, methods={"name": method, **settings}, **kwargs)
    evidence, (kind,) = searched.subset.record.evidence, compared.kinds
    assert evidence.split_spec == kind.spec
    assert evidence.splits == kind.splits
    parts = {None: evidence.pooled, **evidence.metrics}
    for metric, found in parts.items():
        summary = compared.summary(metric=metric)
        assert summary.held_out_tau == found.held_out_tau
        assert summary.held_out_tau_by_split == found.held_out_tau_by_split
        assert summary.equivalent_random_size == found.equivalent_random_size
        assert summary.measures["search_tau"].mean == found.search_tau
        for name, what in (
            ("tau_significant", "held_out_tau_significant"),
            ("pairwise_accuracy", "held_out_accuracy"),
        ):
            assert summary.measures[what].mean == found.companions[name]
        gain = found.held_out_tau.mean - found.random_tau.mean
        assert summary.over_random.mean == pytest.approx(gain, abs=1e-12)
    assert searched.warnings == compared.warnings
    return searched, compared


@pytest.mark.parametrize(
    ("method", "settings", "metric"),
    [
        ("balanced", {}, "quality"),
        ("pooled", {}, "alignment"),
        ("discrimination", {}, "quality"),
        ("ridge", {}, "quality"),
        ("anneal", {"swaps": 2_000}, "alignment"),
        ("frequency", {"n_sets": 200}, "quality"),
        ("shared", {}, None),
    ],
)
@settings(deadline=None, max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1000),
    splits=st.sampled_from(["random:8", "random:3@50", "sample:10x9", "group:scheduler"]),
)
def test_it_is_the_evidence_that_a_search_gives(method, settings, metric, seed, splits):
    table = synthetic_scores(24, 60, seed=seed)
    _is_the_evidence(table, method, settings, metric=metric, splits=splits, seed=seed, size=9)


@pytest.mark.parametrize("metric", ["quality", None])
def test_a_split_on_which_all_tie_counts_for_neither_and_both_say_so(metric):
    rest = list(range(12, 24))
    tie = {"search": list(range(12)), "held_out": rest}
    splits = [*make_splits("random:6", TABLE), tie, *make_splits("random:3@6", TABLE)]
    method = "shared" if metric is None else "balanced"
    given = {"metric": metric, "splits": splits}
    searched, _ = _is_the_evidence(_tied(rest), method, {}, **given)
    pooled = searched.subset.record.evidence.pooled
    assert [k for k, tau in enumerate(pooled.held_out_tau_by_split) if tau is None] == [6]
    assert pooled.held_out_tau.kind == "5-95%"  # nine splits are left
    assert pooled.equivalent_random_size.low is not None
    (line,) = [line for line in searched.warnings if "tie in" in line]
    assert "on 1 of 10 splits (explicit) all held-out variants tie in quality" in line
    # Without the split there is nothing to say, and the numbers are the same.
    nine = [split for split in splits if split is not tie]
    without, _ = _is_the_evidence(_tied(rest), method, {}, **{**given, "splits": nine})
    other = without.subset.record.evidence.pooled
    assert other.held_out_tau == pooled.held_out_tau
    assert other.equivalent_random_size == pooled.equivalent_random_size
    assert other.search_tau != pooled.search_tau  # which there is on all ten
    assert not any("tie in" in line for line in without.warnings)


def test_every_cell_is_there_once(report):
    assert len(numbers(report)) == len(report.cells) == 11 * 4 * 2 * 2
    assert report.sizes == (6, 12)
    assert report.main_size == 12
    labels = [method.label for method in report.methods]
    assert labels == ["random", "frequency(n_sets=200)", "balanced", "shared"]
    split = {cell.split: (cell.n_search, cell.n_held_out) for cell in report.cells}
    assert split["random:0"] == (12, 12)
    assert split["scheduler=DDIM"] == (16, 8)


def test_random_is_the_mean_over_the_draws_of_the_curve(report):
    splits = make_splits("random:8", TABLE)
    curve = random_agreement(TABLE, splits, [6, 12], seed=0, draws=20)
    for metric in TABLE.metrics:
        expected = curve.tau[metric][:, :, curve.sizes.index(12)].mean(axis=1)
        found = report.values(method="random", metric=metric)
        np.testing.assert_allclose(found, expected)
        means = random_means(TABLE[metric].values, [6, 12], np.random.default_rng([0, 7]), draws=20)
        judged = Judge(TABLE[metric]).of_means(splits[3], means.means[:, 1])
        for what in MEASURES:
            found = report.values(what, method="random", metric=metric)[3]
            assert found == pytest.approx(getattr(judged, what))
    points = [p for p in report.random if (p.kind, p.metric) == ("random:8", "quality")]
    assert len(points) == 8 * len(curve.sizes)
    assert points[0].low <= points[0].held_out_tau <= points[0].high


def test_a_summary_follows_from_the_cells(report):
    splits = make_splits("random:8", TABLE)
    curve = random_agreement(TABLE, splits, [6, 12], seed=0, draws=20)
    for metric in (None, "alignment"):
        names = TABLE.metrics if metric is None else (metric,)
        values = {
            method.label: np.mean(
                [report.values(method=method.label, metric=name) for name in names], axis=0
            )
            for method in report.methods
        }
        reference = values["frequency(n_sets=200)"]
        for label, taus in values.items():
            found = report.summary(method=label, metric=metric)
            assert found.held_out_tau.mean == pytest.approx(taus.mean())
            assert found.held_out_tau.low == pytest.approx(np.quantile(taus, 0.05))
            assert found.held_out_tau_by_split == pytest.approx(taus.tolist())
            if label == "random":
                assert found.over_random is None
                assert found.equivalent_random_size is None
                continue
            gain = taus - values["random"]
            assert found.over_random.mean == pytest.approx(gain.mean())
            interval = bootstrap_interval(gain, rng=np.random.default_rng([0, 13]), draws=1000)
            assert (found.over_random.low, found.over_random.high) == pytest.approx(interval)
            expected = equivalent_size_with_interval(
                taus, curve.sizes, curve.curves(names), np.random.default_rng([0, 11])
            )
            assert found.equivalent_random_size == expected
            if label != "frequency(n_sets=200)":
                assert found.over_reference.mean == pytest.approx((taus - reference).mean())
            else:
                assert found.over_reference is None


def test_too_few_groups_give_values_instead_of_intervals(report):
    found = report.summary("group:scheduler", "balanced", 12)
    taus = report.values(kind="group:scheduler", method="balanced")
    assert found.held_out_tau.kind == "min-max"
    assert (found.held_out_tau.low, found.held_out_tau.high) == (taus.min(), taus.max())
    assert found.over_random.low is None
    assert len(found.over_random.by_split) == 3
    assert found.over_random.range == (
        min(found.over_random.by_split),
        max(found.over_random.by_split),
    )
    assert found.equivalent_random_size.low is None
    assert any("group:scheduler: 3 groups are too few" in line for line in report.warnings)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_numbers_do_not_depend_on_the_workers(report, workers):
    again = validate(splits=["random:8", "group:scheduler"], workers=workers)
    assert numbers(again) == numbers(report)
    assert [replace(one, seconds=0.0) for one in again.summaries] == [
        replace(one, seconds=0.0) for one in report.summaries
    ]


def test_kinds_may_be_splits_of_ones_own(report):
    halves = make_splits("random:8", TABLE)
    mapped = validate(splits={"halves": halves, "solvers": "group:scheduler", "first": halves[:1]})
    assert [kind.name for kind in mapped.kinds] == ["halves", "solvers", "first"]
    assert mapped.kinds[0].splits == report.kinds[0].splits
    for method in ("balanced", "shared"):
        np.testing.assert_array_equal(
            mapped.values(method=method, kind="halves"),
            report.values(method=method, kind="random:8"),
        )
        assert mapped.values(method=method, kind="first") == mapped.values(method=method)[:1]


@pytest.fixture
def searches(monkeypatch):
    """Counts the searches that are really made."""
    made = []
    real = run_module._advance

    def counting(selector, *rest):
        made.append(selector.name)
        return real(selector, *rest)

    monkeypatch.setattr(run_module, "_advance", counting)
    return made


def test_a_search_that_two_kinds_share_is_made_once(searches):
    halves = make_splits("random:2", TABLE)
    validate(splits={"a": halves, "b": halves}, methods=["balanced"], size=6)
    assert len(searches) == 2 * len(TABLE.metrics)


def test_what_is_done_is_not_done_again(tmp_path, report, searches):
    kwargs = {"splits": ["random:8", "group:scheduler"], "folder": tmp_path}
    first = validate(**kwargs)
    count = len(searches)
    assert count == 11 * 2 * (2 + 2 + 1)
    assert len(list((tmp_path / "units").glob("*.json"))) == count
    second = validate(**kwargs)
    assert len(searches) == count
    assert first.cells == second.cells  # the seconds too: they are those of the search
    assert numbers(second) == numbers(report)


def test_an_interruption_leaves_whole_splits_and_the_same_call_continues(tmp_path, report):
    kwargs = {"splits": ["random:8", "group:scheduler"], "folder": tmp_path, "workers": 1}

    def stop(label, done, total):
        if done >= 12:
            raise KeyboardInterrupt

    partial = validate(**kwargs, progress=stop)
    assert partial.interrupted
    assert partial.warnings[0].startswith("interrupted: ")
    done = numbers(partial)
    assert 12 * 2 <= len(done) < len(numbers(report))
    assert done.items() <= numbers(report).items()
    taus = partial.summary(method="balanced").held_out_tau_by_split
    assert taus[0] is not None
    assert taus[-1] is None
    assert len(str(partial).splitlines()) > 5
    again = validate(**kwargs)
    assert not again.interrupted
    assert numbers(again) == numbers(report)


def test_an_interruption_before_anything_is_done_is_one(tmp_path):
    def stop(label, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        validate(progress=stop, folder=tmp_path)


def test_fewer_search_variants_keep_the_held_out_ones(report):
    found = validate(splits=["random:8", "group:scheduler"], search_variants=[4, 8])
    counts = {(cell.n_search, cell.n_held_out) for cell in found.learning_cells}
    assert counts == {(4, 12), (8, 12), (12, 12)}
    assert {cell.kind for cell in found.learning_cells} == {"random:8"}
    curve = next(one for one in found.learning if (one.method, one.size) == ("balanced", 12))
    assert [point.n_search for point in curve.points] == [4, 8, 12]
    whole = found.summary(method="balanced")
    assert curve.points[-1].held_out_tau == whole.held_out_tau
    assert curve.points[-1].over_random == whole.over_random
    assert found.summary(method="balanced") == replace(
        report.summary(method="balanced"), seconds=whole.seconds
    )


def test_groups_drawn_again_give_an_interval_from_eight_on():
    found = validate(splits="random:8", cluster="base_model")
    one = found.summary(method="balanced")
    grouped = one.clustered["over_random"]
    assert grouped.mean == pytest.approx(one.over_random.mean)
    assert grouped.low < grouped.mean < grouped.high
    assert not grouped.without
    few = validate(splits="random:8", cluster="scheduler").summary(method="balanced")
    grouped = few.clustered["over_reference"]
    assert grouped.low is None
    assert set(grouped.without) == {"DDIM", "PNDM", "DPM"}


def test_leaving_groups_out_one_by_one_is_drawing_the_splits_again():
    found = validate(splits="group:base_model", cluster="base_model", methods="balanced", size=6)
    one = found.summary()
    taus = np.array(one.held_out_tau_by_split)
    low, high = bootstrap_interval(taus, rng=np.random.default_rng(0), draws=20000)
    grouped = one.clustered["held_out_tau"]
    assert grouped.low == pytest.approx(low, abs=0.03)
    assert grouped.high == pytest.approx(high, abs=0.03)


def test_the_reference_may_be_any_method_or_none():
    kwargs = {"splits": "random:8", "size": 6, "methods": ["balanced", "shared"]}
    assert validate(**kwargs).reference is None
    assert validate(**kwargs, reference=None).reference is None
    random = validate(**kwargs, reference="random")
    assert random.reference is None
    assert random.summary().over_random is not None
    found = validate(**kwargs, reference="balanced")
    other = found.summary(method="shared").over_reference
    gain = found.values(method="shared") - found.values(method="balanced")
    assert other.by_split == pytest.approx(gain.tolist())
    with pytest.raises(SettingError, match="none of the methods compared: random, balanced"):
        validate(**kwargs, reference="anneal")


def _with(change):
    matrices = {}
    for metric in TABLE.metrics:
        values = change(metric, TABLE[metric].values.copy())
        matrices[metric] = ScoreMatrix(metric, values, TABLE.variant_names, TABLE.prompts.ids)
    return ScoreTable(TABLE.prompts, TABLE.variants, matrices)


def _tied(rows):
    def change(metric, values):
        if metric == "quality":
            values[rows] = 1.0
        return values

    return _with(change)


def test_held_out_variants_that_all_tie_count_for_nothing_and_are_told_of():
    rest = list(range(12, 24))
    splits = [{"search": list(range(12)), "held_out": rest}, "random:8"]
    found = validate(_tied(rest), splits={"some": splits}, methods=["balanced"], size=6)
    one = found.summary(metric="quality")
    assert one.held_out_tau_by_split[0] is None
    assert one.held_out_tau.mean == pytest.approx(np.mean(one.held_out_tau_by_split[1:]))
    assert found.summary().held_out_tau_by_split[0] is None
    assert found.summary(metric="alignment").held_out_tau_by_split[0] is not None
    assert any("tie in quality" in line for line in found.warnings)
    assert "1 of 9 splits (explicit)" in "\n".join(found.warnings)


def test_nothing_but_ties_is_no_ranking():
    rest = list(range(12, 24))
    split = {"search": list(range(12)), "held_out": rest}
    found = validate(_tied(rest), splits=split, metric="quality", methods="balanced", size=6)
    assert found.summary().held_out_tau is None
    assert found.summary().over_random is None
    assert found.summary().equivalent_random_size is None
    assert str(found).startswith("Nothing could be ranked")


def test_incomplete_variants_are_left_out_and_named():
    def hole(metric, values):
        if metric == "quality":
            values[3, 5] = np.nan
        return values

    table = _with(hole)
    found = validate(table, splits="random:2", methods="balanced", size=6)
    assert found.dropped == (TABLE.variant_names[3],)
    assert found.n_variants == 23
    assert any(TABLE.variant_names[3] in line for line in found.warnings)
    with pytest.raises(DataError, match="not measured on every prompt"):
        validate(table, incomplete="error")


@pytest.mark.parametrize(
    ("table", "settings", "said"),
    [
        (_tied(list(range(24))), {}, "all 24 variants have the same full score"),
        (_tied(list(range(12))), {"splits": [list(range(12))]}, "so there is nothing to search by"),
        (TABLE.with_variants([0, 1]), {"splits": "random:2"}, "each side needs at least 2"),
        (TABLE.with_variants([0, 8]), {"splits": "group:base_model"}, "'base_model' has 1 values"),
        (TABLE, {"size": 500}, "size 500 is outside 1 to 120 prompts"),
        (TABLE, {"size": [6, 0]}, "size 0 is outside"),
        (TABLE, {"size": []}, "expected a list of sizes"),
        (TABLE, {"size": "many"}, "expected a list of sizes"),
        (TABLE, {"seed": -1}, "seed=-1: expected a whole number"),
        (TABLE, {"draws": 0}, "draws=0"),
        (TABLE, {"workers": 0}, "workers=0"),
        (TABLE, {"metric": "qualty"}, "did you mean 'quality'"),
        (TABLE, {"cluster": "sheduler"}, "did you mean 'scheduler'"),
        (TABLE, {"splits": None}, "splits is empty"),
        (TABLE, {"search_variants": [1]}, "expected numbers of at least 2"),
        (TABLE, {"search_variants": [20]}, "20 is above the 12 search variants"),
        (TABLE, {"search_variants": [4], "splits": "group:scheduler"}, "random splits only"),
    ],
)
def test_what_cannot_be_is_one_line_before_any_work(table, settings, said, searches):
    with pytest.raises(FlashevalError) as caught:
        validate(table, **{"splits": "random:2", **settings})
    assert said in str(caught.value)
    assert not searches


def test_a_folder_that_cannot_be_written_is_found_before_any_work(tmp_path, searches):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="name a folder"):
        validate(folder=tmp_path / "file")
    assert not searches


# --- what a method may borrow --------------------------------------------------------------------


def test_hints_are_of_the_search_variants_alone(borrower, check_hints, make_table):
    table = make_table(24, 40, ("a", "b", "c"))
    validate(
        table,
        size=5,
        methods="borrower",
        splits=["random:2", "group:base_model"],
        search_variants=[6],
        metric=["a", "b"],
        group="scheduler",
        reference=None,
        draws=5,
        workers=1,
    )
    searched = [check_hints(problem, table, "scheduler") for problem in borrower]
    assert {problem.metrics for problem in borrower} == {("a",), ("b",)}
    assert sorted({len(rows) for rows in searched}) == [6, 12, 18]
    splits = [*make_splits("random:2", table), *make_splits("group:base_model", table)]
    for split in splits:
        assert searched.count(set(split.search.tolist())) == 2


def test_families_are_base_models_unless_told_otherwise(borrower, check_hints, make_table):
    table = make_table(24, 40, ("a", "b"))
    validate(table, size=5, methods="borrower", splits="random:1", reference=None, draws=5)
    for problem in borrower:
        check_hints(problem, table, "base_model")


def test_other_metrics_count_for_a_method_that_borrows_and_no_other(make_table):
    table = make_table(24, 60, ("a", "b"))
    settings = {"splits": "random:3", "methods": ["pooled", "balanced"], "size": 25, "draws": 5}
    alone = validate(table.with_metrics(["a"]), reference=None, **settings)
    beside = validate(table, metric="a", reference=None, **settings)
    for method, same in (("pooled", False), ("balanced", True)):
        there, back = (
            one.values("search_tau", method=method).tolist()
            + one.values("full_score_error", method=method).tolist()
            for one in (alone, beside)
        )
        assert (there == back) == same


def test_auto_is_compared_for_new_families_by_the_factor_named(make_table, tmp_path):
    table = make_table(24, 40, ("a", "b"))
    auto = {"name": "auto", "expect": "new_family"}
    settings = {"methods": [auto], "splits": "random:1", "size": 5, "draws": 5, "reference": None}
    found = validate(table, group="base_model", folder=tmp_path, **settings)
    assert [method.label for method in found.methods] == ["random", "auto(expect=new_family)"]
    with pytest.raises(SettingError, match="families are not known"):
        validate(table, group="no such factor", **settings)


def test_any_number_of_threads_finds_the_same_resumed_or_not(tmp_path):
    table = synthetic_scores(n_variants=20, n_prompts=150)
    methods = ["pooled", {"name": "anneal", "swaps": 4_000}, "frequency"]
    asked = {"size": [6, 12], "methods": methods, "splits": "random:3", "draws": 9}

    def cells(report):
        return [str(replace(cell, seconds=0.0)) for cell in report.cells]

    def stop(label, done, total):
        if 0.3 * total < done < 0.8 * total:
            raise KeyboardInterrupt

    whole = validate(table, **asked, workers=1)
    for size in (2, 3):
        found = validate(table, **asked, workers=size)
        assert cells(found) == cells(whole)
    for size in (1, 2, 3):
        folder = tmp_path / str(size)
        first = validate(table, **asked, workers=size, folder=folder, progress=stop)
        assert first.interrupted
        assert len(first.cells) < len(whole.cells)
        again = validate(table, **asked, workers=4 - size, folder=folder)
        assert not again.interrupted
        assert cells(again) == cells(whole)
