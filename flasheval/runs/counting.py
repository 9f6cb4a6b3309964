"""Counting the finished units of a plan by listing files."""

from __future__ import annotations

from flasheval.runs.run_plan import PlannedVariant, RunPlan
from flasheval.runs.store import RunStore

__all__ = ["Counter"]


class Counter:
    """A counter of finished units; it computes the file names once and then lists folders.

    A variant that was complete once is not listed again, because files are never removed.

    Args:
        plan: The plan.
        store: The run folder.

    """

    def __init__(self, plan: RunPlan, store: RunStore) -> None:
        self._plan, self._store = plan, store
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
        """Return the number of finished units over all variants."""
        return sum(self.by_variant().values())

    def _of(self, variant: PlannedVariant) -> float:
        name, count = variant.name, len(self._plan.chunks)
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
