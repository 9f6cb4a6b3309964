"""How a subset came about, in words and numbers."""

from __future__ import annotations

import json

from flasheval.report.page.origin import Origin
from flasheval.subset import Subset

__all__ = ["facts_of", "headline_of"]


def headline_of(subset: Subset, n_prompts: int | None) -> list[tuple[str, str]]:
    """Return the few numbers to know first, each with what it is.

    Example:
        >>> from flasheval.subset.library import load_subset
        >>> headline_of(load_subset("coco-clip-50"), n_prompts=None)[0]
        ('50', 'prompts of coco')

    """
    of = "" if n_prompts is None else f" of {n_prompts:,}"
    found = [(f"{subset.size:,}", f"prompts{of} of {subset.prompt_set_name}")]
    evidence = subset.record.evidence
    if evidence is not None:
        pooled = evidence.pooled
        found.append(
            (
                f"{pooled.held_out_tau.mean:.3f}",
                f"held-out tau-b; {evidence.size:,} random prompts {pooled.random_tau.mean:.3f}",
            )
        )
        if (equivalent := pooled.equivalent_random_size) is not None:
            low, high = equivalent.low, equivalent.high
            between = "" if low is None or high is None else f" ({low} to {high})"
            found.append(
                (str(equivalent.estimate), f"random prompts agree as well{between}"),
            )
    served = len(subset.metrics)
    metrics = subset.metrics[0].name if served == 1 else f"{served} metrics"
    return [*found, (f"{len(subset.searched_variants):,}", f"variants searched, {metrics}")]


def facts_of(origin: Origin) -> list[tuple[str, str]]:
    """Return (what, its value) of all that tells how to make the subset again.

    Example:
        >>> from flasheval.subset.library import load_subset
        >>> facts = dict(facts_of(Origin(load_subset("coco-clip-50"))))
        >>> facts["prompt set"], facts["variants searched"], "made by" in facts
        ('coco', '64', False)

    """
    subset, record = origin.subset, origin.subset.record
    method = subset.method
    settings = ", ".join(f"{key}={json.dumps(one)}" for key, one in method.settings.items())
    found = [
        ("made by", origin.command),
        ("method", f"{method.name}({settings})"),
        ("seed", "" if method.seed is None else str(method.seed)),
        ("metrics", ", ".join(map(str, subset.metrics))),
        ("scorers", ", ".join(f"{name}: {one}" for name, one in record.scorers.items())),
        ("prompt set", subset.prompt_set_name),
        ("prompt set's hash", subset.prompt_set_hash or ""),
        ("content hash", subset.content_hash),
        ("variants searched", f"{len(subset.searched_variants):,}"),
        ("made", record.created),
        ("versions", ", ".join(f"{name} {one}" for name, one in record.versions.items())),
    ]
    return [(what, value) for what, value in found if value]
