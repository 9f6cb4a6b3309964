"""Score every checkpoint of `tune_miniature.py` on all prompts, and ship the scores.

Resumable, as every run is: kill it and type the same command again.

    python scripts/miniature/score_tuning.py --tuning tuning --run runs/tuning
    python scripts/miniature/score_tuning.py --tuning best --run runs/best --model large-final \
        --table quality_tuning_table
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_library] = "1"
sys.path[:0] = [str(Path(__file__).resolve().parents[2])]


def main() -> None:
    """Run the checkpoints as a population, then put its table into the package."""
    import flasheval
    from flasheval.miniature import SCORERS
    from flasheval.runs.executors.processes import Processes

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tuning", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument("--model", default="base-middle", help="the model that was tuned")
    parser.add_argument("--table", default="tuning_table", help="folder of the shipped scores")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=int, help="take the first so many prompts; ship nothing")
    options = parser.parse_args()
    result = flasheval.run(
        population(options.tuning, options.model),
        flasheval.load_prompts("miniature"),
        SCORERS,
        out=options.run,
        chunk=200,
        batch=50,
        executor=Processes(workers=options.workers),
        device="cpu",
        limit=options.limit,
    )
    if result.failures or result.scores is None:
        raise SystemExit(f"units failed: {result.failures}")
    for name in result.scores.variant_names:
        row = result.scores.variant_names.index(name)
        means = (f"{m} {result.scores[m].full_means[row]:.4f}" for m in result.scores.metrics)
        print(name, *means)
    if options.limit is None:
        shipped = Path(flasheval.__file__).parent / "miniature" / options.table
        shutil.rmtree(shipped, ignore_errors=True)
        result.scores.save(shipped)


def population(tuning: Path, model: str) -> dict[str, Any]:
    """Return the checkpoints as the settings of a population."""
    steps = sorted(int(path.name.rpartition("-")[2]) for path in tuning.glob("checkpoint-*"))
    return {
        "name": "tuning",
        "settings": {
            "generator": "diffusers",
            "checkpoint": f"miniature:{model}",
            "scheduler": "DPM",
            "steps": 10,
            "guidance": 2.0,
            "dtype": "fp32",
        },
        "variants": [
            {
                "name": f"step-{step:04d}",
                "components": {"unet": str(tuning / f"checkpoint-{step}" / "unet")},
                "factors": {"step": step},
            }
            for step in steps
        ],
    }


if __name__ == "__main__":
    main()
