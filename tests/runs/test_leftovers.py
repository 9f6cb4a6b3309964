"""Temporary files that killed processes left: old ones go, and nothing else."""

import os
import time

from flasheval.base.files import atomic_write
from flasheval.runs.leftovers import remove_leftovers


def make(path, age):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half a file")
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_old_temporary_files_go_and_nothing_else(tmp_path):
    old = [make(tmp_path / place / ".tmp-0123456789ab", 4000) for place in ("", "a", "a/b/c")]
    kept = [
        make(tmp_path / "a" / ".tmp-0123456789ac", 3000),  # young
        make(tmp_path / "a" / ".tmp-mine", 4000),
        make(tmp_path / "a" / "x.tmp-0123456789ab", 4000),
        make(tmp_path / "a" / "scores.json", 4000),
    ]
    assert remove_leftovers(tmp_path) == 3
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in kept)
    assert remove_leftovers(tmp_path) == 0


def test_what_atomic_write_leaves_is_known(tmp_path):
    """The names are those atomic_write gives, whatever they are."""
    with atomic_write(tmp_path / "a.json") as temporary:
        left = make(temporary.with_name(temporary.name), 4000).read_bytes()
        copy = temporary.read_bytes()
        name = temporary.name
    assert copy == left
    make(tmp_path / name, 4000)
    assert remove_leftovers(tmp_path) == 1


def test_a_folder_that_is_not_there_holds_none(tmp_path):
    assert remove_leftovers(tmp_path / "absent") == 0
