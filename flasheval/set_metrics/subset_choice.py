"""Choosing a subset for a Frechet distance, with evidence on held-out variants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import JSON
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import slug
from flasheval.base.json_data import to_plain
from flasheval.base.suggest import nearest
from flasheval.base.versions import library_versions, utc_now
from flasheval.prompts import PromptSet
from flasheval.selection.held_out.warnings import FEW_VARIANTS, SATURATED
from flasheval.set_metrics.feature_sets import FeatureSets
from flasheval.set_metrics.references import Reference
from flasheval.set_metrics.subset_agreement import SubsetAgreement, subset_agreement
from flasheval.set_metrics.subset_search import search_subset
from flasheval.subset import Subset
from flasheval.subset.evidence import Agreement, Evidence, Record, SplitSizes, Spread
from flasheval.subset.parts import Method, MetricInfo

__all__ = ["BEATEN", "Halves", "check_sizes", "choose_subset", "part_variants"]

BEATEN = "share_of_random_beaten"
"""The name, in a subset's evidence, of the share of random subsets that agree less."""

_KEEP = 0.1
_NOTE = (
    "for a distance between sets of images, not for a mean of scores: compare variants on these "
    "prompts with each other; the distance on them is no estimate of the one on all"
)


@dataclass(frozen=True, eq=False)
class Halves:
    """The rows of the variants a search sees and of those held out, ascending."""

    search: NDArray[np.int64]
    held_out: NDArray[np.int64]


def part_variants(
    sets: FeatureSets, reference: Reference, held_out: float | Sequence[str], seed: int = 0
) -> Halves:
    """Split variants into those a search may see and those held out.

    Args:
        sets: The variants.
        reference: The reference; when it is a variant itself it is in neither part.
        held_out: The share to hold out, drawn at random, or the variants' names.
        seed: Seed of that draw: the first variants of
            `numpy.random.default_rng(seed).permutation` are searched.

    Raises:
        SettingError: A bad share, an unknown name, fewer than 3 variants to search on, or fewer
            than 2 held out.

    >>> ids = ("1", "2", "3")
    >>> names = ("a", "b", "c", "d", "e", "f")
    >>> sets = FeatureSets(names, np.zeros((6, 3, 2)), (ids,) * 6, "CLIP", "clip@0a1b")
    >>> real = Reference.of("real", np.eye(2))
    >>> part_variants(sets, real, ["e", "f"]).search.tolist()
    [0, 1, 2, 3]
    >>> len(part_variants(sets, real, 0.5).held_out)
    3

    """
    rows = np.array(reference.others(sets.names), dtype=np.int64)
    if isinstance(held_out, float | int) and not isinstance(held_out, bool):
        if not 0 < held_out < 1:
            raise SettingError(f"held_out={held_out}: expected a share between 0 and 1, or names")
        count = int(np.ceil(len(rows) * (1 - held_out) - 1e-9))
        search = np.random.default_rng(seed).permutation(len(rows))[:count]
        unseen = np.setdiff1d(np.arange(len(rows)), search)
        halves = Halves(np.sort(rows[search]), rows[unseen])
    elif isinstance(held_out, Sequence) and not isinstance(held_out, str):
        names = [sets.names[row] for row in rows]
        for name in held_out:
            if name not in names:
                raise SettingError(f"held_out: {name!r} is no variant{nearest(str(name), names)}")
        out = np.array([name in held_out for name in names], dtype=np.bool_)
        halves = Halves(rows[~out], rows[out])
    else:
        raise SettingError(f"held_out={held_out}: expected a share such as 0.5, or a list of names")
    if len(halves.search) < 3 or len(halves.held_out) < 2:
        raise SettingError(
            f"{len(halves.search)} of {len(rows)} variants to search on, {len(halves.held_out)} "
            "held out: a subset needs at least 3 and 2; give more variants, or another held_out="
        )
    return halves


def check_sizes(sets: FeatureSets, sizes: Sequence[int]) -> None:
    """Check that subsets of these sizes can be chosen.

    Raises SettingError for a size below 2 or above the number of prompts, and DataError when a
    variant lacks an image of some prompt.

    >>> ids = ("1", "2", "3")
    >>> sets = FeatureSets(("a", "b"), np.zeros((2, 3, 2)), (ids, ids), "CLIP", "clip@0a1b")
    >>> check_sizes(sets, [2, 50])
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: size=50: expected from 2 to the 3 prompts there are
    """
    there = len(_common_ids(sets))
    for size in sizes:
        if not 2 <= size <= there:
            raise SettingError(f"size={size}: expected from 2 to the {there:,} prompts there are")


def choose_subset(
    sets: FeatureSets,
    reference: Reference,
    halves: Halves,
    size: int,
    *,
    seed: int = 0,
    n_sets: int = 1000,
    draws: int = 200,
    threads: int = 1,
    report: Callable[[int, int], None] | None = None,
) -> Subset:
    """Choose prompts that rank variants by Frechet distance as all prompts do, and test them.

    Args:
        sets: The variants' features; every variant must have an image of the same prompts.
        reference: The reference to compare with.
        halves: The variants to search on, and those held out.
        size: Number of prompts to choose.
        seed: The same features, settings and seed give the same subset.
        n_sets: See `search_subset`.
        draws: Random subsets of the same size to compare with.
        threads: Number of variants computed at a time; it does not change the result.
        report: Called with the pools done and their number.

    Returns:
        The subset, searched on `halves.search`; its evidence is of this very set.

    Raises:
        SettingError: A size or number out of range.
        DataError: A variant lacks an image of some prompt, or all variants are equally far.

    """
    ids = _common_ids(sets)
    prompts = sets.prompts or PromptSet("images", ids)
    statistics = reference.statistics
    found = search_subset(
        np.stack([sets.features[row] for row in halves.search]),
        statistics,
        size,
        np.random.default_rng([seed, 1]),
        n_sets=n_sets,
        keep=_KEEP,
        threads=threads,
        report=report,
    )
    agreement = subset_agreement(
        np.stack([sets.features[row] for row in halves.held_out]),
        statistics,
        found.indices,
        np.random.default_rng([seed, 2]),
        draws=draws,
        threads=threads,
    )
    metric = f"Frechet {sets.label}"
    evidence = _evidence(metric, size, seed, halves, found.tau, agreement)
    record = Record(
        evidence=evidence,
        versions=library_versions(),
        created=utc_now(),
        notes=(_NOTE,),
        warnings=tuple(_warnings(len(halves.search), evidence)),
    )
    return Subset.choose(
        prompts,
        prompts.index_of([ids[index] for index in found.indices]),
        name=slug(f"{prompts.name}-{metric}-{size}", filler="-").lower(),
        metrics=(MetricInfo(metric, higher_is_better=False),),
        method=Method("frechet-frequency", _settings(sets, reference, n_sets), seed),
        searched_variants=tuple(sets.names[row] for row in halves.search),
        record=record,
    )


def _common_ids(sets: FeatureSets) -> tuple[str, ...]:
    first = sets.ids[0]
    for name, ids in zip(sets.names, sets.ids, strict=True):
        if ids != first:
            odd = min(set(ids) ^ set(first))
            who = name if odd in first else sets.names[0]
            raise DataError(
                f"{who} has no image of prompt {odd!r}; to choose prompts every variant must have "
                "an image of each, under the same name"
            )
    return first


def _settings(sets: FeatureSets, reference: Reference, n_sets: int) -> dict[str, JSON]:
    protocol: Any = None if sets.protocol is None else to_plain(sets.protocol)
    return {
        "n_sets": n_sets,
        "keep": _KEEP,
        "features": sets.version,
        "protocol": protocol,
        "reference": reference.described(),
    }


def _evidence(
    metric: str,
    size: int,
    seed: int,
    halves: Halves,
    search_tau: float,
    agreement: SubsetAgreement,
) -> Evidence | None:
    tau, random = agreement.tau, agreement.random[np.isfinite(agreement.random)]
    if not np.isfinite(tau) or not random.size:  # all held-out variants are equally far
        return None
    low, high = np.quantile(random, [0.05, 0.95])
    measured = Agreement(
        held_out_tau=Spread(tau, tau, tau, "min-max"),
        random_tau=Spread(float(random.mean()), float(low), float(high)),
        search_tau=search_tau,
        held_out_tau_by_split=(tau,),
        companions={BEATEN: agreement.share_beaten},
    )
    split = SplitSizes(f"held out, seed {seed}", len(halves.search), len(halves.held_out))
    return Evidence(
        size, "one hold-out", (split,), measured, {metric: measured}, applies_to="this set"
    )


def _warnings(n_search: int, evidence: Evidence | None) -> list[str]:
    found = []
    if evidence is None:
        found.append("the held-out variants are all equally far: nothing is known of this subset")
    elif evidence.pooled.held_out_tau.mean <= evidence.pooled.random_tau.mean:
        found.append(
            f"held-out agreement ({evidence.pooled.held_out_tau.mean:.3f}) is not above that of "
            f"random prompts ({evidence.pooled.random_tau.mean:.3f}): take random prompts, or more "
            "variants"
        )
    if n_search < FEW_VARIANTS:
        found.append(
            f"{n_search} search variants: below {FEW_VARIANTS} a chosen subset is often no better "
            "than a random one; trust the held-out column only"
        )
    if evidence is not None and (evidence.pooled.search_tau or 0) >= SATURATED:
        found.append(
            f"search tau is saturated ({evidence.pooled.search_tau:.3f}): more variants would help"
        )
    return found
