"""Score the miniature's other families on all prompts, and ship them beside its diffusion models.

`scores=miniature-mixed` is `scores=miniature` with the variants of `population=miniature-families`
added, image for image from the same seeds. How long an image takes is measured apart, all variants
one after the other in one process: run that on a quiet machine.
Resumable, as every run is: kill it and type the same command again.

    python scripts/miniature/make_mixed_scores.py --run runs/families
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_library] = "1"
sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

if TYPE_CHECKING:
    from flasheval.generators.image_time import ImageTime

POPULATIONS = ("miniature", "miniature-families")
_TIMED = 100  # prompts, in two batches of 50; the first is warm-up where a model is new


def main() -> None:
    """Run the new families, time all variants, and put the table into the package."""
    import flasheval
    from flasheval.miniature import SCORERS
    from flasheval.miniature.prompts import miniature_prompts
    from flasheval.runs.executors.processes import Processes

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    begun = time.monotonic()
    result = flasheval.run(
        POPULATIONS[1],
        miniature_prompts(),
        SCORERS,
        out=options.run,
        chunk=250,
        batch=50,
        executor=Processes(workers=options.workers),
        device="cpu",
    )
    if result.failures or result.scores is None:
        raise SystemExit(f"units failed: {result.failures}")
    table = flasheval.load_scores("miniature").merge(result.scores)
    table = table.with_times(timed(options.run / "timed"))
    shipped = Path(flasheval.__file__).parent / "miniature" / "mixed_table"
    shutil.rmtree(shipped, ignore_errors=True)
    table.save(shipped)
    size = sum(path.stat().st_size for path in shipped.rglob("*") if path.is_file())
    print(f"{shipped}: {size / 1e6:.2f} MB, {time.monotonic() - begun:.0f} s")


def timed(folder: Path) -> dict[str, ImageTime]:
    """Return how long an image takes, of every variant of both populations by name."""
    import flasheval
    from flasheval.miniature.prompts import miniature_prompts

    found = {}
    for population in POPULATIONS:
        result = flasheval.run(
            population,
            miniature_prompts(),
            ["miniature-quality"],
            out=folder / population,
            chunk=_TIMED,
            batch=50,
            limit=_TIMED,
            device="cpu",
        )
        if result.scores is None:
            raise SystemExit(f"units failed: {result.failures}")
        found |= {one.name: one.time for one in result.scores.variants if one.time is not None}
    return found


if __name__ == "__main__":
    main()
