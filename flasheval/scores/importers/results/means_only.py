"""Files of means that hold no score a prompt, and where the scores of each prompt are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError
from flasheval.base.files import content_suffix
from flasheval.scores.importers.results.files import LOOKS, read_document, walk

__all__ = ["refuse_means"]

_LARGE = 1 << 24  # a file of means is small
_TRIES = 20


def refuse_means(source: Path) -> None:
    """Raise DataError where a file, or the first JSON files of a folder, hold means only."""
    tried = 0
    for path in walk(source, LOOKS):
        if content_suffix(path) != ".json" or path.stat().st_size > _LARGE or tried == _TRIES:
            continue
        tried += 1
        try:
            found = read_document(path, "JSON file")
        except DataError:
            continue
        for title, fits, advice in _KINDS:
            if fits(found):
                raise DataError(f"{source} holds {title}: means only, no score a prompt; {advice}")


def _is_evalscope(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and isinstance(found.get("metrics"), list)
        and {"dataset_name", "model_name"} & found.keys() != set()
    )


def _is_lm_eval(found: Any) -> bool:
    results = found.get("results") if isinstance(found, dict) else None
    return (
        isinstance(results, dict)
        and bool(results)
        and all(
            isinstance(task, dict) and any("," in key for key in task) for task in results.values()
        )
    )


def _is_helm(found: Any) -> bool:
    first = found[0] if isinstance(found, list) and found else None
    return (
        isinstance(first, dict)
        and isinstance(first.get("name"), dict)
        and {"count", "sum"} <= first.keys()
    )


def _is_every_eval_ever(found: Any) -> bool:
    return isinstance(found, dict) and {"schema_version", "evaluation_results"} <= found.keys()


_KINDS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    (
        "an evalscope report",
        _is_evalscope,
        "evalscope's reviews/ beside its reports/ has those: name the folder that holds both",
    ),
    (
        "lm-eval results",
        _is_lm_eval,
        "lm_eval --log_samples writes those as samples_TASK_DATE.jsonl: name their folder",
    ),
    ("HELM's stats", _is_helm, "per_instance_stats.json beside it has those: name its folder"),
    (
        "Every Eval Ever's aggregate results",
        _is_every_eval_ever,
        "the instance-level JSON lines have those: name their folder",
    ),
)
