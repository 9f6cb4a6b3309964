"""Hold the checkpoint monitor to the truth: the tuning series, every checkpoint fully scored.

Subsets of 50 prompts, searched on the miniature's population (none of these checkpoints is in it)
and calibrated at 10, 20 and 50, look at the checkpoints of `tune_miniature.py` with images of ten
seeds. Which one does the monitor pick, what does that cost beside the best, when does it say stop?
Beside it random prompts, and the last checkpoint. A page of Markdown, with a plot.

    python scripts/evidence/measure_monitor.py --tuning tuning --runs runs/monitor \
        --page docs/evidence/monitor.md --plot docs/images/tuning.png
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import flasheval
from flasheval import CheckpointMonitor, Report, ScoreTable, Subset
from flasheval.base.drawing.markdown import markdown_table
from flasheval.evaluation.report import MetricScores
from flasheval.miniature import SCORERS
from flasheval.runs.executors.processes import Processes

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "miniature")]

from score_tuning import population  # noqa: E402

_METRIC = "CLIP"
_LOOKS = (10, 20, 50)
_PATIENCE = 3


@dataclass(frozen=True)
class Outcome:
    """What one monitor did, held to the full scores of all checkpoints.

    Attributes:
        picked: Step of the checkpoint it calls best, after seeing all.
        regret: Best full score less that one's.
        stopped: Step at which it said stop; None where it never did.
        kept: Best less the full score of what it called best when it said stop.
        prompts: Images it asked for, of all checkpoints.
        wrong: Verdicts of better or worse that the full scores contradict, and how many there were.

    """

    picked: int
    regret: float
    stopped: int | None
    kept: float
    prompts: int
    wrong: tuple[int, int]


def main() -> None:
    """Make the images, replay the monitors, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tuning", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--runs", type=Path, required=True, help="run folders, one a seed")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--page", type=Path, help="Markdown file; printed where not given")
    parser.add_argument("--plot", type=Path, help="PNG file; none where not given")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    truth = flasheval.load_scores("miniature-tuning")
    kinds = {"selected": "pooled", "random": "random"}
    subsets = {kind: searched(method) for kind, method in kinds.items()}
    tables = list(images_of(options, list(subsets.values())))
    rows: dict[str, list[Outcome]] = {}
    for kind, subset in subsets.items():
        rows[kind] = [replay(subset, table, truth, seed) for seed, table in enumerate(tables)]
    page = write(rows, truth, losses(options.tuning), options)
    if options.plot:
        plot(truth, losses(options.tuning), rows, options.plot)
    if options.page is None:
        print(page)
    else:
        options.page.write_text(page, encoding="utf-8")


def searched(method: str) -> Subset:
    """Return 50 prompts chosen on the miniature's population, calibrated at each look."""
    found = flasheval.search(
        "miniature",
        metric=_METRIC,
        method=method,
        nested=_LOOKS,
        splits=None,
        calibrate=True,
        progress=False,
    )
    return found.subset


def images_of(options: argparse.Namespace, subsets: Sequence[Subset]) -> Iterator[ScoreTable]:
    """Score every checkpoint on the subsets' prompts with images of each seed."""
    prompts = flasheval.load_prompts("miniature")
    chosen = sorted({i for subset in subsets for i in prompts.index_of(subset.ids)})
    for seed in range(options.seeds):
        result = flasheval.run(
            population(options.tuning, "base-middle"),
            prompts.take(chosen),
            SCORERS[:1],
            out=options.runs / f"seed-{seed}",
            seed=seed,
            chunk=len(chosen),
            batch=50,
            executor=Processes(workers=options.workers),
            device="cpu",
        )
        if result.failures or result.scores is None:
            raise SystemExit(f"units failed: {result.failures}")
        yield result.scores


def replay(subset: Subset, table: ScoreTable, truth: ScoreTable, seed: int) -> Outcome:
    """Show the checkpoints to a monitor one after the other."""
    full = truth[_METRIC].full_means
    monitor = CheckpointMonitor(subset, SCORERS[:1], metric=_METRIC, patience=_PATIENCE)
    columns = table.prompts.index_of(subset.ids)
    steps = [int(name.rpartition("-")[2]) for name in truth.variant_names]
    stopped = kept = None
    wrong = decided = 0
    for row, (name, step) in enumerate(zip(truth.variant_names, steps, strict=True)):
        best = monitor.best_step
        values = table[_METRIC].values[table.variant_names.index(name), columns]
        part = MetricScores(SCORERS[0]["checkpoint"], True, tuple(map(float, values)))
        seen = monitor.add(Report(subset, seed, {_METRIC: part}), step)
        if seen.verdict in ("better", "worse") and best is not None:
            gap = full[row] - full[steps.index(best)]
            decided += 1
            wrong += (gap > 0) != (seen.verdict == "better")
        if monitor.should_stop and stopped is None:
            stopped, kept = step, full.max() - full[steps.index(monitor.best_step or 0)]
    picked = monitor.best_step or 0
    regret = float(full.max() - full[steps.index(picked)])
    kept = regret if kept is None else float(kept)
    prompts = sum(one.size for one in monitor.steps)
    return Outcome(picked, regret, stopped, kept, prompts, (wrong, decided))


def losses(tuning: Path) -> NDArray[np.float64]:
    """Return the mean training loss before each checkpoint, NaN for the first."""
    folders = sorted(tuning.glob("checkpoint-*"), key=lambda path: int(path.name[11:]))
    found = [json.loads((path / "loss.json").read_text("utf-8"))["loss"] for path in folders]
    return np.array([np.nan if one is None else one for one in found])


def write(
    rows: dict[str, list[Outcome]],
    truth: ScoreTable,
    loss: NDArray[np.float64],
    options: argparse.Namespace,
) -> str:
    """Return the page."""
    full = truth[_METRIC].full_means
    steps = [int(name.rpartition("-")[2]) for name in truth.variant_names]
    best, last = steps[int(full.argmax())], float(full.max() - full[-1])
    lines = [
        "# The checkpoint monitor on a training that goes on too long",
        "",
        "Made by `scripts/miniature/tune_miniature.py`, `scripts/miniature/score_tuning.py` and "
        "`scripts/evidence/measure_monitor.py`.",
        "",
        f"`base-middle` of the miniature, tuned on 400 clean pictures for {steps[-1]:,} steps: "
        f"{len(steps)} checkpoints, each scored on all {truth.n_prompts:,} prompts. The loss falls "
        f"from {np.nanmean(loss[:6]):.4f} (first five) to {np.mean(loss[-5:]):.4f} (last five), "
        f"while {_METRIC} goes from {full[0]:.4f} up to {full.max():.4f} at step {best} and down "
        f"to {full[-1]:.4f}. The learning rate was chosen for that: at twice as much the score "
        "falls from the start.",
        "",
    ]
    if options.plot:
        image = os.path.relpath(options.plot, options.page.parent if options.page else Path())
        lines += [f"![Loss and full score by step]({image})", ""]
    lines += [
        f"Monitors look at {', '.join(map(str, _LOOKS))} prompts, error 5%, patience {_PATIENCE}, "
        f"images of {len(rows['selected'])} seeds; subset and calibration come from the "
        "miniature's population, which none of these checkpoints is in. Mean over seeds, in "
        "brackets the least and the greatest. *Regret*: the best full score less that of the "
        "checkpoint called best, once all were seen, and when it said stop. *Wrong*: verdicts "
        "(better or worse than the best so far) that the full scores contradict.",
        "",
    ]
    titles = ["", "picked (step)", "regret", "says stop at", "regret then", "images", "wrong"]
    table = [[f"50 {kind} prompts", *_cells(found)] for kind, found in rows.items()]
    table.append(["last checkpoint", str(steps[-1]), f"{last:.4f}", "-", f"{last:.4f}", "0", "-"])
    lines += markdown_table(titles, table)
    lines += ["", "## Every checkpoint", ""]
    cells = [
        [str(step), "-" if np.isnan(one) else f"{one:.4f}"]
        + [f"{truth[metric].full_means[row]:.4f}" for metric in truth.metrics]
        for row, (step, one) in enumerate(zip(steps, loss, strict=True))
    ]
    lines += markdown_table(["step", "loss", *truth.metrics], cells)
    return "\n".join(lines) + "\n"


def _cells(found: Sequence[Outcome]) -> list[str]:
    stops = [one.stopped for one in found if one.stopped is not None]
    never = len(found) - len(stops)
    stop = _spread(stops, "{:.0f}") if stops else "never"
    wrong, decided = (sum(one.wrong[i] for one in found) for i in (0, 1))
    return [
        _spread([one.picked for one in found], "{:.0f}"),
        _spread([one.regret for one in found], "{:.4f}"),
        stop + (f", {never} never" if never and stops else ""),
        _spread([one.kept for one in found], "{:.4f}"),
        _spread([one.prompts for one in found], "{:.0f}"),
        f"{wrong} of {decided}",
    ]


def _spread(values: Sequence[float], form: str) -> str:
    middle, low, high = (
        form.format(one) for one in (np.mean(values), np.min(values), np.max(values))
    )
    return f"{middle} ({low} to {high})"


def plot(
    truth: ScoreTable, loss: NDArray[np.float64], rows: dict[str, list[Outcome]], path: Path
) -> None:
    """Draw loss and full score by step, with what the monitors picked."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    steps = [int(name.rpartition("-")[2]) for name in truth.variant_names]
    full = truth[_METRIC].full_means
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(7, 5.4))
    above.plot(steps, full, "o-", color="#0072b2", label="all 2,000 prompts")
    for kind, colour, marker in (("selected", "#d55e00", "^"), ("random", "#999999", "v")):
        picked, counts = np.unique([one.picked for one in rows[kind]], return_counts=True)
        heights = [full[steps.index(step)] for step in picked]
        label = f"picked by a monitor, 50 {kind} prompts (size: seeds)"
        above.scatter(
            picked, heights, 30 * counts, colour, marker=marker, label=label, zorder=3, alpha=0.8
        )
    above.set_ylabel("CLIPScore, mean")
    above.legend(frameon=False, fontsize=8)
    below.plot(steps, loss, "o-", color="#009e73")
    below.set_ylabel("training loss, mean since\nthe checkpoint before")
    below.set_xlabel("step of quality tuning")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e5e5e5")
    figure.suptitle("The loss keeps falling, the score does not keep rising", x=0.02, ha="left")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
