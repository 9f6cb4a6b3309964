"""Measure the shipped scores of the miniature, and what searches on them find, held out.

Which pairs of variants all prompts tell apart, how far two halves of the prompts agree, and methods
on random halves of the variants and with one base model (checkpoint) left out. A page of Markdown
and its plot.

    python scripts/evidence/measure_miniature_scores.py --page docs/evidence/miniature.md \
        --plot docs/images/miniature-agreement.png
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import flasheval
from flasheval.base.drawing.figures import save_png
from flasheval.base.drawing.markdown import markdown_table
from flasheval.report.validation_folder import markdown_report
from flasheval.scores import ScoreMatrix, ScoreTable, load_scores
from flasheval.scores.ranking.kendall import kendall_tau_b
from flasheval.scores.ranking.significant import near_tie_share

_HALVINGS = 100
_METHODS = ("random", "frequency", "balanced", "pooled", "auto")
_SPLITS = ("random:10", "group:base_model")
_HEAD = """\
# The miniature's population

`python scripts/evidence/measure_miniature_scores.py --page docs/evidence/miniature.md --plot
docs/images/miniature-agreement.png`, on the scores that travel with the package (made by
`scripts/miniature/make_miniature_scores.py`). No method and no setting was chosen on them.

{about}. *Resolved*: pairs of variants whose means over all prompts differ by more than two
paired standard errors. *Split-half tau*: Kendall's tau-b between the rankings by two random halves
of the prompts, mean of {halvings} halvings, with 5 to 95% of them.
"""


def main() -> None:
    """Measure, write the page and draw the plot."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", type=Path, help="Markdown file; printed where not given")
    parser.add_argument("--plot", type=Path, help="PNG file; none where not given")
    parser.add_argument("--folder", type=Path, help="where finished searches are kept")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 50])
    parser.add_argument("--splits", nargs="+", default=_SPLITS)
    options = parser.parse_args()
    table = load_scores("miniature")
    page = measure(table, options.sizes, options.splits, options.folder, options.plot, options.page)
    if options.page is None:
        print(page)
    else:
        options.page.write_text(page, encoding="utf-8")


def measure(
    table: ScoreTable,
    sizes: Sequence[int],
    splits: Sequence[str],
    folder: Path | None,
    plot: Path | None,
    page: Path | None,
) -> str:
    """Return the page; draw the plot where a path is given."""
    about = f"{len(table)} variants, {table.n_prompts:,} prompts"
    rows = [_row(table[metric]) for metric in table.metrics]
    titles = [
        "metric",
        "least mean",
        "greatest mean",
        "resolved pairs",
        "split-half tau (5 to 95%)",
    ]
    report = flasheval.validate(
        table, size=sizes, methods=_METHODS, splits=list(splits), folder=folder
    )
    image = ""
    if plot is not None:
        save_png(report.view().figures[0], plot)
        image = os.path.relpath(plot, page.parent if page else Path())
    compared = markdown_report(
        report, "python scripts/evidence/measure_miniature_scores.py", image=image
    )
    return "\n".join(
        [
            _HEAD.format(about=about, halvings=_HALVINGS),
            *markdown_table(titles, rows),
            "",
            compared.replace("\n## ", "\n### ").replace("# Validation", "## Validation", 1),
        ]
    )


def _row(matrix: ScoreMatrix) -> list[str]:
    means = matrix.full_means
    taus = split_half_taus(matrix.values)
    return [
        matrix.metric,
        f"{means.min():.3f}",
        f"{means.max():.3f}",
        f"{1 - near_tie_share(matrix.values):.0%}",
        f"{taus.mean():.3f} ({np.quantile(taus, 0.05):.3f} to {np.quantile(taus, 0.95):.3f})",
    ]


def split_half_taus(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return tau-b between the rankings by two halves of the prompts, float64 [halvings]."""
    found = []
    for seed in range(_HALVINGS):
        order = np.random.default_rng(seed).permutation(values.shape[1])
        halves = np.array_split(order, 2)
        first, second = (values[:, half].mean(axis=1, dtype=np.float64) for half in halves)
        found.append(kendall_tau_b(first, second))
    return np.array(found)


if __name__ == "__main__":
    main()
