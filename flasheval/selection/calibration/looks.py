"""Calibrations of the first prompts of a nested search, from the searches already made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flasheval.scores import ScoreMatrix
from flasheval.selection.calibration.fit import fit_calibration
from flasheval.selection.calibration.folds import Expect
from flasheval.selection.held_out.splits import Split
from flasheval.selection.images import ImageUse
from flasheval.selection.methods.selector import Selection
from flasheval.subset.evidence import PrefixCalibration

__all__ = ["fit_looks"]


def fit_looks(
    matrices: Sequence[ScoreMatrix],
    selection: Selection,
    folds: Sequence[Split],
    selections: Sequence[Selection],
    sizes: Sequence[int],
    *,
    expect: Expect = "similar",
    group: str | None = None,
    near_ties: Mapping[str, float] | None = None,
    images: ImageUse | None = None,
    other_seeds: tuple[Sequence[Split], Sequence[Selection]] | None = None,
) -> tuple[PrefixCalibration, ...]:
    """Calibrate each smaller size of a nested search as `fit_calibration` does the whole.

    A fold's first prompts are those of a nested search made without the fold, so what they say of
    the variants held out is as honest as what the whole list says, and no search is repeated.

    Args:
        matrices: The metrics' scores, as for `fit_calibration`.
        selection: The ordered list searched on all variants.
        folds: The folds.
        selections: The ordered list searched without each fold.
        sizes: The sizes of the nested search; those below the list's own are calibrated.
        expect: Whether the folds are random parts or groups.
        group: The factor the groups are of, where they are groups.
        near_ties: By metric, the share of pairs that the full set does not tell apart.
        images: As for `fit_calibration`.
        other_seeds: The folds on other seeds with the lists searched in them, where there are any.

    Returns:
        Ascending by size; none where nothing can be calibrated.

    Example:
        >>> import numpy as np
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table, chosen = synthetic_scores(12, 60), Selection(np.arange(20))
        >>> every = np.arange(12)
        >>> halves = [Split("a", every[6:], every[:6]), Split("b", every[:6], every[6:])]
        >>> looks = fit_looks([table["quality"]], chosen, halves, [chosen] * 2, sizes=[5, 10, 20])
        >>> [look.size for look in looks]  # 20 is the whole list
        [5, 10]

    """
    found = []
    for size in sorted(size for size in sizes if size < len(selection.indices)):
        calibration = fit_calibration(
            matrices,
            selection.first(size),
            folds,
            [chosen.first(size) for chosen in selections],
            expect=expect,
            group=group,
            near_ties=near_ties,
            images=images,
        )
        other = None
        if other_seeds is not None and other_seeds[0]:
            other = fit_calibration(
                matrices,
                selection.first(size),
                other_seeds[0],
                [chosen.first(size) for chosen in other_seeds[1]],
                expect=expect,
                group=group,
                near_ties=near_ties,
                images=other_seeds[0][0].images,
            )
        if calibration is not None:
            found.append(PrefixCalibration(size, calibration, other))
    return tuple(found)
