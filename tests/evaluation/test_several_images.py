"""Several images of each prompt: their seeds, their scores, and what is kept of them."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flasheval.base.errors import DataError, SettingError
from flasheval.evaluation.evaluate import evaluate
from flasheval.evaluation.monitor import CheckpointMonitor
from flasheval.evaluation.report import MetricScores, Report
from flasheval.evaluation.trackers.json_lines import JsonLines
from flasheval.evaluation.trackers.pictures import picture_grid, pictures
from flasheval.evaluation.watching.watch import watch
from flasheval.generators.image_folder import ImageFolderSettings
from flasheval.generators.images import ImageFault
from flasheval.generators.seeds import ImageSeeds, image_seed
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import Record
from flasheval.subset.image_plan import other_run_seed
from flasheval.subset.predictor import MetricCalibration, Predictor

PETS = PromptSet("pets", tuple("abcd"), tuple(f"a pet called {name}" for name in "abcd"))
PART = MetricCalibration(
    True, 100.0, 40.0, 100.0, 1.0, 0.0, 255.0, Predictor({"light": 1.0}, 0.2, by_error=0.4)
)
CALIBRATION = Calibration({"light": PART}, dof=8, difference_dof=8, folds=8)


def pets(count: int = 4, **record: Any) -> Subset:
    return Subset.choose(
        PETS,
        range(count),
        name="some-pets",
        metrics=(MetricInfo("light"),),
        method=Method("random"),
        with_texts=True,
        record=Record(**record),
    )


@dataclass
class Painter:
    """Paints a grey that follows from the seed, and keeps count."""

    asked: list[list[str]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)

    def __call__(self, prompts: list[str], seeds: list[int]) -> list[Any]:
        self.asked.append(prompts)
        self.seeds += seeds
        return [np.full((4, 4, 3), 1 + seed % 250, np.uint8) for seed in seeds]


def light(images: list[Any], prompts: list[str]) -> list[float]:
    return [float(image.getpixel((0, 0))[0]) for image in images]


def grey(prompt: str, image: int, seed: int = 0) -> float:
    return float(1 + image_seed(seed, prompt, image) % 250)


def test_images_of_one_prompt_are_neighbours_and_each_has_its_seed() -> None:
    painter = Painter()
    report = evaluate(painter, pets(2), [light], images_per_prompt=3, batch=6, seed=5)
    a, b = PETS.texts[:2]  # type: ignore[index]
    assert painter.asked == [[a, a, a, b, b, b]]
    wanted = tuple(tuple(grey(name, k, 5) for k in range(3)) for name in "ab")
    part = report.metrics["light"]
    assert part.images == wanted
    assert part.scores == pytest.approx([np.mean(row) for row in wanted])
    assert (report.images_per_prompt, report.seed, report.seeds) == (3, 5, "search")
    assert report.means["light"] == pytest.approx(np.mean(wanted))
    assert "2 prompts of some-pets, 3 images a prompt, seed 5" in str(report)
    saved = json.loads(json.dumps(report.to_dict()))
    assert Report.from_dict(saved) == report


def test_one_image_says_nothing_of_images() -> None:
    report = evaluate(Painter(), pets(2), [light], images_per_prompt=1)
    told = report.to_dict()
    assert not {"images_per_prompt", "seeds", "variant_seeds"} & set(told)
    assert set(told["metrics"]["light"]) == {"version", "higher_is_better", "scores"}
    assert report.metrics["light"].scores == (grey("a", 0), grey("b", 0))


def test_the_record_says_which_images() -> None:
    searched = pets(2, seeds=ImageSeeds(7), images_searched=2, calibration=CALIBRATION)
    report = evaluate(Painter(), searched, [light])
    assert report.metrics["light"].images[0] == (grey("a", 0, 7), grey("a", 1, 7))
    assert report.seeds_line == ""
    used = replace(searched, record=replace(searched.record, images_per_prompt=4))
    assert evaluate(Painter(), used, [light]).images_per_prompt == 4

    for asked in ({"seed": 8}, {"seeds": "other"}):
        other = evaluate(Painter(), searched, [light], **asked)  # type: ignore[arg-type]
        assert other.seeds == "other"
        assert other.seed == asked.get("seed", other_run_seed(7))
        said = " ".join(str(other).split())
        assert f"images made with run seed {other.seed}, not the search's 7" in said
        assert "the interval holds for the search's seeds only and is widened by" in said
        assert Report.from_dict(other.to_dict()) == other
    with pytest.raises(SettingError, match="seeds=other with seed=7"):
        evaluate(Painter(), searched, [light], seeds="other", seed=7)


def test_where_each_variant_has_seeds_of_its_own_the_name_counts() -> None:
    own = pets(2, seeds=ImageSeeds(7, variant_seeds=True))
    seeds = ImageSeeds(7, variant_seeds=True)
    for more, label in (({"name": "mine"}, "mine"), ({"step": 20}, "step 20")):
        painter = Painter()
        report = evaluate(painter, own, [light], images_per_prompt=2, **more)  # type: ignore[arg-type]
        assert painter.seeds == [seeds.of(name, k, label) for name in "ab" for k in (0, 1)]
        assert report.variant_seeds
        again = evaluate(painter, own, [light], images_per_prompt=2, known=report, **more)  # type: ignore[arg-type]
        assert len(painter.seeds) == 4
        assert again.metrics == report.metrics
        with pytest.raises(DataError, match="another seed"):
            evaluate(painter, own, [light], known=report, name="another")
    with pytest.raises(SettingError, match="name is missing: the subset was searched on images"):
        evaluate(Painter(), own, [light])


def test_more_images_of_more_prompts_make_only_the_new_ones() -> None:
    painter = Painter()
    first = evaluate(painter, pets(2), [light], images=True)
    painter.seeds.clear()
    more = evaluate(painter, pets(3), [light], images_per_prompt=4, known=first, images=True)
    old, new = [("a", 0), ("b", 0)], [("c", 0)]
    new += [(name, k) for name in "abc" for k in (1, 2, 3)]
    assert sorted(painter.seeds) == sorted(image_seed(0, *one) for one in new)
    fresh = evaluate(Painter(), pets(3), [light], images_per_prompt=4)
    assert more.metrics == fresh.metrics
    pixels = [one.getpixel((0, 0))[0] for one in more.images]  # type: ignore[attr-defined]
    assert pixels == [grey(name, k) for name in "abc" for k in range(4)]
    assert old[0][0] == "a"

    painter.seeds.clear()
    fewer = evaluate(painter, pets(2), [light], images_per_prompt=2, known=more)
    assert painter.seeds == []
    assert fewer.metrics["light"] == fresh.metrics["light"].first(2, 2)
    assert more.prefix(2, 2).metrics == fewer.metrics


def test_a_fault_names_the_prompt_and_the_image() -> None:
    lost = {image_seed(0, "b", 1), *(image_seed(0, "c", k) for k in range(3))}

    def torn(prompts: list[str], seeds: list[int]) -> list[Any]:
        made = Painter()(prompts, seeds)
        return [None if s in lost else one for s, one in zip(seeds, made, strict=True)]

    report = evaluate(torn, pets(3), [light], images_per_prompt=3, images=True)
    part = report.metrics["light"]
    assert report.faults == {
        "b": "image 1: no image",
        "c": "image 0: no image; image 1: no image; image 2: no image",
    }
    assert part.images[1] == (grey("b", 0), None, grey("b", 2))
    assert part.scores[1] == pytest.approx((grey("b", 0) + grey("b", 2)) / 2)
    assert (part.scores[2], part.missing, part.missing_images) == (None, 1, 1)
    assert report.images_of(1)[1] == ImageFault("no image")
    assert "1 of 9 images have no light score; their prompts' scores" in str(report)
    assert report.prefix(3, 1).faults == {"c": "no image"}
    assert report.prefix(2, 2).faults == {"b": "image 1: no image"}
    loaded = Report.from_dict(report.to_dict())
    more = evaluate(torn, pets(3), [light], images_per_prompt=4, known=loaded)
    assert more.faults == report.faults
    assert more.metrics["light"].images[1] == (*part.images[1], grey("b", 3))


@pytest.mark.parametrize("batch", [1, 7, 100])
def test_no_more_images_are_held_than_of_one_each(batch: int) -> None:
    held: list[int] = []

    class Counting:
        name, version, higher_is_better = "light", "1", True

        def score(self, images: list[Any], prompts: list[str]) -> Any:
            held.append(len(images))
            return np.array(light(images, prompts), np.float32)

    painter = Painter()
    evaluate(painter, pets(4), Counting(), images_per_prompt=40, batch=batch)
    assert max(held) <= max(64, batch)
    assert max(map(len, painter.asked)) <= batch
    assert sum(held) == 160


def test_of_a_folder_all_images_are_taken_unless_told_otherwise(tmp_path: Path) -> None:
    for name, grey in (("a_0", 10), ("a_1", 30), ("b_0", 50)):
        Image.new("L", (4, 4), grey).save(tmp_path / f"{name}.png")
    folder = ImageFolderSettings(str(tmp_path))
    for generator in (folder, folder.load("cpu")):
        report = evaluate(generator, pets(2, images_searched=4), [light])
        assert report.metrics["light"].images == ((10.0, 30.0), (50.0, None))
        assert report.metrics["light"].scores == (20.0, 50.0)
        assert "no image number 2 of the prompt" in report.faults["b"]
        one = evaluate(generator, pets(2), [light], images_per_prompt=1)
        assert (one.images_per_prompt, one.metrics["light"].scores) == (1, (10.0, 50.0))


@pytest.mark.parametrize(
    ("scores", "images", "words"),
    [
        ((0.5, 0.5), ((0.5, 0.5),), "2 images|of 1 prompts"),
        ((0.5,), ((0.5,),), "2 at least"),
        ((0.5, 0.5), ((0.5, 0.5), (0.5, 0.5, 0.5)), r"\[2, 3\] images"),
        ((0.5,), ((0.5, 0.6),), "a score is 0.5, but the mean of its images 0.55"),
        ((None,), ((0.5, 0.6),), "a score is None, but the mean"),
        ((0.5,), ((None, None),), "but the mean of its images None"),
        ((0.5,), ((0.5, float("inf")),), "a score is inf"),
    ],
)
def test_scores_of_images_that_do_not_fit_are_refused(scores: Any, images: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        MetricScores("1", True, scores, images)


def test_a_report_holds_as_many_images_as_it_says() -> None:
    scores = {"light": MetricScores.from_images("1", True, ((1.0, 2.0),))}
    with pytest.raises(DataError, match='"light" has the scores of 2 images a prompt; expected 1'):
        Report(pets(1), 0, scores)
    report = Report(pets(1), 0, scores, images_per_prompt=2)
    for count in (0, 3):
        with pytest.raises(SettingError, match="the report has 2 images a prompt"):
            report.prefix(1, count)


def test_trackers_show_the_images_of_a_prompt_together(tmp_path: Path) -> None:
    report = evaluate(Painter(), pets(3), [light], images_per_prompt=3, images=True)
    found = pictures(report, 8)  # two whole prompts, not eight images
    assert [words for _, words in found][:2] == [
        f"a pet called a, image 0 (light {grey('a', 0):.4g})",
        f"a pet called a, image 1 (light {grey('a', 1):.4g})",
    ]
    assert len(found) == 6
    assert len(pictures(report, 2)) == 2
    grid = picture_grid(report, 9)
    assert grid is not None
    assert grid.size == (3 * 8 - 4, 3 * 8 - 4)  # a row a prompt
    JsonLines(str(tmp_path / "t.jsonl")).log_report(report, 1)
    line = json.loads((tmp_path / "t.prompts.jsonl").read_text())
    assert line["images"]["light"]["b"] == [grey("b", k) for k in range(3)]


def test_monitor_and_watch_pass_on_which_images(tmp_path: Path) -> None:
    known = pets(4, calibration=CALIBRATION, seeds=ImageSeeds(7), images_searched=2)
    painter = Painter()
    monitor = CheckpointMonitor(known, [light], seeds="other", images_per_prompt=3)
    monitor.step(painter, 1)
    assert monitor.best_report is not None
    assert painter.seeds[:2] == [image_seed(other_run_seed(7), "a", k) for k in (0, 1)]
    assert (monitor.best_report.seeds, monitor.best_report.images_per_prompt) == ("other", 3)

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "step-1").write_text("")
    asked = {"loader": lambda path: Painter(), "pattern": "step-*", "settle": 0.0, "once": True}
    watch(tmp_path / "in", known, [light], out=tmp_path / "out", **asked)  # type: ignore[arg-type]
    report = Report.load(tmp_path / "out" / "reports" / "step-1.json")
    assert (report.seed, report.images_per_prompt) == (7, 2)
    with pytest.raises(DataError, match="images_per_prompt=2, not images_per_prompt=null"):
        watch(
            tmp_path / "in",
            known,
            [light],
            out=tmp_path / "out",
            images_per_prompt=1,
            **asked,  # type: ignore[arg-type]
        )


def test_a_checkpoint_with_an_image_missing_is_ranked_by_the_others(tmp_path: Path) -> None:
    def load(path: Path) -> Any:
        def torn(prompts: list[str], seeds: list[int]) -> list[Any]:
            return [None, *Painter()(prompts, seeds)[1:]]

        return torn

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "step-1").write_text("")
    asked = {"loader": load, "pattern": "step-*", "settle": 0.0, "once": True}
    board = watch(
        tmp_path / "in",
        pets(4),
        [light],
        out=tmp_path / "out",
        images_per_prompt=2,
        **asked,  # type: ignore[arg-type]
    )
    assert [one.name for one in board.standings] == ["step-1"]


def test_a_monitor_goes_on_with_the_images_it_began_with(tmp_path: Path) -> None:
    subset = pets(4, calibration=CALIBRATION)
    monitor = CheckpointMonitor(subset, [light], metric="light", folder=tmp_path)
    monitor.add(evaluate(Painter(), subset, [light], step=1), 1)
    again = CheckpointMonitor(subset, [light], metric="light", folder=tmp_path)
    assert again.best_step == 1
    for other in ({"images_per_prompt": 2}, {"seed": 7}):
        with pytest.raises(DataError, match="its best has images_per_prompt=1 with run seed 0; go"):
            CheckpointMonitor(subset, [light], metric="light", folder=tmp_path, **other)
