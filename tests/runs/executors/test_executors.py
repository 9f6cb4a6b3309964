"""Every executor does the same units to the same bytes."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from flasheval.base.errors import SettingError
from flasheval.runs.executors import EXECUTORS, make_executor
from flasheval.runs.run import run

_LIBRARIES = {"slurm": "submitit", "ray": "ray", "accelerate": "accelerate"}


def _run(toys, prompts, out, executor, **settings):
    return run(
        toys.population("draw", "dark", "faulty"),
        prompts,
        [toys.scorer("brightness"), toys.scorer("contrast")],
        out=out,
        device="cpu",
        chunk=4,
        executor=executor,
        progress=False,
        **settings,
    )


def _bytes(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "scores").iterdir())}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in EXECUTORS if name != "in_process"])
def test_several_processes_do_every_unit_once_and_to_the_same_bytes(toys, prompts, tmp_path, name):
    if name in _LIBRARIES:
        pytest.importorskip(_LIBRARIES[name], reason='pip install -e ".[dev]" brings it')
    expected = _run(toys, prompts, tmp_path / "here", "in_process")
    drawn = sorted(toys.drawn())
    (toys.folder / "drawn.txt").unlink()
    result = _run(toys, prompts, tmp_path / "there", make_executor(name, {"workers": 2}))
    assert _bytes(tmp_path / "there") == _bytes(tmp_path / "here")
    assert sorted(toys.drawn()) == drawn
    assert result.faults == expected.faults
    assert not result.failures


@pytest.mark.slow
def test_a_worker_that_is_killed_is_started_again(toys, prompts, tmp_path, monkeypatch):
    monkeypatch.setenv("DRAWING_TIME", "0.02")
    killed = []

    def kill_one() -> None:
        deadline = time.monotonic() + 30
        while not killed and time.monotonic() < deadline:
            time.sleep(0.05)
            if len(toys.drawn()) > 8:
                killed.extend(_workers()[:1])
                os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill_one)
    thread.start()
    result = _run(toys, prompts, tmp_path / "run", make_executor("processes", {"workers": 2}))
    thread.join()
    assert killed
    assert not result.failures
    assert result.scores.coverage()["brightness"].tolist() == [1.0, 1.0, 0.9]
    assert 60 <= len(toys.drawn()) <= 64


def _workers() -> list[int]:
    """The worker processes that this one has started."""
    children = []
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children") as file:
            children += [int(child) for child in file.read().split()]
    return children


@pytest.mark.slow
def test_what_no_worker_can_do_is_one_line(toys, prompts, tmp_path):
    result = run(
        toys.population("boom", "draw"),
        prompts,
        [toys.scorer("brightness")],
        out=tmp_path / "run",
        device="cpu",
        executor=make_executor("processes", {"workers": 2}),
        progress=False,
    )
    assert {one.variant for one in result.failures} == {"boom"}
    assert np.isnan(result.scores["brightness"].values[0]).all()


def test_python_objects_cannot_go_to_other_processes(prompts, tmp_path):
    def draw(texts, seeds):
        return [None for _ in texts]

    def score(images, texts):
        return [0.0 for _ in texts]

    with pytest.raises(SettingError, match=r"cannot go to other processes.*executor=in_process"):
        run({"a": draw}, prompts, [score], out=tmp_path, device="cpu", executor="processes")


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("processes", {"workers": 0}, "executor.workers=0"),
        ("accelerate", {"threads": 0}, "executor.threads=0"),
        ("processes", {"worker": 2}, r"no setting 'worker'.*did you mean 'workers'"),
        ("process", {}, r"no executor 'process'.*did you mean"),
    ],
)
def test_an_executor_that_cannot_be_is_told_in_a_line(name, settings, message):
    with pytest.raises(SettingError, match=message):
        make_executor(name, settings)
