"""Damaged and lost files of a run: made again and named, or told in one line."""

import errno
import json

import pytest

from flasheval.base import files
from flasheval.base.errors import DataError
from flasheval.runs.kept import images as kept_images
from flasheval.runs.kept.opening import open_image_store
from flasheval.runs.run import run
from flasheval.runs.unit_work import StorageError


def _run(toys, prompts, out, functions=("draw",), scorers=("brightness",), **settings):
    judges = [toys.scorer(name) for name in scorers]
    settings = {"device": "cpu", "chunk": 6, "progress": False, **settings}
    return run(toys.population(*functions), prompts, judges, out=out, **settings)


def _scores(folder):
    return {path.name: path.read_bytes() for path in (folder / "scores").iterdir()}


def test_damaged_scores_are_made_again_and_named(toys, prompts, tmp_path):
    out = tmp_path / "run"
    assert _run(toys, prompts, out).repairs == ()
    before = _scores(out)
    cut, gone, *_ = sorted(out.glob("units/draw/brightness/*.json"))
    cut.write_bytes(cut.read_bytes()[:100])
    gone.unlink()  # lost, not damaged
    repairs = _run(toys, prompts, out).repairs
    assert [(one.path, one.reason) for one in repairs] == [
        (cut.relative_to(out).as_posix(), "it is cut short or not JSON")
    ]
    assert _scores(out) == before
    assert _run(toys, prompts, out).repairs == ()


@pytest.mark.parametrize("form", ["shards", "folder"])
def test_damaged_images_are_made_again_when_they_are_read(toys, prompts, tmp_path, form):
    out = tmp_path / "run"
    _run(toys, prompts, out, keep_images=True, image_store=form)
    pattern = "images/draw/*.tar" if form == "shards" else "images/draw/*.png"
    image = sorted(out.glob(pattern))[0]
    whole = image.read_bytes()
    image.write_bytes(whole[:-700])
    judges = ("brightness", "contrast")
    more = _run(toys, prompts, out, scorers=judges, keep_images=True, image_store=form)
    (repair,) = more.repairs
    assert repair.path.startswith("images/draw/")
    assert image.read_bytes() == whole


def test_damaged_images_that_cannot_be_made_here_say_what_to_do(toys, prompts, tmp_path):
    out = tmp_path / "run"
    _run(toys, prompts, out, stage="generate")
    shard = sorted(out.glob("images/draw/*.tar"))[0]
    shard.write_bytes(b"")
    (failure,) = _run(toys, prompts, out, stage="score").failures
    assert str(shard) in failure.reason
    assert "delete it and make its images again with flasheval generate" in failure.reason
    shard.unlink()
    _run(toys, prompts, out, stage="generate")
    assert not _run(toys, prompts, out, stage="score").failures


def test_faulty_images_that_are_kept_are_made_again_when_asked(toys, prompts, tmp_path):
    out = tmp_path / "run"
    _run(toys, prompts, out, ("faulty",), keep_images=True)
    drawn = len(toys.drawn())
    _run(toys, prompts, out, ("faulty",), keep_images=True)
    assert len(toys.drawn()) == drawn
    _run(toys, prompts, out, ("faulty",), keep_images=True, retry_faults=True)
    assert len(toys.drawn()) == drawn + 6 + 6  # the units of p3 and p13


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"seed": 1}', b'{"chunk": 6, "seed": 1}', b"\xff"]
)
def test_damaged_settings_are_told_in_a_line_that_helps(toys, prompts, tmp_path, content):
    out = tmp_path / "run"
    _run(toys, prompts, out, seed=3)
    before = _scores(out)
    (out / "run.json").write_bytes(content)
    with pytest.raises(
        DataError, match=r"run\.json.*; delete it, and give seed= and chunk="
    ) as told:
        _run(toys, prompts, out, seed=3)
    assert "\n" not in str(told.value)
    (out / "run.json").unlink()
    _run(toys, prompts, out, seed=3)
    assert _scores(out) == before


def test_one_digit_of_the_settings_does_not_change_unseen(toys, prompts, tmp_path):
    out = tmp_path / "run"
    _run(toys, prompts, out, seed=3)
    text = (out / "run.json").read_text("utf-8")
    (out / "run.json").write_text(text.replace('"seed": 3', '"seed": 2'), "utf-8")
    with pytest.raises(DataError, match="its checksum does not fit its content"):
        _run(toys, prompts, out)


def test_scores_of_another_seed_do_not_get_into_the_table(toys, prompts, tmp_path):
    out, fresh = tmp_path / "run", tmp_path / "fresh"
    _run(toys, prompts, out, seed=3)
    (out / "run.json").unlink()
    _run(toys, toys.prompts(6), out, seed=4)
    known = _run(toys, prompts, out, stage="score", seed=4).scores["brightness"]
    assert known.coverage.tolist() == pytest.approx([6 / 20])
    _run(toys, prompts, fresh, seed=4)
    _run(toys, prompts, out, seed=4)
    assert _scores(out) == _scores(fresh)


def test_what_is_known_of_the_command_s_own_variants_is_written_anew(toys, prompts, tmp_path):
    out = tmp_path / "run"
    _run(toys, prompts, out)
    before = _scores(out)
    for number, path in enumerate(out.glob("known/*/*.json")):
        path.write_bytes((b"", b"\xff{")[number % 2])
    _run(toys, prompts, out)
    assert _scores(out) == before


def test_what_is_known_of_another_variant_cannot_change_unseen(toys, prompts, tmp_path):
    out = tmp_path / "run"
    _run(toys, prompts, out, ("dark",))
    (path,) = out.glob("known/variants/*.json")
    path.write_text(path.read_text("utf-8").replace("function", "Function"), "utf-8")
    with pytest.raises(DataError, match=r"known.*is damaged .*; delete it: a command with that"):
        _run(toys, prompts, out)
    assert not toys.drawn()[20:]  # told before the work
    path.unlink()
    assert _run(toys, prompts, out).scores.variant_names == ("draw",)
    assert _run(toys, prompts, out, ("draw", "dark")).scores.variant_names == ("draw", "dark")


@pytest.mark.parametrize("keep", [False, True])
def test_a_full_disk_ends_the_run_in_one_line_that_names_the_file(
    toys, prompts, tmp_path, monkeypatch, keep
):
    out, flush = tmp_path / "run", files._flush

    def full(path):
        if "units" in path.parts or "images" in path.parts:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(path)

    monkeypatch.setattr(files, "_flush", full)
    with pytest.raises(StorageError) as told:
        _run(toys, prompts, out, keep_images=keep)
    place = out / ("images/draw" if keep else "units/draw/brightness")
    assert str(told.value).startswith(f"cannot write {place}/")
    assert str(told.value).endswith(
        ": No space left on device; mend that and run the same command again"
    )
    assert ".tmp-" not in str(told.value)
    assert not list(out.rglob(".tmp-*"))
    monkeypatch.undo()
    assert not _run(toys, prompts, out, keep_images=keep).failures


def test_every_store_says_which_file_makes_a_unit_count(toys, prompts, tmp_path):
    unit = kept_images.ImageUnit("a" * 32, "draw", ("1",), ("one",))
    for form in ("shards", "folder"):
        store = open_image_store(tmp_path / form, form)
        store.write(unit, [kept_images.ImageFault("none")])
        assert store.has(unit)
        store.path_of(unit).unlink()
        assert not store.has(unit)


def test_settings_are_readable_json(toys, prompts, tmp_path):
    _run(toys, prompts, tmp_path / "run", seed=3)
    body = json.loads((tmp_path / "run" / "run.json").read_bytes())
    assert {key: body[key] for key in ("seed", "chunk", "format")} == {
        "seed": 3,
        "chunk": 6,
        "format": 1,
    }
