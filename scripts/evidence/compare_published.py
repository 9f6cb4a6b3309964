"""Our published subsets beside the authors' released ones and random prompts: one page.

All on the same variants: those that the authors' split holds out. Ours were searched for this on
the authors' search variants alone, by the procedure that made the published ones (which were then
searched on all variants, so that nothing is left to hold them to). The authors' files are judged
on the metric they really fit, for their labels are not right. Read from the manifests; the
official data, which is not part of this repository, is needed for the authors' files only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from official_data import arguments
from reproduction.released_subsets import Audited, audit_all
from reproduction.study import FULL, QUICK, Study, say

from flasheval.base.drawing.markdown import markdown_table
from flasheval.base.files import atomic_write
from flasheval.base.resources import subsets_dir
from flasheval.subset import Subset
from flasheval.subset.evidence import Agreement, Evidence, Spread
from flasheval.subset.evidence_table import fewer

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "release")]

from publishing.families import SHARED, SIZES  # noqa: E402

_POPULATIONS = {"COCO": "coco", "DiffusionDB": "diffusiondb"}
_OFFICIAL = "official split"
_READ = [
    "## How to read it",
    "",
    "Kendall tau-b with the full ranking of the same prompt set, on the variants that the authors' "
    "split holds out (33 on COCO, 39 on DiffusionDB). One split, so single figures are noisy: a "
    "difference of .05 between two columns is within what another split would change.",
    "",
    "- `ours`: our procedure for one metric, searched on the authors' search variants alone. "
    "`ours, shared`: one subset for all metrics, judged on this one. The subsets we publish were "
    "made by the same procedures on all variants; so these are figures of the procedure.",
    "- `authors'`: their released file, repeats counted as often as they stand there, on the "
    "metric it really fits ([released-subsets.md](released-subsets.md)): their labels Aesthetic "
    "and CLIP are exchanged. What the HPS files fit cannot be told; they are judged on HPS. All "
    "files of DiffusionDB that fit a ranking at all fit COCO's, which is why the large ones fall "
    "behind random prompts here.",
    "- `their search again`: our `frequency`, 300,000 sets an iteration, on the same search "
    "variants as ours; mean of three seeds, with the least and the greatest.",
    "- `random`: mean and 5-95% of 200 random subsets of distinct prompts.",
    "",
    "On COCO the authors' files do better on these variants than ours, and better than their own "
    "search when we run it again. Two things are known to be unlike: they searched 39 variants, 8 "
    "of which have no complete scores among what they released, so that we search 31; and nothing "
    "tells which of several searches a released file is, nor by which variants it was picked. We "
    "cannot tell luck from either.",
    "",
]


def main(argv: Sequence[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the official data")
    parser.add_argument("--units", type=Path, required=True, help="folder of finished searches")
    parser.add_argument("--out", type=Path, required=True, help="Markdown file to write")
    parser.add_argument("--subsets", type=Path, default=None, help="folder of our manifests")
    parser.add_argument("--quick", action="store_true", help="fewer random draws for the audit")
    options = parser.parse_args(argv)
    folder = options.subsets or subsets_dir()
    study = Study.load(options.data, options.units, QUICK if options.quick else FULL)
    rows = [*_rows(folder, study, audit_all(study))]
    lines = [
        "# The published subsets, the authors' and random prompts",
        "",
        f"Made by `python scripts/evidence/compare_published.py {arguments()}` from the "
        "manifests in `subsets/`.",
        "",
        *_summary(rows),
        *_READ,
    ]
    for prompt_set in _POPULATIONS:
        lines += [f"## {prompt_set}, the same held-out variants", ""]
        lines += [*_table([row for row in rows if row.prompt_set == prompt_set]), ""]
    lines += _own_evidence(folder)
    with atomic_write(options.out) as temporary:
        temporary.write_text("\n".join(lines), "utf-8")


@dataclass(frozen=True)
class Row:
    """Held-out tau-b of one metric at one size on the variants that the authors' split holds out.

    `theirs` is None where they released no file; `again` are re-runs of their search, a seed each.
    """

    prompt_set: str
    metric: str
    size: int
    ours: Agreement
    shared: Agreement
    theirs: float | None
    label: str
    again: tuple[float, ...]


def _rows(folder: Path, study: Study, audited: Sequence[Audited]) -> Iterator[Row]:
    for prompt_set, metric, table in study.by_metric():
        population = _POPULATIONS[prompt_set]
        split = study.official(table)
        for size in SIZES:
            ours = _official(folder, f"{population}-{metric.lower()}-{size}", metric)
            shared = _official(folder, f"{population}-{SHARED}-{size}", metric)
            if ours is None or shared is None:
                continue
            theirs, label = _theirs(audited, prompt_set, metric, size) or (None, "")
            again: tuple[float, ...] = ()
            if theirs is not None:
                say(f"{prompt_set} {metric} {size}: the authors' search again")
                again = tuple(
                    float(found.values(size, metric, "held_out_tau")[0])
                    for seed in study.effort.seeds
                    for found in [
                        study.search(
                            table, "frequency", [size], [split], seed, n_sets=study.effort.n_sets
                        )
                    ]
                )
            yield Row(prompt_set, metric, size, ours, shared, theirs, label, again)


def _summary(rows: Sequence[Row]) -> list[str]:
    lines = []
    for prompt_set in _POPULATIONS:
        there = [row for row in rows if row.prompt_set == prompt_set and row.theirs is not None]
        theirs = np.array([row.theirs for row in there], dtype=np.float64)
        ours = np.array([row.ours.held_out_tau.mean for row in there])
        random = np.array([row.ours.random_tau.mean for row in there])
        again = np.array([row.again for row in there])
        lines.append(
            f"**{prompt_set}**, mean over the {len(there)} sizes and metrics that the authors "
            f"released: ours {ours.mean():.3f}, theirs {theirs.mean():.3f}, their search run again "
            f"{again.mean():.3f}, random prompts {random.mean():.3f}. Ours is above theirs in "
            f"{(ours > theirs).sum()} of {len(there)}, theirs above every re-run of their search "
            f"in {(theirs > again.max(axis=1)).sum()} and below the mean random subset in "
            f"{(theirs < random).sum()}."
        )
    return ["  \n".join(lines), ""]


def _table(rows: Sequence[Row]) -> list[str]:
    titles = (
        *("metric", "N", "random", "ours", "ours, shared"),
        *("authors'", "labelled, distinct", "their search again"),
    )
    cells = [
        (
            row.metric,
            str(row.size),
            _spread(row.ours.random_tau),
            f"{row.ours.held_out_tau.mean:.3f}",
            f"{row.shared.held_out_tau.mean:.3f}",
            "" if row.theirs is None else f"{row.theirs:.3f}",
            row.label,
            _range(row.again) if row.again else "",
        )
        for row in rows
    ]
    by_size = [[row for row in rows if row.size == size] for size in SIZES]
    return markdown_table(titles, [*cells, *(_means(same) for same in by_size if same)])


def _means(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return a row of the table: one size, the mean over metrics."""
    released = [row for row in rows if row.theirs is not None]
    theirs = again = ""
    if released:
        theirs = f"{np.mean([row.theirs for row in released if row.theirs is not None]):.3f}"
        again = f"{np.mean([row.again for row in released]):.3f}"
    agreements = [
        [row.ours.random_tau.mean for row in rows],
        [row.ours.held_out_tau.mean for row in rows],
        [row.shared.held_out_tau.mean for row in rows],
    ]
    means = (f"{np.mean(taus):.3f}" for taus in agreements)
    return ("**mean**", str(rows[0].size), *means, theirs, "", again)


def _range(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def _theirs(
    audited: Sequence[Audited], prompt_set: str, metric: str, size: int
) -> tuple[float, str] | None:
    """Held-out tau of the authors' file that fits a metric, and its label and distinct prompts."""
    for one in audited:
        subset = one.subset
        fits = one.fitted.metric if one.fitted else subset.label
        if (subset.prompt_set, subset.size, fits) == (prompt_set, size, metric):
            fit = one.own(metric, "held-out")
            return None if fit is None else (fit.tau, f"{subset.label}, {subset.distinct}")
    return None


def _official(folder: Path, name: str, metric: str) -> Agreement | None:
    path = folder / name.partition("-")[0] / f"{name}.json"
    if not path.exists():
        return None
    found = [one for one in Subset.load(path).record.all_evidence if one.split_spec == _OFFICIAL]
    return found[0].metrics.get(metric) if found else None


def _own_evidence(folder: Path) -> Iterator[str]:
    """Yield a table of every published subset: each kind of splits, averaged over its metrics."""
    yield "## Every published subset"
    yield ""
    yield (
        "Held-out tau-b averaged over the metrics served, with random prompts of the same size "
        "behind it, and how many random prompts agree as well (90% interval over splits where "
        "there are 8 independent ones). Of the procedure, on splits that no setting was chosen on."
    )
    yield ""
    subsets = [Subset.load(path) for path in folder.glob("*/*.json")]
    yield _shared_against_own({subset.name: subset for subset in subsets})
    yield ""
    subsets.sort(key=lambda one: (one.prompt_set_name, one.name.rpartition("-")[0], one.size))
    for population in dict.fromkeys(one.prompt_set_name for one in subsets):
        chosen = [one for one in subsets if one.prompt_set_name == population]
        kinds = [one.split_spec for one in chosen[0].record.all_evidence]
        titles = ["subset"]
        for kind in kinds:
            titles += [f"{kind}: tau", "random", "as good as", "fewer"]
        rows = [
            [one.name, *(cell for e in one.record.all_evidence for cell in _cells(e))]
            for one in chosen
        ]
        yield f"### {population}"
        yield ""
        yield from markdown_table(titles, rows)
        yield ""


def _shared_against_own(subsets: Mapping[str, Subset]) -> str:
    """Say by size how often the subset for all metrics ranks by one as well as that one's own."""
    wins: dict[int, list[bool]] = {size: [] for size in SIZES}
    for subset in subsets.values():
        shared = subsets[f"{subset.prompt_set_name}-{SHARED}-{subset.size}"].record.evidence
        own = subset.record.evidence
        if len(subset.metrics) == 1 and own is not None and shared is not None:
            metric = subset.metrics[0].name
            taus = [one.metrics[metric].held_out_tau.mean for one in (own, shared)]
            wins[subset.size].append(taus[1] >= taus[0])
    counts = ", ".join(f"{sum(found)} of {len(found)} at {size}" for size, found in wins.items())
    return (
        "On random halves the `shared` subset ranks by a single metric as well as the subset "
        f"chosen for that metric alone, or better, in {counts} prompts. Presumably the other "
        "metrics of the same images keep a search from fitting noise. The manifests say where."
    )


def _cells(evidence: Evidence) -> list[str]:
    pooled = evidence.pooled
    equivalent = pooled.equivalent_random_size
    return [
        f"{pooled.held_out_tau.mean:.3f}",
        f"{pooled.random_tau.mean:.3f}",
        "" if equivalent is None else str(equivalent),
        "" if equivalent is None else fewer(equivalent.estimate, evidence.size),
    ]


def _spread(spread: Spread) -> str:
    return f"{spread.mean:.3f} ({spread.low:.3f} to {spread.high:.3f})"


if __name__ == "__main__":
    main()
