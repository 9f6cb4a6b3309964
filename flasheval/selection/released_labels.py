"""The labels in the names of released files, and whether they are right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flasheval.base.errors import SettingError
from flasheval.base.files import content_stem
from flasheval.base.suggest import nearest

if TYPE_CHECKING:
    from flasheval.scores import ScoreTable
    from flasheval.selection.held_out.audit import Fit
    from flasheval.subset import MetricInfo

__all__ = ["Label", "about_label", "fitted", "label_of", "metric_of"]

_NAME = re.compile(r"(?P<set>COCO|diffusionDB)_(?P<label>\w+?)_searched_subset_\d+prompts")
_SETS = {"COCO": "COCO", "diffusionDB": "DiffusionDB"}
_SWAPPED = {"Aesthetic": "CLIP", "CLIP": "Aesthetic"}


@dataclass(frozen=True)
class Label:
    """The prompt set and metric in the name of an authors' file; the metric may be wrong.

    Example:
        >>> Label("COCO", "CLIP").metric
        'CLIP'

    """

    prompt_set: str
    metric: str


def label_of(path: Path) -> Label | None:
    """Return what the name of one of the authors' files says; None for any other.

    Example:
        >>> label_of(Path("COCO_CLIP_searched_subset_50prompts.json"))
        Label(prompt_set='COCO', metric='CLIP')
        >>> label_of(Path("mine.json")) is None
        True

    """
    match = _NAME.fullmatch(content_stem(path))
    return None if match is None else Label(_SETS[match["set"]], match["label"])


def fitted(fits: Sequence[Fit]) -> Fit | None:
    """Return the metric that a subset was fitted to, if it shows; None for no fits.

    It is the one it agrees best with, once it disagrees at most half as much as random subsets do.

    >>> from flasheval.selection.held_out.audit import Fit
    >>> fitted([Fit("CLIP", "CLIP", tau=0.9, percentile=100, random_tau=0.6)]).metric
    'CLIP'
    >>> fitted([Fit("CLIP", "CLIP", tau=0.7, percentile=80, random_tau=0.6)])
    """
    best = fits[0] if fits else None
    return best if best is not None and 1 - best.tau <= (1 - best.random_tau) / 2 else None


def about_label(
    label: Label | None, fits: tuple[Fit, ...], table: ScoreTable | None
) -> Iterator[str]:
    """Say where a file's label is wrong, as far as that is known.

    Example:
        >>> list(about_label(Label("COCO", "HPS"), fits=(), table=None))
        ["no ranking is known that the authors' HPS files fit"]

    """
    fit = fitted(fits)
    if table is not None and fit is None:
        best = fits[0]
        yield (
            "it fits none of the scores' rankings much better than random prompts do (best: "
            f"{best.metric}, tau {best.tau:.3f}, random {best.random_tau:.3f}); it may be fitted "
            "to another prompt set's ranking, or its search may have seen other variants"
        )
    elif fit is not None and label is not None and fit.metric != label.metric:
        yield (
            f"its label says {label.metric}, but it fits {fit.metric} (tau {fit.tau:.3f}, random "
            f"{fit.random_tau:.3f})"
        )
    if label is None:
        return
    if fit is None and label.metric in _SWAPPED:
        yield (
            f"its label says {label.metric}; in every file that FlashEval's authors released the "
            f"labels Aesthetic and CLIP are swapped, so it serves {_SWAPPED[label.metric]}"
        )
    if label.metric == "HPS":
        yield "no ranking is known that the authors' HPS files fit"
    elif label.prompt_set == "DiffusionDB":
        yield "the authors' DiffusionDB files were fitted to COCO's ranking, not DiffusionDB's"


def metric_of(
    asked: str | None, label: Label | None, fits: tuple[Fit, ...], table: ScoreTable | None
) -> MetricInfo:
    """Return the metric asked for, else the one fitted, else the label's, swaps undone.

    Raises SettingError where none is known, or the scores lack the one asked for.

    Example:
        >>> metric_of(None, Label("COCO", "CLIP"), fits=(), table=None).name  # labels swapped
        'Aesthetic'
        >>> metric_of("HPS", Label("COCO", "CLIP"), fits=(), table=None).name
        'HPS'

    """
    from flasheval.subset import MetricInfo

    fit = fitted(fits)
    name = asked or (fit.metric if fit is not None else None)
    if name is None and label is not None:
        name = _SWAPPED.get(label.metric, label.metric)
    if name is None:
        raise SettingError("the file's name does not say which metric it serves; give metric=NAME")
    if table is None or name not in table.metrics:
        if asked and table is not None:
            names = ", ".join(table.metrics)
            raise SettingError(
                f"metric={asked}: the scores have {names}{nearest(asked, table.metrics)}"
            )
        return MetricInfo(name)
    return MetricInfo(name, table[name].higher_is_better)
