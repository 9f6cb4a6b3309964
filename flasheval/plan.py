"""A search with every setting resolved and checked, before any work is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import flasheval
from flasheval.errors import SettingError
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreTable
from flasheval.selectors.nested import check_nested, check_sizes
from flasheval.selectors.registry import selector_settings
from flasheval.selectors.selector import Selector
from flasheval.storage.canonical import sha256_of
from flasheval.storage.files import safe_name
from flasheval.subset import Subset

__all__ = ["Plan", "make_plan", "measured_sizes", "subset_name"]

_CURVE = (10, 20, 50, 100, 200)


@dataclass(frozen=True)
class Plan:
    """A search with every setting resolved.

    Attributes:
        table: Complete variants and the metrics to serve, no more.
        selector: The method.
        sizes: One size, or the ascending sizes of a nested search.
        seed: Seed of all randomness.
        required: Positions of the prompts that must be in.
        forbidden: Positions of the prompts that must stay out.
        warm_start: Positions of the prompts to start from, or None.

    """

    table: ScoreTable
    selector: Selector[Any]
    sizes: tuple[int, ...]
    seed: int
    required: tuple[int, ...]
    forbidden: tuple[int, ...]
    warm_start: tuple[int, ...] | None

    @property
    def size(self) -> int:
        """Number of prompts to choose."""
        return self.sizes[-1]

    def settings(self) -> dict[str, Any]:
        """Return all besides scores and seed that determines the subset, plain types only."""
        ids = self.table.prompts.ids
        settings = selector_settings(self.selector)
        if len(self.sizes) > 1:
            settings["nested"] = list(self.sizes)
        for key, chosen in (
            ("require", self.required),
            ("forbid", self.forbidden),
            ("warm_start", self.warm_start),
        ):
            if chosen:
                settings[key] = [ids[index] for index in chosen]
        return settings

    def context(self) -> str:
        """Return the hash of all that this search's units have in common."""
        return sha256_of(
            {
                "version": flasheval.__version__,
                "scores": self.table.content_hash,
                "method": self.selector.name,
                "settings": self.settings(),
                "seed": self.seed,
            },
            digits=17,
        )


def make_plan(
    table: ScoreTable,
    selector: Selector[Any],
    size: int,
    nested: Sequence[int] | None,
    seed: int,
    require: Sequence[str],
    forbid: Sequence[str],
    warm_start: Subset | Sequence[str] | None,
) -> Plan:
    """Check the settings of `flasheval.search` (see there) and resolve prompt ids to positions.

    Raises:
        SettingError: A size, seed or list of sizes that cannot be.
        DataError: A prompt id that the table does not have, or a warm start of other prompts.

    """
    sizes = (size,) if nested is None else check_nested(nested, table.n_prompts)
    prompts = table.prompts
    start = None
    if warm_start is not None:
        if isinstance(warm_start, Subset):
            warm_start.verify(prompts)  # equal ids may be other prompts
            warm_start = warm_start.ids
        start = _positions(prompts, warm_start)
    return Plan(
        table,
        selector,
        sizes,
        _checked_seed(seed),
        _positions(prompts, require),
        _positions(prompts, forbid),
        start,
    )


def _checked_seed(seed: object) -> int:
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise SettingError(f"seed={seed!r}: expected a whole number from 0 on")
    return int(seed)


def _positions(prompts: PromptSet, ids: Sequence[str]) -> tuple[int, ...]:
    chosen = prompts.index_of([ids] if isinstance(ids, str) else ids)
    return tuple(int(index) for index in chosen)


def subset_name(plan: Plan, name: str | None) -> str:
    """Return the subset's name, which must be good for a file, before any work is done."""
    if name is None:
        metrics = plan.table.metrics
        shown = metrics[0] if len(metrics) == 1 else "shared"
        name = f"{plan.table.prompts.name}-{shown}-{plan.size}"
    return safe_name(name, "subset name")


def measured_sizes(plan: Plan, curve: Sequence[int] | Literal["auto"] | None) -> tuple[int, ...]:
    """Return the sizes at which agreement is measured, the one asked for first."""
    if len(plan.sizes) > 1:
        return plan.sizes
    least = max(1, len(plan.required))
    most = plan.table.n_prompts - len(plan.forbidden)
    if isinstance(curve, str):
        if curve != "auto":
            raise SettingError(f"curve={curve}: expected auto, null or a list of sizes")
        curve = _CURVE if plan.selector.cheap else ()
        curve = [size for size in curve if least <= size <= most]
    wanted = check_sizes("curve", curve, least, most) if curve else ()
    return (plan.size, *(size for size in wanted if size != plan.size))
