"""Measure what `flasheval.evaluate` costs over the bare pipeline calls and scoring it does.

Both make the same images of the same prompts in the same batches with a pipeline of the miniature,
and score them with the same three loaded scorers, in turns in one process; who begins changes from
round to round. Told are the medians of the rounds' ratios and their spread, and by how much the
process's greatest memory grows once `evaluate` is used after the bare loop. The scores must be
equal to the last bit, or the benchmark stops.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_library] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"
sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from flasheval.evaluation.evaluate import evaluate  # noqa: E402
from flasheval.evaluation.loaded_scorers import loaded_scorer  # noqa: E402
from flasheval.generators.seeds import image_seed  # noqa: E402
from flasheval.miniature import SCORERS  # noqa: E402
from flasheval.miniature.pipeline import PIPELINES, load_pipeline  # noqa: E402
from flasheval.prompts import load_prompts  # noqa: E402
from flasheval.scorers.registry import make_scorers  # noqa: E402
from flasheval.subset import Method, Subset  # noqa: E402

Scores = NDArray[np.float64]


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pipeline", choices=PIPELINES, default="large-final")
    parser.add_argument("--prompts", type=int, default=50)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    prompts = load_prompts("miniature")
    rows = np.linspace(0, len(prompts.ids) - 1, options.prompts).astype(int)
    method = Method("evenly spaced")
    subset = Subset.choose(prompts, rows, name="spaced", metrics=(), method=method, with_texts=True)
    bare, ours = sides(load_pipeline(options.pipeline), subset, options.batch, options.steps)
    before = [bare() for _ in range(2)], greatest_memory()
    after = [ours() for _ in range(2)], greatest_memory()
    if not all(np.array_equal(before[0][0], one) for one in (*before[0], *after[0])):
        raise SystemExit("the scores of evaluate are not those of the bare loop")
    times = np.array([one_round(bare, ours, number) for number in range(options.rounds)])
    print(
        f"{options.pipeline}, {options.prompts} prompts in batches of {options.batch}, "
        f"{options.steps} steps, {len(SCORERS)} scorers; {os.cpu_count()} {platform.machine()} "
        f"processors shared with other work, one thread of torch.\n\n{table(times)}\n\n"
        f"Greatest memory: {before[1]:.0f} MiB after the bare loop, {after[1]:.0f} MiB after "
        "evaluate."
    )


def sides(
    pipe: Any, subset: Subset, batch: int, steps: int
) -> tuple[Callable[[], Scores], Callable[[], Scores]]:
    """Return the bare loop and the evaluation, each giving scores [scorers, prompts]."""
    import torch

    call = {"num_inference_steps": steps, "guidance_scale": 2.0}
    judges = [loaded_scorer(judge, "cpu") for judge in make_scorers(SCORERS)]
    texts, seeds = list(subset.texts), [image_seed(0, one) for one in subset.ids]

    def bare() -> Scores:
        images: list[Any] = []
        for start in range(0, len(texts), batch):
            part = slice(start, start + batch)
            generators = [torch.Generator().manual_seed(seed) for seed in seeds[part]]
            images += pipe(texts[part], generator=generators, **call).images
        return np.array([judge.score(images, texts) for judge in judges], dtype=float)

    def ours() -> Scores:
        report = evaluate(pipe, subset, SCORERS, batch=batch, call=call)
        return np.array([part.values for part in report.metrics.values()])

    return bare, ours


def one_round(
    bare: Callable[[], object], ours: Callable[[], object], number: int
) -> list[list[float]]:
    """Return wall and CPU seconds of the bare loop, and of the evaluation."""
    taken = {}
    for work in (bare, ours) if number % 2 else (ours, bare):
        begun = time.perf_counter(), time.process_time()
        work()
        taken[work] = [time.perf_counter() - begun[0], time.process_time() - begun[1]]
    return [taken[bare], taken[ours]]


def table(times: Any) -> str:
    """Return seconds [rounds, bare and ours, wall and CPU] as a Markdown table."""
    lines = [
        "| clock | bare, s | evaluate over bare, median | quarter to three quarters | rounds |",
        "| --- | --- | --- | --- | --- |",
    ]
    for column, clock in enumerate(("wall time", "CPU time")):
        bare, ours = times[:, 0, column], times[:, 1, column]
        low, middle, high = np.quantile(100 * (ours / bare - 1), [0.25, 0.5, 0.75])
        spread = f"{low:+.2f}% to {high:+.2f}%"
        lines.append(
            f"| {clock} | {np.median(bare):.2f} | {middle:+.2f}% | {spread} | {len(times)} |"
        )
    return "\n".join(lines)


def greatest_memory() -> float:
    """Return the most memory this process has had resident, in MiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    main()
