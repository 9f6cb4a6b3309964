"""Two processes of one training evaluate together: half the work each, the whole report for both.

They are real ones, started as torchrun starts them and held together by accelerate.
"""

import json
import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flasheval.evaluation.processes import agreed, gathered, processes, shared_out

PROGRAM = Path(__file__).with_name("evaluating_process.py")
ROOT = Path(__file__).resolve().parents[2]


def test_a_single_process_does_everything() -> None:
    assert processes() == (0, 1)
    assert shared_out(3, lambda numbers: [10 * one for one in numbers]) == [0, 10, 20]
    assert shared_out(0, list) == []
    assert gathered(lambda: "x") == ["x"]
    assert agreed(lambda: [1], len) == [1]
    with pytest.raises(ZeroDivisionError):
        shared_out(1, lambda numbers: [1 // one for one in numbers])


def run_together(folder: Path, world: int) -> list[dict[str, Any]]:
    """Start the program in so many processes, and return what each has found."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(world),
        "LOCAL_WORLD_SIZE": str(world),
        "PYTHONPATH": str(ROOT),
        "GLOO_SOCKET_IFNAME": "lo",
    }
    started = [
        subprocess.Popen(
            [sys.executable, PROGRAM, folder],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(world)
    ]
    try:
        said = [one.communicate(timeout=120)[0] for one in started]
    finally:
        for one in started:
            one.kill()
    assert [one.returncode for one in started] == [0] * world, "\n".join(said)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(world)]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    pytest.importorskip("accelerate")
    return run_together(tmp_path_factory.mktemp("both"), world=2)


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    pytest.importorskip("accelerate")
    found: dict[str, Any] = runpy.run_path(str(PROGRAM))["scenarios"](0, only=None)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "drawn"),
    [("five", (3, 2)), ("several", (8, 7)), ("one", (1, 0)), ("rest", (1, 1)), ("nothing", (0, 0))],
)
def test_both_have_the_report_that_one_process_has(
    both: list[dict[str, Any]], alone: dict[str, Any], scenario: str, drawn: tuple[int, ...]
) -> None:
    wanted, all_drawn = alone[scenario]
    for rank, found in enumerate(both):
        report, count = found["scenarios"][scenario]
        assert report == json.loads(json.dumps(wanted))
        assert count == drawn[rank]
    assert all_drawn == sum(drawn)
    if scenario == "five":
        assert wanted["faults"] == {"p3": "no image"}
        assert len(wanted["pixels"]) == 5


@pytest.mark.slow
def test_a_failure_in_one_is_raised_in_both(both: list[dict[str, Any]]) -> None:
    others, failing = (one["scenarios"] for one in both)
    assert failing["broken model"] == ["ValueError", "no\nluck"]
    reason = "process 1 of 2 could not evaluate: ValueError: no luck"
    assert others["broken model"] == ["FlashevalError", reason]
    assert failing["no file"][0] == "DataError"
    assert others["no file"][0] == "FlashevalError"
    assert "process 1 of 2 could not evaluate: absent.json" in others["no file"][1]


@pytest.mark.slow
def test_processes_that_do_different_things_are_told(both: list[dict[str, Any]]) -> None:
    for one in both:
        kind, message = one["scenarios"]["other seed"]
        assert kind == "FlashevalError"
        assert "process 1 of 2 has other settings than process 0" in message


@pytest.mark.slow
def test_they_stay_in_step_after_failures(both: list[dict[str, Any]]) -> None:
    for one in both:
        assert one["scenarios"]["after all"][0] == one["scenarios"]["five"][0]


@pytest.mark.slow
def test_training_under_accelerate_is_left_as_it_was(both: list[dict[str, Any]]) -> None:
    first, second = both
    for one in both:
        assert one["weights, looked at"] == one["weights"]
    assert first["weights"] == second["weights"]  # so it was one training
    assert first["reports"] == second["reports"]
    assert len({json.dumps(one["metrics"]) for one in first["reports"]}) > 1
