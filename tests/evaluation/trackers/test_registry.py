import importlib.util
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from flasheval.base.errors import SettingError
from flasheval.base.resources import conf_dir
from flasheval.evaluation.trackers.json_lines import JsonLines
from flasheval.evaluation.trackers.no_tracker import NoTracker
from flasheval.evaluation.trackers.registry import TRACKERS, make_tracker, make_trackers
from flasheval.evaluation.trackers.wandb import Wandb


def test_names_settings_and_objects(tmp_path):
    class Mine:
        def log(self, scalars, step): ...
        def log_report(self, report, step): ...
        def finish(self): ...

    mine = Mine()
    assert make_tracker(mine) is mine
    assert isinstance(make_tracker("none"), NoTracker)
    assert isinstance(make_tracker(None), NoTracker)
    made = make_tracker({"name": "wandb", "mode": "disabled", "images": 3})
    assert isinstance(made, Wandb)
    assert (made.mode, made.images) == ("disabled", 3)
    assert make_tracker({"name": "json_lines", "path": "a.jsonl"}).path == "a.jsonl"
    assert isinstance(make_tracker(JsonLines(str(tmp_path / "a"))), JsonLines)


def test_several_are_made_of_names_settings_and_objects():
    mine = JsonLines("mine.jsonl")
    made = make_trackers([mine, {"name": "json_lines", "path": "a.jsonl"}, "none", None])
    assert made[0] is mine
    assert [one.path for one in made] == ["mine.jsonl", "a.jsonl"]
    assert make_trackers({"name": "json_lines", "path": "a"})[0].path == "a"
    assert make_trackers(()) == ()
    with pytest.raises(SettingError, match="no tracker 'wand'"):
        make_trackers(["wand"])


def test_no_tracker_takes_everything(report, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tracker = make_tracker("none")
    tracker.log({"a": 1.0}, step=1)
    tracker.log_report(report(0.5), step=1)
    tracker.finish()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("wand", "no tracker 'wand'; there are: .*did you mean 'wandb'"),
        ({"name": "json_lines", "pth": "a"}, "no setting 'pth'.*did you mean 'path'"),
        ({"name": "tensorboard", "folder": "a", "images": "x"}, 'images is "x"; expected a whole'),
        ({"name": "wandb", "mode": "of"}, 'mode is "of"; expected one of "online"'),
        ({"path": "a"}, "tracker: its name is missing; there are: none, wandb"),
        ({"name": "tensorboard"}, "needs its folder"),
        (3, "an object of type int is none, for it has no .*log_report.*; there are: none"),
        (JsonLines, "JsonLines is a class; give an object of it: JsonLines\\(\\)"),
    ],
)
def test_mistakes_are_one_line(entry, message):
    with pytest.raises(SettingError, match=message) as caught:
        make_tracker(entry)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("entry", [{"name": "wandb"}, {"name": "tensorboard", "folder": "a"}])
def test_a_library_that_is_not_there_is_told_with_what_to_do(entry, monkeypatch):
    name = entry["name"]
    monkeypatch.setattr(f"flasheval.evaluation.trackers.{name}.find_spec", lambda _: None)
    with pytest.raises(SettingError, match=rf'needs: pip install "flasheval\[{name}\]"'):
        make_tracker(entry)
    assert importlib.util.find_spec("flasheval") is not None


@pytest.mark.parametrize("name", TRACKERS)
def test_the_settings_in_conf_are_the_defaults(name):
    path = Path(conf_dir()) / "tracker" / f"{name}.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    del settings["defaults"]
    assert settings == {"name": name, **{f.name: f.default for f in fields(TRACKERS[name])}}
