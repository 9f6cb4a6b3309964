"""Find the few prompts that rank text-to-image models as the whole benchmark would."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flasheval.checkpoints.comparison import Comparison, compare
    from flasheval.checkpoints.evaluation import evaluate
    from flasheval.checkpoints.monitor import CheckpointMonitor
    from flasheval.checkpoints.report import Report
    from flasheval.checkpoints.watching.watch import watch
    from flasheval.errors import FlashevalError
    from flasheval.procedure import SearchResult, search
    from flasheval.prompts import PromptSet, load_prompts
    from flasheval.published import load_subset
    from flasheval.runs.run import RunResult, run
    from flasheval.scores import ScoreMatrix, ScoreTable, load_scores
    from flasheval.subset import Subset
    from flasheval.validation.report import ValidationReport
    from flasheval.validation.validate import validate
    from flasheval.variants import Variant

__all__ = [
    "CheckpointMonitor",
    "Comparison",
    "FlashevalError",
    "PromptSet",
    "Report",
    "RunResult",
    "ScoreMatrix",
    "ScoreTable",
    "SearchResult",
    "Subset",
    "ValidationReport",
    "Variant",
    "compare",
    "evaluate",
    "load_prompts",
    "load_scores",
    "load_subset",
    "run",
    "search",
    "validate",
    "watch",
]

__version__ = "0.1.0"

# Modules are loaded on first use of a name, so that `import flasheval` costs next to nothing.
_HOMES = {
    "CheckpointMonitor": "checkpoints.monitor",
    "Comparison": "checkpoints.comparison",
    "FlashevalError": "errors",
    "PromptSet": "prompts",
    "Report": "checkpoints.report",
    "RunResult": "runs.run",
    "ScoreMatrix": "scores",
    "ScoreTable": "scores",
    "SearchResult": "procedure",
    "Subset": "subset",
    "ValidationReport": "validation.report",
    "Variant": "variants",
    "compare": "checkpoints.comparison",
    "evaluate": "checkpoints.evaluation",
    "load_prompts": "prompts",
    "load_scores": "scores",
    "load_subset": "published",
    "run": "runs.run",
    "search": "procedure",
    "validate": "validation.validate",
    "watch": "checkpoints.watching.watch",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'flasheval' has no attribute '{name}'")
    value: object = getattr(import_module(f"flasheval.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
