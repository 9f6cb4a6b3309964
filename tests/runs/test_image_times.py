"""Seconds an image from records made by hand, and from a run that draws."""

import json

import pytest

from flasheval.generators.image_time import ImageTime
from flasheval.runs.devices import hardware_name
from flasheval.runs.image_times import ImageTimes
from flasheval.runs.run import run
from flasheval.runs.score_files import Timing
from flasheval.scores import ScoreTable


def _timing(*seconds, batches=None, warm=True, batch=4, hardware="A"):
    return Timing(
        seconds_generate=seconds,
        batches=batches or (4,) * len(seconds),
        warm=warm,
        batch=batch,
        hardware=hardware,
    )


def _times(*notes):
    seen = ImageTimes()
    for number, (variant, timing) in enumerate(notes):
        seen.note(variant, f"p{number}", timing)
    return seen.times()


def test_the_first_batch_of_a_cold_model_does_not_count():
    assert _times(("a", _timing(40.0, 4.0, warm=False)))["a"].seconds == 1.0
    assert _times(("a", _timing(40.0, 4.0, 4.0)))["a"].seconds == 1.0  # the median of three
    assert _times(("a", _timing(40.0, warm=False))) == {}
    assert _times(("a", Timing())) == {}  # read from images that were there


def test_each_image_counts_once():
    # Eight images at 1 s outvote a last batch of one at 9 s.
    found = _times(("a", _timing(4.0, 4.0, 9.0, batches=(4, 4, 1))))
    assert found["a"] == ImageTime(1.0, "A", 4)


def test_a_unit_that_two_metrics_have_counts_once():
    seen = ImageTimes()
    for _ in range(5):
        seen.note("a", "p0/0", _timing(40.0))
    for number in (1, 2):
        seen.note("a", f"p{number}/0", _timing(4.0))
    assert seen.times()["a"].seconds == 1.0


def test_variants_are_taken_from_the_setting_that_most_have():
    many = _timing(1.0, 1.0, 1.0, hardware="B")
    found = _times(("a", _timing(4.0)), ("a", many), ("b", _timing(8.0)), ("c", _timing(2.0)))
    assert {name: (one.seconds, one.device) for name, one in found.items()} == {
        **{"a": (1.0, "A"), "b": (2.0, "A"), "c": (0.5, "A")}
    }
    assert _times(("a", _timing(4.0)), ("a", many))["a"].device == "B"  # the most images


def test_older_records_tell_neither_hardware_nor_batch():
    old = Timing(seconds_generate=(9.0, 3.0, 1.0), batches=(3, 3, 1))
    assert _times(("a", old))["a"] == ImageTime(1.0, None, 3)


def test_what_took_no_time_has_none():
    assert _times(("a", _timing(0.0, 0.0))) == {}


@pytest.mark.parametrize("images", [1, 3])
def test_a_run_keeps_them_in_its_table(toys, prompts, tmp_path, monkeypatch, images):
    monkeypatch.setenv("DRAWING_TIME", "0.002")
    judges = [toys.scorer("brightness"), toys.scorer("contrast")]
    settings = {"device": "cpu", "chunk": 6, "batch": 6, "images_per_prompt": images}
    result = run(
        toys.population("draw"), prompts, judges, out=tmp_path / "run", progress=False, **settings
    )
    (time,) = (variant.time for variant in result.scores.variants)
    assert 0.002 <= time.seconds < 0.5
    assert (time.device, time.batch) == (hardware_name("cpu"), 6)
    (variant,) = ScoreTable.load(tmp_path / "run").variants
    assert variant.time == time
    assert "seconds" not in variant.factors
    record = json.loads(next((tmp_path / "run" / "units").rglob("*.json")).read_text())["record"]
    assert (record["hardware"], record["batch"]) == (hardware_name("cpu"), 6)
