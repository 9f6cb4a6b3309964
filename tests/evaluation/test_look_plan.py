"""Looks at more prompts or more images: which pays, and how often equal models are told apart."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.evaluation.look_plan import LookAt, LooksByCost, as_looks, plan_looks
from flasheval.evaluation.monitor import CheckpointMonitor
from flasheval.evaluation.report import MetricScores, Report
from flasheval.evaluation.sequential import compare_in_looks, spent_errors
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import PrefixCalibration, Record
from flasheval.subset.predictor import MetricCalibration, Predictor
from flasheval.subset.two_stage import Components

SIZES, MOST = (24, 48), 3
# Random prompts and slope 1: the paired standard error is the error of the predicted difference.
PART = MetricCalibration(
    True, 0.0, 1.0, 0.0, 1.0, -99.0, 99.0, Predictor({"clip": 1.0}, 0.2, by_error=1.0)
)
CALIBRATION = Calibration({"clip": PART}, dof=20, difference_dof=23, folds=8)
WHOLE = Subset.choose(
    PromptSet("made", tuple(f"p{i}" for i in range(48)), tuple(f"thing {i}" for i in range(48))),
    range(48),
    name="made-48",
    metrics=(MetricInfo("clip"),),
    method=Method("random"),
    with_texts=True,
    record=Record(calibration=CALIBRATION, looks=(PrefixCalibration(24, CALIBRATION),)),
)
PARTS = {48: WHOLE, 24: WHOLE.prefix(24)}


def source(scores: np.ndarray, seen: list[tuple[int, int]] | None = None) -> Any:
    def report(size: int, images: int) -> Report:
        if seen is not None:
            seen.append((size, images))
        part = MetricScores.from_images("1", True, scores[:size, :images].tolist())
        return Report(PARTS[size], 0, {"clip": part}, images_per_prompt=images)

    return report


def drawn(rng: np.random.Generator, between: float, within: float) -> np.ndarray:
    gaps = rng.normal(0, math.sqrt(between), 48)[:, None]
    return gaps + rng.normal(0, math.sqrt(within), (48, MOST))


@pytest.mark.parametrize(
    "looks",
    [
        plan_looks(SIZES, MOST, Components(1.0, 4.0)),
        LooksByCost(SIZES, MOST),
    ],
)
def test_equal_models_are_told_apart_no_more_often_than_allowed(looks: Any) -> None:
    rng, decided, runs = np.random.default_rng(7), 0, 300
    nothing = source(np.zeros((48, MOST)))
    for run in range(runs):
        within = (0.2, 4.0)[run % 2]  # so that the looks chosen by cost are not always the same
        first = source(drawn(rng, 1.0, within))
        found = compare_in_looks(first, nothing, looks, metric="clip", error=0.1)
        decided += found.better is not None
        assert sum(look.error for look in found.looks) <= 0.1 + 1e-12
    # 0.1 and three standard deviations of the count, and not for want of deciding at all.
    assert 0.02 < decided / runs < 0.1 + 3 * math.sqrt(0.1 * 0.9 / runs)


def test_different_models_are_told_apart_sooner_than_at_the_end() -> None:
    rng, made = np.random.default_rng(8), []
    nothing = source(np.zeros((48, MOST)))
    for _ in range(40):
        first = source(1.5 + drawn(rng, 1.0, 4.0))
        found = compare_in_looks(first, nothing, LooksByCost(SIZES, MOST), metric="clip")
        assert found.better == "first"
        made.append(found.size * (found.looks[-1].images or 1))
    assert np.mean(made) < 48 * MOST * 0.6


def test_where_the_next_look_is_does_not_depend_on_the_difference() -> None:
    rng = np.random.default_rng(9)
    for within in (0.2, 4.0):
        scores, paths = drawn(rng, 1.0, within), []
        for shift in (0.0, 0.01, -0.02):  # none is decided
            seen: list[tuple[int, int]] = []
            centred = scores - scores[:24].mean() + shift
            compare_in_looks(
                source(centred, seen),
                source(np.zeros((48, MOST))),
                LooksByCost(SIZES, MOST),
                metric="clip",
                error=1e-9,
            )
            paths.append(seen)
        assert paths[0] == paths[1] == paths[2]
        assert paths[0][-1] == (48, MOST)


def test_noisy_images_are_looked_at_first_and_unlike_prompts_otherwise() -> None:
    noisy = plan_looks((10, 50), 3, Components(0.01, 1.0))
    assert noisy == ((10, 1), (10, 2), (10, 3), (50, 3))
    unlike = plan_looks((10, 50), 3, Components(10.0, 1.0))
    assert unlike[:2] == ((10, 1), (50, 1))
    dear = plan_looks((10, 50), 3, Components(10.0, 1.0), prompt_seconds=1000.0)
    assert dear[:2] == ((10, 1), (10, 2))
    plan = LooksByCost((10, 20), 2)
    assert plan.after(LookAt(10, 1), None) == LookAt(20, 1)
    assert plan.after(LookAt(20, 2), Components(1.0, 1.0)) is None


def test_a_step_is_the_one_that_takes_most_off_for_a_second() -> None:
    rng = np.random.default_rng(10)
    for _ in range(50):
        components = Components(*rng.uniform(0, 2, 2))
        plan = LooksByCost((5, 9, 30), 4, 2.0, float(rng.uniform(0, 9)))
        for now, then in pairwise(plan_looks((5, 9, 30), 4, components, prompt_seconds=0.0)):
            assert then.made > now.made
        best = plan.after(LookAt(9, 2), components)
        gains = {}
        for n, m in ((30, 2), (9, 3)):
            seconds = 2 * (n * m - 18) + plan.prompt_seconds * (n - 9)
            off = components.error(9, 2) ** 2 - components.error(n, m) ** 2
            gains[n, m] = off / seconds
        assert best == max(gains, key=lambda one: gains[one])


def test_looks_are_read_in_any_form() -> None:
    assert as_looks([10, 20]) == ((10, None), (20, None))
    assert as_looks(["10x1", "10x4", "50x4"]) == ((10, 1), (10, 4), (50, 4))
    assert as_looks([(10, 1), [10, 2]]) == ((10, 1), (10, 2))
    assert spent_errors([(10, 1), (10, 4), (50, 4)], 0.1) == pytest.approx((0.005, 0.015, 0.08))
    for wrong in (["10x2", "10x1"], [(10, 1), 20], [], [(10, 1), (10, 1)], [0]):
        with pytest.raises(SettingError, match="expected ascending numbers of prompts"):
            as_looks(wrong)
    for odd in (["ten"], ["10x"], [(10, 1, 1)], [(10, 0)]):
        with pytest.raises(SettingError, match="or of prompts x images, as 10x4"):
            as_looks(odd)


def test_what_a_source_gives_is_checked() -> None:
    rows = np.zeros((48, MOST))
    with pytest.raises(DataError, match="a look at 24 prompts x 2 images was given reports of 24"):
        compare_in_looks(
            lambda n, m: source(rows)(n, 1),
            lambda n, m: source(rows)(n, 1),
            [(24, 2)],
            metric="clip",
        )
    with pytest.raises(SettingError, match="image_seconds=0"):
        LooksByCost((10,), 2, image_seconds=0)
    with pytest.raises(SettingError, match="images=0"):
        LooksByCost((10,), 0)


def test_a_view_names_prompts_and_images() -> None:
    rng = np.random.default_rng(8)
    found = compare_in_looks(
        source(3 + drawn(rng, 1.0, 1.0)), source(np.zeros((48, MOST))), ["24x2"], metric="clip"
    )
    text = str(found)
    assert "Decided after 24 prompts x 2 images: " in text
    assert "24 x 2" in text


def test_the_monitor_makes_more_images_or_prompts_by_what_they_cost() -> None:
    made: list[int] = []

    def paint(level: float) -> Any:
        def draw(prompts: list[str], seeds: list[int]) -> list[Any]:
            made.append(len(prompts))
            rng = [np.random.default_rng(seed) for seed in seeds]
            return [np.full((2, 2, 3), level + 0.02 * one.random()) for one in rng]

        return draw

    def clip(images: list[Any], prompts: list[str]) -> list[float]:
        return [image.getpixel((0, 0))[0] / 255 for image in images]

    monitor = CheckpointMonitor(WHOLE, [clip], looks="cost", images_per_prompt=MOST)
    assert monitor.step(paint(0.7), 1).verdict == "first"
    assert sum(made) == 48 * MOST
    made.clear()
    seen = monitor.step(paint(0.3), 2)
    assert (seen.verdict, seen.size, sum(made)) == ("worse", 24, 48)
    made.clear()
    assert monitor.step(paint(0.9), 3).verdict == "better"
    assert sum(made) == 48 * MOST
    with pytest.raises(SettingError, match="looks=price: expected numbers of prompts, or"):
        CheckpointMonitor(WHOLE, [clip], looks="price")  # type: ignore[arg-type]
