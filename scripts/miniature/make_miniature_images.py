"""Make further images of every prompt by the whole miniature population, and ship all scores.

What the package already has is taken over: the first images from `scores=miniature`, further ones
from an earlier table of images, where they stand with float16's three digits. Resumable, as every
run is: kill it and type the same command again. Three more images take some 75 minutes of two
quiet cores.

    python scripts/miniature/make_miniature_images.py --run runs/miniature-images --images 4
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

import numpy as np  # noqa: E402

if TYPE_CHECKING:
    from flasheval.runs.run_plan import RunPlan
    from flasheval.runs.store import RunStore
    from flasheval.scores import ScoreTable


def take_over(plan: RunPlan, store: RunStore, table: ScoreTable) -> int:
    """Write the units of a plan whose scores a table has whole, and return how many.

    Args:
        plan: The plan of the run.
        store: Its folder.
        table: Scores of the same variants and prompts, of one image a prompt or of several.

    """
    from flasheval.runs.score_files import UnitScores, write_unit_scores

    columns = {one: column for column, one in enumerate(table.prompts.ids)}
    written = 0
    for variant in plan.variants:
        row = table.variant_names.index(variant.name)
        for unit in plan.units(variant):
            for scorer in plan.scorers:
                matrix, path = table[scorer.metric], store.score_path(unit, scorer)
                if unit.image >= matrix.images_per_prompt or path.exists():
                    continue
                images = matrix.values[..., None] if matrix.images is None else matrix.images
                scores = images[row, [columns[one] for one in unit.chunk.ids], unit.image]
                if np.isnan(scores).any():
                    continue
                write_unit_scores(
                    path,
                    UnitScores(
                        variant.name,
                        variant.key,
                        scorer.metric,
                        scorer.key,
                        plan.seed,
                        unit.chunk.digest,
                        unit.chunk.ids,
                        scores.astype(np.float32),
                        image=unit.image,
                    ),
                )
                written += 1
    return written


def main() -> None:
    """Take over what there is, make the rest, and put the table into the package."""
    import flasheval
    from flasheval.miniature import SCORERS
    from flasheval.miniature.prompts import miniature_prompts
    from flasheval.runs.executors.processes import Processes
    from flasheval.runs.run import plan_run, run_plan
    from flasheval.runs.run_plan import WorkSettings
    from flasheval.runs.store import RunStore

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument("--images", type=int, default=4, help="images a prompt")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--chunk", type=int, default=250, help="prompts a unit of work")
    parser.add_argument("--batch", type=int, default=50, help="images made at a time")
    options = parser.parse_args()
    begun = time.monotonic()
    plan, _ = plan_run(
        "miniature",
        miniature_prompts(),
        SCORERS,
        out=options.run,
        work=WorkSettings(batch=options.batch, device="cpu"),
        chunk=options.chunk,
        images_per_prompt=options.images,
    )
    store = RunStore(options.run)
    shipped = Path(flasheval.__file__).parent / "miniature" / "images_table"
    tables = [flasheval.load_scores("miniature")]
    if shipped.exists():
        tables.append(flasheval.load_scores("miniature-images"))
    taken = sum(take_over(plan, store, table) for table in tables)
    print(f"{taken} files of scores were there", flush=True)
    result = run_plan(plan, store, Processes(workers=options.workers))
    if result.interrupted or result.failures or result.scores is None:
        raise SystemExit(f"not complete: {result.failures or 'interrupted'}")
    shutil.rmtree(shipped, ignore_errors=True)
    result.scores.save(shipped, half_images=True)
    size = sum(path.stat().st_size for path in shipped.rglob("*") if path.is_file())
    print(f"{shipped}: {size / 1e6:.2f} MB, {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
