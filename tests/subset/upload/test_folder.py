"""Files of a folder, as they are listed; the rest is tested through publish()."""

from flasheval.subset.upload.folder import files_in, whole_folder


def test_files_and_links_are_listed_in_order_with_slashes(tmp_path):
    (tmp_path / "b" / "empty").mkdir(parents=True)
    (tmp_path / "b" / "x").write_text("")
    (tmp_path / "a").write_text("")
    (tmp_path / "c").symlink_to(tmp_path / "b")
    assert files_in(tmp_path) == ["a", "b/x", "c"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    with whole_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("x")
        assert files_in(tmp_path / "out") == []
    assert files_in(tmp_path) == ["out/a"]
