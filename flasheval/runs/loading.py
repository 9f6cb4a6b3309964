"""Generators in memory: one model at a time, shared by the variants that can share it."""

from __future__ import annotations

from collections.abc import Iterable

from flasheval.generators.generator import Generator
from flasheval.runs.devices import device_kind
from flasheval.runs.generation import free_memory
from flasheval.runs.run_plan import PlannedVariant

__all__ = ["ModelHolder", "by_model"]


class ModelHolder:
    """Loads the generators of variants, and lets a model go before it loads another one.

    Args:
        device: Where to.

    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._last: tuple[str | None, Generator] | None = None

    def load(self, variant: PlannedVariant) -> Generator:
        """Return a variant's generator; the model in memory is kept where it fits.

        Raises whatever loading does.
        """
        settings = variant.recipe.generator
        key = settings.model_key(device_kind(self._device))
        if self._last is not None and (key is None or self._last[0] != key):
            self.drop()
        last = None if self._last is None else self._last[1]
        generator = settings.load(self._device, last)
        self._last = (key, generator)
        return generator

    def drop(self) -> None:
        """Let the model in memory go."""
        self._last = None
        free_memory()


def by_model(variants: Iterable[PlannedVariant], device: str) -> list[list[PlannedVariant]]:
    """Return the variants in groups that share a loaded model, in order of first appearance."""
    groups: dict[str, list[PlannedVariant]] = {}
    for variant in variants:
        key = variant.recipe.generator.model_key(device_kind(device)) or variant.key
        groups.setdefault(key, []).append(variant)
    return list(groups.values())
