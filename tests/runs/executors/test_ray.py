"""Workers as tasks of Ray."""

import signal

import pytest

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.runs.executors import make_executor

pytest.importorskip("ray", reason='Ray is not installed: pip install -e ".[ray]"')


def ray(**settings):
    return make_executor("ray", {"workers": 2, **settings})


@pytest.mark.slow
def test_a_worker_that_is_killed_is_started_again(
    draw_with, expected, score_files, toys, tmp_path, signal_one
):
    killed = signal_one("ray::", signal.SIGKILL)
    result = draw_with(tmp_path / "run", ray(workers=1))
    assert killed
    assert not result.failures
    assert score_files(tmp_path / "run") == expected
    assert 60 <= len(toys.drawn()) <= 64
    import ray as library

    assert not library.is_initialized()


@pytest.mark.slow
def test_what_no_worker_can_do_is_one_line(draw_with, toys, tmp_path):
    if pytest.importorskip("torch").cuda.is_available():
        pytest.skip("there is a GPU here")
    with (
        pytest.warns(UserWarning, match="worker 0: device=cuda.*go on"),
        pytest.raises(FlashevalError, match=r"worker 0: device=cuda: .*what is done is kept"),
    ):
        draw_with(tmp_path / "run", ray(workers=1, gpus_per_worker=0.0), device="cuda")
    assert toys.drawn() == []


@pytest.mark.slow
def test_a_gpu_that_is_not_there_is_one_line(draw_with, tmp_path):
    if pytest.importorskip("torch").cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(SettingError, match=r"gpus_per_worker=1: Ray finds 0 GPUs here"):
        draw_with(tmp_path / "run", ray(), device="cuda")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 0}, "executor.workers=0"),
        ({"restarts": -1}, "executor.restarts=-1"),
        ({"gpus_per_worker": 1.5}, r"executor.gpus_per_worker=1.5: expected a part"),
    ],
)
def test_settings_that_cannot_be_are_told_in_a_line(settings, message):
    with pytest.raises(SettingError, match=message):
        make_executor("ray", settings)


def test_a_cluster_that_is_not_there_is_one_line(draw_with, tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(FlashevalError, match="executor=ray cannot reach Ray"):
        draw_with(tmp_path / "run", ray(address="auto"))
