from pathlib import Path
from typing import Any

import pytest

from flasheval.base.errors import DataError
from flasheval.base.run_folders import require_writable, run_name, shown_path

DEFAULTS: dict[str, Any] = {
    "scores": "synthetic",
    "metric": None,
    "size": 50,
    "nested": None,
    "seed": 0,
    "splits": "random:10",
    "out": None,
    "method": {"name": "balanced", "passes": 8},
}


def name(**settings: object) -> str:
    return run_name({**DEFAULTS, **settings}, DEFAULTS)


def test_the_usual_settings_can_be_read_off() -> None:
    assert name() == "synthetic-all-balanced-50-seed0"
    assert name(scores="coco", metric="CLIP", size=10, seed=3) == "coco-CLIP-balanced-10-seed3"
    assert name(metric=["a", "b"]) == "synthetic-a+b-balanced-50-seed0"
    assert name(out="elsewhere") == name()


def test_every_other_setting_changes_the_name() -> None:
    settings: list[dict[str, object]] = [
        {},
        {"splits": "random:20"},
        {"splits": None},
        {"method": {"name": "balanced", "passes": 9}},
        {"nested": [10, 50]},
        {"nested": [20, 50]},
        {"scores": "a/coco"},
        {"scores": "b/coco"},
        {"scores": "coco"},
        {"scores": {"clip": "a.csv"}},
        {"scores": {"clip": "b.csv"}},
    ]
    names = [name(**each) for each in settings]
    assert len(set(names)) == len(names)
    assert [name(**each) for each in settings] == names


@pytest.mark.parametrize("odd", ["../x", "a b", "a/b", "\N{SNOWMAN}\n", "x" * 500, 3, {"a": 1}])
def test_a_name_stays_in_its_folder(odd: object) -> None:
    for key in ("scores", "metric"):
        made = name(**{key: odd})
        assert "/" not in made
        assert len(made) <= 140
        assert not made.startswith(".")
        assert made.isprintable()


@pytest.mark.parametrize("where", ["file", "file/deeper", "null\0"])
def test_a_folder_that_cannot_be_is_refused(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="choose another folder with out="):
        require_writable(tmp_path / where)


def test_a_writable_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    require_writable(tmp_path / "a/b")
    assert not list((tmp_path / "a/b").iterdir())


def test_paths_are_shown_as_they_are_best_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "a/b") == "a/b"
    assert shown_path(tmp_path.parent) == str(tmp_path.parent)
