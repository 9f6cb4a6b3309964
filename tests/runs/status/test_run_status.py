import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.runs.run import run
from flasheval.runs.status.run_status import read_status
from flasheval.runs.store import RunSettings, RunStore


def _run(toys, out, functions=("draw", "dark"), scorers=("brightness",), count=20, **settings):
    return run(
        toys.population(*functions),
        toys.prompts(count),
        [toys.scorer(name) for name in scorers],
        out=out,
        chunk=6,
        batch=3,
        device="cpu",
        progress=False,
        **settings,
    )


def _files(folder: Path, variant: str = "*", metric: str = "*") -> list[Path]:
    return sorted(folder.glob(f"units/{variant}/{metric}/*.json"))


def test_a_complete_run(toys, tmp_path):
    _run(toys, tmp_path / "r", scorers=("brightness", "contrast"))
    status = read_status(tmp_path / "r")
    assert status.complete
    assert status.share == 1.0
    assert [(one.name, one.units, one.done, one.share) for one in status.variants] == [
        ("draw", 4, 4, 1.0),
        ("dark", 4, 4, 1.0),
    ]
    assert status.n_prompts == 20
    assert (status.files, status.files_read) == (16, 16)
    assert not status.failures
    assert not status.faults
    assert not status.at_work
    assert status.seconds_left == 0.0
    assert status.damaged is None


def test_times_are_those_of_the_work(toys, tmp_path, monkeypatch):
    monkeypatch.setenv("DRAWING_TIME", "0.02")
    _run(toys, tmp_path / "r", functions=("draw",))
    status = read_status(tmp_path / "r")
    assert status.variants[0].seconds == pytest.approx(0.02, rel=0.25)
    assert status.pace.images_per_second < 50.0
    assert status.pace.workers <= 1.001
    for path in _files(tmp_path / "r")[:2]:  # two of four units, 12 images or 8
        path.unlink()
    left = read_status(tmp_path / "r").seconds_left
    assert 8 * 0.02 <= left < 1.0


def test_an_interrupted_run_lacks_what_is_not_there(toys, tmp_path):
    _run(toys, tmp_path / "r", scorers=("brightness", "contrast"))
    _files(tmp_path / "r", "dark", "contrast")[0].unlink()
    (tmp_path / "r/units/draw/brightness/.tmp-0123456789ab").write_text("half")
    status = read_status(tmp_path / "r")
    assert not status.complete
    assert status.share == 15 / 16
    draw, dark = status.variants
    assert draw.complete
    assert (dark.done, dark.share, dark.failed) == (3, 7 / 8, False)
    assert status.seconds_left > 0


def test_units_of_other_settings_do_not_count(toys, tmp_path):
    _run(toys, tmp_path / "r")
    toys.file.write_text(toys.file.read_text() + "\n# another version: other keys\n")
    _run(toys, tmp_path / "r", functions=("draw",))
    status = read_status(tmp_path / "r")
    assert [one.name for one in status.variants] == ["draw"]  # what the last command asked for
    assert status.complete
    max(_files(tmp_path / "r"), key=lambda path: path.stat().st_mtime_ns).unlink()
    assert read_status(tmp_path / "r").variants[0].done == 3


def test_failures_and_faults(toys, tmp_path):
    result = _run(toys, tmp_path / "r", functions=("boom", "faulty", "draw"), scorers=("picky",))
    assert result.failures
    status = read_status(tmp_path / "r")
    boom, faulty, draw = status.variants
    assert boom.failed
    assert (boom.done, faulty.faults) == (0, 1)  # 13; 3 is in the unit that failed
    assert draw.failed
    assert draw.done == 3  # all but the unit with number 5 in it
    stages = {(one.variant, one.stage) for one in status.failures}
    assert stages == {("boom", "generate"), ("draw", "picky"), ("faulty", "picky")}
    assert status.faults == {"no image": 1}


def test_an_old_failure_of_what_is_done_does_not_count(toys, tmp_path):
    _run(toys, tmp_path / "r", functions=("draw",), scorers=("picky", "contrast"))
    assert read_status(tmp_path / "r").failures
    _run(toys, tmp_path / "r", functions=("draw",), scorers=("contrast",))
    status = read_status(tmp_path / "r")
    assert status.complete
    assert not status.failures
    assert not status.variants[0].failed


def test_a_variant_without_its_files_is_counted_and_failed(toys, tmp_path):
    population = toys.population("draw")
    population["variants"].append(
        {"name": "lost", "generator": "images", "folder": str(tmp_path / "nowhere")}
    )
    run(
        population,
        toys.prompts(8),
        [toys.scorer("brightness")],
        out=tmp_path / "r",
        device="cpu",
        progress=False,
    )
    status = read_status(tmp_path / "r")
    assert not status.complete
    assert [one.done for one in status.variants][1] == 0
    assert status.variants[1].failed


@pytest.mark.parametrize("image_store", ["shards", "folder"])
def test_images_alone(toys, tmp_path, image_store):
    _run(toys, tmp_path / "r", stage="generate", image_store=image_store)
    status = read_status(tmp_path / "r", check=True)
    assert status.complete
    assert status.damaged == ()
    pattern = "images/dark/*.tar" if image_store == "shards" else "images/dark/.units/*.json"
    first, second = sorted((tmp_path / "r").glob(pattern))[:2]
    first.unlink()
    second.write_bytes(second.read_bytes()[:-100])
    status = read_status(tmp_path / "r", check=True)
    assert status.share == 7 / 8
    assert [one.path for one in status.damaged] == [second]
    if status.pace is not None:
        assert status.seconds_left > 0


def test_damaged_files_are_named(toys, tmp_path):
    _run(toys, tmp_path / "r", keep_images=True)
    path = _files(tmp_path / "r", "draw")[1]
    path.write_text(path.read_text().replace("0.", "1.", 1))
    assert read_status(tmp_path / "r").damaged is None
    (damage,) = read_status(tmp_path / "r", check=True).damaged
    assert damage.path == path
    assert "checksum" in damage.reason


def test_images_of_a_folder_are_counted(toys, tmp_path):
    from PIL import Image

    folder = tmp_path / "mine"
    folder.mkdir()
    for number in range(8):
        Image.fromarray(np.full((4, 4, 3), 10 + number, np.uint8)).save(folder / f"p{number}.png")
    run(
        {"variants": [{"name": "mine", "generator": "images", "folder": str(folder)}]},
        toys.prompts(8),
        [toys.scorer("brightness")],
        out=tmp_path / "r",
        chunk=3,
        device="cpu",
        progress=False,
    )
    status = read_status(tmp_path / "r")
    assert status.complete
    _files(tmp_path / "r")[0].unlink()
    assert read_status(tmp_path / "r").variants[0].done == 2


def test_a_run_stopped_before_it_began(tmp_path):
    RunStore(tmp_path).begin(RunSettings(seed=0, chunk=32))
    status = read_status(tmp_path)
    assert status.asked is None
    assert not status.complete


def test_no_run(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_status(tmp_path / "none")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/run.json").write_text("{}")
    with pytest.raises(DataError, match=r"is not the folder of a run.*runs in it: a$"):
        read_status(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="no locks")
def test_a_claim_held_elsewhere_means_at_work(toys, tmp_path):
    _run(toys, tmp_path / "r")
    holder = textwrap.dedent("""
        import sys
        from pathlib import Path
        from flasheval.runs.claims import Claims
        with Claims(Path(sys.argv[1])).claim("0123456789abcdef") as mine:
            print(mine, flush=True)
            sys.stdin.read()
    """)
    command = [sys.executable, "-c", holder, str(tmp_path / "r/.claims")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout.readline().strip() == "True"
        assert read_status(tmp_path / "r").at_work
        process.stdin.close()
    assert not read_status(tmp_path / "r").at_work


def test_settings_of_no_prompts_a_unit_cannot_be():
    with pytest.raises(DataError, match="chunk is 0; expected at least 1"):
        RunSettings(seed=0, chunk=0)
