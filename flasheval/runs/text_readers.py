"""What reads the prompts of a run: the text encoders of its models and of its scorers."""

from __future__ import annotations

from collections.abc import Iterable

from flasheval.base.errors import FlashevalError
from flasheval.generators.generator import GeneratorSettings
from flasheval.prompts.readers import TextReader
from flasheval.runs.run_plan import RunPlan
from flasheval.scorers.scorer import ScorerSettings

__all__ = ["readers_of", "readers_of_plan"]


def readers_of(
    generators: Iterable[GeneratorSettings], scorers: Iterable[ScorerSettings]
) -> list[TextReader]:
    """Return what reads the texts, each once; what cannot be looked at is left out.

    >>> from flasheval.scorers.clip import ClipSettings
    >>> [(one.name, one.tokens) for one in readers_of([], [ClipSettings("miniature:clip")])]
    [('scorer CLIP', 40)]
    """
    found: dict[TextReader, None] = {}
    sources: list[ScorerSettings | GeneratorSettings] = [*scorers, *generators]
    for settings in sources:
        try:
            found.update(dict.fromkeys(settings.readers()))
        except FlashevalError:
            continue  # a missing checkpoint is told where it is loaded
    return list(found)


def readers_of_plan(plan: RunPlan) -> list[TextReader]:
    """Return what reads the texts of a planned run."""
    recipes = (variant.recipe.generator for variant in plan.variants)
    return readers_of(recipes, (one.settings for one in plan.scorers))
