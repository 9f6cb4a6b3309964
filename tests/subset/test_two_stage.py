"""Noise of prompts and images: estimates against brute force, and what calibrations know of it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.generators.seeds import ImageSeeds
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import PrefixCalibration, Record
from flasheval.subset.paired import paired_errors_of
from flasheval.subset.predictor import MetricCalibration, Predictor
from flasheval.subset.two_stage import (
    Components,
    components_of,
    fresh_loadings,
    image_noise,
    prompt_means,
)

PART = MetricCalibration(
    True, 0.0, 2.0, 0.0, 0.5, -9.0, 9.0, Predictor({"clip": 1.2}, 0.2, by_error=0.4, by_size=0.25)
)
CALIBRATION = Calibration({"clip": PART}, dof=8, difference_dof=8, folds=8)
WIDER = Calibration(
    {"clip": replace(PART, alone=replace(PART.alone, scale=0.5, by_error=0.9))},
    dof=8,
    difference_dof=8,
    folds=8,
    seeds="other",
)


def subset(n: int = 6, weights: object = None, **record: object) -> Subset:
    return Subset.choose(
        PromptSet("made", tuple(map(str, range(n)))),
        range(n),
        name="made-n",
        metrics=(MetricInfo("clip"),),
        method=Method("random"),
        weights=weights,  # type: ignore[arg-type]
        record=Record(**{"calibration": CALIBRATION, **record}),  # type: ignore[arg-type]
    )


def drawn(
    rng: np.random.Generator, n: int, images: tuple[int, int], *, shared: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Two models: between variance 0.5 of the difference, own noise 1 each, shared noise 2."""
    quality = rng.normal(0, 1, n)
    effect = rng.normal(0.3, math.sqrt(0.5), n)
    common = rng.normal(0, math.sqrt(2), (n, max(images)))
    scores = []
    for sign, count in zip((1, 0), images, strict=True):
        noise = common[:, :count] if shared else rng.normal(0, math.sqrt(2), (n, count))
        scores.append((quality + sign * effect)[:, None] + noise + rng.normal(0, 1, (n, count)))
    return scores[0], scores[1]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("images", [(1, 1), (4, 4), (2, 3)])
def test_the_variance_of_prompt_means_holds_both_levels(shared, images):
    rng, n = np.random.default_rng(0), 12
    values, squares, alone = [], [], []
    for _ in range(3000):
        first, second = drawn(rng, n, images, shared=shared)
        flat = {"clip": prompt_means(first)}, {"clip": prompt_means(second)}
        values.append(float(np.mean(flat[0]["clip"] - flat[1]["clip"])))
        squares.append(paired_errors_of(*flat, np.ones(n))["clip"] ** 2)
        noise = image_noise(first, second, paired=shared)
        if noise is not None:
            width = max(images)
            parts = [fresh_loadings(m, 1, "unknown", width) for m in images]
            alone.append(float(np.full(n, n**-2.0) @ noise.of(*parts)))
    assert np.var(values) == pytest.approx(np.mean(squares), rel=0.1)
    own = 1 / images[0] + 1 / images[1]
    common = 2 * own - (4 / max(images) if shared else 0)
    assert np.mean(squares) == pytest.approx((0.5 + own + common) / n, rel=0.05)
    if min(images) > 1:
        assert np.mean(alone) == pytest.approx((own + common) / n, rel=0.05)
    else:
        assert alone == []


@pytest.mark.parametrize(("shared", "within"), [(True, 2.0), (False, 6.0)])
def test_components_are_those_the_scores_were_drawn_with(shared, within):
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        first, second = drawn(rng, 60, (3, 3), shared=shared)
        found.append(components_of(first, second, paired=shared))
    assert np.mean([one.within for one in found]) == pytest.approx(within, rel=0.05)
    assert np.mean([one.between for one in found]) == pytest.approx(0.5, abs=0.12)


def test_components_by_an_analysis_of_variance():
    rng = np.random.default_rng(2)
    first, second = drawn(rng, 9, (4, 4), shared=True)
    gaps = first - second
    within = float(np.mean(gaps.var(axis=1, ddof=1)))
    between = float(gaps.mean(axis=1).var(ddof=1) - within / 4)
    found = components_of(first, second)
    assert found.within == pytest.approx(within)
    assert found.between == pytest.approx(max(0.0, between))
    holed = first.copy()
    holed[0, 3] = holed[1, 1:] = np.nan  # of prompt 1 one image is left, which knows no variance
    gaps = holed - second
    known = np.nanvar(gaps[[0, *range(2, 9)]], axis=1, ddof=1)
    again = components_of(holed, second)
    filled = np.insert(known, 1, known.mean())
    assert again.within == pytest.approx(filled.mean())
    counts = np.array([3, 1, *[4] * 7])
    spread = np.nanmean(gaps, axis=1).var(ddof=1)
    assert again.between == pytest.approx(max(0.0, spread - (filled / counts).mean()))


def test_what_cannot_be_told_is_none():
    assert components_of([[1.0], [2.0]], [[1.0], [1.0]]) is None
    assert components_of([[1.0, 2.0]], [[1.0, 1.0]]) is None
    nothing = np.full((3, 2), np.nan)
    assert components_of(nothing, nothing) is None
    assert image_noise([[1.0, np.nan], [2.0, np.nan]]) is None
    assert np.isnan(prompt_means(nothing)).all()
    with pytest.raises(DataError, match="between is -1; expected a variance"):
        Components(-1, 0)


def test_the_error_of_a_plan_is_cochrans():
    plan = Components(0.5, 2.0)
    assert plan.error(10, 4) == pytest.approx(math.sqrt(0.5 / 10 + 2 / 40))
    assert plan.error(10, 4, prompts_in_all=40) == pytest.approx(
        math.sqrt(0.5 / 10 * 0.75 + 2 / 40)
    )


def test_what_of_the_noise_is_new_is_at_right_angles_to_what_was_searched():
    for used, searched in ((1, 4), (4, 1), (2, 3), (3, 3)):
        part = fresh_loadings(used, searched, "search", 4)
        mean = np.where(np.arange(4) < searched, 1 / searched, 0.0)
        assert part @ mean == pytest.approx(0)
        common = min(used, searched)
        wanted = 1 / used - common**2 / (used**2 * searched)
        assert part @ part == pytest.approx(wanted)
    assert fresh_loadings(4, 2, "other", 4).tolist() == [0.0] * 4
    fewer = fresh_loadings(1, 4, "other", 4)
    assert fewer @ fewer == pytest.approx(1 - 1 / 4)


def test_a_calibration_for_other_seeds_is_taken_where_there_is_one():
    both = subset(other_seeds=WIDER, seeds=ImageSeeds(0))
    scores, other = {"clip": np.arange(6.0)}, {"clip": np.arange(6.0)[::-1] / 2}
    near, far = (both.predict(scores, seeds=kind)["clip"] for kind in ("search", "other"))
    assert far.high - far.low == pytest.approx(2.5 * (near.high - near.low))
    assert (near.warning, far.warning) == ("", "")
    near, far = (both.difference(scores, other, seeds=k)["clip"] for k in ("search", "other"))
    assert far.high - far.low == pytest.approx(1.5 * (near.high - near.low))
    assert "from images of other seeds than the search's, a new variant's" in str(both)
    assert both.calibrated_for("other") is WIDER


def test_without_one_the_interval_is_widened_by_the_noise_or_warned_of():
    bare = subset(weights=[1.0, 2, 1, 1, 1, 2], seeds=ImageSeeds(0))
    rng = np.random.default_rng(3)
    images = rng.normal(0, 1, (6, 3))
    shares = bare.weights / bare.weights.sum()
    flat = images.mean(axis=1)
    near = bare.predict({"clip": flat})["clip"]
    blind = bare.predict({"clip": flat}, seeds="other")["clip"]
    assert (blind.low, blind.high) == (near.low, near.high)
    assert "holds for the search's seeds only and is too narrow" in blind.warning
    wide = bare.predict({"clip": images}, seeds="other")["clip"]
    assert "is widened by the noise of these images" in wide.warning
    noise = shares**2 @ (images.var(axis=1, ddof=1) / 3)
    effect = (1.2 * 0.5) ** 2 * noise  # weight and slope, in the metric's unit
    quantile = (near.high - near.value) / (2.0 * PART.alone.score_scale((near.value) / 2.0))
    scale = math.hypot((near.high - near.value) / quantile, math.sqrt(effect))
    assert wide.high - wide.value == pytest.approx(quantile * scale)


def test_a_differences_new_noise_counts_in_full():
    bare = subset(seeds=ImageSeeds(0), images_searched=3)
    rng = np.random.default_rng(4)
    a, b = rng.normal(0, 1, (6, 3)), rng.normal(0, 1, (6, 3))
    first, second = {"clip": a}, {"clip": b}
    usual = bare.difference(first, second)["clip"]
    error = paired_errors_of({"clip": a.mean(1)}, {"clip": b.mean(1)}, np.ones(6))["clip"]
    reach = usual.high - usual.value
    quantile = reach / (math.sqrt(0.4) * error)
    assert usual.warning == ""

    other = bare.difference(first, second, seeds="other")["clip"]
    noise = float(np.mean((a - b).var(axis=1, ddof=1))) / 18
    scale = math.sqrt(0.4 * (error**2 - noise) + 0.6**2 * noise)
    assert other.high - other.value == pytest.approx(quantile * max(scale, math.sqrt(0.4) * error))
    # With slope 1 and weight 1 the noise counts in full.
    plain = replace(PART, slope=1.0, alone=replace(PART.alone, weights={"clip": 1.0}))
    full = subset(calibration=replace(CALIBRATION, metrics={"clip": plain}), images_searched=3)
    found = full.difference(first, second, seeds="other")["clip"]
    scale = math.sqrt(0.4 * (error**2 - noise) + noise)
    assert found.high - found.value == pytest.approx(quantile * scale)

    # One image each: as much noise as the paired error can hold.
    ones = {"clip": a[:, :1]}, {"clip": b[:, :1]}
    found = full.difference(*ones, seeds="other")["clip"]
    error = paired_errors_of({"clip": a[:, 0]}, {"clip": b[:, 0]}, np.ones(6))["clip"]
    assert found.high - found.value == pytest.approx(quantile * error)
    # On the search's seeds, two of three searched images do not bear one alone.
    found = full.difference(*ones)["clip"]
    scale = math.sqrt(0.4 * error**2 / 3 + error**2 * 2 / 3)
    assert found.high - found.value == pytest.approx(quantile * scale)


def test_images_that_do_not_pair_have_more_noise():
    plain = replace(PART, slope=1.0, alone=replace(PART.alone, weights={"clip": 1.0}))
    full = subset(calibration=replace(CALIBRATION, metrics={"clip": plain}))
    rng = np.random.default_rng(5)
    common = rng.normal(0, 3, (6, 2))
    first, second = ({"clip": common + rng.normal(0, 0.1, (6, 2))} for _ in range(2))
    pair, apart = (
        full.difference(first, second, seeds="other", paired=paired)["clip"]
        for paired in (True, False)
    )
    assert apart.high - apart.low > 3 * (pair.high - pair.low)


def test_where_variants_had_seeds_of_their_own_nothing_is_new():
    own = subset(seeds=ImageSeeds(0, variant_seeds=True))
    scores = {"clip": np.arange(6.0)[:, None]}
    assert own.predict(scores, seeds="other") == own.predict(scores)


def test_a_prefix_has_its_own_calibration_for_other_seeds():
    looks = (PrefixCalibration(2, CALIBRATION, WIDER), PrefixCalibration(4, CALIBRATION))
    nested = subset(looks=looks, other_seeds=WIDER)
    assert nested.prefix(2).record.other_seeds is WIDER
    assert nested.prefix(4).record.other_seeds is None
    assert nested.prefix(3).calibrated_for("other") is None


def test_scores_of_images_of_another_shape_are_one_line():
    for wrong in ([[0.1, 0.2], [0.1]], np.zeros((3, 0)), np.zeros((3, 2, 2))):
        with pytest.raises(DataError, match=r"\[prompts, images\]"):
            prompt_means(wrong)
