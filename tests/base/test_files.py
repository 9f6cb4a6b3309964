import gzip
import lzma
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from flasheval import load_scores
from flasheval.base.errors import DataError
from flasheval.base.files import (
    atomic_write,
    content_stem,
    content_suffix,
    read_bytes,
    read_text,
    refuse_dense_zip,
    require_file,
    safe_name,
)
from flasheval.base.table_files import read_columns


def test_a_written_file_is_whole_and_leaves_nothing_behind(tmp_path):
    target = tmp_path / "new" / "folder" / "a.txt"
    with atomic_write(target) as temporary:
        assert temporary.parent == target.parent
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert os.listdir(target.parent) == ["a.txt"]


def test_a_failed_write_keeps_the_old_file(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def write_half() -> None:
        with atomic_write(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        write_half()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_an_unwritable_place_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "file" / "a.txt", tmp_path, tmp_path / ("n" * 300)):
        with pytest.raises(DataError, match="cannot write") as caught, atomic_write(target) as path:
            path.write_text("x")
        assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_made_no_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot write"), atomic_write(tmp_path / "a"):
        pass


def test_what_is_no_file_is_named(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(DataError, match="is empty; expected a table"):
        require_file(tmp_path / "empty", "table")
    with pytest.raises(DataError, match="is a folder; expected a table"):
        require_file(tmp_path, "table")
    with pytest.raises(DataError, match="does not exist; expected a table"):
        require_file(tmp_path / "none", "table")
    with pytest.raises(DataError, match=r"cannot read|does not exist"):
        require_file("a\0b", "table")
    with pytest.raises(DataError, match="cannot read"):
        require_file("n" * 300, "table")


def test_packed_files_are_unpacked(tmp_path):
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress("é".encode()))
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress("é".encode()))
    assert read_text(tmp_path / "a.txt.xz") == read_text(tmp_path / "a.txt.gz") == "é"


@pytest.mark.parametrize(("suffix", "pack"), [(".xz", lzma.compress), (".gz", gzip.compress)])
def test_a_packed_file_cut_short_is_one_line(tmp_path, suffix, pack):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(pack(os.urandom(5000))[:-100])
    with pytest.raises(DataError, match="cannot be unpacked"):
        read_bytes(path)
    path.write_bytes(b"not packed at all")
    with pytest.raises(DataError, match="cannot be unpacked"):
        read_bytes(path)
    path.write_bytes(pack(b""))
    with pytest.raises(DataError, match="holds nothing"):
        read_bytes(path)


def test_text_keeps_everything_but_the_byte_order_mark(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf a\r\nb\xe2\x80\xa8 ")
    assert read_text(path) == " a\r\nb\u2028 "


def test_other_encodings_are_named_by_byte(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("caf\xe9 noir".encode("latin-1"))
    with pytest.raises(DataError, match=r"not UTF-8 text \(byte 3 is 0xe9\)"):
        read_text(path)


def test_suffix_and_stem_look_past_the_packing():
    assert content_suffix("a/b.c.JSONL.xz") == ".jsonl"
    assert content_suffix("a/b") == ""
    assert content_stem("a/b.c.jsonl.gz") == "b.c"
    assert content_stem("a/b.csv") == "b"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "/x",
        ".x",
        "a\0",
        "a\n",
        " a",
        "a:b",
        "x" * 200,
        "é" * 80,
    ],
)
def test_names_that_leave_the_folder_are_refused(name):
    with pytest.raises(DataError, match="cannot be a file name"):
        safe_name(name, "metric")


@pytest.mark.parametrize("name", ["CLIP", "hps-v2.1", "naïve score+", "比"])
def test_plain_names_pass(name):
    assert safe_name(name) == name


def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "a.txt", tmp_path / "b.txt"
    target.write_text("old")
    link.symlink_to(target)
    with atomic_write(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert sorted(one.name for one in target.parent.iterdir()) == ["a.txt"]


def test_what_is_no_regular_file_is_refused(tmp_path):
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for path in (pipe, loop, Path(os.devnull)):
        with pytest.raises(DataError, match=f"cannot write {path}: "), atomic_write(path) as one:
            one.write_text("x")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_file_made_to_fill_the_memory_is_refused_early(tmp_path, monkeypatch, suffix):
    pack = {".gz": gzip.compress, ".xz": lzma.compress}[suffix]
    monkeypatch.setattr("flasheval.base.files._MUCH", 1 << 21)
    path = tmp_path / f"a.json{suffix}"
    path.write_bytes(pack(b"0" * (1 << 23)))
    with pytest.raises(DataError, match=r"unfolds to over 200 times its size.*unpack it first"):
        read_bytes(path)
    rare = bytes(range(256)) * 16  # one in 21 bytes is new: no bomb
    path.write_bytes(pack(b"".join(os.urandom(1 << 12) + rare * 20 for _ in range(40))))
    assert len(read_bytes(path)) == 40 * 21 << 12


def test_a_zip_made_to_fill_the_memory_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("flasheval.base.files._MUCH", 1 << 21)
    path = tmp_path / "a.npz"
    np.savez_compressed(path, scores=np.zeros((1 << 10, 1 << 10)))
    for read in (refuse_dense_zip, load_scores, read_columns):
        if read is read_columns:
            path = path.rename(tmp_path / "a.xlsx")
        with pytest.raises(DataError, match="unfolds to over 200 times its size"):
            read(path)
    np.savez(tmp_path / "b.npz", scores=np.zeros((1 << 10, 1 << 10)))
    refuse_dense_zip(tmp_path / "b.npz")
