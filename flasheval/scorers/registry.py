"""The scorers by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flasheval.base.errors import SettingError
from flasheval.base.registry import Registry
from flasheval.scorers.aesthetic import AestheticSettings
from flasheval.scorers.clip import ClipSettings
from flasheval.scorers.function import FunctionSettings
from flasheval.scorers.hps import HpsSettings
from flasheval.scorers.image_reward import ImageRewardSettings
from flasheval.scorers.judges.questions import QuestionsSettings
from flasheval.scorers.judges.read_text import ReadTextSettings
from flasheval.scorers.judges.rubric import RubricSettings
from flasheval.scorers.judges.vqa import VqaSettings
from flasheval.scorers.miniature_detector import DetectorSettings
from flasheval.scorers.miniature_quality import QualitySettings
from flasheval.scorers.pickscore import PickScoreSettings
from flasheval.scorers.python_objects import ObjectScorer
from flasheval.scorers.reward import RewardSettings
from flasheval.scorers.scorer import ScorerSettings

__all__ = ["SCORERS", "make_scorer", "make_scorers"]

SCORERS: Registry[ScorerSettings] = Registry(
    "scorer",
    "flasheval.scorers",
    ScorerSettings,
    [
        ClipSettings,
        PickScoreSettings,
        HpsSettings,
        AestheticSettings,
        ImageRewardSettings,
        FunctionSettings,
        RewardSettings,
        QualitySettings,
        DetectorSettings,
        VqaSettings,
        QuestionsSettings,
        ReadTextSettings,
        RubricSettings,
    ],
    key="kind",
)
"""The settings of every kind of scorer that plain data can describe."""


def make_scorer(entry: object) -> ScorerSettings:
    """Return the settings of a scorer; nothing is loaded yet.

    Args:
        entry: A kind, such as ``"clip"``; a mapping of settings whose ``name`` is the kind; or, in
            Python, settings already made, a function of (images, prompts), or a `Scorer`.

    Raises:
        SettingError: No such kind, no such setting of it, or a value of another type.

    >>> make_scorer({"name": "clip", "metric_name": "CLIP-B", "checkpoint": "a/b"}).metric
    'CLIP-B'
    >>> make_scorer("clipp")
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: there is no scorer 'clipp'; there are: clip, pickscore, \
hps, aesthetic, image-reward, function, reward, miniature-quality, miniature-detector, vqa, \
questions, read-text, rubric; did you mean 'clip'?

    """
    kind = entry.get("name") if isinstance(entry, Mapping) else entry
    if isinstance(kind, str) and ":" in kind:  # a function named where its kind belongs
        raise SettingError(
            f"there is no scorer {kind!r}: a function is given as "
            f"{{name: function, function: {kind}}}"
        )
    if isinstance(entry, str | Mapping) or SCORERS.fits(entry):
        return SCORERS.make(entry)
    return ObjectScorer(entry)


def make_scorers(entries: object) -> tuple[ScorerSettings, ...]:
    """Return the settings of one scorer or several, each with a metric of its own.

    Args:
        entries: What `make_scorer` takes, or an iterable of it.

    Raises:
        SettingError: As `make_scorer`; there is none; or two are to give the same metric.

    >>> [scorer.metric for scorer in make_scorers(["clip", "pickscore"])]
    ['CLIP', 'PickScore']

    """
    if isinstance(entries, str | Mapping) or not isinstance(entries, Iterable):
        entries = (entries,)
    scorers = tuple(make_scorer(entry) for entry in entries)
    if not scorers:
        raise SettingError(f"no scorers are given; choose from {', '.join(SCORERS)}")
    metrics = [scorer.metric for scorer in scorers]
    for metric in metrics:
        if metrics.count(metric) > 1:
            raise SettingError(
                f"two scorers give the metric {metric}; give each its own metric_name"
            )
    return scorers
