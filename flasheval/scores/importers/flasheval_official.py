"""Importer of the official FlashEval score files, which include misplaced and empty ones.

``<root>/<metric>/<base_model>/<metric>-<scheduler><steps>step-<precision>-score.json``, each a
JSON object of prompt id to score.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.base.suggest import nearest
from flasheval.prompts import PromptSet
from flasheval.prompts.loading import as_prompts
from flasheval.scores.importers.official_files import (
    Rejected,
    check_owner,
    place_scores,
    read_score_file,
)
from flasheval.scores.importers.official_names import OFFICIAL_VARIANTS, official_variant
from flasheval.scores.importers.result import Fault, ImportResult
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.table import ScoreTable

__all__ = ["FlashevalOfficial"]

_METRICS = ("ImageReward", "HPS", "Aesthetic", "CLIP")  # higher is better in all four
_FILE = re.compile(r"(?P<metric>.+)-(?P<schedule>[A-Za-z][A-Za-z+-]*\d+)step-"
                   r"(?P<precision>fp|_\d+)-score\.json")  # fmt: skip

Files = dict[tuple[str, str], Path]


@dataclass(frozen=True)
class FlashevalOfficial:
    """Read the tree and report every fault in it; what is faulty is NaN in the table.

    Variants are named ``base/scheduler+steps/precision``. The expected ones come first and in
    that order, as rows of NaN where absent, so that positions in the authors' split hold; others
    follow sorted. (A tree with none of the expected has only what it holds.) Prompts that no file
    measures are left out, with a fault.

    Attributes:
        prompts: A PromptSet or its file; without it ``data/<data set>*.json`` beside the tree.
        metrics: A metric to read, or several; all when None.
        other_root: Another data set's tree: a file here that repeats the scores there is told by
            its values too, not by its ids alone.
        dataset: Which data set, where the folder has several.
        expected: The variants to expect.

    """

    name: ClassVar[str] = "flasheval-official"
    prompts: Any = None
    metrics: Any = None
    other_root: Any = None
    dataset: str | None = None
    expected: tuple[str, ...] = OFFICIAL_VARIANTS

    def read(self, source: str | Path) -> ImportResult:
        """Read the tree.

        Args:
            source: The data set's folder (``COCO``, ``diffusionDB5000``), ``Image_score`` or the
                folder that holds it.

        Raises:
            DataError: There is no tree, no prompt set or no usable score.

        """
        folder = _locate(Path(source), self.dataset)
        prompt_set = as_prompts(_prompts_beside(folder) if self.prompts is None else self.prompts)
        other = None if self.other_root is None else _locate(Path(self.other_root), None)
        chosen = _metrics(folder, self.metrics)
        files, faults = _list_files(folder, chosen)
        variants, absent = _rows(files, self.expected)
        values = np.full((len(chosen), len(variants), len(prompt_set)), np.nan)
        for kind, metric in enumerate(chosen):
            for row, variant in enumerate(variants):
                path = files.get((metric, variant))
                if path is not None:
                    out = values[kind, row]
                    faults += _read(path, folder, other, metric, variant, prompt_set, out)
                elif variant not in absent:
                    expected_path = _path(metric, variant)
                    detail = f"{variant} has files for other metrics but none for {metric}"
                    faults.append(Fault(expected_path, metric, variant, "missing", detail))
        faults += [
            Fault(folder.name, None, variant, "absent", f"{variant} has no file for any metric")
            for variant in absent
        ]
        prompt_set, values, unmeasured = _measured(folder, prompt_set, values, faults)
        faults += unmeasured
        faults += _incomplete(files, folder, chosen, variants, values)
        return ImportResult(_table(prompt_set, chosen, variants, values), tuple(faults))


def _locate(root: Path, dataset: str | None) -> Path:
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; expected the official FlashEval score tree")
    found = [root] if _is_tree(root) else []
    for parent in (root, root / "Image_score"):
        if not found and parent.is_dir():
            found = [path for path in sorted(parent.iterdir()) if _is_tree(path)]
    names = [path.name for path in found]
    if dataset is not None:
        if dataset not in names:
            have = ", ".join(names) or "no score tree"
            raise SettingError(
                f"{root} holds no data set {dataset!r} but {have}{nearest(dataset, names)}"
            )
        return found[names.index(dataset)]
    if not found:
        raise DataError(
            f"{root} holds no <metric>/<base_model>/*-score.json; give the data set's folder, "
            "Image_score, or the folder that holds it"
        )
    if len(found) > 1:
        raise DataError(f"{root} holds the data sets {', '.join(names)}; say which with dataset=")
    return found[0]


def _is_tree(folder: Path) -> bool:
    return folder.is_dir() and next(folder.glob("*/*/*-score.json"), None) is not None


def _prompts_beside(folder: Path) -> Path:
    """Return the data set's prompt file in ``data``, which the authors keep beside the scores."""
    wanted = folder.name.casefold().rstrip("0123456789")
    for parent in folder.resolve().parents[:2]:
        found = [
            path
            for path in sorted((parent / "data").glob("*.json*"))
            if path.name.casefold().startswith(wanted)
        ]
        if len(found) == 1:
            return found[0]
    raise DataError(f"no prompt file data/{wanted}*.json lies beside {folder}; give prompts=")


def _metrics(folder: Path, wanted: Sequence[str] | None) -> tuple[str, ...]:
    have = [path.name for path in sorted(folder.iterdir()) if any(path.glob("*/*-score.json"))]
    if wanted is None:
        known = [metric for metric in _METRICS if metric in have]
        return (*known, *(metric for metric in have if metric not in known))
    for metric in [wanted] if isinstance(wanted, str) else wanted:
        if metric not in have:
            raise SettingError(
                f"{folder} has no scores for metric {metric!r}; it has: {', '.join(have)}"
                f"{nearest(metric, have)}"
            )
    return (wanted,) if isinstance(wanted, str) else tuple(dict.fromkeys(wanted))


def _list_files(folder: Path, metrics: Sequence[str]) -> tuple[Files, list[Fault]]:
    files: Files = {}
    faults = []
    for metric in metrics:
        for path in sorted((folder / metric).glob("*/*.json")):
            match = _FILE.fullmatch(path.name)
            if match is None or match["metric"] != metric:
                detail = (
                    f"expected {metric}-<scheduler><steps>step-<precision>-score.json; not read"
                )
                where = path.relative_to(folder).as_posix()
                faults.append(Fault(where, metric, None, "unknown name", detail))
                continue
            variant = f"{path.parent.name}/{match['schedule']}/{match['precision']}"
            files[metric, variant] = path
    return files, faults


def _rows(files: Files, expected: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the variants in row order, and those of them that have no file at all."""
    found = {variant for _, variant in files}
    known = tuple(expected) if found & set(expected) else ()
    absent = tuple(variant for variant in known if variant not in found)
    return (*known, *sorted(found - set(known))), absent


def _path(metric: str, variant: str) -> str:
    base, schedule, precision = variant.split("/")
    return f"{metric}/{base}/{metric}-{schedule}step-{precision}-score.json"


def _read(
    path: Path,
    folder: Path,
    other: Path | None,
    metric: str,
    variant: str,
    prompts: PromptSet,
    out: NDArray[np.float64],
) -> list[Fault]:
    """Read one file into its row; return its faults."""

    def twin() -> Path | None:
        candidate = None if other is None else other / _path(metric, variant)
        return candidate if candidate is not None and candidate.is_file() else None

    where = path.relative_to(folder).as_posix()
    try:
        scores = read_score_file(path)
        check_owner(scores, prompts, twin)
    except Rejected as verdict:
        return [Fault(where, metric, variant, verdict.problem, verdict.detail)]
    return [
        Fault(where, metric, variant, problem, detail)
        for problem, detail in place_scores(scores, prompts, out)
    ]


def _measured(
    folder: Path, prompts: PromptSet, values: NDArray[np.float64], faults: Sequence[Fault]
) -> tuple[PromptSet, NDArray[np.float64], list[Fault]]:
    """Leave out the prompts that no file measures: the file of prompts may hold many more."""
    seen = np.zeros(len(prompts), dtype=bool)
    for row in values.reshape(-1, len(prompts)):
        seen |= ~np.isnan(row)
    kept = np.flatnonzero(seen)
    if not kept.size:
        first = f"; the first fault: {faults[0]}" if faults else ""
        raise DataError(
            f"no file in {folder} has a score for prompt set {prompts.name!r}: are these the "
            f"right prompts?{first}"
        )
    if kept.size == len(prompts):
        return prompts, values, []
    detail = (
        f"{len(prompts) - kept.size} of the {len(prompts)} prompts of {prompts.name!r} have no "
        "score in any file and are left out"
    )
    fault = Fault(folder.name, None, None, "unmeasured prompts", detail)
    return prompts.take(kept), np.ascontiguousarray(values[:, :, kept]), [fault]


def _incomplete(
    files: Files,
    folder: Path,
    metrics: Sequence[str],
    variants: Sequence[str],
    values: NDArray[np.float64],
) -> list[Fault]:
    faults = []
    n_prompts = values.shape[2]
    for kind, metric in enumerate(metrics):
        for row, variant in enumerate(variants):
            measured = n_prompts - int(np.isnan(values[kind, row]).sum())
            if 0 < measured < n_prompts:
                where = files[metric, variant].relative_to(folder).as_posix()
                detail = (
                    f"{measured} of {n_prompts} prompts are measured ({measured / n_prompts:.2%})"
                )
                faults.append(Fault(where, metric, variant, "incomplete", detail))
    return faults


def _table(
    prompts: PromptSet,
    metrics: Sequence[str],
    variants: Sequence[str],
    values: NDArray[np.float64],
) -> ScoreTable:
    digest = prompts.hash if prompts.text_hashes is not None else None
    names = tuple(variants)
    matrices = {
        metric: ScoreMatrix(metric, values[kind], names, prompts.ids, prompt_set_hash=digest)
        for kind, metric in enumerate(metrics)
    }
    return ScoreTable(prompts, tuple(map(official_variant, names)), matrices)
