"""Run the whole miniature population and ship its scores: 60 variants on 2,000 prompts.

Resumable, as every run is: kill it and type the same command again.

    python scripts/miniature/make_miniature_scores.py --run runs/miniature
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_library] = "1"
sys.path[:0] = [str(Path(__file__).resolve().parents[2])]


def main() -> None:
    """Run the population, then put its table into the package."""
    import flasheval
    from flasheval.miniature import SCORERS
    from flasheval.miniature.prompts import miniature_prompts
    from flasheval.runs.executors.processes import Processes

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--chunk", type=int, default=250, help="prompts a unit of work")
    parser.add_argument("--batch", type=int, default=50, help="images made at a time")
    options = parser.parse_args()
    begun = time.monotonic()
    result = flasheval.run(
        "miniature",
        miniature_prompts(),
        SCORERS,
        out=options.run,
        chunk=options.chunk,
        batch=options.batch,
        executor=Processes(workers=options.workers),
        device="cpu",
    )
    if result.failures or result.scores is None:
        raise SystemExit(f"units failed: {result.failures}")
    shipped = Path(flasheval.__file__).parent / "miniature" / "score_table"
    shutil.rmtree(shipped, ignore_errors=True)
    result.scores.save(shipped)
    size = sum(path.stat().st_size for path in shipped.rglob("*") if path.is_file())
    print(f"{shipped}: {size / 1e6:.2f} MB, {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
