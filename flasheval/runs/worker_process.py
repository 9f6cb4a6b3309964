"""A worker as a separate process: `python -m flasheval.runs.worker_process RUN PLAN`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from flasheval.base.errors import FlashevalError
from flasheval.runs.run_plan_files import load_run_plan
from flasheval.runs.store import RunStore
from flasheval.runs.worker import Place, Worker

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Do the units of a plan; return 0, 1 after an error told in one line, or 130 when stopped."""
    arguments = _parser().parse_args(argv)
    place = Place(arguments.rank, arguments.world, arguments.parent)
    device = arguments.device
    if arguments.accelerate:
        place, device = _place_of_accelerate(device)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        plan = load_run_plan(arguments.plan, device)
        Worker(plan, RunStore(arguments.run), place).work()
    except FlashevalError as error:
        print(f"flasheval: error: worker {place.rank}: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _place_of_accelerate(device: str | None) -> tuple[Place, str]:
    """Return the place and device that accelerate gives this process."""
    from accelerate import PartialState

    state = PartialState(cpu=device == "cpu")
    return Place(state.process_index, state.num_processes, os.getppid()), str(state.device)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="the run folder")
    parser.add_argument("plan", type=Path, help="a folder of the run's plans")
    parser.add_argument("--rank", type=int, default=0, help="which worker this is, from 0")
    parser.add_argument("--world", type=int, default=1, help="how many workers there are")
    parser.add_argument("--parent", type=int, help="the process to stop with, by its id")
    parser.add_argument("--device", help="cpu, cuda:0, ...; the plan's when not given")
    parser.add_argument(
        "--accelerate", action="store_true", help="take rank, world and device from accelerate"
    )
    return parser


if __name__ == "__main__":
    import signal

    def _interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())
