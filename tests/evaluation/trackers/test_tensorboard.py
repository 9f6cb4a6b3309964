import io
import threading

import pytest
from PIL import Image

from flasheval.base.errors import SettingError
from flasheval.evaluation.trackers.score_rows import markdown_table
from flasheval.evaluation.trackers.tensorboard import TensorBoard

pytest.importorskip("tensorboard", reason="tensorboard is not installed")


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0, "images": 0})
    return events.Reload()


def test_what_is_logged_is_there_once_after_a_second_start_too(tmp_path, report):
    threads = threading.enumerate()
    for steps in ((10, 20), (10, 20, 30)):
        tracker = TensorBoard(str(tmp_path / "tb"))
        for step in steps:
            tracker.log({"CLIP": step / 8, "CLIP/full": -step / 4}, step=step)
            tracker.log_report(report(step / 8, None, images=True), step=step)
        tracker.finish()
    events = read(tmp_path / "tb")
    tags = events.Tags()
    assert sorted(tags["scalars"]) == ["CLIP", "CLIP/full"]
    for name, factor in (("CLIP", 1 / 8), ("CLIP/full", -1 / 4)):
        logged = [(one.step, one.value) for one in events.Scalars(name)]
        assert logged == [(step, step * factor) for step in (10, 20, 30)]
    texts = events.Tensors("flasheval/prompts")
    assert [one.step for one in texts] == [10, 20, 30]
    text = texts[1].tensor_proto.string_val[0].decode()
    assert text == markdown_table(report(20 / 8, None), 20)
    assert events.SummaryMetadata("flasheval/prompts").plugin_data.plugin_name == "text"
    grids = events.Images("flasheval/images")
    sizes = [(one.step, one.width, one.height) for one in grids]
    assert sizes == [(step, 20, 6) for step in (10, 20, 30)]
    drawn = Image.open(io.BytesIO(grids[0].encoded_image_string))
    assert drawn.getpixel((2, 2)) == pytest.approx((255, 0, 0), abs=8)
    assert threading.enumerate() == threads


def test_a_start_torn_off_does_not_hide_the_next(tmp_path, report):
    first = TensorBoard(str(tmp_path))
    first.log({"CLIP": 1.0}, step=1)
    first.log({"CLIP": 2.0}, step=2)
    (file,) = tmp_path.glob("events*")
    file.write_bytes(file.read_bytes()[:-5])
    TensorBoard(str(tmp_path)).log({"CLIP": 3.0}, step=3)
    assert [one.step for one in read(tmp_path).Scalars("CLIP")] == [1, 3]


def test_no_images_where_there_are_none(tmp_path, report):
    TensorBoard(str(tmp_path), images=0).log_report(report(0.5, images=True), step=1)
    assert read(tmp_path).Tags()["images"] == []


def test_nothing_is_written_before_it_is_used(tmp_path):
    TensorBoard(str(tmp_path / "tb")).finish()
    assert not (tmp_path / "tb").exists()


def test_mistakes_are_one_line(tmp_path):
    with pytest.raises(SettingError, match="needs its folder"):
        TensorBoard()
    with pytest.raises(SettingError, match="images=-1: expected 0 or more"):
        TensorBoard(str(tmp_path), images=-1)
