"""Counting the finished units of a plan by listing files."""

from __future__ import annotations

from flasheval.runs.run_plan import PlannedVariant, RunPlan
from flasheval.runs.store import RunStore

__all__ = ["Counter", "unit_costs"]

_BESIDES = 5  # what all but the denoising takes, in steps


def unit_costs(plan: RunPlan) -> dict[str, float]:
    """Return about how long a unit of each variant takes beside the others, 1 on average.

    >>> from flasheval.generators.function import FunctionSettings
    >>> from flasheval.generators.variants import Variant
    >>> from flasheval.prompts import PromptSet
    >>> from flasheval.runs.run_plan import Recipe, WorkSettings, make_run_plan
    >>> function = FunctionSettings("math:hypot", version="1")
    >>> recipes = [Recipe(Variant(f"s{n}", {"steps": n}), function) for n in (10, 40)]
    >>> pets = PromptSet("pets", ("1",), ("A cat.",))
    >>> plan = make_run_plan(recipes, pets, (), seed=0, chunk=2, work=WorkSettings())
    >>> unit_costs(plan)
    {'s10': 0.5, 's40': 1.5}
    """
    known = {one.name: one.recipe.variant.factors.get("steps") for one in plan.variants}
    steps = {name: count for name, count in known.items() if isinstance(count, int | float)}
    usual = sum(steps.values()) / max(1, len(steps))
    costs = {name: steps.get(name, usual) + _BESIDES for name in known}
    mean = sum(costs.values()) / max(1, len(costs))
    return {name: cost / mean for name, cost in costs.items()}


class Counter:
    """A counter of finished units; it computes the file names once and then lists folders.

    A variant that was complete once is not listed again, because files are never removed.

    Args:
        plan: The plan.
        store: The run folder.

    """

    def __init__(self, plan: RunPlan, store: RunStore) -> None:
        self._plan, self._store = plan, store
        self._costs = unit_costs(plan)
        self._whole: set[str] = set()
        self._wanted = {
            variant.name: [
                {store.score_path(unit, scorer).name for unit in plan.units(variant)}
                for scorer in plan.scorers
            ]
            for variant in plan.variants
        }

    def by_variant(self) -> dict[str, float]:
        """Return the units done of each variant; one done in half of the metrics counts half."""
        return {variant.name: self._of(variant) for variant in self._plan.variants}

    def done(self) -> float:
        """Return the number of finished units over all variants, each counted by its cost."""
        return sum(done * self._costs[name] for name, done in self.by_variant().items())

    def _of(self, variant: PlannedVariant) -> float:
        name = variant.name
        count = len(self._plan.chunks) * self._plan.images_per_prompt
        if name in self._whole:
            return count
        done = self._looked_up(variant)
        if done == count:
            self._whole.add(name)
        return done

    def _looked_up(self, variant: PlannedVariant) -> float:
        plan, store = self._plan, self._store
        if plan.work.stage == "generate":
            images = store.images(plan.work)
            return sum(images.has(store.image_unit(unit)) for unit in plan.units(variant))
        found = [
            len(wanted & store.listing(variant, scorer))
            for wanted, scorer in zip(self._wanted[variant.name], plan.scorers, strict=True)
        ]
        return sum(found) / max(1, len(found))
