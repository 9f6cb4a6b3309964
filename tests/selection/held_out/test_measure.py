import numpy as np
import pytest
from scipy.stats import kendalltau

from flasheval.base.errors import SettingError
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out import measure as module
from flasheval.selection.held_out import one_search
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.measure import RandomAgreement, measure, random_agreement
from flasheval.selection.held_out.one_search import search_progress, search_rng
from flasheval.selection.held_out.splits import make_splits
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.registry import make_selector
from flasheval.selection.request import hints_for

TABLE = synthetic_scores(n_variants=16, n_prompts=80)
SPLITS = make_splits("random:4", TABLE)
ANNEAL = make_selector("anneal", {"swaps": 3_000})


def _same(first, second):
    assert [(c.split, c.size, c.agreements) for c in first.cells] == [
        (c.split, c.size, c.agreements) for c in second.cells
    ]
    assert first.random.sizes == second.random.sizes
    for metric in first.metrics:
        np.testing.assert_array_equal(first.random.tau[metric], second.random.tau[metric])


@pytest.fixture
def searches(monkeypatch):
    """Counts the searches that are really made."""
    made = []

    def counting(*arguments, **rest):
        made.append(arguments[1].size)
        return drive(*arguments, **rest)

    monkeypatch.setattr(one_search, "run_selector", counting)
    return made


def test_every_split_and_size_has_its_cell():
    found = measure(TABLE, make_selector("balanced"), [12, 5], SPLITS, draws=20)
    assert [(cell.size, cell.split) for cell in found.cells] == [
        (size, f"random:{k}") for size in (12, 5) for k in range(4)
    ]
    assert found.sizes == (5, 12)
    assert found.metrics == TABLE.metrics
    assert not found.interrupted
    assert {5, 12, 80} <= set(found.random.sizes)
    by_metric = [found.values(12, metric, "held_out_tau") for metric in TABLE.metrics]
    np.testing.assert_allclose(found.pooled(12, "held_out_tau"), np.mean(by_metric, axis=0))


def test_cells_are_searches_on_the_search_variants_alone(a_search):
    found = measure(TABLE, ANNEAL, [6], SPLITS, seed=3, draws=5)
    for split, cell in zip(SPLITS, found.cells, strict=True):
        chosen = a_search(TABLE, ANNEAL, split, 6, 3)
        for agreement in cell.agreements:
            block = TABLE[agreement.metric].values
            means = block[:, chosen].mean(axis=1, dtype=np.float64)
            full = block.mean(axis=1, dtype=np.float64)
            for side, tau in (
                (split.search, agreement.search_tau),
                (split.held_out, agreement.held_out_tau),
            ):
                assert tau == pytest.approx(kendalltau(means[side], full[side]).statistic)


def test_random_agreement_is_on_the_held_out_variants(a_search):
    found = random_agreement(TABLE, SPLITS, [3, 12], seed=5, draws=30)
    assert found.sizes == (3, 5, 7, 10, 12, 14, 20, 28, 40, 50, 70, 80)
    for metric in TABLE.metrics:
        block = TABLE[metric].values
        full = block.mean(axis=1, dtype=np.float64)
        assert found.tau[metric].shape == (4, 30, 12)
        assert (found.tau[metric][:, :, -1] == 1.0).all()
        order = np.random.default_rng([5, 7]).permutation(80)
        for k, split in enumerate(SPLITS):
            side = split.held_out
            means = block[:, order[:12]].mean(axis=1, dtype=np.float64)
            expected = kendalltau(means[side], full[side]).statistic
            assert found.tau[metric][k, 0, 4] == pytest.approx(expected)
    curves = found.curves(TABLE.metrics)
    assert curves.shape == (4, 12)
    assert (np.diff(curves.mean(axis=0)) > 0).all()


def test_draws_of_a_size_are_flat_and_of_the_first_splits():
    tau = {"m": np.arange(24, dtype=float).reshape(3, 4, 2)}
    found = RandomAgreement((5, 10), tau)
    assert found.at("m", 10).tolist() == list(range(1, 24, 2))
    assert found.at("m", 5, splits=1).tolist() == [0, 2, 4, 6]


def test_the_curve_of_a_huge_table_ends_early(monkeypatch):
    monkeypatch.setattr(module, "_CURVE_ADDITIONS", 16 * 10 * 20)
    assert random_agreement(TABLE, SPLITS, [5], seed=0, draws=10).sizes[-1] == 20
    assert random_agreement(TABLE, SPLITS, [5, 33], seed=0, draws=10).sizes[-1] == 33


@pytest.mark.parametrize("draws", [0, -1])
def test_no_draws_is_one_line(draws):
    with pytest.raises(SettingError, match=r"draws=.*at least 1"):
        random_agreement(TABLE, SPLITS, [5], seed=0, draws=draws)


def test_a_given_random_baseline_is_not_measured_again(monkeypatch):
    baseline = random_agreement(TABLE, SPLITS, [6], seed=9, draws=7)
    monkeypatch.setattr(module, "random_agreement", None)
    found = measure(TABLE, make_selector("random"), [6], SPLITS, random=baseline)
    assert found.random is baseline


def test_finished_searches_are_read_back(tmp_path, searches):
    units = FinishedSearches(tmp_path, "context")
    first = measure(TABLE, ANNEAL, [6, 9], SPLITS, units=units, draws=5)
    assert searches == [6] * 4 + [9] * 4
    second = measure(TABLE, ANNEAL, [6, 9], SPLITS, units=units, draws=5)
    assert len(searches) == 8
    _same(first, second)
    assert [cell.seconds for cell in first.cells] == [cell.seconds for cell in second.cells]
    measure(TABLE, ANNEAL, [6], make_splits("random:6", TABLE), units=units, draws=5)
    assert len(searches) == 10  # only the two new splits


def test_a_damaged_unit_is_searched_again(tmp_path, searches):
    units = FinishedSearches(tmp_path, "context")
    first = measure(TABLE, ANNEAL, [6], SPLITS, units=units, draws=5)
    files = sorted(tmp_path.glob("*.json"))
    assert len(files) == 4
    files[0].write_text(files[0].read_text()[:-9])
    files[1].unlink()
    _same(measure(TABLE, ANNEAL, [6], SPLITS, units=units, draws=5), first)
    assert len(searches) == 6


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("after", [1, 2, 3, 5, 8])
def test_interrupted_and_continued_it_is_the_same(tmp_path, after, nested):
    arguments = {"units": FinishedSearches(tmp_path, "c"), "draws": 5, "nested": nested}
    whole = measure(TABLE, ANNEAL, [4, 8], SPLITS, draws=5, nested=nested)
    steps = []

    def progress(what, done, planned):
        if done != int(done):  # within a search
            steps.append(done)
            if len(steps) == after:
                raise KeyboardInterrupt

    stopped = measure(TABLE, ANNEAL, [4, 8], SPLITS, progress=progress, **arguments)
    assert stopped.interrupted
    assert len(stopped.cells) < len(whole.cells)
    kept = len(stopped.cells)
    assert [c.agreements for c in stopped.cells] == [c.agreements for c in whole.cells[:kept]]
    _same(measure(TABLE, ANNEAL, [4, 8], SPLITS, **arguments), whole)
    assert not list(tmp_path.glob("*.npz"))


def test_stopped_between_two_searches_what_is_judged_is_kept():
    def progress(what, done, planned):
        if what.startswith("random:2"):
            raise KeyboardInterrupt

    found = measure(TABLE, ANNEAL, [6], SPLITS, draws=5, progress=progress)
    assert found.interrupted
    assert [cell.split for cell in found.cells] == ["random:0", "random:1"]


def test_nested_sizes_are_prefixes_of_one_search(searches):
    found = measure(TABLE, make_selector("random"), [8, 4], SPLITS, nested=True, draws=5)
    assert found.sizes == (4, 8)
    assert searches == []  # nested searches run stage by stage elsewhere
    assert [(cell.split, cell.size) for cell in found.cells[:2]] == [
        ("random:0", 4),
        ("random:0", 8),
    ]
    assert len(found.values(4, "quality", "held_out_tau")) == 4


def test_required_and_forbidden_prompts_hold_on_every_split(tmp_path):
    units = FinishedSearches(tmp_path, "c")
    measure(
        TABLE,
        make_selector("balanced"),
        [5],
        SPLITS,
        required=[7, 3],
        forbidden=list(range(20, 80)),
        units=units,
        draws=5,
    )
    for split in SPLITS:
        chosen = units.read(units.key(split.search.tolist(), [5])).selection.indices
        assert chosen[:2].tolist() == [7, 3]
        assert (chosen < 20).all()


def test_generators_differ_by_seed_split_and_size_alone():
    members = np.array([1, 4, 5])
    first = search_rng(0, members, 10).random()
    assert first == search_rng(0, members.copy(), 10).random()
    others = [
        search_rng(1, members, 10),
        search_rng(0, members[:2], 10),
        search_rng(0, members, 11),
    ]
    assert len({first, *(rng.random() for rng in others)}) == 4


def test_progress_counts_shares_of_a_search():
    seen = []
    steps = search_progress(lambda *what: seen.append(what), "label", 2, 5)
    steps(1, 4)
    steps(4, 4)
    steps(0, 0)
    assert seen == [("label", 2, 5), ("label", 2.25, 5), ("label", 3, 5), ("label", 2, 5)]
    assert search_progress(None, "label", 0, 1) is None


@pytest.mark.parametrize("sizes", [(6,), (3, 6)])
def test_ctrl_c_before_a_finished_search_is_kept_loses_no_step(tmp_path, monkeypatch, sizes):
    table = synthetic_scores(n_variants=12, n_prompts=40)
    problem = make_problem([table["quality"].values], ("quality",), 6)
    selector = make_selector("anneal", {"swaps": 4_000})
    units = FinishedSearches(tmp_path, "context")

    def run(progress=None):
        rng = np.random.default_rng(0)
        return one_search.search_unit(selector, problem, sizes, rng, [0, 1], units, progress)

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FinishedSearches, "write", stop)
        with pytest.raises(KeyboardInterrupt):
            run()
    steps = []
    again = run(lambda step, _: steps.append(step))
    assert steps == []
    assert again.sets == 4_000 * len(sizes)
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]


def test_hints_are_of_each_split_s_search_variants(borrower, check_hints, make_table):
    table = make_table(16, 40, ("a", "b", "c"))
    served = table.with_metrics(["b"])
    splits = make_splits("random:3", table)
    method = make_selector("borrower")
    measure(served, method, [3, 5], splits, draws=3, hints=hints_for(table, served))
    found = [check_hints(problem, table, "base_model") for problem in borrower]
    assert found == 2 * [set(split.search.tolist()) for split in splits]
    borrower.clear()
    measure(served, method, [3, 5], splits, draws=3, hints=hints_for(table, served), nested=True)
    assert len(borrower) == 6
    for problem in borrower:
        check_hints(problem, table, "base_model")
