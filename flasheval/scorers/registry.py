"""The scorers by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from flasheval.base.errors import DataError, SettingError
from flasheval.base.json_data import from_plain
from flasheval.base.suggest import nearest
from flasheval.scorers.aesthetic import AestheticSettings
from flasheval.scorers.clip import ClipSettings
from flasheval.scorers.function import FunctionSettings
from flasheval.scorers.hps import HpsSettings
from flasheval.scorers.image_reward import ImageRewardSettings
from flasheval.scorers.miniature_detector import DetectorSettings
from flasheval.scorers.miniature_quality import QualitySettings
from flasheval.scorers.pickscore import PickScoreSettings
from flasheval.scorers.python_objects import ObjectScorer
from flasheval.scorers.reward import RewardSettings
from flasheval.scorers.scorer import ScorerSettings

__all__ = ["SCORERS", "make_scorer", "make_scorers"]

SCORERS: dict[str, type[Any]] = {
    settings.kind: settings
    for settings in (
        ClipSettings,
        PickScoreSettings,
        HpsSettings,
        AestheticSettings,
        ImageRewardSettings,
        FunctionSettings,
        RewardSettings,
        QualitySettings,
        DetectorSettings,
    )
}


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
    flasheval.base.errors.SettingError: no scorer 'clipp': choose one of clip, pickscore, hps, \
aesthetic, image-reward, function, reward, miniature-quality, miniature-detector; \
did you mean 'clip'?

    """
    if isinstance(entry, ScorerSettings):
        return entry
    if not isinstance(entry, str | Mapping):
        return ObjectScorer(entry)
    settings: dict[str, object] = {"name": entry} if isinstance(entry, str) else dict(entry)
    kind = settings.pop("name", None)
    if not isinstance(kind, str) or kind not in SCORERS:
        raise SettingError(_no_such(kind))
    known = [field.name for field in fields(SCORERS[kind])]
    for key in settings:
        if key not in known:
            raise SettingError(
                f"scorer {kind!r} has no setting {key!r}: its settings are: "
                f"{', '.join(known)}{nearest(key, known)}"
            )
    try:
        made: ScorerSettings = from_plain(SCORERS[kind], settings, source=f"scorer {kind}")
    except DataError as error:
        raise SettingError(str(error)) from None
    return made


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


def _no_such(kind: object) -> str:
    kinds = ", ".join(SCORERS)
    if kind is None:
        return f"a scorer's settings need its name: one of {kinds}"
    text = str(kind)
    if ":" in text:  # a function named where its kind belongs
        return f"no scorer {text!r}: a function is given as {{name: function, function: {text}}}"
    return f"no scorer {text!r}: choose one of {kinds}{nearest(text, SCORERS)}"
