"""The scorers that a subset was searched and calibrated with, where nobody names others."""

from __future__ import annotations

from dataclasses import fields

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.miniature import SCORERS as SHIPPED
from flasheval.scorers.registry import SCORERS, make_scorer, make_scorers
from flasheval.scorers.scorer import ScorerSettings
from flasheval.subset import Subset

__all__ = ["asked_scorers", "scorers_of"]


def asked_scorers(scorers: object, subset: Subset) -> tuple[ScorerSettings, ...]:
    """Return the settings of the scorers that were asked for; of None those of the subset.

    Raises SettingError as `make_scorers` and `scorers_of` do.

    >>> from flasheval.subset.library import find_subset
    >>> [one.metric for one in asked_scorers("clip", find_subset("miniature-shared-20"))]
    ['CLIP']
    """
    return scorers_of(subset) if scorers is None else make_scorers(scorers)


def scorers_of(subset: Subset) -> tuple[ScorerSettings, ...]:
    """Return the settings of the scorers of a subset's metrics, in order; nothing is loaded.

    A metric's scorer is the shipped one that the manifest records, else the kind whose metric is
    called so, with the checkpoint that the manifest records.

    Raises:
        SettingError: A metric's scorer cannot be told, or needs a setting: one line that says
            what to write.

    >>> from flasheval.subset.library import find_subset
    >>> [one.metric for one in scorers_of(find_subset("miniature-shared-20"))]
    ['CLIP', 'Composition', 'Quality']
    >>> scorers_of(find_subset("coco-aesthetic-50"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: scorers is missing: coco-aesthetic-50 is for Aesthetic, ...

    """
    found: dict[str, ScorerSettings] = {}
    lacking: dict[str, str] = {}
    for metric in (one.name for one in subset.metrics):
        try:
            found[metric] = _scorer_of(metric, subset.record.scorers.get(metric))
        except FlashevalError as error:
            lacking[metric] = str(error)
    if not lacking and found:
        return tuple(found.values())
    metrics = ", ".join(one.name for one in subset.metrics) or "no metric"
    why = "; ".join(lacking.values()) or "say which"
    kinds = ",".join(str(getattr(one, "kind", "")) for one in found.values())
    rest = f"; scorers=[{kinds}] takes the others alone" if kinds else ""
    raise SettingError(f"scorers is missing: {subset.name} is for {metrics}, and {why}{rest}")


def _scorer_of(metric: str, recorded: str | None) -> ScorerSettings:
    """Return the scorer of a metric that was scored by `recorded`, its version, where known.

    Raises FlashevalError where there is none, or it needs a setting.
    """
    for entry in SHIPPED:
        shipped = make_scorer(entry)
        if recorded is not None and (shipped.metric, shipped.version) == (metric, recorded):
            return shipped
    kinds = [
        kind for kind, settings in SCORERS.items() if _default(settings, "metric_name") == metric
    ]
    if not kinds:
        by = f" (it was {recorded})" if recorded else ""
        raise SettingError(
            f"no scorer here gives {metric}{by}: name yours, "
            f"scorers=[{{name:function,function:FILE.py:NAME,metric_name:{metric}}}]"
        )
    kind = kinds[0]
    made = make_scorer(kind)
    try:
        for needed in ("predictor_weights", "question_list"):  # a file that is to be given
            getattr(made, needed, None)
        asked = getattr(made, "asks_label", None)
    except FlashevalError as error:
        raise SettingError(f"{metric} needs more: {error}") from error
    own = _default(SCORERS[kind], "checkpoint")
    if recorded is None:
        return made
    if not recorded.startswith(f"{own}@"):
        raise SettingError(
            f"{metric} was scored by {recorded}, which is not the usual {own}: "
            f"scorers=[{{name:{kind},checkpoint:FOLDER}}] says where it is"
        )
    if asked is not None:  # a judge, whose version ends with the hash of what it asks
        *_, told = recorded.split(" ")
        if told != asked:
            raise SettingError(
                f"{metric} was asked otherwise than by the usual settings of {kind} ({told}, not "
                f"{asked}): scorers=[{{name:{kind},template:...}}] says how"
            )
        recorded = recorded.removesuffix(f" {told}")
    dtype = recorded.rpartition(" ")[2]
    if dtype in ("fp16", "bf16", "auto"):
        return make_scorer({"name": kind, "dtype": dtype})
    return made if asked is None else make_scorer({"name": kind, "dtype": "fp32"})


def _default(settings: type[ScorerSettings], field: str) -> object:
    return next((one.default for one in fields(settings) if one.name == field), None)  # type: ignore[arg-type] # all kinds are dataclasses
