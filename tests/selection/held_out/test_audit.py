import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, percentileofscore

from flasheval.base.errors import DataError, SettingError
from flasheval.selection.held_out.audit import audit_subset, full_rankings, percentile_among


def _rng(seed=0):
    return np.random.default_rng(seed)


def _fit(fits, metric, ranking):
    (found,) = [fit for fit in fits if (fit.metric, fit.ranking) == (metric, ranking)]
    return found


def test_a_fit_is_scipys_tau_and_percentile_of_the_same_random_subsets(make_table):
    table = make_table(15, 60, ("a", "b"), seed=3)
    prompts = [4, 9, 9, 30, 2]
    fits = audit_subset(table, prompts, draws=80, replace=True, rng=_rng(5))
    assert len(fits) == 4
    sets = _rng(5).integers(0, 60, (80, 5))
    for metric in ("a", "b"):
        scores = table[metric].values.astype(np.float64)
        for ranking in ("a", "b"):
            target = table[ranking].values.astype(np.float64).mean(axis=1)
            taus = [kendalltau(scores[:, s].mean(axis=1), target).statistic for s in sets]
            mine = kendalltau(scores[:, prompts].mean(axis=1), target).statistic
            fit = _fit(fits, metric, ranking)
            assert fit.tau == pytest.approx(mine)
            assert fit.random_tau == pytest.approx(np.mean(taus))
            expected = percentileofscore(np.round(taus, 9), round(mine, 9), kind="mean")
            assert fit.percentile == pytest.approx(expected)


def test_fits_come_best_first(make_table):
    fits = audit_subset(make_table(metrics=("a", "b", "c")), [0, 1], draws=5, rng=_rng())
    assert [fit.tau for fit in fits] == sorted((fit.tau for fit in fits), reverse=True)


def test_a_subset_fitted_to_a_swapped_label_is_found_out(make_table):
    table = make_table(20, 300, ("a", "b"), seed=1, noise=3.0)
    foreign = _rng(8).normal(size=20)  # a ranking from elsewhere
    sets = _rng(9).integers(0, 300, (4000, 6))
    means = table["b"].values.T[sets].mean(axis=1)
    chosen = sets[np.argmax([kendalltau(mean, foreign).statistic for mean in means])]
    rankings = {**full_rankings(table), "elsewhere": foreign}
    best, *others = audit_subset(
        table, chosen, rankings=rankings, draws=500, replace=True, rng=_rng()
    )
    assert (best.metric, best.ranking) == ("b", "elsewhere")
    assert best.percentile > 99.5
    assert all(fit.percentile < 99.5 for fit in others)


def test_a_repeated_prompt_counts_as_often_as_it_stands(make_table):
    table = make_table(12, 40, seed=2)
    target = {"alone": table["clip"].values[:, 3].astype(np.float64)}
    once = audit_subset(table, [3, 7], rankings=target, draws=3, rng=_rng())[0]
    many = audit_subset(table, [3] * 30 + [7], rankings=target, draws=3, rng=_rng())[0]
    assert many.tau > once.tau


def test_only_the_variants_asked_for_count(make_table):
    table = make_table(12, 40, seed=2)
    rows = [1, 4, 5, 8, 10]
    part = audit_subset(table, [0, 1, 2], variants=rows, draws=20, rng=_rng())
    whole = table.with_variants(rows)
    assert part == audit_subset(whole, [0, 1, 2], draws=20, rng=_rng())


def test_a_lower_is_better_metric_is_turned(make_table):
    up = make_table(12, 40, ("a",), seed=4)
    down = make_table(12, 40, ("a",), seed=4, lower_is_better=("a",))
    rankings = {"given": np.arange(12.0)}
    first = audit_subset(up, [1, 2, 3], rankings=rankings, draws=20, rng=_rng())
    assert first == audit_subset(down, [1, 2, 3], rankings=rankings, draws=20, rng=_rng())
    assert np.array_equal(full_rankings(up)["a"], full_rankings(down)["a"])


def test_a_constant_ranking_is_nan_and_last(make_table):
    table = make_table(6, 10)
    rankings = {"flat": np.ones(6), **full_rankings(table)}
    fits = audit_subset(table, [0, 1], rankings=rankings, draws=4, rng=_rng())
    assert [fit.ranking for fit in fits] == ["clip", "flat"]
    assert np.isnan([fits[1].tau, fits[1].percentile, fits[1].random_tau]).all()


def test_same_seed_same_numbers(make_table):
    table = make_table()
    one, two = (audit_subset(table, [1, 5], draws=30, rng=_rng(3)) for _ in range(2))
    assert one == two


def test_without_replacement_the_whole_set_ties_with_every_draw(make_table):
    (fit,) = audit_subset(make_table(8, 20), range(20), draws=9, rng=_rng())
    assert fit.tau == fit.random_tau == 1.0
    assert fit.percentile == 50.0


@given(value=st.integers(-3, 3), others=st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_a_percentile_is_scipys_and_turns_with_the_sign(value, others):
    array = np.asarray(others, dtype=np.float64)
    found = percentile_among(float(value), array)
    assert found == pytest.approx(percentileofscore(array, value, kind="mean"))
    assert found + percentile_among(-float(value), -array) == pytest.approx(100)


def test_a_percentile_among_nan_is_nan():
    assert np.isnan(percentile_among(np.nan, np.zeros(3)))
    assert np.isnan(percentile_among(0.0, np.array([0.0, np.nan])))


@pytest.mark.parametrize(
    ("prompts", "settings", "words"),
    [
        ([], {}, "at least one prompt position"),
        ([[1]], {}, "at least one prompt position"),
        ([0.5], {}, "at least one prompt position"),
        ([1, 40], {}, "prompt number 40"),
        ([-1], {}, "prompt number -1"),
        ([1], {"variants": [3]}, "at least two positions from 0 to 11"),
        ([1], {"variants": [0, 12]}, "at least two positions from 0 to 11"),
        ([1], {"rankings": {"short": [1.0, 2.0]}}, "ranking 'short' has shape"),
    ],
)
def test_what_does_not_fit_the_table_is_one_line(make_table, prompts, settings, words):
    with pytest.raises(DataError, match=words) as caught:
        audit_subset(make_table(12, 40), prompts, rng=_rng(), **settings)
    assert "\n" not in str(caught.value)


def test_too_few_draws_or_too_many_prompts(make_table):
    table = make_table(4, 3)
    with pytest.raises(SettingError, match="draws=0"):
        audit_subset(table, [1], draws=0, rng=_rng())
    with pytest.raises(SettingError, match="replace=True"):
        audit_subset(table, [0, 1, 2, 2], rng=_rng())
    assert audit_subset(table, [0, 1, 2, 2], replace=True, draws=3, rng=_rng())


def test_missing_scores_are_named(make_table):
    table = make_table(6, 30, missing=0.5, seed=1)
    with pytest.raises(DataError, match="metric 'clip' lacks scores"):
        audit_subset(table, range(30), draws=3, rng=_rng())
