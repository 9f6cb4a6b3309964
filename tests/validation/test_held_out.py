import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from flasheval.ranking.significant import significant_pairs
from flasheval.scores import ScoreTable
from flasheval.scores.matrix import ScoreMatrix
from flasheval.selectors.registry import METHODS, make_selector
from flasheval.selectors.selector import Selection
from flasheval.validation.held_out import judge, subset_means
from flasheval.validation.measure import measure
from flasheval.validation.splits import Split

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


def _judged(scores, split, selection):
    target = scores.mean(axis=1, dtype=np.float64)
    return judge("m", scores, target, significant_pairs(scores), split, selection)


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
        self.prepare, self.start, self.step = inner.prepare, inner.start, inner.step

    def best(self, work, state):
        self.found.append(self.inner.best(work, state))
        return self.found[-1]


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1000))
def test_nothing_of_the_held_out_variants_leaks_into_the_search(make_table, method, seed):
    table = make_table(12, 40, metrics=("a", "b"), seed=seed % 7)
    rng = np.random.default_rng(seed)
    order = rng.permutation(12)
    split = Split("s", np.sort(order[:6]), np.sort(order[6:]))
    values = {metric: table[metric].values.copy() for metric in table.metrics}
    changed = {metric: block.copy() for metric, block in values.items()}
    for block in changed.values():
        block[split.held_out] = rng.normal(size=(6, 40))
    watched = Watched(make_selector(method, QUICK.get(method)))
    first = measure(table, watched, [6], [split], draws=3)
    second = measure(_with_values(table, changed), watched, [6], [split], draws=3)
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
def test_the_search_variants_do_count(make_table, method):
    table = make_table(12, 40, metrics=("a", "b"))
    split = Split("s", np.arange(6), np.arange(6, 12))
    changed = {metric: table[metric].values.copy() for metric in table.metrics}
    rng = np.random.default_rng(1)
    for block in changed.values():
        block[:6] = rng.normal(size=(6, 40))
    watched = Watched(make_selector(method, QUICK.get(method)))
    for one in (table, _with_values(table, changed)):
        measure(one, watched, [6], [split], draws=3)
    there, back = watched.found
    assert set(there.indices.tolist()) != set(back.indices.tolist())
