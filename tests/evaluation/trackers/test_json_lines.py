import json
import math
import os
import sys

import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.evaluation.trackers.json_lines import JsonLines


def lines(path):
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    return [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]


def values(path):
    return [{k: v for k, v in line.items() if k != "time"} for line in lines(path)]


def test_a_line_a_step(tmp_path):
    path = tmp_path / "new" / "t.jsonl"
    tracker = JsonLines(str(path))
    assert not path.parent.exists()
    tracker.log({"CLIP": 0.25, "missing": 0.0}, step=10)
    tracker.log({"CLIP": math.nan, "step": 3.0}, step=20)
    tracker.log({"CLIP": 9.0}, step=20)
    tracker.finish()
    assert values(path) == [{"step": 10, "CLIP": 0.25, "missing": 0.0}, {"step": 20, "CLIP": None}]
    assert all(line["time"].endswith("+00:00") for line in lines(path))


def test_a_report_is_a_line_of_the_second_file(tmp_path, report):
    tracker = JsonLines(str(tmp_path / "t.jsonl"))
    one = report(0.25, None)
    tracker.log_report(one, step=10)
    tracker.log_report(one, step=10)
    assert not (tmp_path / "t.jsonl").exists()
    (line,) = values(tmp_path / "t.prompts.jsonl")
    assert line["step"] == 10
    assert line["scores"] == {"CLIP": {"p0": 0.25, "p1": None}, "Quality": {"p0": 0.0, "p1": 1.0}}
    assert line["faults"] == {"p1": "the image is black"}
    assert line["content_hash"] == one.subset.content_hash


@pytest.mark.parametrize("cut", [1, 9, 30])
def test_a_torn_line_is_cut_off_and_no_step_comes_twice(tmp_path, cut):
    path = tmp_path / "t.jsonl"
    for step in (10, 20, 30):
        JsonLines(str(path)).log({"Größe": step / 7}, step=step)
    whole = path.read_bytes()
    start = whole.rstrip(b"\n").rindex(b"\n") + 1
    path.write_bytes(whole[: start + cut])
    resumed = JsonLines(str(path))
    for step in (20, 30, 40):
        resumed.log({"Größe": step / 7}, step=step)
    assert values(path) == [{"step": s, "Größe": s / 7} for s in (10, 20, 30, 40)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("my notes", 1),
        ("a,b\n1,2\n", 1),
        ('{"step": 1}\n{"step": "2"}\n', 2),
        ('{"step": 1}\nx', 2),
    ],
)
def test_a_file_of_something_else_is_left_alone(tmp_path, text, number):
    path = tmp_path / "t.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"t.jsonl: line {number} is not a JSON object with"):
        JsonLines(str(path)).log({"a": 1.0}, step=5)
    assert path.read_text() == text


def test_a_folder_in_the_way_and_no_path_are_one_line(tmp_path):
    with pytest.raises(DataError, match="cannot write"):
        JsonLines(str(tmp_path)).log({"a": 1.0}, step=5)
    with pytest.raises(SettingError, match="needs its path"):
        JsonLines()


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_a_full_disk_leaves_no_part_of_a_line(tmp_path):
    import resource
    import signal

    path = tmp_path / "t.jsonl"
    tracker = JsonLines(str(path))
    tracker.log({"a": 1.0}, step=1)
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        with pytest.raises(DataError, match="cannot write"):
            tracker.log({"a": 2.0}, step=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    tracker.log({"a": 2.0}, step=2)
    assert [line["step"] for line in lines(path)] == [1, 2]
    assert os.path.getsize(path) > len(before)
