"""Hold the two-metric monitor to the truth: quality rises in a tuning while fidelity falls.

Monitors look at the checkpoints of `scores=miniature-quality-tuning`, each fully scored, through
subsets of 50 prompts: searched on random halves of the miniature's variants (none of these
checkpoints is among them) with their calibrations, or drawn at random. `Quality` decides,
`Composition` may be lost up to a limit. How often is a checkpoint picked that lost more, what does
the one picked cost in quality, when does the monitor say stop, how many verdicts are wrong? Beside
it the monitor of quality alone, and the last checkpoint. No model runs.

The second part of a page of Markdown, with a plot:

    python scripts/evidence/measure_fidelity.py --page docs/evidence/monitor.md \
        --plot docs/images/quality-tuning.png
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import flasheval
from flasheval import CheckpointMonitor, Report, ScoreTable, Subset
from flasheval.base.drawing.markdown import markdown_table
from flasheval.evaluation.report import MetricScores
from flasheval.miniature import SCORERS

QUALITY, FIDELITY = "Quality", "Composition"
LOOKS = (10, 20, 50)
PATIENCE = 3
LIMITS = (0.01, 0.02, 0.03, 0.05)
METHODS = {"selected": "shared", "random": "random"}
TITLE = "# Quality tuning: one metric decides, another must not be lost"


@dataclass(frozen=True)
class Outcome:
    """What one monitor did, held to the full scores of all checkpoints.

    Attributes:
        picked: Step of the checkpoint it calls best, after seeing all.
        regret: The best quality among checkpoints within the limit, less that of the picked one.
        lost: What the picked one has truly lost of fidelity.
        stopped: Step at which it said stop; None where it never did.
        called: Step of the checkpoint that it called best then.
        images: Images it asked for, of all checkpoints.
        worse: Verdicts of better or worse that the full scores contradict, and how many there were.
        too_much: Decisions that too much was lost where no more was than may be, and how many.
        covered: Intervals of the loss that hold the true one, and how many there were.

    """

    picked: int
    regret: float
    lost: float
    stopped: int | None
    called: int
    images: int
    worse: tuple[int, int]
    too_much: tuple[int, int]
    covered: tuple[int, int]


def main() -> None:
    """Search the subsets, replay the monitors, write the part of the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scores", default="miniature-quality-tuning")
    parser.add_argument("--subsets", type=int, default=20, help="subsets of each kind")
    parser.add_argument("--page", type=Path, help="Markdown file; printed where not given")
    parser.add_argument("--plot", type=Path, help="PNG file; none where not given")
    options = parser.parse_args()
    truth = flasheval.load_scores(options.scores)
    subsets = {
        kind: [searched(method, seed) for seed in range(options.subsets)]
        for kind, method in METHODS.items()
    }
    found = {
        (kind, limit): [replay(one, truth, limit) for one in several]
        for kind, several in subsets.items()
        for limit in (*LIMITS, None)
    }
    said = write(found, truth, options)
    if options.plot:
        plot(truth, found, options.plot)
    if options.page is None:
        print(said)
    else:
        before = options.page.read_text("utf-8") if options.page.exists() else ""
        options.page.write_text(joined(before, said), encoding="utf-8")


def searched(method: str, seed: int) -> Subset:
    """Return 50 prompts found on a random half of the miniature's variants, calibrated there."""
    table = flasheval.load_scores("miniature")
    half = np.random.default_rng(seed).permutation(len(table))[: len(table) // 2]
    return flasheval.search(
        table.with_variants(sorted(map(int, half))),
        metric=[QUALITY, FIDELITY],
        method=method,
        seed=seed,
        nested=LOOKS,
        splits=None,
        calibrate=True,
        progress=False,
    ).subset


def replay(subset: Subset, truth: ScoreTable, limit: float | None) -> Outcome:
    """Show the checkpoints to a monitor one after the other; without a limit quality alone."""
    quality, fidelity = (truth[one].full_means for one in (QUALITY, FIDELITY))
    steps = steps_of(truth)
    settings: dict[str, Any] = {} if limit is None else {"fidelity": FIDELITY, "most_lost": limit}
    monitor = CheckpointMonitor(subset, SCORERS, metric=QUALITY, patience=PATIENCE, **settings)
    columns = truth.prompts.index_of(subset.ids)
    lost = fidelity[0] - fidelity
    allowed = quality[lost <= (np.inf if limit is None else limit)].max()
    stopped, called = None, 0
    worse, too_much, covered = (np.zeros(2, dtype=int) for _ in range(3))
    for row, step in enumerate(steps):
        best = monitor.best_step
        seen = monitor.add(report(subset, truth, row, columns), step)
        if seen.verdict in ("better", "worse") and best is not None:
            gap = quality[row] - quality[steps.index(best)]
            worse += ((gap > 0) != (seen.verdict == "better"), 1)
        if seen.lost is not None:
            covered += (seen.lost.low <= lost[row] <= seen.lost.high, 1)
            if seen.lost.too_much:
                too_much += (lost[row] <= (limit or 0.0), 1)
        if monitor.should_stop and stopped is None:
            stopped, called = step, monitor.best_step or 0
    picked = monitor.best_step or 0
    row = steps.index(picked)
    return Outcome(
        picked,
        float(allowed - quality[row]),
        float(lost[row]),
        stopped,
        called if stopped is not None else picked,
        sum(one.size for one in monitor.steps),
        _pair(worse),
        _pair(too_much),
        _pair(covered),
    )


def report(subset: Subset, truth: ScoreTable, row: int, columns: Sequence[int]) -> Report:
    """Return the report of a checkpoint, as `evaluate` would have made it."""
    parts = {
        metric: MetricScores(
            truth[metric].scorer_version,
            True,
            tuple(map(float, truth[metric].values[row, columns])),
        )
        for metric in (QUALITY, FIDELITY)
    }
    return Report(subset, 0, parts)


def steps_of(truth: ScoreTable) -> list[int]:
    """Return the steps of the checkpoints."""
    return [int(name.rpartition("-")[2]) for name in truth.variant_names]


def joined(page: str, said: str) -> str:
    """Return the page with its part of that title replaced, or added at its end."""
    before = page.partition(TITLE)[0].rstrip()
    return f"{before}\n\n{said}".lstrip()


def write(
    found: Mapping[tuple[str, float | None], Sequence[Outcome]],
    truth: ScoreTable,
    options: argparse.Namespace,
) -> str:
    """Return the part of the page."""
    steps = steps_of(truth)
    quality, fidelity = (truth[one].full_means for one in (QUALITY, FIDELITY))
    clip = truth["CLIP"].full_means
    peaks = [steps[int(one.argmax())] for one in (quality, fidelity, clip)]
    lines = [
        TITLE,
        "",
        "Made by `scripts/miniature/tune_miniature.py --pictures best`, "
        "`scripts/miniature/score_tuning.py` and `scripts/evidence/measure_fidelity.py`, from "
        "`scores=miniature-quality-tuning`.",
        "",
        "`large-final` of the miniature, tuned as Emu was (Dai et al. 2023): on the best 300 of "
        "20,000 drawn pictures, kept by a rule (glossy, at most two things, in contrast with a "
        f"plain ground) and by the judge of {QUALITY}. {len(steps)} checkpoints over "
        f"{steps[-1]:,} steps, each scored on all {truth.n_prompts:,} prompts. {QUALITY} goes from "
        f"{quality[0]:.4f} to {quality.max():.4f} at step {peaks[0]} and {quality[-1]:.4f} at the "
        f"end; {FIDELITY} from {fidelity[0]:.4f} to {fidelity.max():.4f} at step {peaks[1]} and "
        f"{fidelity[-1]:.4f}, CLIP from {clip[0]:.4f} to {clip.max():.4f} at step {peaks[2]} and "
        f"{clip[-1]:.4f}.",
        "",
    ]
    if options.plot:
        image = os.path.relpath(options.plot, options.page.parent if options.page else Path())
        lines += [f"![Quality and fidelity by step]({image})", ""]
    count = len(next(iter(found.values())))
    lines += [
        f"Monitors look at {', '.join(map(str, LOOKS))} prompts, error 5%, patience {PATIENCE}: "
        f"{QUALITY} decides, and of {FIDELITY} no more than a limit may be lost since step 0 "
        f"(`fidelity={FIDELITY}`, `most_lost=`). Each of the {count} subsets of a kind was "
        "searched and calibrated on another random half of the miniature's 64 variants, none of "
        "them a checkpoint. Mean over subsets, in brackets the least and the greatest. *Beyond*: "
        "picks that have truly lost more than the limit. *Regret*: the best full quality of a "
        "checkpoint within the limit less that of the one picked (below 0 where it went beyond). "
        "*Wrong*: verdicts of better or worse, and decisions that too much was lost, that the full "
        "scores contradict.",
        "",
    ]
    titles = ["", "limit", "picked (step)", "beyond", "lost", "regret", "says stop at"]
    titles += ["images", "wrong: better, worse", "wrong: too much"]
    table = [
        [f"50 {kind} prompts", "none" if limit is None else f"{limit:.2f}", *_cells(one, limit)]
        for (kind, limit), one in found.items()
    ]
    last = [f"{fidelity[0] - fidelity[-1]:.4f}", f"{quality.max() - quality[-1]:.4f}"]
    table.append(["last checkpoint", "none", str(steps[-1]), "-", *last, "-", "0", "-", "-"])
    lines += markdown_table(titles, table)
    held = [sum(one.covered[i] for many in found.values() for one in many) for i in (0, 1)]
    lines += [
        "",
        f"The 90% intervals of what was lost hold the true loss in {held[0] / held[1]:.0%} of "
        f"{held[1]:,} steps.",
        "",
        "## Every checkpoint of the quality tuning",
        "",
    ]
    cells = [
        [str(step), *(f"{truth[metric].full_means[row]:.4f}" for metric in truth.metrics)]
        for row, step in enumerate(steps)
    ]
    return "\n".join([*lines, *markdown_table(["step", *truth.metrics], cells)]) + "\n"


def _cells(found: Sequence[Outcome], limit: float | None) -> list[str]:
    stops = [one.stopped for one in found if one.stopped is not None]
    never = len(found) - len(stops)
    beyond = sum(one.lost > limit for one in found) if limit is not None else None
    stop = _spread(stops, "{:.0f}") if stops else "never"
    return [
        _spread([one.picked for one in found], "{:.0f}"),
        "-" if beyond is None else f"{beyond} of {len(found)}",
        _spread([one.lost for one in found], "{:.4f}"),
        _spread([one.regret for one in found], "{:.4f}"),
        stop + (f", {never} never" if never and stops else ""),
        _spread([one.images for one in found], "{:.0f}"),
        _of([one.worse for one in found]),
        "-" if limit is None else _of([one.too_much for one in found]),
    ]


def _of(pairs: Sequence[tuple[int, int]]) -> str:
    return f"{sum(one for one, _ in pairs)} of {sum(many for _, many in pairs)}"


def _pair(counts: Any) -> tuple[int, int]:
    return int(counts[0]), int(counts[1])


def _spread(values: Sequence[float], form: str) -> str:
    middle, low, high = (
        form.format(one) for one in (np.mean(values), np.min(values), np.max(values))
    )
    return f"{middle} ({low} to {high})"


def plot(
    truth: ScoreTable,
    found: Mapping[tuple[str, float | None], Sequence[Outcome]],
    path: Path,
    limit: float = 0.02,
) -> None:
    """Draw quality above fidelity by step, with what monitors picked with and without a limit."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    steps = steps_of(truth)
    figure, panels = plt.subplots(3, 1, sharex=True, figsize=(7, 7))
    named = ((QUALITY, "#0072b2"), (FIDELITY, "#009e73"), ("CLIP", "#cc79a7"))
    for axes, (metric, colour) in zip(panels, named, strict=True):
        full = truth[metric].full_means
        axes.plot(steps, full, "o-", color=colour, markersize=4, label="all 2,000 prompts")
        for one, shade, marker in ((limit, "#d55e00", "^"), (None, "#999999", "v")):
            picked = [outcome.picked for outcome in found["selected", one]]
            values, counts = np.unique(picked, return_counts=True)
            label = f"at most {limit} lost" if one is not None else f"{QUALITY} alone"
            heights = [full[steps.index(int(step))] for step in values]
            axes.scatter(
                values, heights, 20 * counts, shade, marker=marker, label=label, zorder=3, alpha=0.8
            )
        axes.set_ylabel(metric)
        axes.set_xscale("symlog", linthresh=25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e5e5e5")
    panels[1].axhline(truth[FIDELITY].full_means[0] - limit, color="#d55e00", lw=1, ls="--")
    legend = panels[0].legend(frameon=False, fontsize=8, title="picked (size: subsets)")
    legend.get_title().set_fontsize(8)
    panels[-1].set_xlabel("step of quality tuning")
    shown = sorted({0, *(step for step in steps if step in (25, 50, 100, 200, 400, 800, 1600))})
    panels[-1].set_xticks(shown, [str(step) for step in shown])
    figure.suptitle("Quality rises, fidelity is lost", x=0.02, ha="left")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
