import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, weightedtau

from flasheval.scores import ScoreTable
from flasheval.scores.matrix import ScoreMatrix
from flasheval.selection.held_out.judge import Judge, full_score_errors, subset_means
from flasheval.selection.held_out.splits import Split
from flasheval.selection.images import ImageUse
from flasheval.selection.methods.registry import METHODS, make_selector
from flasheval.selection.methods.selector import Selection
from flasheval.selection.request import hints_for

QUICK = {
    "frequency": {"n_sets": 300},
    "evolve": {"population": 16, "generations": 6},
    "anneal": {"swaps": 2_000},
}


def test_weighted_means_by_hand():
    scores = np.array([[1, 2, 9], [4, 4, 0]], dtype=np.float32)
    plain = subset_means(scores, Selection(np.array([0, 2])))
    assert plain.tolist() == [5.0, 2.0]
    weighted = subset_means(scores, Selection(np.array([0, 2]), np.array([3.0, 1.0])))
    assert weighted.tolist() == [3.0, 3.0]
    half = subset_means(scores, Selection(np.array([0, 2]), np.array([1.5, 0.5])))
    assert half.tolist() == [3.0, 3.0]


def _matrix(scores, higher_is_better=True):
    n_variants, n_prompts = scores.shape
    names, ids = tuple(f"v{i}" for i in range(n_variants)), tuple(map(str, range(n_prompts)))
    return ScoreMatrix("m", scores, names, ids, higher_is_better=higher_is_better)


def _judged(scores, split, selection, higher_is_better=True):
    return Judge(_matrix(scores, higher_is_better))(split, selection)


def test_each_side_is_ranked_on_its_own():
    rng = np.random.default_rng(0)
    scores = (rng.normal(size=(12, 1)) + 3 * rng.normal(size=(12, 80))).astype(np.float32)
    split = Split("s", np.array([0, 2, 3, 7, 9]), np.array([1, 4, 5, 6, 8, 10]))
    chosen = Selection(np.array([3, 50, 7, 11]), np.array([1.0, 2.0, 0.5, 0.5]))
    found = _judged(scores, split, chosen)
    means = scores[:, [3, 50, 7, 11]] @ np.array([0.25, 0.5, 0.125, 0.125])
    full = scores.mean(axis=1, dtype=np.float64)
    for side, tau in ((split.search, found.search_tau), (split.held_out, found.held_out_tau)):
        assert tau == pytest.approx(kendalltau(means[side], full[side]).statistic)
    pairs = [(i, j) for i in split.held_out for j in split.held_out if i < j]
    agree = [np.sign(means[i] - means[j]) == np.sign(full[i] - full[j]) for i, j in pairs]
    assert found.held_out_accuracy == pytest.approx(np.mean(agree))
    told_apart = [
        abs(full[i] - full[j]) > 2 * np.std(scores[i] - scores[j], ddof=1) / np.sqrt(80)
        for i, j in pairs
    ]
    expected = 2 * np.mean(np.array(agree)[told_apart]) - 1
    assert found.held_out_tau_significant == pytest.approx(expected, abs=1e-6)
    assert 0 < sum(told_apart) < len(pairs)
    held = split.held_out
    expected = weightedtau(full[held], means[held], rank=None).statistic
    assert found.held_out_weighted_tau == pytest.approx(expected)
    slope, intercept = np.polyfit(means[split.search], full[split.search], 1)
    errors = np.abs(intercept + slope * means[held] - full[held])
    assert found.full_score_error == pytest.approx(errors.mean() / full[held].std())


def test_the_best_variants_are_the_lowest_where_lower_is_better():
    rng = np.random.default_rng(2)
    scores = (rng.normal(size=(12, 1)) + 3 * rng.normal(size=(12, 80))).astype(np.float32)
    split = Split("s", np.arange(4), np.arange(4, 12))
    chosen = Selection(np.arange(6))
    up, down = _judged(scores, split, chosen), _judged(scores, split, chosen, False)
    turned = _judged(-scores, split, chosen, False)
    assert up.held_out_weighted_tau != pytest.approx(down.held_out_weighted_tau)
    assert up.held_out_weighted_tau == pytest.approx(turned.held_out_weighted_tau)
    assert up.held_out_tau == down.held_out_tau
    assert up.full_score_error == pytest.approx(turned.full_score_error)


def test_several_sets_are_judged_by_their_mean():
    rng = np.random.default_rng(3)
    scores = (rng.normal(size=(10, 1)) + 2 * rng.normal(size=(10, 30))).astype(np.float32)
    split = Split("s", np.arange(5), np.arange(5, 10))
    judge = Judge(_matrix(scores))
    sets = [Selection(rng.permutation(30)[:4]) for _ in range(3)]
    one_by_one = [judge(split, chosen) for chosen in sets]
    together = judge.of_means(split, np.stack([subset_means(scores, one) for one in sets]))
    for what in ("search_tau", "held_out_tau", "held_out_weighted_tau", "full_score_error"):
        expected = np.mean([getattr(one, what) for one in one_by_one])
        assert getattr(together, what) == pytest.approx(expected), what


def test_no_line_through_search_variants_that_all_score_the_same_is_nan():
    split = Split("s", np.arange(3), np.arange(3, 6))
    target = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    means = np.array([[0.1, 0.1, 0.1, 4, 5, 6], [1, 2, 3, 4, 5, 6]])
    assert np.isnan(full_score_errors(means, target, split)).tolist() == [True, False]
    assert np.isnan(full_score_errors(means, np.full(6, 2.0), split)).all()


def test_no_pair_told_apart_is_nan_and_a_tied_side_too():
    scores = np.zeros((4, 5), dtype=np.float32)
    scores[:2] = [[0, 1, 2, 3, 4], [1, 2, 3, 4, 6]]
    split = Split("s", np.array([0, 1]), np.array([2, 3]))
    found = _judged(scores, split, Selection(np.array([4])))
    assert found.search_tau == 1.0
    assert np.isnan(found.held_out_tau)
    assert np.isnan(found.held_out_tau_significant)
    assert np.isnan(found.held_out_accuracy)


def _with_values(table, values):
    matrices = {
        metric: ScoreMatrix(metric, values[metric], table.variant_names, table.prompts.ids)
        for metric in table.metrics
    }
    return ScoreTable(table.prompts, table.variants, matrices)


class Watched:
    """A method that remembers what it found."""

    def __init__(self, inner):
        self.inner, self.name, self.cheap, self.found = inner, inner.name, inner.cheap, []
        self.borrows = inner.borrows
        self.prepare, self.start, self.step = inner.prepare, inner.start, inner.step

    def best(self, work, state):
        self.found.append(self.inner.best(work, state))
        return self.found[-1]


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1000))
def test_nothing_of_the_held_out_variants_leaks_into_the_search(
    make_table, measure_one, method, seed
):
    table = make_table(12, 40, metrics=("a", "b"), seed=seed % 7)
    rng = np.random.default_rng(seed)
    order = rng.permutation(12)
    split = Split("s", np.sort(order[:6]), np.sort(order[6:]))
    values = {metric: table[metric].values.copy() for metric in table.metrics}
    changed = {metric: block.copy() for metric, block in values.items()}
    for block in changed.values():
        block[split.held_out] = rng.normal(size=(6, 40))
    watched = Watched(make_selector(method, QUICK.get(method)))
    first = measure_one(table, watched, [6], [split])
    second = measure_one(_with_values(table, changed), watched, [6], [split])
    there, back = watched.found
    np.testing.assert_array_equal(there.indices, back.indices)
    np.testing.assert_array_equal(there.weights, back.weights)
    for metric in table.metrics:
        there, back = (one.values(6, metric, "search_tau") for one in (first, second))
        np.testing.assert_array_equal(there, back)
    held_out = [one.values(6, "a", "held_out_tau")[0] for one in (first, second)]
    assert not np.array_equal(changed["a"][split.held_out], values["a"][split.held_out])
    assert np.isfinite(held_out).all()


@pytest.mark.parametrize("method", [name for name in METHODS if name != "random"])
def test_the_search_variants_do_count(make_table, measure_one, method):
    table = make_table(12, 40, metrics=("a", "b"))
    split = Split("s", np.arange(6), np.arange(6, 12))
    changed = {metric: table[metric].values.copy() for metric in table.metrics}
    rng = np.random.default_rng(1)
    for block in changed.values():
        block[:6] = rng.normal(size=(6, 40))
    watched = Watched(make_selector(method, QUICK.get(method)))
    for one in (table, _with_values(table, changed)):
        measure_one(one, watched, [6], [split])
    there, back = watched.found
    if method == "ridge":  # random prompts: it is the weights that the variants decide
        np.testing.assert_array_equal(there.indices, back.indices)
        assert not np.array_equal(there.weights, back.weights)
    else:
        assert set(there.indices.tolist()) != set(back.indices.tolist())


@pytest.mark.parametrize(
    ("method", "expect"), [("pooled", None), ("auto", "similar"), ("auto", "new_family")]
)
@pytest.mark.parametrize("seed", range(3))
def test_nothing_leaks_through_the_metrics_borrowed(make_table, measure_one, method, expect, seed):
    table = make_table(32, 40, metrics=("a", "b"), seed=seed)
    order = np.random.default_rng(seed).permutation(32)
    split = Split("s", np.sort(order[:20]), np.sort(order[20:]))
    selector = make_selector(method, None if expect is None else {"expect": expect})
    found = {}
    for rows, name in ((None, "as it is"), (split.held_out, "held out"), (split.search, "search")):
        values = {metric: table[metric].values.copy() for metric in table.metrics}
        if rows is not None:
            noise = np.random.default_rng(seed).normal(size=(len(rows), 40))
            values["b"][rows] = 5.0 * noise
        changed = _with_values(table, values)
        served, watched = changed.with_metrics(["a"]), Watched(selector)
        measure_one(served, watched, [15], [split], hints=hints_for(changed, served))
        found[name] = watched.found[0]
    same = found["as it is"]
    np.testing.assert_array_equal(found["held out"].indices, same.indices)
    np.testing.assert_array_equal(found["held out"].weights, same.weights)
    if method == "pooled":
        assert set(found["search"].indices.tolist()) != set(same.indices.tolist())


@pytest.mark.parametrize("gaps", [False, True])
def test_other_images_against_the_full_ranking_by_hand(gaps):
    """Held out: other images against all. Searched: the images searched, as the search saw them."""
    rng = np.random.default_rng(5)
    images = np.round(rng.normal(size=(14, 20, 3)), 1)  # with ties
    images[9] = images[8]
    if gaps:
        images[4, 2, 1] = images[10, 3, 2] = np.nan
    names, ids = [f"v{row}" for row in range(14)], [str(column) for column in range(20)]
    matrix = ScoreMatrix.from_images("m", images, names, ids)
    split = Split("s", np.arange(7), np.arange(7, 14))
    chosen = Selection(rng.permutation(20)[:6], rng.random(6) + 0.5)
    found = Judge(matrix, ImageUse((0,), (1, 2)))(split, chosen)
    full = np.nanmean(images, axis=2).mean(axis=1)
    weights = chosen.weights / chosen.weights.sum()
    other = np.nanmean(images[:, :, 1:], axis=2)[:, chosen.indices] @ weights
    seen = images[:, chosen.indices, 0] @ weights
    expected = kendalltau(other[7:], full[7:]).statistic
    assert found.held_out_tau == pytest.approx(expected)
    expected = kendalltau(seen[:7], images[:7, :, 0].mean(axis=1)).statistic
    assert found.search_tau == pytest.approx(expected)
    slope, intercept = np.polyfit(seen[:7], full[:7], 1)
    error = np.abs(intercept + slope * other[7:] - full[7:]).mean() / full[7:].std()
    assert found.full_score_error == pytest.approx(error, rel=1e-4)
    assert found.held_out_weighted_tau == pytest.approx(weightedtau(other[7:], full[7:]).statistic)


def test_all_images_are_judged_as_ever():
    images = np.random.default_rng(0).normal(size=(8, 20, 2))
    names, ids = [f"v{row}" for row in range(8)], [str(column) for column in range(20)]
    matrix = ScoreMatrix.from_images("m", images, names, ids)
    split, chosen = Split("s", np.arange(4), np.arange(4, 8)), Selection(np.arange(3))
    assert Judge(matrix)(split, chosen) == Judge(_matrix(matrix.values))(split, chosen)
