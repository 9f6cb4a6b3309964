"""Measure how fast the search is, as ratios taken in one run on one machine.

Four measurements, each in a process of its own so that its peak memory is its own:

- kernels: candidate sets scored per second on one thread (39 variants, N=50), beside the same
  computation in plain torch (gather, mean, a loop over pairs), a tidier torch version (a loop
  over variants), and scipy set by set;
- reach: the `search()` call on a COCO-sized matrix (40,504 prompts x 64 variants), N=50;
- frequency: FlashEval's Algorithm 1 with 3,000,000 sets an iteration, same size, N=50;
- large: `balanced` on 1,000,000 prompts x 1,000 variants, N=100.

The scores are made up from a seed, for speed does not depend on them; `--data` also measures
`reach` on the official COCO scores, with the held-out agreement it reaches.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MEASUREMENTS = ("kernels", "reach", "frequency", "large")
EXPLAINED = {
    "kernels": "Candidate sets scored per second on one thread: 39 variants, 50 prompts a set.",
    "reach": "The `search()` call, N=50, 40,504 prompts x 64 variants, kernels compiled, matrix in "
    "memory, method `balanced`; the published code's own search took 1,530 CPU seconds.",
    "frequency": "FlashEval's Algorithm 1 with 3,000,000 sets an iteration, N=50, 40,504 prompts x "
    "64 variants, two threads.",
    "large": "`balanced` with N=100 on a matrix of 1,000 variants in memory.",
}
COCO_PROMPTS, COCO_VARIANTS = 40_504, 64


def rate(call: Callable[[], Any], units: int, *, repeats: int = 5) -> float:
    """Units per second, the best of some repeats after a warm-up."""
    call()
    best = np.inf
    for _ in range(repeats):
        begun = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - begun)
    return units / best


def torch_pair_loop(matrix: Any, target: Any, sets: Any) -> Any:
    """Plain torch: gather, mean, then one pair of variants at a time over all sets."""
    import torch

    means = matrix[sets].mean(dim=1)
    total = torch.zeros(len(sets))
    ties = torch.zeros(len(sets))
    n = len(target)
    for i in range(n):
        for j in range(i + 1, n):
            sign = torch.sign(means[:, i] - means[:, j])
            total += sign * torch.sign(target[i] - target[j])
            ties += sign == 0
    pairs = n * (n - 1) / 2
    return total / torch.sqrt((pairs - ties) * pairs)


def torch_rows(matrix: Any, target: Any, sets: Any) -> Any:
    """Tidier torch: the loop is over variants, each against all later ones at once."""
    import torch

    means = matrix[sets].mean(dim=1)
    total = torch.zeros(len(sets))
    ties = torch.zeros(len(sets))
    n = len(target)
    for i in range(n - 1):
        sign = torch.sign(means[:, i : i + 1] - means[:, i + 1 :])
        total += (sign * torch.sign(target[i] - target[i + 1 :])).sum(dim=1)
        ties += (sign == 0).sum(dim=1)
    pairs = n * (n - 1) / 2
    return total / torch.sqrt((pairs - ties) * pairs)


def measure_kernels(_: argparse.Namespace) -> dict[str, Any]:
    """Measure sets per second of the kernel and of the three baselines, one thread each."""
    import numba
    import torch
    from scipy.stats import kendalltau

    from flasheval.scores.ranking import tau_b_of_sets

    numba.set_num_threads(1)
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    for n_prompts in (5_000, COCO_PROMPTS):
        rng = np.random.default_rng(0)
        matrix = rng.normal(size=(n_prompts, 39)).astype(np.float32)
        target = matrix.mean(axis=0, dtype=np.float64)
        sets = rng.integers(0, n_prompts, (200_000, 50)).astype(np.int32)
        torch_matrix, torch_target = torch.from_numpy(matrix), torch.from_numpy(target)
        batches = {size: torch.from_numpy(sets[:size].astype(np.int64)) for size in (500, 5_000)}

        def by_scipy(matrix: Any = matrix, target: Any = target, sets: Any = sets) -> None:
            for chosen in sets[:500]:
                kendalltau(matrix[chosen].mean(axis=0), target)

        rates = {"flasheval": rate(lambda: tau_b_of_sets(matrix, target, sets), len(sets))}  # noqa: B023
        for name, function in (("torch, pair loop", torch_pair_loop), ("torch, rows", torch_rows)):
            rates[name] = max(
                rate(lambda: function(torch_matrix, torch_target, batch), size, repeats=3)  # noqa: B023
                for size, batch in batches.items()
            )
        rates["scipy"] = rate(by_scipy, 500, repeats=3)
        ours = tau_b_of_sets(matrix, target, sets[:500])
        theirs = torch_pair_loop(torch_matrix, torch_target, batches[500]).numpy()
        rates["largest difference to torch"] = float(np.abs(ours - theirs).max())
        found[f"{n_prompts} prompts"] = rates
    return found


def made_up(n_variants: int, n_prompts: int) -> NDArray[np.float32]:
    """Quality times slope plus noise, float32 [variants, prompts], made in blocks."""
    rng = np.random.default_rng(0)
    quality = rng.normal(size=n_variants).astype(np.float32)
    scores = np.empty((n_variants, n_prompts), dtype=np.float32)
    for begin in range(0, n_prompts, 50_000):
        part = scores[:, begin : begin + 50_000]
        part[:] = rng.standard_normal(part.shape, dtype=np.float32)
        part *= 2.0
        part += quality[:, None]
    return scores


def made_up_table(n_variants: int, n_prompts: int) -> Any:
    """Make the same as a score table of one metric."""
    from flasheval import PromptSet, ScoreMatrix, ScoreTable, Variant

    ids = tuple(map(str, range(n_prompts)))
    names = tuple(f"variant{k}" for k in range(n_variants))
    matrix = ScoreMatrix("quality", made_up(n_variants, n_prompts), names, ids)
    return ScoreTable(PromptSet("made-up", ids), tuple(map(Variant, names)), {"quality": matrix})


def measure_reach(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of `search()` uncalibrated, kernels compiled, matrix in memory; what it reaches."""
    import flasheval

    def timed(table: Any, **settings: Any) -> tuple[float, Any]:
        begun = time.perf_counter()
        result = flasheval.search(table, method="balanced", calibrate=False, **settings)
        return time.perf_counter() - begun, result

    table = made_up_table(COCO_VARIANTS, COCO_PROMPTS)
    timed(table, splits="random:2")
    found: dict[str, Any] = {
        "search(), no held-out evidence, seconds": min(
            timed(table, splits=None)[0] for _ in range(3)
        ),
        "search(), ten random halves, seconds": min(timed(table)[0] for _ in range(3)),
    }
    if options.data is not None:
        from official_data import load_tables, official_split
        from reproduction.record import SHORT_SEARCH

        coco = load_tables(options.data)["COCO"]
        for metric in ("ImageReward", "CLIP"):
            part = coco.with_metrics([metric])
            split = official_split(part, options.data)
            seconds, result = timed(part, splits=split)
            tau = result.measurement.values(50, metric, "held_out_tau")[0]
            found[f"COCO {metric}, seconds with the official split"] = seconds
            found[f"COCO {metric}, held-out tau"] = float(tau)
            published = SHORT_SEARCH["COCO", metric][1]  # at N=50: search, held-out
            found[f"COCO {metric}, held-out tau of the published code"] = published[1]
    return found


def measure_frequency(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of `frequency` with 3,000,000 sets an iteration on all variants."""
    import flasheval

    table = made_up_table(COCO_VARIANTS, COCO_PROMPTS)
    flasheval.search(table, method="frequency", settings={"n_sets": 3_000}, splits=None)
    begun = time.perf_counter()
    result = flasheval.search(
        table, method="frequency", settings={"n_sets": options.n_sets}, splits=None
    )
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "sets": result.sets, "sets per second": result.sets / seconds}


def measure_large(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of `balanced` on a very large matrix, and on one of half the prompts."""
    from flasheval.selection.methods.driver import drive
    from flasheval.selection.methods.problem import make_problem
    from flasheval.selection.methods.registry import make_selector

    found: dict[str, Any] = {}
    scores = made_up(options.variants, options.prompts)
    small = make_problem([scores[:50, :5_000]], ["quality"], 10)
    drive(make_selector("balanced"), small, np.random.default_rng(0))
    for share in (2, 1):
        part = scores[:, : options.prompts // share]
        begun = time.perf_counter()
        problem = make_problem([part], ["quality"], 100)
        drive(make_selector("balanced"), problem, np.random.default_rng(0))
        found[f"{part.shape[1]:,} prompts, seconds"] = time.perf_counter() - begun
    return found


def in_own_process(name: str, arguments: list[str]) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, *arguments, "--inside", name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=list(MEASUREMENTS))
    parser.add_argument("--data", type=Path, help="folder of the official scores")
    parser.add_argument("--out", type=Path, help="Markdown file to write (default: the terminal)")
    parser.add_argument("--n-sets", type=int, default=3_000_000, help="for frequency")
    parser.add_argument("--prompts", type=int, default=1_000_000, help="for large")
    parser.add_argument("--variants", type=int, default=1_000, help="for large")
    parser.add_argument("--inside", choices=MEASUREMENTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside is not None:
        found = globals()[f"measure_{options.inside}"](options)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(json.dumps({**found, "peak memory, GiB": peak}))
        return
    lines = ["# Speed of the search", "", _where(options), ""]
    for name in options.only:
        print(f"measuring {name} ...", file=sys.stderr)
        found = in_own_process(name, sys.argv[1:])
        lines += [f"## {name}", "", EXPLAINED[name], ""]
        lines += [f"- {key}: {_shown(value)}" for key, value in found.items()]
        lines.append("")
    text = "\n".join(lines).rstrip() + "\n"
    if options.out is None:
        print(text)
    else:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, "utf-8")


def _where(options: argparse.Namespace) -> str:
    from flasheval.base.versions import library_versions

    versions = library_versions(("flasheval", "numpy", "scipy", "numba", "torch"))
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    data = "" if options.data is None else " --data DIR"
    machine = f"{os.cpu_count()} {platform.machine()}"
    return (
        f"Made by `python scripts/evidence/benchmark_search.py{data}` on {machine} "
        f"processors shared with other work ({libraries}). Trust the ratios, not the seconds."
    )


def _shown(value: Any) -> str:
    if not isinstance(value, dict):
        return f"{value:,.3g}" if isinstance(value, float) and value < 1000 else f"{value:,.0f}"
    ours = value["flasheval"]
    parts = []
    for name, number in value.items():
        if name.startswith("largest"):
            parts.append(f"{name} {number:.1e}")
        else:
            ratio = "" if name == "flasheval" else f" (flasheval is {ours / number:,.0f}x)"
            parts.append(f"{name} {number:,.0f} sets/s{ratio}")
    return "; ".join(parts)


if __name__ == "__main__":
    main()
