"""How many units of a plan are done, by the files there are."""

from __future__ import annotations

from flasheval.runs.plan import Plan
from flasheval.runs.store import RunStore

__all__ = ["Counter"]


class Counter:
    """Counts done units without reading any: names are worked out once, then folders listed.

    Args:
        plan: The plan.
        store: The run folder.

    """

    def __init__(self, plan: Plan, store: RunStore) -> None:
        self._plan, self._store = plan, store
        self._wanted = {
            variant.name: [
                {store.score_path(unit, scorer).name for unit in plan.units(variant)}
                for scorer in plan.scorers
            ]
            for variant in plan.variants
        }

    def by_variant(self) -> dict[str, float]:
        """Return the units done of each variant; one done in half of the metrics counts half."""
        return {variant.name: self._of(variant.name) for variant in self._plan.variants}

    def done(self) -> float:
        """Return the units done in all."""
        return sum(self.by_variant().values())

    def _of(self, name: str) -> float:
        plan, store = self._plan, self._store
        variant = next(one for one in plan.variants if one.name == name)
        if plan.work.stage == "generate":
            images = store.images(plan.work)
            return sum(images.has(store.image_unit(unit)) for unit in plan.units(variant))
        found = [
            len(wanted & store.listing(variant, scorer))
            for wanted, scorer in zip(self._wanted[name], plan.scorers, strict=True)
        ]
        return sum(found) / max(1, len(found))
