"""Find the few prompts that rank text-to-image models as the whole benchmark would."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from flasheval.base.version import __version__ as __version__

if TYPE_CHECKING:
    from flasheval.base.errors import FlashevalError
    from flasheval.evaluation.ageing import audit
    from flasheval.evaluation.comparison import Comparison, compare
    from flasheval.evaluation.evaluate import evaluate
    from flasheval.evaluation.monitor import CheckpointMonitor
    from flasheval.evaluation.report import Report
    from flasheval.evaluation.watching.watch import watch
    from flasheval.generators.variants import Variant
    from flasheval.prompts import PromptSet, load_prompts
    from flasheval.runs.run import RunResult, run
    from flasheval.scores import ScoreMatrix, ScoreTable, load_scores
    from flasheval.scores.leaderboard import Leaderboard, rank
    from flasheval.scores.votes import Votes, load_votes
    from flasheval.selection.held_out.report import ValidationReport
    from flasheval.selection.held_out.validate import validate
    from flasheval.selection.search import SearchResult, search
    from flasheval.subset import Subset
    from flasheval.subset.library import load_subset

__all__ = [
    "CheckpointMonitor",
    "Comparison",
    "FlashevalError",
    "Leaderboard",
    "PromptSet",
    "Report",
    "RunResult",
    "ScoreMatrix",
    "ScoreTable",
    "SearchResult",
    "Subset",
    "ValidationReport",
    "Variant",
    "Votes",
    "audit",
    "compare",
    "evaluate",
    "load_prompts",
    "load_scores",
    "load_subset",
    "load_votes",
    "rank",
    "run",
    "search",
    "validate",
    "watch",
]

# Modules are loaded on first use of a name, so that `import flasheval` costs next to nothing.
_HOMES = {
    "CheckpointMonitor": "evaluation.monitor",
    "Comparison": "evaluation.comparison",
    "FlashevalError": "base.errors",
    "Leaderboard": "scores.leaderboard",
    "PromptSet": "prompts",
    "Report": "evaluation.report",
    "RunResult": "runs.run",
    "ScoreMatrix": "scores",
    "ScoreTable": "scores",
    "SearchResult": "selection.search",
    "Subset": "subset",
    "ValidationReport": "selection.held_out.report",
    "Variant": "generators.variants",
    "Votes": "scores.votes",
    "audit": "evaluation.ageing",
    "compare": "evaluation.comparison",
    "evaluate": "evaluation.evaluate",
    "load_prompts": "prompts",
    "load_scores": "scores",
    "load_subset": "subset.library",
    "load_votes": "scores.votes",
    "rank": "scores.leaderboard",
    "run": "runs.run",
    "search": "selection.search",
    "validate": "selection.held_out.validate",
    "watch": "evaluation.watching.watch",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'flasheval' has no attribute '{name}'")
    value: object = getattr(import_module(f"flasheval.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
