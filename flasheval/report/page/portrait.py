"""What each prompt is like: its length, mean score, discrimination and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.prompts import PromptSet
from flasheval.scores import ScoreMatrix
from flasheval.selection.methods.statistics import prompt_statistics

__all__ = ["Portrait", "portrait_of", "word_counts"]


@dataclass(frozen=True, eq=False)
class Portrait:
    """Statistics of every prompt in one metric, float64 [prompts] each.

    Attributes:
        metric: Its name.
        mean: Mean score over the variants.
        discrimination: How far the variants' overall quality moves the prompt's scores, in units
            of what else moves them: slope times the standard deviation of the full means over the
            residual's; below 0 where it ranks them the wrong way round.
        noise: Standard deviation of what neither quality nor the patterns shared by many prompts
            explain, in units of the score.

    Example:
        >>> Portrait("clip", *np.zeros((3, 5000))).mean.shape
        (5000,)

    """

    metric: str
    mean: NDArray[np.float64]
    discrimination: NDArray[np.float64]
    noise: NDArray[np.float64]


def portrait_of(matrix: ScoreMatrix) -> Portrait | None:
    """Describe the prompts of a complete matrix.

    None where nothing can be said: fewer than three variants, or all with one full mean.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> portrait = portrait_of(synthetic_scores(8, 30)["quality"])
        >>> portrait.metric, portrait.mean.shape, bool((portrait.noise > 0).all())
        ('quality', (30,), True)

    """
    full = matrix.values.mean(axis=1, dtype=np.float64)
    if len(full) < 3 or np.ptp(full) == 0:
        return None
    found = prompt_statistics(matrix.values)
    return Portrait(
        matrix.metric,
        matrix.values.mean(axis=0, dtype=np.float64),
        found.discrimination * full.std(),
        np.sqrt(found.noise),
    )


def word_counts(prompts: PromptSet) -> NDArray[np.int64] | None:
    """Count the words of each prompt, int64 [prompts]; None where texts are not known.

    >>> word_counts(PromptSet("pets", ("1", "2"), ("A cat.", "A very old dog."))).tolist()
    [2, 4]
    """
    if prompts.texts is None:
        return None
    return np.array([len(text.split()) for text in prompts.texts], dtype=np.int64)
