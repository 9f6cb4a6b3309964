"""`flasheval show`: the contents of a score table, a manifest, a run or a list of prompts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.text import Text

from flasheval.base.drawing.terminal import drawn, plain_table, warning_lines
from flasheval.base.drawing.view import Line, View
from flasheval.base.errors import DataError, SettingError
from flasheval.base.json_data import read_json
from flasheval.base.resources import bundled, shipped_scores
from flasheval.base.run_folders import MANIFEST, shown_path
from flasheval.base.suggest import nearest
from flasheval.cli.commands.context import Context
from flasheval.cli.configs import ShowConfig
from flasheval.cli.exit_codes import DONE
from flasheval.prompts.loading import as_prompts
from flasheval.prompts.summary import prompts_view
from flasheval.scores.by_tag import rankings_by_tag, tag_ranking_table
from flasheval.scores.importers.by_shape import read_scores
from flasheval.scores.parquet import is_saved_table
from flasheval.scores.precision import exact_warnings
from flasheval.scores.twins import named_twins
from flasheval.scores.variance import variance_shares
from flasheval.selection.held_out.report_files import REPORT
from flasheval.subset import Subset
from flasheval.subset.evidence_table import fewer
from flasheval.subset.manifest import FORMAT
from flasheval.subset.prompt_sources import seeds_note
from flasheval.subset.tag_shares import tag_shares

if TYPE_CHECKING:
    from rich.table import Table

    from flasheval.scores import ScoreTable
    from flasheval.scores.matrix import ScoreMatrix
    from flasheval.subset import Subset

__all__ = ["direction", "mean_range", "metrics_table", "run_show", "show_subset"]

_FIRST_IDS = 10
_PREFIX = ("prefix_of", "prefix_size")  # a note says it in words


def run_show(config: ShowConfig, context: Context) -> int:
    """Print the contents of `path` or `prompts` and return the exit code.

    Raises FlashevalError for a path that holds no scores, subset or run, or no prompts.
    """
    console = context.console
    if config.prompts and not config.path:
        prompts = as_prompts(config.prompts)
        console.print(drawn(prompts_view(prompts, by=config.by)))
        return DONE
    if not config.path:
        raise SettingError(
            "path is missing: flasheval show PATH, of scores, a manifest or a run; "
            "flasheval show prompts=FILE for a list of prompts"
        )
    path = shipped_scores(config.path)
    if not path.exists():
        published = bundled()
        if config.path not in published:
            raise DataError(
                f"{path} does not exist; expected scores, a subset manifest, a run or the name of "
                f"a published subset{nearest(config.path, published)}"
            )
        path = published[config.path]
    if path.is_dir():
        _show_folder(path, config, console)
    elif path.suffix.lower() == ".json" and _is_manifest(path):
        _show_subset(path, console, config)
    else:
        _show_scores(path, config, console)
    return DONE


def direction(matrix: ScoreMatrix) -> str:
    """Return whether higher or lower is better, in one word.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> direction(synthetic_scores(4, 10)["quality"])
        'higher'

    """
    return "higher" if matrix.higher_is_better else "lower"


def mean_range(matrix: ScoreMatrix) -> str:
    """Return the least and greatest full mean over the complete variants.

    Example:
        >>> from flasheval.scores import ScoreMatrix
        >>> scores = np.array([[1, 2], [3, 4], [5, np.nan]], dtype=np.float32)
        >>> mean_range(ScoreMatrix("clip", scores, ("a", "b", "c"), ("1", "2")))  # c is incomplete
        '1.5 to 3.5'

    """
    known = matrix.full_means[~np.isnan(matrix.full_means)]
    return f"{known.min():.4g} to {known.max():.4g}" if known.size else "no complete variant"


def metrics_table(table: ScoreTable) -> Table:
    """Return a table of the metrics: direction, coverage and means.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = metrics_table(synthetic_scores(4, 10))
        >>> table.row_count, len(table.columns)  # one row a metric
        (2, 5)

    """
    rows = []
    for metric in table.metrics:
        matrix = table[metric]
        complete = int((matrix.coverage >= 1).sum())
        rows.append(
            (
                metric,
                direction(matrix),
                f"{complete} of {len(table)}",
                f"{matrix.coverage.mean():.1%}",
                mean_range(matrix),
            )
        )
    titles = ("metric", "better", "complete variants", "scores there", "full means")
    return plain_table(titles, rows, left=2)


def _show_folder(path: Path, config: ShowConfig, console: Console) -> None:
    if is_saved_table(path):
        _show_scores(path, config, console)
    elif (path / MANIFEST).exists() and not (path / REPORT).exists():
        _show_subset(path / MANIFEST, console, config)
    elif (path / REPORT).exists():
        for key in ("by", "prompts"):
            if getattr(config, key):
                raise SettingError(f"{key}= is for scores, a subset or prompts; leave it out")
        _show_validation(path, console)
    elif not _show_runs(path, console) + _show_validations(path, console):
        try:
            _show_scores(path, config, console)
        except DataError as error:
            raise DataError(f"{error}; nor is there a run ({MANIFEST}) in it") from error


def _show_validation(folder: Path, console: Console) -> None:
    from flasheval.selection.held_out.report import ValidationReport

    console.print(drawn(ValidationReport.load(folder).view()))
    console.print(f"\nfiles: {shown_path(folder)}/", soft_wrap=True, markup=False)


def _is_manifest(path: Path) -> bool:
    # A long table may be JSON too; anything else that claims to be JSON must read as JSON.
    try:
        content = read_json(path)
    except DataError as error:
        if "line 2" in str(error) and "Extra data" in str(error):
            return False
        raise
    return isinstance(content, dict) and ("format" in content or FORMAT in content)


def _show_subset(path: Path, console: Console, config: ShowConfig) -> None:
    subset, by = Subset.load(path), config.by
    if config.prompts:
        subset = subset.with_tags(as_prompts(config.prompts))
    show_subset(subset, shown_path(path), console)
    if by is not None:
        console.print(drawn(View((Line(""), tag_shares(subset, by)))))


def show_subset(subset: Subset, where: str, console: Console) -> None:
    """Print a subset and its evidence; `where` is the path of its manifest."""
    console.print(drawn(subset.view()))
    for note in filter(None, (*subset.record.notes, seeds_note(subset))):
        console.print(f"note: {note}", style="magenta", markup=False)
    chosen = subset.method.settings.items()
    settings = ", ".join(f"{key}={value}" for key, value in chosen if key not in _PREFIX)
    lines = [
        f"method:   {subset.method.name}({settings}), seed {subset.method.seed}",
        f"metrics:  {', '.join(map(str, subset.metrics))}",
        f"ids:      {', '.join(subset.ids[:_FIRST_IDS])}"
        + (f", ... ({subset.size} in all)" if subset.size > _FIRST_IDS else ""),
        f"content:  sha256 {subset.content_hash[:12]}, made {subset.record.created or 'some day'}",
        f"file:     {where}",
    ]
    console.print()
    for line in lines:
        console.print(line, markup=False)


def _show_runs(path: Path, console: Console) -> int:
    """Print the searches below a folder, one row each, and return how many there are."""
    manifests = sorted([*path.glob(f"*/{MANIFEST}"), *path.glob(f"*/*/{MANIFEST}")])
    if not manifests:
        return 0
    rows: list[tuple[str | Text, ...]] = []
    for manifest in manifests:
        name = str(manifest.parent.relative_to(path))
        try:
            rows.append((name, *_run_row(Subset.load(manifest))))
        except DataError as error:
            rows.append((name, Text(str(error), style="red"), *[""] * 5))
    titles = ("run", "method", "size", "held-out", "random", "as good as", "fewer")
    if not console.is_terminal:  # the width is nobody's: do not break long names
        console.width = 160
    console.print(plain_table(titles, rows, left=2))
    return len(manifests)


def _show_validations(path: Path, console: Console) -> int:
    """Print what the comparisons below a folder found, a line each, and return how many."""
    from flasheval.selection.held_out.answer import answer
    from flasheval.selection.held_out.report import ValidationReport

    reports = sorted([*path.glob(f"*/{REPORT}"), *path.glob(f"*/*/{REPORT}")])
    for report in reports:
        name = report.parent.relative_to(path)
        try:
            said = answer(ValidationReport.load(report.parent))
        except DataError as error:
            said = str(error)
        console.print(f"{name}: {said}", markup=False)
    return len(reports)


def _run_row(subset: Subset) -> tuple[str, ...]:
    evidence = subset.record.evidence
    method = subset.method.name + ("*" if subset.record.interrupted else "")
    if evidence is None:
        return (method, str(subset.size), *["-"] * 4)
    pooled = evidence.pooled
    equivalent = pooled.equivalent_random_size
    return (
        method,
        str(subset.size),
        f"{pooled.held_out_tau.mean:.3f}",
        f"{pooled.random_tau.mean:.3f}",
        "-" if equivalent is None else str(equivalent.estimate),
        "-" if equivalent is None else fewer(equivalent.estimate, evidence.size),
    )


def _show_scores(path: Path, config: ShowConfig, console: Console) -> None:
    result = read_scores(
        path, prompts=config.prompts, columns=config.columns, drop=config.drop or ()
    )
    table = result.table
    if result.how:
        console.print(Text(result.how, style="magenta"), soft_wrap=True)
    twins = table.named_twins()  # in every metric, whichever are shown
    if config.metric is not None:
        names = [config.metric] if isinstance(config.metric, str) else list(config.metric)
        table = table.with_metrics(names)
    known = "known" if table.prompts.texts is not None else "not known"
    said = f"{len(table)} variants, {table.n_prompts:,} prompts of {table.prompts.name}"
    more = f" (texts {known}, hash {table.prompts.hash[:12]})"
    console.print(Text.assemble((said, "bold"), more))
    several = any(matrix.images is not None for matrix in table.matrices.values())
    if table.seeds is not None or several:
        console.print(_images(table))
    factors = {name: None for variant in table.variants for name in variant.factors}
    console.print()
    if factors:
        lines = [(name, _values(table, name)) for name in factors]
        console.print(plain_table(("factor", "values"), lines, left=2))
        console.print()
    titles = ("metric", "better", "complete", "near ties", "full means")
    # Each metric on its own prompts: another may be measured on those of other categories.
    parts = [table.with_metrics([metric]).on_measured_prompts() for metric in table.metrics]
    rows = [_metric_row(part, *part.metrics) for part in parts]
    console.print(plain_table(titles, rows, left=2))
    extremes = [(m, *_extremes(part[m])) for part in parts for m in part.metrics]
    console.print()
    console.print(plain_table(("metric", "best variant", "worst variant"), extremes, left=3))
    if rows := _variance_rows(table):
        console.print("\nshares of a single image's variance")
        console.print(plain_table(_VARIANCE, rows))
    if config.by is not None:
        by_tag = tag_ranking_table(config.by, rankings_by_tag(table, config.by))
        console.print(drawn(View((Line(""), by_tag))))
    warnings = [*named_twins(twins), *exact_warnings(table.exact_metrics)]
    partly = [part for part in parts if part.n_prompts < table.n_prompts]
    if partly:
        counts = ", ".join(f"{part.metrics[0]} on {part.n_prompts:,}" for part in partly[:4])
        warnings.append(
            f"{len(partly)} of {len(parts)} metrics are measured on a part of the "
            f"{table.n_prompts:,} prompts ({counts}{', ...' if len(partly) > 4 else ''}): search "
            "for one alone (metric=NAME)"
        )
    if keepable := "" if partly else table.keepable():
        warnings.append(f"some variants lack scores; {keepable}")
    for line in warning_lines(warnings):
        console.print(line)


def _images(table: ScoreTable) -> str:
    counts = {name: _counts(matrix) for name, matrix in table.matrices.items()}
    if len(set(counts.values())) == 1:
        count = next(iter(counts.values()))
        one = count == "1"
        said = "1 image a prompt" if one else f"{count} images a prompt, a score is their mean"
    else:
        each = ", ".join(f"{count} ({name})" for name, count in counts.items())
        said = f"images a prompt, a score is their mean: {each}"
    return said if table.seeds is None else f"{said}; {table.seeds}"


def _counts(matrix: ScoreMatrix) -> str:
    """Return how many images a score is the mean of, such as "1 to 4"."""
    if matrix.images is None:
        return "1"
    there = (~np.isnan(matrix.images)).sum(axis=2)[~np.isnan(matrix.values)]
    low, high = (there.min(), there.max()) if there.size else (0, matrix.images_per_prompt)
    return f"{high}" if low == high else f"{low} to {high}"


_MOSTLY = 0.5  # of a variant's prompts have all images, or it is left out of the variance
_VARIANCE = ("metric", "model", "prompt", "model by prompt", "seed noise", "of it common")


def _variance_rows(table: ScoreTable) -> list[tuple[str, ...]]:
    """Return the shares of variance of each metric that has several images a prompt."""
    shared = table.seeds is not None and not table.seeds.variant_seeds
    rows = []
    for metric, matrix in table.matrices.items():
        if matrix.images is None:
            continue
        whole = ~np.isnan(matrix.images).any(axis=2)
        images = matrix.images[whole.mean(axis=1) > _MOSTLY]  # others would leave no prompt
        found = variance_shares(images, shared_seeds=shared)
        if found is not None:
            parts = (found.model, found.prompt, found.model_by_prompt, found.seed_noise)
            common = f"{found.shared_noise:.1%}" if shared else "-"
            rows.append((metric, *(f"{part:.1%}" for part in parts), common))
    return rows


def _values(table: ScoreTable, factor: str) -> str:
    values = dict.fromkeys(str(value) for value in table.factor(factor) if value is not None)
    return ", ".join(list(values)[:8]) + (", ..." if len(values) > 8 else "")


def _metric_row(table: ScoreTable, metric: str) -> tuple[str, ...]:
    from flasheval.scores.ranking.significant import near_tie_share

    matrix = table[metric]
    complete = np.flatnonzero(matrix.coverage >= 1)
    ties = "-"
    if len(complete) > 1:
        ties = f"{near_tie_share(matrix.values[complete]):.0%}"
    return (
        metric,
        direction(matrix),
        f"{len(complete)} of {len(table)}",
        ties,
        mean_range(matrix),
    )


def _extremes(matrix: ScoreMatrix) -> tuple[str, str]:
    complete = np.flatnonzero(~np.isnan(matrix.full_means))
    if not complete.size:
        return "-", "-"
    means = matrix.full_means[complete] * matrix.sign
    best, worst = complete[int(np.argmax(means))], complete[int(np.argmin(means))]
    return matrix.variants[best], matrix.variants[worst]
