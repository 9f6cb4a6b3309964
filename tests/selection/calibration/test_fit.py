"""Calibrations on made-up and on official scores: do they keep their word?"""

from dataclasses import replace

import numpy as np
import pytest

from flasheval.scores import ScoreMatrix, ScoreTable
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.calibration.cross_fit import cross_fit, image_folds
from flasheval.selection.calibration.fit import (
    _fold,
    _Scores,
    fit_calibration,
    predicting_matrices,
)
from flasheval.selection.calibration.folds import make_folds
from flasheval.selection.calibration.regression import cross_predictions, shrunken_weights
from flasheval.selection.calibration.scale import t_scale
from flasheval.selection.held_out.judge import subset_means
from flasheval.selection.held_out.splits import Split, make_splits
from flasheval.selection.methods.registry import make_selector
from flasheval.selection.methods.selector import Selection
from flasheval.selection.request import SearchRequest
from flasheval.subset.paired import paired_errors
from flasheval.subset.predictor import GROWTH


def _fitted(table, method="balanced", size=10, expect="similar", metrics=None):
    """Calibrate on all variants of a table; the subset and the calibration."""
    folds = make_folds(table, expect, None, 0)
    everyone = Split("all", np.arange(len(table)), np.arange(0))
    served = table.with_metrics(metrics or table.metrics)
    request = SearchRequest(served, make_selector(method), (size,))
    found = cross_fit(request, (everyone, *folds))
    matrices = list(table.matrices.values())
    return found[0], fit_calibration(matrices, found[0], folds, found[1:], expect=expect, group="g")


def _judged(table, splits, **settings):
    """Shares of held-out full scores and differences covered, and the means of their errors."""
    scores, pairs, errors, sd = [], [], [], []
    for split in splits:
        chosen, calibration = _fitted(table.with_variants(split.search), **settings)
        means = {name: subset_means(table[name].values, chosen) for name in table.metrics}
        metric = table.metrics[0]
        full = table[metric].full_means
        paired = paired_errors(table[metric].values[:, chosen.indices], chosen.weights)
        at = [
            {name: float(column[row]) for name, column in means.items()}
            for row in range(len(table))
        ]
        for row in split.held_out:
            found = calibration.predict(at[row])[metric]
            scores.append(found.low <= full[row] <= found.high)
            errors.append(abs(found.value - full[row]) / full.std())
        for i, j in zip(split.held_out[:-1], split.held_out[1:], strict=True):
            found = calibration.difference(at[i], at[j], {metric: paired[i, j]})[metric]
            pairs.append(found.low <= full[i] - full[j] <= found.high)
        sd.append(calibration.half_width(table.metrics)[metric])
    return np.mean(scores), np.mean(pairs), np.mean(errors), np.mean(sd)


def test_ninety_percent_intervals_cover_about_ninety_percent():
    table = synthetic_scores(n_variants=64, n_prompts=600, seed=5)
    splits = make_splits("random:4", table)
    for method in ("random", "balanced"):
        scores, pairs, error, half = _judged(table, splits, method=method)
        assert 0.82 <= scores <= 0.98, method
        assert 0.82 <= pairs <= 0.98, method
        assert half < 2.5 * error, method  # and not by being endlessly wide


def test_in_sample_errors_would_have_been_far_too_small():
    table = synthetic_scores(n_variants=40, n_prompts=1000)
    chosen, calibration = _fitted(table, size=20)
    part = calibration.metrics["quality"]
    means = subset_means(table["quality"].values, chosen)
    line = part.full_mean + part.slope * (means - part.subset_mean)
    in_sample = np.std(line - table["quality"].full_means) / part.full_sd
    assert in_sample < 0.5 * part.alone.scale


def test_numbers_by_hand():
    table = synthetic_scores(n_variants=24, n_prompts=200)
    chosen, calibration = _fitted(table, metrics=("quality",))
    part = calibration.metrics["quality"]
    full, means = table["quality"].full_means, subset_means(table["quality"].values, chosen)
    slope, intercept = np.polyfit(means, full, 1)
    assert part.slope == pytest.approx(slope)
    assert part.full_mean - part.slope * part.subset_mean == pytest.approx(intercept)
    assert part.full_sd == pytest.approx(full.std(ddof=1))
    assert (part.low, part.high) == (means.min(), means.max())
    assert (calibration.dof, calibration.difference_dof, calibration.folds) == (8, 8, 8)
    assert set(part.alone.weights) == {"quality"}
    assert set(part.joint.weights) == {"quality", "alignment"}
    assert set(calibration.metrics) == {"quality", "alignment"}  # searched on or not


@pytest.mark.parametrize("expect", ["similar", "new_family"])
def test_a_fold_s_line_is_through_its_search_variants_alone(make_table, expect):
    """What is predicted without a fold never saw the fold: its line neither."""
    table = make_table(12, 40, noise=2.0)
    folds = make_folds(table, expect, None, 0)
    rng = np.random.default_rng(1)
    searched = [Selection(np.sort(rng.permutation(40)[:4])) for _ in folds]
    everyone = Selection(np.arange(4))
    matrix = table["clip"]
    calibration = fit_calibration([matrix], everyone, folds, searched, expect=expect, group="g")
    part = calibration.metrics["clip"].alone

    full = matrix.values.mean(axis=1, dtype=np.float64)
    centre, spread = full.mean(), full.std(ddof=1)
    standard, wanted = [], []
    for fold, chosen in zip(folds, searched, strict=True):
        means = matrix.values[:, chosen.indices].mean(axis=1, dtype=np.float64)
        slope, intercept = np.polyfit(means[fold.search], full[fold.search], 1)
        standard.append((intercept + slope * means[fold.held_out] - centre) / spread)
        wanted.append((full[fold.held_out] - centre) / spread)
    predicted = cross_predictions([one[None] for one in standard], wanted, 0)
    shares = np.concatenate(
        [np.full(len(one), 1.0 if expect == "similar" else 1 / len(one)) for one in wanted]
    )
    values = np.concatenate(predicted)
    typical = np.sqrt(values**2 @ shares / shares.sum())
    assert part.typical_value == pytest.approx(typical)
    (weight,) = shrunken_weights(np.concatenate(standard)[None], np.concatenate(wanted), 0)
    assert part.weights == {"clip": pytest.approx(weight)}
    grown = 1 - GROWTH + GROWTH * (values / typical) ** 2
    squares = (np.concatenate(wanted) - values) ** 2 / grown
    squared = (
        t_scale(squares, shares, dof=min(8, 12 - 1))
        if expect == "similar"
        else squares @ shares / shares.sum()
    )
    assert part.scale == pytest.approx(np.sqrt(squared))


def test_variants_held_out_move_no_line():
    """Moving a fold's own variants moves the others' predictions, never the fold's own line."""
    search, out = np.arange(6), np.arange(6, 9)
    values = np.random.default_rng(0).normal(size=(9, 20)).astype(np.float32)
    changed = values.copy()
    changed[out, :2] += 50.0  # far off the line, in the chosen prompts alone
    chosen = Selection(np.arange(2))

    def fold_of(scores, selection):
        full = values.mean(axis=1, dtype=np.float64)[None]  # as before, in both cases
        fold = Split("f", search, out)
        of = _Scores(scores, scores, scores)
        return _fold([of], full, full.std(axis=1, ddof=1), fold, selection)

    full = values.mean(axis=1, dtype=np.float64)
    for scores in (values, changed):
        means = scores[:, :2].mean(axis=1, dtype=np.float64)
        slope, intercept = np.polyfit(means[search], full[search], 1)
        expected = (intercept + slope * means[out] - full.mean()) / full.std(ddof=1)
        np.testing.assert_allclose(fold_of(scores, chosen).standard[0], expected)


def test_a_line_is_of_the_images_searched_and_read_off_at_the_others():
    rng = np.random.default_rng(0)
    line, new = rng.normal(size=(2, 9, 20)).astype(np.float32)
    search, out, chosen = np.arange(6), np.arange(6, 9), Selection(np.arange(3))
    full = line.mean(axis=1, dtype=np.float64) + 0.1
    spread = full.std(ddof=1)
    fold = Split("f", search, out)
    found = _fold([_Scores(line, line, new)], full[None], np.array([spread]), fold, chosen)
    slope, intercept = np.polyfit(line[search, :3].mean(axis=1), full[search], 1)
    expected = (intercept + slope * new[out, :3].mean(axis=1) - full.mean()) / spread
    np.testing.assert_allclose(found.standard[0], expected, rtol=1e-5)
    np.testing.assert_allclose(found.errors[0], paired_errors(new[out, :3], None) / spread)


def test_new_families_get_wider_intervals_and_fewer_degrees_of_freedom():
    table = synthetic_scores(n_variants=48, n_prompts=600)
    _, similar = _fitted(table)
    _, family = _fitted(table, expect="new_family")
    assert (family.dof, family.difference_dof, family.folds) == (7, 7, 8)
    assert (family.expect, family.group) == ("new_family", "g")
    assert similar.group is None
    assert family.summary(["quality"]).startswith("a new g's")


def test_few_variants_have_fewer_degrees_of_freedom():
    _, calibration = _fitted(synthetic_scores(n_variants=8, n_prompts=100))
    assert (calibration.folds, calibration.dof, calibration.difference_dof) == (4, 7, 4)


def test_the_direction_is_kept_and_turning_it_changes_no_error(make_table):
    up, down = make_table(16, 80, seed=1), make_table(16, 80, seed=1, lower_is_better=["clip"])
    (_, one), (_, other) = _fitted(up), _fitted(down)
    assert not other.metrics["clip"].higher_is_better
    assert one.metrics["clip"].alone.scale == pytest.approx(other.metrics["clip"].alone.scale)
    assert one.metrics["clip"].slope == pytest.approx(other.metrics["clip"].slope)


def test_a_unit_of_measurement_changes_nothing_but_the_unit(make_table):
    table = make_table(16, 80, ("clip", "hps"))
    scaled = replace(
        table,
        matrices={
            **table.matrices,
            "clip": replace(table["clip"], values=table["clip"].values * 4.0),
        },
    )
    (chosen, one), (_, other) = _fitted(table, "random"), _fitted(scaled, "random")
    means = {m: float(subset_means(table[m].values, chosen)[3]) for m in table.metrics}
    here = one.predict(means)["clip"]
    there = other.predict({**means, "clip": means["clip"] * 4.0})["clip"]
    assert there.value == pytest.approx(4.0 * here.value)
    assert there.high - there.low == pytest.approx(4.0 * (here.high - here.low))


def test_a_metric_in_which_all_tie_is_left_out(make_table):
    table = make_table(12, 40, ("clip", "flat"))
    flat = replace(table["flat"], values=np.ones((12, 40), dtype=np.float32))
    table = replace(table, matrices={"clip": table["clip"], "flat": flat})
    _, calibration = _fitted(table, metrics=("clip",))
    assert set(calibration.metrics) == {"clip"}
    assert calibration.metrics["clip"].joint is None
    only = [flat]
    folds = make_folds(table, "similar", None, 0)
    chosen = Selection(np.arange(3))
    assert fit_calibration(only, chosen, folds, [chosen] * len(folds)) is None


def test_a_single_prompt_still_predicts(make_table):
    _, calibration = _fitted(make_table(12, 40), size=1)
    part = calibration.metrics["clip"]
    assert part.alone.by_error is None
    assert part.alone.by_size > 0


def test_other_metrics_help_to_predict_where_they_are_complete(make_table):
    given = make_table(12, 30, ("clip", "hps", "holes"))
    values = given["holes"].values.copy()
    values[4, 2] = np.nan
    holes = replace(given["holes"], values=values)
    given = replace(given, matrices={**given.matrices, "holes": holes})
    served = given.with_metrics(["clip"]).with_variants(list(range(10)))
    found = predicting_matrices(given, served)
    assert [m.metric for m in found] == ["clip", "hps"]
    assert found[1].variants == served.variant_names
    fewer = given.with_metrics(["clip"]).with_variants([0, 1, 2, 3, 5])
    assert [m.metric for m in predicting_matrices(given, fewer)] == ["clip", "hps", "holes"]


@pytest.mark.slow
def test_official_scores_are_predicted_as_promised(diffusiondb_table: ScoreTable):
    table = diffusiondb_table.with_metrics(["CLIP", "ImageReward", "Aesthetic"])
    splits = make_splits("random:4@40", table)
    scores, pairs, error, _ = _judged(table, splits, size=50, metrics=("CLIP",))
    assert 0.83 <= scores <= 0.98
    assert 0.83 <= pairs <= 0.98
    assert error < 0.25


def test_matrices_stay_as_they_were(make_table):
    table = make_table(12, 40)
    before = table["clip"].values.copy()
    _fitted(table)
    assert isinstance(table["clip"], ScoreMatrix)
    np.testing.assert_array_equal(table["clip"].values, before)


def _on_other_seeds(seed, method, size, images_per_prompt):
    """Shares of new variants' full scores, and of differences, covered on other seeds."""
    whole = synthetic_scores(72, 300, seed, images=4)
    order = np.random.default_rng(seed).permutation(72)
    known, new = np.sort(order[:40]), order[40:]
    matrix = whole["quality"]
    names = [matrix.variants[row] for row in known]
    scores = ScoreMatrix.from_images("q", matrix.images[known][:, :, :2], names, matrix.prompt_ids)
    table = ScoreTable(whole.prompts, [whole.variants[row] for row in known], {"q": scores})
    folds = make_folds(table, "similar", None, 0)
    everyone = Split("all", np.arange(40), np.arange(0))
    request = SearchRequest(
        table, make_selector(method), (size,), images_per_prompt=images_per_prompt
    )
    elsewhere = image_folds(folds, table, images_per_prompt)
    (chosen, *found) = cross_fit(request, (everyone, *folds, *elsewhere))
    same = fit_calibration([scores], chosen, folds, found[: len(folds)])
    other = fit_calibration(
        [scores], chosen, elsewhere, found[len(folds) :], images=elsewhere[0].images
    )
    assert (same.seeds, other.seeds) == ("search", "other")
    covered = {}
    full = {"search": matrix.images[:, :, :2].mean(axis=(1, 2)), "other": matrix.full_means}
    used = {"search": [0, 1], "other": [2, 3][: images_per_prompt or 2]}
    for name, calibration in (("search", same), ("other", other)):
        images = matrix.images[:, :, used[name]].mean(axis=2)
        means = subset_means(images, chosen)
        paired = paired_errors(images[np.ix_(new, chosen.indices)], chosen.weights)
        predicted = [calibration.predict({"q": float(means[row])})["q"] for row in new]
        scores = [p.low <= full[name][row] <= p.high for p, row in zip(predicted, new, strict=True)]
        pairs = []
        for i in range(len(new) - 1):
            one, other_one = ({"q": float(means[row])} for row in new[i : i + 2])
            found = calibration.difference(one, other_one, {"q": float(paired[i, i + 1])})["q"]
            pairs.append(found.low <= full[name][new[i]] - full[name][new[i + 1]] <= found.high)
        covered[name] = np.mean(scores), np.mean(pairs)
    return covered


@pytest.mark.parametrize(
    ("method", "images", "most"), [("random", None, 0.94), ("balanced", None, 0.97)]
)
def test_both_calibrations_cover_about_ninety_percent_on_their_own_seeds(method, images, most):
    """Of a searched set a little more on other seeds: the folds' searches see half the images."""
    found = [_on_other_seeds(seed, method, 20, images) for seed in range(12)]
    for name in ("search", "other"):
        scores, pairs = np.mean([one[name] for one in found], axis=0)
        assert 0.86 <= scores <= most
        assert 0.82 <= pairs <= most


def test_seeds_that_do_not_come_again_are_in_the_errors():
    """Where families share what a seed does, the search cancels it, and will not on other seeds."""
    rng = np.random.default_rng(0)
    quality = rng.normal(size=40)
    family = rng.normal(size=(5, 150, 2))[np.arange(40) % 5]
    scores = quality[:, None, None] + 4 * family + 0.5 * rng.normal(size=(40, 150, 2))
    names = [f"v{row}" for row in range(40)]
    table = ScoreTable.from_arrays(scores, variants=names, prompts=range(150))
    matrix, folds = table["score"], make_folds(table, "similar", None, 0)
    elsewhere = image_folds(folds, table, None)
    request = SearchRequest(table, make_selector("balanced"), (15,))
    everyone = Split("all", np.arange(40), np.arange(0))
    (chosen, *found) = cross_fit(request, (everyone, *folds, *elsewhere))
    same = fit_calibration([matrix], chosen, folds, found[:8])
    other = fit_calibration([matrix], chosen, elsewhere, found[8:], images=elsewhere[0].images)
    widths = [one.half_width(["score"])["score"] for one in (same, other)]
    assert widths[1] > 3 * widths[0]


def test_metrics_without_the_images_and_folds_without_variants_are_left_out():
    scores = np.random.default_rng(0).normal(size=(12, 30, 2))
    scores[0, 3, 1] = np.nan
    both = {"a": scores, "b": scores[:, :, 0]}
    table = ScoreTable.from_arrays(both, variants=[f"v{i}" for i in range(12)], prompts=range(30))
    assert image_folds(make_folds(table, "similar", None, 0), table, None) == ()
    folds = [Split("a", np.arange(1, 12), np.arange(1)), *make_folds(table, "similar", None, 0)]
    alone = table.with_metrics(["a"])
    found = image_folds(folds, alone, None)
    assert [fold.name for fold in found] == [f"fold {i}+seeds" for i in range(1, 7)]
    chosen = Selection(np.arange(5))
    calibration = fit_calibration(
        list(table.matrices.values()), chosen, found, [chosen] * 6, images=found[0].images
    )
    assert list(calibration.metrics) == ["a"]
