"""Loading generators: one model in memory at a time, shared by variants that can share it."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from flasheval.base.models.batches import free_memory
from flasheval.generators.generator import Generator
from flasheval.runs.devices import device_kind
from flasheval.runs.run_plan import PlannedVariant

__all__ = ["ModelHolder", "by_model"]

_log = logging.getLogger(__name__)


class ModelHolder:
    """A holder of one loaded model; it releases the model before it loads another one.

    Args:
        device: The device, such as ``cuda:0``.

    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._last: tuple[str | None, Generator] | None = None

    def load(self, variant: PlannedVariant) -> Generator:
        """Return a variant's generator; it reuses the model in memory when it is the same.

        Raises whatever loading does.
        """
        settings = variant.recipe.generator
        key = settings.model_key(device_kind(self._device))
        if self._last is not None and (key is None or self._last[0] != key):
            self.drop()
        last = None if self._last is None else self._last[1]
        _log.info("loading the model of %s on %s", variant.name, self._device)
        generator = settings.load(self._device, last)
        self._last = (key, generator)
        return generator

    def drop(self) -> None:
        """Release the model in memory."""
        self._last = None
        free_memory()


def by_model(variants: Iterable[PlannedVariant], device: str) -> list[list[PlannedVariant]]:
    """Return the variants in groups that share a loaded model, in order of first appearance.

    >>> from flasheval.generators.diffusers_settings import DiffusersSettings
    >>> from flasheval.generators.populations.recipe import Recipe
    >>> from flasheval.generators.variants import Variant
    >>> some = [PlannedVariant(Recipe(Variant(f"{name} {steps}"), DiffusersSettings(
    ...             f"miniature:{name}-final", steps=steps)), f"{name} {steps}", "")
    ...         for steps in (10, 50) for name in ("small", "base")]
    >>> [[variant.name for variant in group] for group in by_model(some, "cpu")]
    [['small 10', 'small 50'], ['base 10', 'base 50']]
    """
    groups: dict[str, list[PlannedVariant]] = {}
    for variant in variants:
        key = variant.recipe.generator.model_key(device_kind(device)) or variant.key
        groups.setdefault(key, []).append(variant)
    return list(groups.values())
