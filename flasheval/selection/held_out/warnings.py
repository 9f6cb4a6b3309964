"""What must be said beside a subset, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flasheval.selection.held_out.splits import Split
from flasheval.subset.evidence import Evidence

__all__ = [
    "FEW_VARIANTS",
    "SATURATED",
    "search_warnings",
    "table_warnings",
]

FEW_VARIANTS = 20
SATURATED = 0.98
_NEAR_TIES = 0.1


def search_warnings(
    evidence: Evidence | None,
    splits: Sequence[Split],
    n_variants: int,
    dropped: Sequence[str],
    near_ties: Mapping[str, float],
    interrupted: bool,
    warm_start: bool = False,
    prompts_left_out: int = 0,
) -> list[str]:
    """Collect the warnings of a search, most important first.

    Args:
        evidence: What was measured, or None.
        splits: The splits asked for.
        n_variants: Complete variants.
        dropped: Variants left out for missing scores.
        near_ties: Per metric, from `flasheval.scores.ranking.near_tie_share`.
        interrupted: Whether Ctrl-C cut it short.
        warm_start: Whether the search began from a given subset.
        prompts_left_out: Prompts left out for missing scores.

    """
    found = []
    if interrupted:
        found.append("interrupted: this is the best so far; run the same command to continue")
    if not splits:
        found.append("nothing was held out, so nothing is known of how well this generalises")
    elif evidence is None and not interrupted:
        found.append("no split gave a held-out ranking (all held-out variants tie)")
    fewest = min([n_variants, *(len(split.search) for split in splits)])
    if fewest < FEW_VARIANTS:
        found.append(
            f"{fewest} search variants: below {FEW_VARIANTS} a chosen subset is often no better "
            "than a random one; trust the held-out column only"
        )
    if evidence is not None:
        found += _evidence_warnings(evidence)
    if evidence is not None and warm_start:
        found.append(
            "warm start: if that subset was chosen on variants held out here, the held-out "
            "numbers flatter"
        )
    return found + table_warnings(dropped, near_ties, prompts_left_out)


def table_warnings(
    dropped: Sequence[str], near_ties: Mapping[str, float], prompts_left_out: int = 0
) -> list[str]:
    """Collect the warnings that follow from the scores alone.

    Args:
        dropped: Variants left out for missing scores.
        near_ties: Per metric, from `flasheval.scores.ranking.near_tie_share`.
        prompts_left_out: Prompts left out for missing scores.

    """
    found = []
    if prompts_left_out:
        found.append(
            f"{prompts_left_out:,} prompts that not every variant has a score for were left out"
        )
    if dropped:
        some = ", ".join(dropped[:3]) + (", ..." if len(dropped) > 3 else "")
        found.append(f"{len(dropped)} variants with missing scores were left out: {some}")
    close = [f"{share:.0%} ({name})" for name, share in near_ties.items() if share > _NEAR_TIES]
    if close:
        found.append(
            f"near ties: {', '.join(close)} of variant pairs differ by less than two standard "
            "errors over all prompts; no small subset can order those reliably"
        )
    return found


def _evidence_warnings(evidence: Evidence) -> list[str]:
    found = []
    pooled = evidence.pooled
    if pooled.held_out_tau.mean <= pooled.random_tau.mean:
        found.append(
            f"held-out agreement ({pooled.held_out_tau.mean:.3f}) is not above that of random "
            f"prompts ({pooled.random_tau.mean:.3f}): take random prompts (method=random, or "
            "method=ridge with fitted weights), or score more variants"
        )
    if pooled.search_tau is not None and pooled.search_tau >= SATURATED:
        found.append(
            f"search tau is saturated ({pooled.search_tau:.3f}): searching harder only fits the "
            "search variants closer; more variants would help"
        )
    return found
