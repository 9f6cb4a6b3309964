import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.report.page.origin import Origin, find_origin


def test_a_run_folder_tells_its_settings_and_its_command(searched, scores):
    origin = find_origin(str(searched))
    assert origin.folder == searched
    assert origin.subset.size == 5
    assert origin.settings["scores"] == str(scores)
    assert origin.command.startswith("flasheval search splits=random:4")


def test_a_manifest_alone_tells_of_the_subset_only(searched):
    origin = find_origin(str(searched / "subset.json"))
    assert (origin.folder, origin.settings, origin.command) == (None, {}, "")
    assert origin.subset == find_origin(searched).subset


def test_damaged_settings_are_as_good_as_none(searched, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "subset.json").write_bytes((searched / "subset.json").read_bytes())
    (tmp_path / "config" / "config.yaml").write_text("{", "utf-8")
    assert find_origin(tmp_path).settings == {}


def test_what_else_a_folder_is_stands_in_one_line(searched, scores, tmp_path):
    (tmp_path / "validation.json").write_text("{}", "utf-8")
    with pytest.raises(DataError, match="comparison of methods, whose report is"):
        find_origin(tmp_path)
    with pytest.raises(DataError, match="holds scores; a report is made of"):
        find_origin(scores)
    with pytest.raises(DataError, match="holds 1 searches; name one of them, such as made-up"):
        find_origin(searched.parent)
    (tmp_path / "validation.json").rename(tmp_path / "run.json")
    with pytest.raises(DataError, match="is the run of a population"):
        find_origin(tmp_path)
    (tmp_path / "run.json").unlink()
    with pytest.raises(DataError, match=r"has no subset\.json"):
        find_origin(tmp_path)
    with pytest.raises(SettingError, match="no subset 'nothing-like-it'"):
        find_origin("nothing-like-it")


def test_relative_paths_are_found_from_where_the_search_ran(searched, tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "scores").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    origin = Origin(find_origin(searched).subset, working_folder=tmp_path / "there")
    assert origin.located("scores") == str(tmp_path / "there" / "scores")
    assert origin.located({"clip": "scores"}) == {"clip": str(tmp_path / "there" / "scores")}
    assert origin.located("missing") == "missing"
    assert origin.located(["a"]) == ["a"]
