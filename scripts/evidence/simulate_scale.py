"""Measure the runner with very many units that cost nothing: seconds, memory and files by phase.

Each size is run in a process of its own: plan, write the plan down and read it as a worker does,
a run (planning, the worker's loop with one file a unit, collecting), the same command again on the
finished folder, counting as executors do while they wait, and `status`. A step that is quadratic
in the number of units shows as microseconds a unit that grow with the size.

    python scripts/evidence/simulate_scale.py --units 10000 100000 1000000 --folder /scratch
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_library] = "1"
sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

FREE = '''
"""A generator and a scorer that cost nothing."""
from PIL import Image

IMAGE = Image.new("RGB", (8, 8), (128, 128, 128))


def make(prompts, seeds):
    return [IMAGE] * len(prompts)


def score(images, prompts):
    return [1.0] * len(images)
'''


Times = tuple[float, float]


def now() -> Times:
    """Return the time, and this process's time on processors, in seconds."""
    return time.perf_counter(), time.process_time()


@dataclass
class Clock:
    """Seconds, those of them on a processor, and peak memory by phase, in order."""

    units: int
    phases: list[tuple[str, float, float, float]] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure a block."""
        begun = now()
        yield
        self.add(name, begun, now())

    def add(self, name: str, begun: Times, ended: Times) -> None:
        """Add a phase."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        seconds, busy = ended[0] - begun[0], ended[1] - begun[1]
        self.phases.append((name, seconds, busy, peak))
        said = f"{self.units:,} units, {name}: {seconds:.1f} s, {busy:.1f} s of them on a processor"
        print(said, file=sys.stderr, flush=True)


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--units", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--variants", type=int, default=100)
    parser.add_argument("--chunk", type=int, default=1, help="prompts a unit")
    parser.add_argument("--folder", type=Path, help="where the run folders are made, and removed")
    parser.add_argument("--inside", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside is not None:
        with tempfile.TemporaryDirectory(prefix="flasheval-scale-", dir=options.folder) as scratch:
            print(json.dumps(measure(Path(scratch), options)))
        return
    machine = f"{os.cpu_count()} {platform.machine()} processors"
    print(f"{options.variants} variants, {options.chunk} prompts a unit;")
    print(f"{machine} shared with other work.\n")
    results = []
    for units in options.units:
        command = [sys.executable, __file__, *sys.argv[1:], "--inside", str(units)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
        results.append(json.loads(done.stdout.splitlines()[-1]))
    print(as_markdown(results))


def measure(scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return what one size costs, by phase."""
    from flasheval.prompts import PromptSet
    from flasheval.runs.counting import Counter
    from flasheval.runs.run import plan_run, run_plan
    from flasheval.runs.run_plan import WorkSettings
    from flasheval.runs.run_plan_files import load_run_plan, save_run_plan
    from flasheval.runs.status.run_status import read_status
    from flasheval.runs.store import RunStore

    units, chunk = options.inside, options.chunk
    each = max(1, units // options.variants)
    ids = tuple(map(str, range(each * chunk)))
    prompts = PromptSet("made-up", ids, tuple(f"a photo of thing {i}" for i in ids))
    code = scratch / "free.py"
    code.write_text(FREE, "utf-8")
    variants = [
        {"name": f"v{i}", "function": f"{code}:make", "factors": {"i": i}}
        for i in range(options.variants)
    ]
    population = {"settings": {"generator": "function"}, "variants": variants}
    scorers = [{"name": "function", "function": f"{code}:score"}]
    out, clock, split = scratch / "run", Clock(units), Split()

    with clock.phase("plan"):
        plan, _ = plan_run(
            population, prompts, scorers, out=out, chunk=chunk, work=WorkSettings(batch=chunk)
        )
    with clock.phase("plan written and read"):
        plan = load_run_plan(save_run_plan(plan, out / "plans"))
    begun = now()
    result = run_plan(plan, RunStore(out), split, progress=False)
    clock.add("begin", begun, split.begun)
    clock.add("do units", split.begun, split.ended)
    clock.add("collect", split.ended, now())
    if result.failures or result.scores is None:
        raise SystemExit(f"the run failed: {result.failures}")
    run_plan(plan, RunStore(out), split, progress=False)
    clock.add("look at units that are done", split.begun, split.ended)
    with clock.phase("prepare to count"):
        counter = Counter(plan, RunStore(out))
    with clock.phase("count"):
        done = counter.done()
    with clock.phase("count again"):
        counter.done()
    with clock.phase("status"):
        status = read_status(out)
    if done != plan.n_units or not status.complete:
        raise SystemExit(f"{done:,} of {plan.n_units:,} units counted")
    files, size = _size(out / "units")
    with clock.phase("remove"):
        shutil.rmtree(out)
    return {"units": plan.n_units, "phases": clock.phases, "files": files, "bytes": size}


class Split:
    """Does units in this process, and notes when it began and ended."""

    name = "split"
    begun: Times = (0.0, 0.0)
    ended: Times = (0.0, 0.0)

    def run(self, plan: Any, store: Any, progress: Callable[..., None]) -> None:
        """Do all units."""
        from flasheval.runs.executors.in_process import InProcess

        self.begun = now()
        InProcess().run(plan, store, progress)
        self.ended = now()


def _size(folder: Path) -> tuple[int, int]:
    """Return the number of files and the bytes they take on disk."""
    files = size = 0
    for place, _, names in os.walk(folder):
        files += len(names)
        size += sum(os.lstat(os.path.join(place, name)).st_blocks * 512 for name in names)
    return files, size


def as_markdown(results: Sequence[dict[str, Any]]) -> str:
    """Return seconds, those on a processor, these by unit in microseconds, and memory by size."""
    heads = [f"{one['units']:,} units, s | on a processor, s | us a unit | MiB" for one in results]
    lines = [f"| phase | {' | '.join(heads)} |", f"|{' --- |' * (1 + 4 * len(results))}"]
    for row, (name, *_) in enumerate(results[0]["phases"]):
        cells = []
        for one in results:
            _, seconds, busy, peak = one["phases"][row]
            each = 1e6 * busy / one["units"]
            cells.append(f"{seconds:.2f} | {busy:.2f} | {each:.1f} | {peak:.0f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    files = [
        f"{one['files']:,} | {one['bytes'] / one['files']:.0f} bytes each | - | -"
        for one in results
    ]
    lines.append(f"| files of scores | {' | '.join(files)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
