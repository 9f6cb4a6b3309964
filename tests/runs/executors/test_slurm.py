"""Workers as SLURM jobs: through submitit's local jobs, and through a SLURM of this machine."""

import signal
import time

import pytest

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.runs.executors import make_executor

pytest.importorskip("submitit", reason='submitit is not installed: pip install -e ".[slurm]"')

TASK = "submitit.core._submit"  # in the command line of a task's own process
UNIT = 4


def slurm(**settings):
    return make_executor("slurm", {"workers": 2, "cpus": 1, **settings})


@pytest.mark.slow
def test_a_task_that_is_killed_leaves_its_work_to_the_other(
    draw_with, expected, score_files, toys, tmp_path, signal_one
):
    killed = signal_one(TASK, signal.SIGKILL)
    with pytest.warns(UserWarning, match=r"task \d+ failed: it was killed.*log: .*go on"):
        result = draw_with(tmp_path / "run", slurm(cluster="local"))
    assert killed
    assert not result.failures
    assert score_files(tmp_path / "run") == expected
    assert 60 <= len(toys.drawn()) <= 60 + UNIT


@pytest.mark.slow
def test_a_task_that_is_stopped_early_is_queued_again(
    draw_with, expected, score_files, toys, tmp_path, signal_one
):
    stopped = signal_one(TASK, signal.SIGUSR2)
    result = draw_with(tmp_path / "run", slurm(cluster="local", workers=1))
    assert stopped
    assert not result.failures
    assert score_files(tmp_path / "run") == expected
    assert 60 <= len(toys.drawn()) <= 60 + UNIT


@pytest.mark.slow
def test_the_workers_are_one_array_of_slurm(
    draw_with, expected, score_files, toys, tmp_path, signal_one, slurm_here
):
    stopped = signal_one(TASK, signal.SIGUSR2)
    options = {"slurm_qos": "high"}
    result = draw_with(tmp_path / "run", slurm(partition="gpu", memory=8.0, options=options))
    script = (slurm_here / "script").read_text()
    for flag in ("array=0-1%2", "partition=gpu", "mem=8GB", "qos=high", "requeue", "time=240"):
        assert f"#SBATCH --{flag}\n" in script
    assert stopped
    assert list(slurm_here.glob("*.requeued"))
    assert not result.failures
    assert score_files(tmp_path / "run") == expected
    assert 60 <= len(toys.drawn()) <= 60 + UNIT


@pytest.mark.slow
@pytest.mark.parametrize("cluster", ["slurm", "local"])
def test_tasks_left_to_themselves_are_found_again(
    draw_with, expected, score_files, toys, tmp_path, monkeypatch, slurm_here, cluster
):
    monkeypatch.setenv("DRAWING_TIME", "0.05")
    out = tmp_path / "run"
    first = draw_with(out, slurm(cluster=cluster, detach=True))
    assert "2 tasks queued or at work" in first.detached
    again = draw_with(out, slurm(cluster=cluster, detach=True))
    assert again.detached == first.detached
    result = draw_with(out, slurm(cluster=cluster))  # waits for them
    assert result.detached is None
    assert score_files(out) == expected
    assert len(toys.drawn()) == 60
    assert draw_with(out, slurm(cluster=cluster, detach=True)).detached is None


@pytest.mark.slow
def test_ctrl_c_cancels_the_tasks(draw_with, toys, tmp_path, monkeypatch, slurm_here):
    monkeypatch.setenv("DRAWING_TIME", "0.2")

    def interrupt(label, done, total):
        if done > 2:
            raise KeyboardInterrupt

    result = draw_with(tmp_path / "run", slurm(), progress=interrupt)
    assert result.interrupted
    assert {path.read_text() for path in slurm_here.glob("*.code")} == {"x"}
    drawn = len(toys.drawn())
    time.sleep(1)
    assert len(toys.drawn()) == drawn < 60


@pytest.mark.slow
def test_what_no_task_can_do_is_one_line_with_the_log(draw_with, toys, tmp_path):
    if pytest.importorskip("torch").cuda.is_available():
        pytest.skip("there is a GPU here")
    with (
        pytest.warns(UserWarning, match="go on"),
        pytest.raises(FlashevalError, match=r"task \d+ failed: device=cuda: .* \(log: .*submitted"),
    ):
        draw_with(tmp_path / "run", slurm(cluster="local", workers=1), device="cuda")
    assert toys.drawn() == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 0}, "executor.workers=0"),
        ({"timeouts": -1}, "executor.timeouts=-1"),
        ({"memory": 0.0}, "executor.memory=0.0"),
        ({"cluster": "slrm"}, r"executor.cluster=slrm: .*did you mean 'slurm'"),
    ],
)
def test_settings_that_cannot_be_are_told_in_a_line(settings, message):
    with pytest.raises(SettingError, match=message):
        make_executor("slurm", settings)


def test_a_parameter_submitit_does_not_know_is_one_line(draw_with, tmp_path):
    executor = slurm(cluster="local", options={"slurm_qoss": "high"})
    with pytest.raises(SettingError, match=r"executor=slurm: Unknown argument 'qoss'"):
        draw_with(tmp_path / "run", executor)


def test_the_device_is_that_of_the_workers():
    assert slurm().device_there("auto") == "cuda"
    assert slurm(gpus_per_worker=0).device_there("auto") == "cpu"
    assert slurm().device_there("cpu") == "cpu"


@pytest.mark.slow
def test_a_task_out_of_time_too_often_ends_in_one_line(draw_with, toys, tmp_path, signal_one):
    stopped = signal_one(TASK, signal.SIGUSR2)
    executor = slurm(cluster="local", workers=1, timeout=1, timeouts=0)
    with (
        pytest.warns(UserWarning, match="go on"),
        pytest.raises(FlashevalError, match=r"task \d+ failed: .*timed-out too many times.*log:"),
    ):
        draw_with(tmp_path / "run", executor)
    assert stopped
    assert not list((tmp_path / "run" / "failures").glob("*/*"))  # it was none of the unit's


def test_submitit_can_be_tried_in_this_process(draw_with, expected, score_files, tmp_path):
    result = draw_with(tmp_path / "run", slurm(cluster="debug", workers=1))
    assert not result.failures
    assert score_files(tmp_path / "run") == expected
