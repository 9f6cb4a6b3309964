"""A cache of loaded scorers, which stay in memory between evaluations."""

from __future__ import annotations

import logging

from flasheval.base.canonical import sha256_of
from flasheval.base.models.batches import free_memory
from flasheval.scorers.python_objects import ObjectScorer
from flasheval.scorers.scorer import Scorer, ScorerSettings

__all__ = ["loaded_scorer", "release_scorers"]

_log = logging.getLogger(__name__)

_MOST = 8
_LOADED: dict[tuple[str, str, str], Scorer] = {}


def loaded_scorer(settings: ScorerSettings, device: str) -> Scorer:
    """Return a scorer on a device, loading it on first use.

    The last eight stay in memory until `release_scorers`. A user's objects and functions are not
    cached.

    >>> from flasheval.scorers.function import FunctionSettings
    >>> settings = FunctionSettings("math:hypot", code_version="1")
    >>> loaded_scorer(settings, "cpu") is loaded_scorer(settings, "cpu")
    True
    """
    if isinstance(settings, ObjectScorer):
        return settings.load(device)
    # The identity tells the weights, the settings what else there is, such as a batch.
    key = repr(settings), sha256_of(settings.identity()), device
    scorer = _LOADED.pop(key, None)
    if scorer is None:
        _log.info("loading the scorer of %s on %s", settings.metric, device)
        scorer = settings.load(device)
    _LOADED[key] = scorer  # the last used stays longest
    while len(_LOADED) > _MOST:
        del _LOADED[next(iter(_LOADED))]
    return scorer


def release_scorers() -> None:
    """Release all scorers that `evaluate` has loaded, and their memory.

    >>> from flasheval.scorers.function import FunctionSettings
    >>> settings = FunctionSettings("math:hypot", code_version="1")
    >>> before = loaded_scorer(settings, "cpu")
    >>> release_scorers()
    >>> loaded_scorer(settings, "cpu") is before
    False
    """
    _LOADED.clear()
    free_memory()
