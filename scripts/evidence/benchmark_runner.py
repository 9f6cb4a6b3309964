"""Measure what the runner costs over a bare loop that does the same work, and its memory.

Five measurements, each in a process of its own:

- overhead: `flasheval.run` beside a bare loop over the same diffusers pipeline, prompts, seeds and
  batches, scored by the same CLIP, nothing stored; the models are small, with random weights. The
  two take turns, unit by unit, in one process; told are the median of the ratios and its spread;
- images: the same with a stand-in for a model of realistic size (512 x 512 pixels, 50 ms an
  image), without and with images kept;
- profile: where the runner's own time goes, with images that cost nothing;
- memory: how much a long run grows, a unit;
- swaps: memory after each of many models loaded one after the other.

The scores of both sides must be equal to the last bit, or the benchmark stops.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_library] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from runner_costs.memory import measure_memory, measure_swaps  # noqa: E402
from runner_costs.own_costs import measure_profile  # noqa: E402
from runner_costs.side_by_side import measure_images, measure_overhead  # noqa: E402
from runner_costs.work import CHUNK  # noqa: E402

MEASUREMENTS = {
    "overhead": measure_overhead,
    "images": measure_images,
    "profile": measure_profile,
    "memory": measure_memory,
    "swaps": measure_swaps,
}


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS))
    parser.add_argument("--units", type=int, default=60, help=f"units of {CHUNK} images to compare")
    parser.add_argument("--long", type=int, default=4000, help="units of the long run")
    parser.add_argument("--swaps", type=int, default=12, help="models loaded one after the other")
    parser.add_argument("--inside", choices=MEASUREMENTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside is not None:
        with tempfile.TemporaryDirectory(prefix="flasheval-benchmark-") as scratch:
            print(json.dumps(MEASUREMENTS[options.inside](options, Path(scratch))))
        return
    machine = f"{os.cpu_count()} {platform.machine()} processors"
    print(f"On {machine} shared with other work, one thread of torch.")
    for name in options.only:
        print(f"measuring {name} ...", file=sys.stderr)
        command = [sys.executable, __file__, *sys.argv[1:], "--inside", name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
        table = as_markdown(json.loads(done.stdout.splitlines()[-1]))
        print(f"\n### {name}\n\n{table}", flush=True)


def as_markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return rows, the first of them the head, as a Markdown table."""
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, f"|{' --- |' * len(rows[0])}", *body])


if __name__ == "__main__":
    main()
