import itertools
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

import flasheval
from flasheval.base.drawing.terminal import as_text
from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.base.threads import crew
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreTable
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.ranking import near_tie_share
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out import one_search
from flasheval.selection.held_out.splits import make_splits
from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.registry import METHODS, make_selector
from flasheval.selection.request import hints_for, make_request
from flasheval.selection.search import search
from flasheval.subset import Subset

TABLE = synthetic_scores(n_variants=40, n_prompts=300)
IDS = TABLE.prompts.ids


def _quick(scores=TABLE, **settings):
    quick = {"method": "balanced", "size": 8, "splits": "random:2", "draws": 10}
    return search(scores, **{**quick, **settings})


@contextmanager
def _ctrl_c_at_step(number):
    """Make the n-th step of any annealing a Ctrl-C."""
    count, real = itertools.count(1), Anneal.step

    def step(self, work, state):
        if next(count) == number:
            raise KeyboardInterrupt
        real(self, work, state)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Anneal, "step", step)
        yield


@contextmanager
def _ctrl_c_at_search(number):
    """Make the n-th search a Ctrl-C before its first step."""
    count = itertools.count(1)

    def searched(*arguments, **rest):
        if next(count) == number:
            raise KeyboardInterrupt
        return drive(*arguments, **rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one_search, "drive", searched)
        yield


def test_by_default_a_whole_answer_with_its_evidence():
    result = search(TABLE, splits="random:3", calibrate=False)
    subset, evidence = result.subset, result.subset.record.evidence
    assert subset.size == 50
    assert subset.name == "synthetic-quality+alignment-auto-50"
    assert (subset.method.name, subset.method.seed) == ("auto", 0)
    assert subset.method.settings == {"expect": "similar"}
    assert [metric.name for metric in subset.metrics] == ["quality", "alignment"]
    assert subset.searched_variants == TABLE.variant_names
    assert (evidence.split_spec, len(evidence.splits)) == ("random:3", 3)
    assert evidence.applies_to == "procedure"
    assert evidence.pooled.held_out_tau.mean > evidence.pooled.random_tau.mean
    assert len(result.measurement.cells) == 3 * 2
    assert result.history
    assert result.sets > 0
    assert not result.interrupted
    assert result.warnings == subset.record.warnings
    assert str(result).splitlines()[0] == result.view().headline
    assert "50 of 300 prompts of synthetic" in str(result)


def test_held_out_agreement_beats_random_and_more_so_than_by_chance():
    result = search(TABLE, size=20, metric="quality", method="balanced")
    pooled = result.subset.record.evidence.pooled
    by_split = np.array(pooled.held_out_tau_by_split)
    random = result.measurement.random.curves(["quality"])
    beside = random[:, result.measurement.random.sizes.index(20)]
    assert (by_split > beside).mean() >= 0.8
    assert pooled.held_out_tau.mean > pooled.random_tau.mean + 0.1


@pytest.mark.parametrize("method", METHODS)
def test_two_runs_give_the_same_content(method):
    little = {
        "frequency": {"n_sets": 500},
        "evolve": {"generations": 4, "population": 20},
        "anneal": {"swaps": 3000},
    }
    settings = {"settings": little.get(method)}
    if method == "auto":  # whose comparison of methods every search repeats
        settings |= {"calibrate": False, "splits": "random:1", "metric": "quality"}
    first, second = (_quick(method=method, **settings) for _ in range(2))
    assert first.subset.content_hash == second.subset.content_hash
    assert first.subset.record.evidence == second.subset.record.evidence
    assert first.history == second.history


def test_what_determines_the_subset_is_in_its_hash():
    hashes = {
        _quick(**change).subset.content_hash
        for change in (
            {},
            {"seed": 1},
            {"size": 9},
            {"method": "shared"},
            {"metric": "quality"},
            {"settings": {"noise_weight": 3.0}},
            {"forbid": IDS[:1]},
        )
    }
    assert len(hashes) == 7
    assert _quick(splits=None).subset.content_hash == _quick().subset.content_hash


@pytest.mark.parametrize(
    ("method", "settings"),
    [("anneal", {"swaps": 2000}), ("frequency", {"n_sets": 300}), ("random", {})],
)
def test_the_seed_asked_for_is_that_of_the_final_search(method, settings):
    blocks = [TABLE[metric].values for metric in TABLE.metrics]
    problem = make_problem(blocks, TABLE.metrics, 8)
    found = {}
    for seed in (0, 1):
        result = _quick(method=method, settings=settings, seed=seed, splits=None, calibrate=False)
        rng = np.random.default_rng(seed)
        chosen = drive(make_selector(method, settings), problem, rng).selection.indices
        found[seed] = result.subset.ids
        assert found[seed] == tuple(IDS[row] for row in chosen)
        assert result.subset.method.seed == seed
    assert set(found[0]) != set(found[1])


def test_the_subset_survives_the_disk(tmp_path):
    result = _quick(method="anchors", curve=[4, 12])
    path = result.subset.save(tmp_path / "s.json")
    back = Subset.load(path)
    assert back.content_hash == result.subset.content_hash
    assert back.record == result.subset.record
    back.verify(TABLE.prompts)
    np.testing.assert_array_equal(back.weights, result.subset.weights)


def test_the_scorers_versions_go_into_the_record():
    known = replace(TABLE["quality"], scorer="judge", scorer_version="judge@1")
    table = replace(TABLE, matrices={**TABLE.matrices, "quality": known})
    assert _quick(table).subset.record.scorers == {"quality": "judge@1"}


def test_known_variants_carry_full_and_subset_means():
    result = _quick(method="anchors", metric="quality")
    rows = TABLE.prompts.index_of(result.subset.ids)
    for row, known in enumerate(result.subset.record.known_variants):
        values = TABLE["quality"].values[row].astype(np.float64)
        assert known.name == TABLE.variant_names[row]
        assert known.full_means == {"quality": pytest.approx(values.mean())}
        mean = np.average(values[rows], weights=result.subset.weights)
        assert known.subset_means == {"quality": pytest.approx(mean, rel=1e-12)}


def test_one_metric_several_or_all():
    assert _quick(metric="quality").subset.name == "synthetic-quality-balanced-8"
    assert _quick(metric=["quality"]).subset.name == "synthetic-quality-balanced-8"
    joint = _quick(metric=None)
    both = _quick(metric=["quality", "alignment"])
    assert joint.subset.content_hash == both.subset.content_hash
    assert list(joint.subset.record.evidence.metrics) == ["quality", "alignment"]
    alone = _quick(metric="alignment").subset
    assert alone.ids != joint.subset.ids


def test_lower_is_better_is_recorded_and_changes_no_prompt(make_table):
    up = make_table(24, 60, metrics=("fid",))
    down = make_table(24, 60, metrics=("fid",), lower_is_better=("fid",))
    first, second = _quick(up), _quick(down)
    assert first.subset.ids == second.subset.ids
    assert [metric.higher_is_better for metric in second.subset.metrics] == [False]
    assert first.subset.record.evidence == second.subset.record.evidence


def _with_gaps(table, rows, places=5):
    matrices = {}
    for metric in table.metrics:
        values = table[metric].values.copy()
        values[rows, places] = np.nan
        matrices[metric] = replace(table[metric], values=values)
    return ScoreTable(table.prompts, table.variants, matrices)


def test_incomplete_variants_are_dropped_and_said_so():
    gappy = _with_gaps(TABLE, [3, 7])
    result = _quick(gappy)
    kept = [name for row, name in enumerate(TABLE.variant_names) if row not in (3, 7)]
    assert list(result.subset.searched_variants) == kept
    dropped = f"2 variants with missing scores were left out: {TABLE.variant_names[3]}"
    assert any(line.startswith(dropped) for line in result.warnings)
    assert result.subset.ids == _quick(TABLE.with_variants(kept)).subset.ids


def test_incomplete_variants_may_be_an_error():
    with pytest.raises(DataError, match="2 of 40 variants are not measured"):
        _quick(_with_gaps(TABLE, [3, 7]), incomplete="error")
    with pytest.raises(DataError, match="no variant is left"):
        _quick(_with_gaps(TABLE, np.arange(40), np.arange(40)))
    with pytest.raises(SettingError, match="incomplete"):
        _quick(incomplete="keep")


def test_prompts_may_be_left_out_instead():
    rng = np.random.default_rng(5)
    matrices, gone = {}, set()
    for name, matrix in TABLE.matrices.items():
        values = matrix.values.copy()
        holes = rng.integers(0, TABLE.n_prompts, 3)
        values[[1, 4, 9], holes] = np.nan
        gone |= set(holes.tolist())
        matrices[name] = replace(matrix, values=values)
    gappy = ScoreTable(TABLE.prompts, TABLE.variants, matrices)
    result = _quick(gappy, incomplete="prompts")
    assert len(result.subset.searched_variants) == len(TABLE)
    left = [i for i in range(TABLE.n_prompts) if i not in gone]
    assert result.subset.ids == _quick(TABLE.take_prompts(left)).subset.ids
    assert any(
        f"{len(gone)} prompts without a score of every variant" in line for line in result.warnings
    )
    result.subset.verify(TABLE.prompts)


def test_positions_in_splits_count_all_variants_given():
    gappy = _with_gaps(TABLE, [0, 1])
    result = _quick(gappy, splits=[list(range(20))])
    (split,) = result.measurement.splits
    assert (len(split.search), len(split.held_out)) == (18, 20)


def test_without_splits_nothing_is_claimed():
    result = _quick(splits=None)
    assert result.measurement is None
    assert result.subset.record.evidence is None
    assert any("nothing was held out" in line for line in result.warnings)


def test_nothing_held_out_leaves_the_number_of_variants_to_warn_of():
    few = _quick(TABLE.with_variants(list(range(19))), splits=None).warnings
    assert few[0].startswith("nothing was held out")
    assert few[1].startswith("19 search variants: below 20")
    enough = _quick(TABLE.with_variants(list(range(20))), splits=None).warnings
    assert not any("search variants" in line for line in enough)


def test_a_warm_start_may_flatter_what_was_measured_and_nothing_else():
    start = _quick(method="random").subset
    measured = _quick(warm_start=start)
    (line,) = [line for line in measured.warnings if line.startswith("warm start")]
    assert line.endswith("the held-out numbers are too high")
    alone = _quick(warm_start=start, splits=None)
    assert not any(line.startswith("warm start") for line in alone.warnings)
    assert not any(line.startswith("warm start") for line in _quick().warnings)


def _tied(rows, table=TABLE):
    """The table with one score for all of these variants, on every prompt of `quality`."""
    values = table["quality"].values.copy()
    values[rows] = values[rows[0]]
    flat = replace(table["quality"], values=values)
    return replace(table, matrices={**table.matrices, "quality": flat})


def test_no_held_out_ranking_on_any_split_is_said():
    rest = list(range(20, 40))
    result = _quick(_tied(rest), splits=[list(range(20))], metric="quality")
    assert result.subset.record.evidence is None
    assert not result.interrupted
    assert "no split gave a held-out ranking (all held-out variants tie)" in result.warnings


def test_all_at_once_the_gravest_comes_first():
    with _ctrl_c_at_search(6):  # the third of eight folds
        found = _quick(
            _with_gaps(TABLE.with_variants(list(range(11))), [3]),
            settings={"passes": 8},
            size=40,
            warm_start=IDS[:40],
            splits="random:2",
        ).warnings
    heads = [
        "interrupted",
        "not calibrated yet",
        "random:2: 2 splits are too few",
        "random:2: 5 search variants",
        *(["held-out agreement"] if any("not above" in line for line in found) else []),
        *(["search tau is saturated"] if any("saturated" in line for line in found) else []),
        "warm start",
        "1 variants with missing scores",
        "near ties",
    ]
    assert len(found) == len(heads)
    assert all(line.startswith(head) for line, head in zip(found, heads, strict=True))


def test_the_splits_are_named_without_their_folder(tmp_path):
    (tmp_path / "mine.json").write_text(str(list(range(20))))
    for spec in (tmp_path / "mine.json", str(tmp_path / "mine.json")):
        evidence = _quick(splits=spec).subset.record.evidence
        assert evidence.split_spec == "mine.json"
        assert evidence.splits[0].name == "mine"
    assert _quick(splits=[list(range(20))]).subset.record.evidence.split_spec == "explicit"
    given = make_splits("random:2", TABLE)
    assert _quick(splits=given).subset.record.evidence == replace(
        _quick().subset.record.evidence, split_spec="explicit"
    )


def test_nested_sizes_are_one_list():
    result = _quick(nested=[12, 4, 8])
    assert result.subset.size == 12
    assert result.subset.method.settings["nested"] == [4, 8, 12]
    assert result.subset.name == "synthetic-quality+alignment-balanced-12"
    assert result.measurement.sizes == (4, 8, 12)
    assert {row["size"] for row in result.history} == {4, 8, 12}
    shorter = _quick(nested=[4, 8])
    assert result.subset.ids[:8] == shorter.subset.ids
    one = _quick(nested=[8])
    assert one.subset.content_hash == _quick().subset.content_hash


def test_required_and_forbidden_prompts():
    result = _quick(require=["7", "3"], forbid=_quick().subset.ids)
    assert result.subset.ids[:2] == ("7", "3")
    assert not set(result.subset.ids) & set(_quick().subset.ids)
    assert result.subset.method.settings["require"] == ["7", "3"]
    assert _quick(require="7").subset.ids[0] == "7"
    everything = _quick(size=2, require=["7", "3"])
    assert everything.subset.ids == ("7", "3")


def test_a_warm_start_may_be_ids_or_a_subset(tmp_path):
    start = _quick(method="random").subset
    by_subset = _quick(warm_start=start, settings={"passes": 0})
    by_ids = _quick(warm_start=start.ids, settings={"passes": 0})
    assert by_subset.subset.ids == by_ids.subset.ids == start.ids
    assert by_ids.subset.method.settings["warm_start"] == list(start.ids)
    with pytest.raises(SettingError, match="'random' chooses from scratch"):
        _quick(method="random", warm_start=start)


def test_a_warm_start_from_another_prompt_set_is_refused():
    other = PromptSet("other", IDS, tuple(f"another thing {i}" for i in IDS))
    matrices = {
        metric: ScoreMatrix(metric, TABLE[metric].values, TABLE.variant_names, IDS)
        for metric in TABLE.metrics
    }
    start = _quick(ScoreTable(other, TABLE.variants, matrices), method="random").subset
    with pytest.raises(DataError, match="have another text there"):
        _quick(warm_start=start)


def test_sizes_of_the_curve_are_measured_too():
    result = _quick(curve=[4, 16, 8, 16])
    assert result.measurement.sizes == (4, 8, 16)
    assert len(result.measurement.cells) == 6 * 2
    assert result.subset.record.evidence.size == 8
    assert _quick(curve="auto").measurement.sizes == (8, 10, 20, 50, 100, 200)
    assert _quick(method="frequency", settings={"n_sets": 50}, curve="auto").measurement.sizes == (
        8,
    )
    assert _quick(curve=[]).measurement.sizes == (8,)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"size": 0}, SettingError, "size=0: a subset needs at least 1"),
        ({"size": 301}, SettingError, "size=301 is above the 300 prompts"),
        ({"size": "8"}, SettingError, "size='8': expected a whole number"),
        ({"method": "balance"}, SettingError, "no method 'balance'; .*mean 'balanced'"),
        ({"settings": {"pass": 3}}, SettingError, "no setting 'pass'"),
        ({"metric": "Quality"}, SettingError, "no scores for metric 'Quality'.*mean 'quality'"),
        ({"metric": []}, SettingError, "expected a name, or a list"),
        ({"seed": -1}, SettingError, "seed=-1: expected a whole number"),
        ({"seed": "a"}, SettingError, "seed='a'"),
        ({"seed": 1.5}, SettingError, "seed=1.5"),
        ({"splits": "rand:10"}, SettingError, "splits=rand:10"),
        ({"splits": "group:colour"}, SettingError, "no variant has the factor 'colour'"),
        ({"nested": [4, 400]}, SettingError, "nested: size 400"),
        ({"nested": []}, SettingError, "nested"),
        ({"nested": [1, 4], "require": ["1", "2"]}, SettingError, "nested: size 1 is smaller"),
        ({"require": ["1", "x9"]}, DataError, "1 of 2 ids are not in prompt set 'synthetic': 'x9'"),
        ({"forbid": ["x9"]}, DataError, "'x9'"),
        ({"warm_start": ["x9"]}, DataError, "'x9'"),
        ({"require": ["1"], "forbid": ["1"]}, SettingError, "both required and forbidden"),
        ({"size": 2, "require": ["1", "2", "3"]}, SettingError, "smaller than the 3 required"),
        ({"forbid": IDS[:295]}, SettingError, "above the 5 prompts"),
        ({"curve": "all"}, SettingError, "curve=all: expected auto"),
        ({"curve": [0]}, SettingError, "curve: size 0 is outside 1 to 300"),
        ({"curve": [4.5]}, SettingError, "curve: size 4.5 is not a whole number"),
        ({"draws": 0}, SettingError, "draws=0"),
        ({"calibrate": "yes"}, SettingError, "calibrate=yes: expected true, false or auto"),
        ({"expect": "family"}, SettingError, "expect=family: expected similar or new_family"),
        ({"expect": "new_family", "group": "size"}, SettingError, "no variant has 'size'"),
        ({"name": "a/b"}, DataError, "subset name 'a/b' cannot be a file name"),
        ({"scores": "nowhere"}, DataError, "nowhere"),
    ],
)
def test_what_cannot_be_done_is_one_line(change, error, words):
    with pytest.raises(error, match=words) as caught:
        _quick(**change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ".."},
        {"draws": 0},
        {"splits": "random:x"},
        {"curve": [0]},
        {"calibrate": 1},
        {"expect": "new_family", "group": "x"},
    ],
)
def test_a_bad_setting_is_found_before_any_search(monkeypatch, change):
    monkeypatch.setattr("flasheval.selection.search.search_all", None)
    with pytest.raises(FlashevalError):
        _quick(**change)


def test_a_metric_in_which_all_tie_is_one_line():
    values = np.tile(np.arange(20, dtype=np.float32), (6, 1))
    names, ids = tuple("abcdef"), tuple(map(str, range(20)))
    prompts = PromptSet("tied", ids)
    table = ScoreTable(
        prompts,
        tuple(flasheval.Variant(name) for name in names),
        {"m": ScoreMatrix("m", values, names, ids)},
    )
    with pytest.raises(DataError, match="'m': all 6 variants have the same full score"):
        _quick(table)


def test_one_variant_is_one_line_and_two_can_be_searched():
    with pytest.raises(DataError, match="1 search variant; a ranking needs at least 2"):
        _quick(TABLE.with_variants([0]), splits=None)
    with pytest.raises(SettingError, match="leaves 1 search variants of 2"):
        _quick(TABLE.with_variants([0, 1]))
    assert _quick(TABLE.with_variants([0, 1]), splits=None).subset.size == 8


def test_few_variants_are_warned_of():
    few = _quick(TABLE.with_variants(list(range(30))))
    assert any("15 search variants: below 20" in line for line in few.warnings)
    assert not any("below 20" in line for line in _quick().warnings)


def test_a_second_call_reads_finished_work(tmp_path, monkeypatch):
    first = _quick(folder=tmp_path, method="anneal", settings={"swaps": 2000})
    monkeypatch.setattr(one_search, "drive", None)
    second = _quick(folder=tmp_path, method="anneal", settings={"swaps": 2000})
    assert first.subset.content_hash == second.subset.content_hash
    assert first.subset.record.evidence == second.subset.record.evidence
    assert (first.history, first.sets, first.seconds) == (
        second.history,
        second.sets,
        second.seconds,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"noise_weight": 2.5}},
        {"seed": 1},
        {"metric": "quality"},
        {"require": ["1"]},
        {"forbid": ["1"]},
        {"method": "shared"},
        {"scores": TABLE.with_variants(list(range(39)))},
        {"nested": [4, 8]},
    ],
)
def test_other_work_is_never_read_instead(tmp_path, monkeypatch, change):
    _quick(folder=tmp_path)
    monkeypatch.setattr(one_search, "drive", None)
    monkeypatch.setattr(one_search, "run_nested", None)
    monkeypatch.setattr(
        "flasheval.selection.held_out.finished_searches.FinishedSearches.read", _must_not_find
    )
    with pytest.raises(_LookedUpError):
        _quick(folder=tmp_path, **change)


class _LookedUpError(Exception):
    pass


def _must_not_find(self, key):
    assert not (self.folder / f"{key}.json").exists()
    raise _LookedUpError


# One search on all variants and two on splits, each of two steps, then eight without a fold. The
# second step is the first that leaves something behind.
@pytest.mark.parametrize("step", [2, 3, 4, 5, 6, 7, 8, 15])
def test_interrupted_it_hands_back_the_best_and_continues(tmp_path, step):
    arguments = {"method": "anneal", "settings": {"swaps": 4000}, "folder": tmp_path}
    whole = _quick(**arguments | {"folder": None})
    with _ctrl_c_at_step(step), crew(1):
        stopped = _quick(**arguments)
    assert stopped.interrupted
    assert stopped.subset.record.interrupted
    assert stopped.subset.size == 8
    assert stopped.warnings[0].startswith("interrupted")
    if step > 2:
        assert stopped.subset.content_hash == whole.subset.content_hash
    if step > 6:
        assert stopped.subset.record.evidence == whole.subset.record.evidence
    again = _quick(**arguments)
    assert not again.interrupted
    assert again.subset.content_hash == whole.subset.content_hash
    assert again.subset.record.evidence == whole.subset.record.evidence
    assert again.subset.record.calibration == whole.subset.record.calibration
    assert not list(tmp_path.glob("*.npz"))


def test_ctrl_c_before_anything_is_found_is_one(tmp_path):
    with _ctrl_c_at_step(1), crew(1), pytest.raises(KeyboardInterrupt):
        _quick(method="anneal", settings={"swaps": 4000}, folder=tmp_path)


def test_ctrl_c_by_the_progress_of_the_search_on_all_variants(tmp_path):
    def progress(what, done, planned):
        if done > 0:
            raise KeyboardInterrupt

    arguments = {"method": "anneal", "settings": {"swaps": 4000}, "folder": tmp_path}
    with crew(1):
        stopped = _quick(**arguments, progress=progress)
    assert stopped.interrupted
    assert stopped.measurement is None
    assert len(list(tmp_path.glob("*.npz"))) == 1
    again = _quick(**arguments)
    assert again.subset.content_hash == _quick(**arguments).subset.content_hash
    assert not again.interrupted


def test_an_interruption_explains_missing_evidence():
    with _ctrl_c_at_search(2), crew(1):
        stopped = _quick(splits="random:1")
    assert stopped.interrupted
    assert stopped.subset.record.evidence is None
    assert stopped.subset.ids == _quick().subset.ids
    assert not any("no split gave" in line for line in stopped.warnings)


def test_ctrl_c_while_measuring_random_comes_before_anything_is_found():
    def progress(what, done, planned):
        if what.startswith("random prompts"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _quick(progress=progress)


def test_full_scores_are_predicted_by_default_where_it_is_cheap(tmp_path):
    result = _quick(size=20, metric="quality")
    calibration = result.subset.record.calibration
    assert (calibration.expect, calibration.folds) == ("similar", 8)
    assert set(calibration.metrics) == {"quality", "alignment"}  # the other one helps to predict
    assert calibration.metrics["quality"].near_ties == near_tie_share(TABLE["quality"].values)
    subset = Subset.load(result.subset.save(tmp_path / "a.json"))
    rows = TABLE.prompts.index_of(subset.ids)
    own, other = (TABLE["quality"].values[row, rows] for row in (3, 4))
    full = TABLE["quality"].full_means
    found = subset.predict({"quality": own})["quality"]
    assert found.low < full[3] < found.high  # a searched one: far inside
    assert subset.difference({"quality": own}, {"quality": other})["quality"].value != 0
    placed = subset.place({"quality": own})["quality"]
    assert placed.neighbours[0].name == TABLE.variant_names[int(full.argmax())]
    assert "a new variant's full quality score is predicted within +-" in str(subset)


def test_calibrating_changes_nothing_else():
    with_it, without = _quick(), _quick(calibrate=False)
    assert without.subset.record.calibration is None
    assert with_it.subset.content_hash == without.subset.content_hash
    assert with_it.subset.record.evidence == without.subset.record.evidence
    assert with_it.warnings == without.warnings


def test_dear_methods_and_few_variants_are_calibrated_on_demand_only():
    dear = {"method": "frequency", "settings": {"n_sets": 100}, "splits": None}
    assert _quick(**dear).subset.record.calibration is None
    assert _quick(**dear, calibrate=True).subset.record.calibration is not None
    few = TABLE.with_variants(list(range(7)))
    assert _quick(few, splits=None).subset.record.calibration is None
    with pytest.raises(SettingError, match="7 complete variants; expected at least 8"):
        _quick(few, splits=None, calibrate=True)


def test_new_families_are_told_apart_by_a_factor():
    family = _quick(expect="new_family").subset.record.calibration
    assert (family.expect, family.group, family.folds) == ("new_family", "base_model", 8)
    scheduler = _quick(expect="new_family", group="scheduler").subset.record.calibration
    assert (scheduler.group, scheduler.folds, scheduler.dof) == ("scheduler", 3, 2)


def test_a_nested_search_is_calibrated_as_a_whole():
    calibration = _quick(nested=[4, 8]).subset.record.calibration
    assert calibration.metrics["quality"].high == pytest.approx(
        max(v.subset_means["quality"] for v in _quick(nested=[4, 8]).subset.record.known_variants)
    )


def test_a_nested_search_is_calibrated_at_each_size_from_the_same_searches(tmp_path, monkeypatch):
    whole = _quick(nested=[4, 8], metric="quality", calibrate=False, folder=tmp_path).subset
    searches = []
    real = one_search.run_nested
    monkeypatch.setattr(
        one_search, "run_nested", lambda *a, **k: searches.append(1) or real(*a, **k)
    )
    subset = _quick(nested=[4, 8], metric="quality", folder=tmp_path).subset
    assert len(searches) == 8  # the folds, once each
    assert subset.content_hash == whole.content_hash
    assert [look.size for look in subset.record.looks] == [4]
    loaded = Subset.load(subset.save(tmp_path / "a.json"))
    assert loaded == subset
    small = loaded.prefix(4)
    chosen = TABLE["quality"].values[:, TABLE.prompts.index_of(small.ids)].mean(axis=1)
    part = small.record.calibration.metrics["quality"]
    assert (part.low, part.high) == pytest.approx((chosen.min(), chosen.max()))
    widths = [one.record.calibration.half_width(["quality"])["quality"] for one in (small, subset)]
    assert widths[0] > widths[1]
    assert loaded.prefix(5).record.calibration is None


def test_a_plain_search_has_no_looks():
    assert _quick().subset.record.looks == ()
    assert _quick(nested=[4, 8], calibrate=False).subset.record.looks == ()


def test_a_second_call_does_not_cross_fit_again(tmp_path, monkeypatch):
    first = _quick(folder=tmp_path)
    monkeypatch.setattr(one_search, "drive", None)
    again = _quick(folder=tmp_path)
    assert again.subset.record.calibration == first.subset.record.calibration


def test_ctrl_c_while_calibrating_leaves_it_out_and_says_so(tmp_path):
    with _ctrl_c_at_search(1 + 2 + 3):  # all variants, two splits, three folds
        result = _quick(folder=tmp_path)
    assert result.interrupted
    assert result.subset.record.interrupted
    assert result.subset.record.calibration is None
    assert result.subset.record.evidence == _quick().subset.record.evidence
    assert result.warnings[0].startswith("interrupted")
    assert result.warnings[1].startswith("not calibrated yet")
    whole = _quick(folder=tmp_path)
    assert whole.subset.record.calibration == _quick().subset.record.calibration
    assert not any("calibrated" in line for line in whole.warnings)


def test_progress_ends_where_it_was_planned_to():
    seen = []
    _quick(progress=lambda *what: seen.append(what), curve=[4])
    done, planned = [what[1] for what in seen], {what[2] for what in seen}
    assert planned == {1 + 2 * 2 + 8}  # all variants; two splits of two sizes; eight folds
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == 13


def test_a_folder_that_cannot_be_used_is_one_line_and_found_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("flasheval.selection.search.search_all", None)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"folder=.*file: File exists") as caught:
        _quick(folder=tmp_path / "file")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "first",
    [
        "import flasheval",
        "import flasheval.selection.methods.registry",
        "from flasheval import SearchResult",
        "from flasheval.selection.search import search",
        "import flasheval.selection.held_out.engine",
    ],
)
def test_the_function_can_be_called_whatever_was_imported_before(first):
    code = f"{first}; import flasheval; flasheval.search('nowhere')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "DataError" in ran.stderr
    assert "nowhere" in ran.stderr
    assert "not callable" not in ran.stderr


# --- what a method may borrow --------------------------------------------------------------------


@pytest.mark.parametrize("nested", [None, [3, 5]])
def test_hints_are_of_the_variants_of_each_search(borrower, check_hints, make_table, nested):
    table = make_table(24, 40, ("a", "b", "c"))
    settings = {"metric": ["a", "c"], "group": "steps", "nested": nested, "calibrate": True}
    with crew(1):
        _quick(table, method="borrower", size=5, curve=None, **settings)
    searched = [check_hints(problem, table, "steps") for problem in borrower]
    parts = [set(split.search.tolist()) for split in make_splits("random:2", table)]
    stages = 1 if nested is None else 2
    assert searched[:stages] == [set(range(24))] * stages
    on_splits = searched[stages : 3 * stages]  # threads make them in any order
    assert [on_splits.count(rows) for rows in parts] == [stages] * 2
    folds = searched[3 * stages :]
    assert {len(rows) for rows in folds} == {21}
    assert len(folds) == 8 * stages
    assert len({frozenset(rows) for rows in folds}) == 8


@pytest.mark.parametrize(
    ("method", "nested", "changes"),
    [
        ("pooled", None, True),
        ("pooled", [20, 40], True),
        ("auto", None, True),
        ("balanced", None, False),
        ("ridge", None, False),
    ],
)
def test_a_metric_beside_the_one_served_counts_where_it_is_borrowed(method, nested, changes):
    settings = {"metric": "quality", "size": 40, "nested": nested, "splits": None}
    whole, alone = (
        _quick(scores, method=method, calibrate=False, **settings).subset
        for scores in (TABLE, TABLE.with_metrics(["quality"]))
    )
    assert (whole.ids != alone.ids) == changes
    assert (whole.content_hash != alone.content_hash) == changes


def test_a_metric_in_which_all_variants_tie_is_not_borrowed():
    flat = replace(TABLE["alignment"], values=np.tile(TABLE["alignment"].values[:1], (40, 1)))
    table = replace(TABLE, matrices={**TABLE.matrices, "alignment": flat})
    settings = {"method": "pooled", "metric": "quality", "splits": None, "calibrate": False}
    found = _quick(table, **settings).subset
    alone = _quick(TABLE.with_metrics(["quality"]), **settings).subset
    assert found.content_hash == alone.content_hash


def test_work_kept_of_other_hints_is_not_taken_up(tmp_path):
    nudged = replace(TABLE["alignment"], values=TABLE["alignment"].values[::-1].copy())
    other = replace(TABLE, matrices={**TABLE.matrices, "alignment": nudged})
    for method, kept in (("pooled", 2), ("balanced", 1)):
        folder = tmp_path / method
        for table in (TABLE, other, TABLE):
            _quick(
                table,
                method=method,
                metric="quality",
                splits=None,
                calibrate=False,
                folder=folder,
            )
        assert len(list(folder.glob("*.json"))) == kept


def test_auto_says_what_it_took_and_expects_what_the_search_does():
    settings = {"method": "auto", "metric": "quality", "splits": None, "calibrate": False}
    similar, family = (
        _quick(expect=expect, group="scheduler", **settings).subset
        for expect in ("similar", "new_family")
    )
    assert similar.method.settings == {"expect": "similar"}
    assert family.method.settings == {"expect": "new_family"}
    for subset in (similar, family):
        (line,) = [note for note in subset.record.notes if note.startswith("auto ")]
        assert "inner held-out tau: " in line
    own = _quick(settings={"expect": "similar"}, expect="new_family", **settings).subset
    assert own.method.settings == {"expect": "similar"}
    with pytest.raises(SettingError, match=r"families are not known; .*group=FACTOR"):
        _quick(expect="new_family", group="lens", **settings)


@pytest.mark.parametrize("after", [1, 20])
def test_auto_stopped_half_way_has_a_whole_subset_and_continues(tmp_path, after):
    settings = {"method": "auto", "metric": "quality", "splits": None, "calibrate": False}
    whole, calls = _quick(**settings), []

    def report(what, done, planned):
        calls.append(done)
        if len(calls) == after + 1:
            raise KeyboardInterrupt

    stopped = _quick(folder=tmp_path, progress=report, **settings)
    assert stopped.interrupted
    assert stopped.subset.size == 8
    again = _quick(folder=tmp_path, **settings)
    assert again.subset.content_hash == whole.subset.content_hash
    assert again.history == whole.history


_MANY = {
    "size": 8,
    "splits": "random:3",
    "draws": 10,
    "calibrate": True,
    "settings": {"swaps": 4_000},
    "method": "anneal",
}


def _found(result):
    """All that a search finds: the content, the evidence and the calibration, without times."""
    record, cells = result.subset.record, result.measurement.cells
    return (
        result.subset.content_hash,
        record.evidence,
        record.calibration,
        record.known_variants,
        sorted(str(replace(cell, seconds=0.0)) for cell in cells),
    )


@pytest.mark.parametrize("settings", [_MANY, {**_MANY, "method": "pooled", "settings": None}])
def test_any_number_of_threads_finds_the_same(settings):
    found = []
    for size in (1, 2, 3):
        with crew(size):
            found.append(_found(search(TABLE, **settings)))
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("step", [1, 2, 5, 9, 20])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_stopped_on_some_threads_and_continued_on_others(tmp_path, size, step):
    whole = _found(search(TABLE, **_MANY))
    with crew(size):
        try:
            with _ctrl_c_at_step(step):
                first = search(TABLE, **_MANY, folder=tmp_path)
            assert first.interrupted
        except KeyboardInterrupt:  # before there was anything to show
            assert step <= 2 * size
    with crew(4 - size):
        again = search(TABLE, **_MANY, folder=tmp_path)
    assert not again.interrupted
    assert _found(again) == whole


# --- twins, digits, gaps -------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["pooled", "auto"])
def test_a_table_listed_twice_gives_the_evidence_of_the_single_one(with_twins, method):
    table = synthetic_scores(20, 60)
    doubled = with_twins(table)
    settings = {"size": 6, "method": method, "draws": 20, "splits": "random:3", "progress": False}
    one, two = search(table, **settings), search(doubled, **settings)
    assert two.subset.content_hash == one.subset.content_hash
    assert two.subset.searched_variants == table.variant_names
    assert two.subset.record.evidence == one.subset.record.evidence
    assert two.subset.record.calibration == one.subset.record.calibration
    assert len(two.subset.record.known_variants) == 40  # under either name
    said = set(two.warnings) - set(one.warnings)
    (line,) = said
    assert line.startswith("the same scores under several names, each counted once: ")
    assert f"{table.variant_names[0]} = {table.variant_names[0]}-again" in line


def test_few_variants_listed_often_are_few(with_twins):
    doubled = with_twins(synthetic_scores(12, 60))
    found = _quick(doubled, splits=None)
    assert any(line.startswith("12 search variants: below 20") for line in found.warnings)


def test_a_list_that_parts_twins_is_told(with_twins):
    doubled = with_twins(synthetic_scores(20, 60))
    names = doubled.variant_names
    found = _quick(doubled, splits={"search": names[:10], "held_out": names[10:30]})
    (kind,) = found.measurement.kinds
    assert kind.splits[0].search.tolist() == list(range(10))
    assert kind.splits[0].held_out.tolist() == list(range(10, 20))
    assert any("searched under another name" in line for line in found.warnings)


def test_twins_in_one_metric_alone_are_none():
    table = synthetic_scores(20, 60)
    values = table["quality"].values.copy()
    values[7] = values[3]
    matrices = {**table.matrices, "quality": replace(table["quality"], values=values)}
    found = _quick(ScoreTable(table.prompts, table.variants, matrices), metric="quality")
    assert found.subset.searched_variants == table.variant_names
    assert not any("several names" in line for line in found.warnings)


@pytest.mark.parametrize("offset", [1e6, 2.0**24])
def test_an_offset_changes_nothing_but_a_warning(offset):
    table = synthetic_scores(20, 60).with_metrics("quality")
    moved = replace(table["quality"], values=table["quality"].values.astype(np.float64) + offset)
    one = _quick(table)
    two = _quick(ScoreTable(table.prompts, table.variants, {"quality": moved}))
    assert two.subset.ids == one.subset.ids
    first, second = (found.subset.record.evidence.pooled for found in (one, two))
    assert second.held_out_tau.mean == pytest.approx(first.held_out_tau.mean)
    (line,) = set(two.warnings) - set(one.warnings)
    assert line.startswith("quality: its scores need more digits than float32 has")
    known = {known.name: known.full_means for known in two.subset.record.known_variants}
    means = dict(zip(table.variant_names, table["quality"].full_means, strict=True))
    for name, mean in means.items():
        assert known[name]["quality"] == pytest.approx(mean + offset, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
@pytest.mark.filterwarnings("error")
def test_scale_changes_nothing(scale):
    table = synthetic_scores(20, 60)
    scaled = {
        metric: replace(matrix, values=(matrix.values.astype(np.float64) * scale))
        for metric, matrix in table.matrices.items()
    }
    one = _quick(table)
    two = _quick(ScoreTable(table.prompts, table.variants, scaled))
    assert two.subset.ids == one.subset.ids
    assert two.warnings == one.warnings
    first, second = (found.subset.record.evidence.pooled for found in (one, two))
    assert second.held_out_tau.mean == pytest.approx(first.held_out_tau.mean)


def test_variants_left_out_come_with_the_way_to_keep_them():
    values = TABLE["quality"].values.copy()
    for row in range(5):
        values[row, 4 * row : 4 * row + 4] = np.nan
    matrix = replace(TABLE["quality"], values=values)
    found = _quick(ScoreTable(TABLE.prompts, TABLE.variants, {"quality": matrix}))
    (line,) = [line for line in found.warnings if "left out" in line]
    assert line.startswith("5 variants with missing scores were left out: ")
    assert line.endswith("; incomplete=prompts would keep all 40 on 280 of 300 prompts")


IMAGES = synthetic_scores(24, 80, images=2)


@pytest.fixture(scope="module")
def on_images():
    return search(IMAGES, size=6, method="pooled", metric="quality", splits="random:3", draws=10)


def test_one_image_a_prompt_leaves_a_manifest_as_it_was():
    data = _quick().subset.to_dict()
    assert not {"seeds", "images_searched", "images_per_prompt", "other_seeds"} & set(
        data["record"]
    )
    assert "further_evidence" not in data["record"]
    assert "seeds" not in data["record"]["evidence"]


def test_the_record_says_which_images_were_searched(on_images):
    record = on_images.subset.record
    assert record.seeds == IMAGES.seeds
    assert (record.images_searched, record.images_per_prompt) == (2, None)
    assert record.calibration.seeds == "search"
    assert record.other_seeds.seeds == "other"
    assert Subset.from_dict(on_images.subset.to_dict()) == on_images.subset
    plain = {name: replace(one, images=None) for name, one in IMAGES.matrices.items()}
    known = ScoreTable(IMAGES.prompts, IMAGES.variants, plain)  # one image of known seeds
    assert _quick(known, metric="quality").subset.record.images_searched == 1


def test_evidence_on_other_seeds_is_added_and_is_that_of_validate(on_images):
    record = on_images.subset.record
    (other,) = record.further_evidence
    assert (record.evidence.split_spec, record.evidence.seeds) == ("random:3", "search")
    assert (other.split_spec, other.seeds) == ("random:3+seeds", "other")
    settings = {"size": 6, "methods": "pooled", "metric": "quality", "draws": 10}
    report = flasheval.validate(IMAGES, splits="random:3+seeds", progress=False, **settings)
    summary = report.summary(method="pooled")
    assert other.pooled.held_out_tau_by_split == summary.held_out_tau_by_split
    assert other.pooled.random_tau.mean == report.summary(method="random").held_out_tau.mean
    alone = search(
        IMAGES, size=6, method="pooled", metric="quality", splits="random:3+seeds", draws=10
    )
    assert alone.subset.record.further_evidence == ()
    assert alone.subset.record.evidence.pooled == other.pooled
    assert alone.subset.ids == on_images.subset.ids
    assert "On other seeds, " in as_text(on_images.view())


def test_other_images_of_searched_variants_do_not_leak_into_evidence(tmp_path):
    """The searches on half of the images find the same, whatever the other half is."""
    moved = {}
    for name, matrix in IMAGES.matrices.items():
        images = np.array(matrix.images)
        images[:, :, 1] = np.random.default_rng(1).normal(size=images.shape[:2])
        moved[name] = ScoreMatrix.from_images(
            name, images, matrix.variants, matrix.prompt_ids, prompt_set_hash=matrix.prompt_set_hash
        )
    changed = ScoreTable(IMAGES.prompts, IMAGES.variants, moved)
    for method in ("pooled", "anneal"):
        found = []
        for table in (IMAGES, changed):
            part = table.with_metrics(["quality"])
            hints = hints_for(table, part)
            request = make_request(part, make_selector(method), 6, hints=hints)
            (split, *_) = make_splits("random:1+seeds", part)
            outcome = one_search.search_part(request, split.search, images=split.images)
            found.append(outcome.selection.indices.tolist())
        assert found[0] == found[1]


@pytest.mark.parametrize("method", ["anneal", "pooled"])
def test_images_on_any_number_of_threads_and_continued(tmp_path, method):
    asked = {"size": 6, "method": method, "metric": "quality", "splits": "random:2", "draws": 10}
    if method == "anneal":
        asked["settings"] = {"swaps": 2000}
    made = []
    for number, threads in enumerate((1, 2, 2)):
        with crew(threads):  # the third reads the second's units
            result = search(IMAGES, **asked, folder=tmp_path / str(min(number, 1)))
        made.append(replace(result.subset.record, created="", versions={}))
        made.append(result.subset.ids)
    assert made[:2] == made[2:4] == made[4:]
    units = {path.name for path in (tmp_path / "0").glob("*.json")}
    assert units == {path.name for path in (tmp_path / "1").glob("*.json")}
    assert len(units) == 1 + 2 + 2 + 8 + 8  # all, halves twice, folds twice


def test_a_nested_subset_is_calibrated_for_other_seeds_at_every_size():
    result = search(
        IMAGES, nested=[4, 8], method="balanced", metric="quality", splits=None, calibrate=True
    )
    record = result.subset.record
    (look,) = record.looks
    assert (look.size, look.calibration.seeds, look.other_seeds.seeds) == (4, "search", "other")
    assert record.other_seeds is not None


def test_fewer_images_in_use_are_in_evidence_and_calibration(on_images):
    one = search(
        IMAGES,
        size=6,
        method="pooled",
        metric="quality",
        splits="random:3",
        draws=10,
        images_per_prompt=1,
    )
    record, usual = one.subset.record, on_images.subset.record
    assert record.images_per_prompt == 1
    assert one.subset.method.settings["images_per_prompt"] == 1
    assert record.evidence.pooled.held_out_tau != usual.evidence.pooled.held_out_tau
    assert record.calibration.half_width(["quality"]) != usual.calibration.half_width(["quality"])


def test_more_images_than_were_searched_are_said_not_to_be_measured():
    result = _quick(images_per_prompt=4)
    assert result.subset.record.images_per_prompt == 4
    assert any("the scores have 1 image a prompt" in line for line in result.warnings)
    assert result.subset.content_hash == _quick().subset.content_hash


def test_variants_without_an_image_are_left_out_of_that_evidence_alone():
    images = np.array(IMAGES["quality"].images)
    images[3, 5, 1] = np.nan
    names = list(IMAGES.variant_names)
    table = ScoreTable.from_arrays(images, variants=names, prompts=IMAGES.prompts)
    result = search(table, size=6, method="anneal", splits="random:3", draws=10)
    other = result.subset.record.further_evidence[0]
    counts = {one.n_search + one.n_held_out for one in other.splits}
    assert counts == {23}
    assert {one.n_search for one in result.subset.record.evidence.splits} == {12}
    assert any(f"{names[3]} left out: images" in line for line in result.warnings)
    assert len(result.subset.searched_variants) == 24
