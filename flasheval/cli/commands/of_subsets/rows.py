"""The lines that `flasheval subsets` prints: rows of a list, and how to use a subset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flasheval.subset import Subset
from flasheval.subset.evidence_table import fewer
from flasheval.subset.library.cache import cache_path, has_texts, kept_texts, with_kept_texts
from flasheval.subset.prompt_sources import source_of

if TYPE_CHECKING:
    from flasheval.subset.evidence import Evidence

__all__ = [
    "TITLES",
    "count_of",
    "data_of",
    "further_line",
    "grouped",
    "how_to_use",
    "ready_names",
    "row_of",
    "words_of",
]


def words_of(subset: Subset) -> str:
    """Return the words to filter a list by: names of subset, prompt set and metrics.

    Example:
        >>> from flasheval.subset.library import load_subset
        >>> words_of(load_subset("coco-clip-50"))
        'coco-clip-50 coco clip'

    """
    metrics = (metric.name for metric in subset.metrics)
    return " ".join((subset.name, subset.prompt_set_name, *metrics)).casefold()


def grouped(subsets: Sequence[Subset]) -> dict[str, list[Subset]]:
    """Return subsets by prompt set and metrics, as a heading says them.

    Example:
        >>> from flasheval.subset.library import load_subset
        >>> list(grouped([load_subset("coco-clip-50"), load_subset("coco-clip-10")]))
        ['coco: CLIP']

    """
    groups: dict[str, list[Subset]] = {}
    for one in subsets:
        metrics = ", ".join(
            metric.name + ("" if metric.higher_is_better else " (lower is better)")
            for metric in one.metrics
        )
        groups.setdefault(f"{one.prompt_set_name}: {metrics}", []).append(one)
    return groups


def ready_names(subsets: Sequence[Subset]) -> set[str]:
    """Return the names of those whose texts are in the manifest or kept."""
    kept = {key: kept_texts(key) for key in {one.prompt_set_hash for one in subsets}}
    return {
        one.name for one in subsets if has_texts(with_kept_texts(one, kept[one.prompt_set_hash]))
    }


TITLES = f"{'prompts':>7}{'held-out tau':>14}{'random':>8}{'as good as':>12}{'fewer':>7}"
"""The columns of `row_of`, after the name."""


def row_of(subset: Subset, width: int) -> str:
    """Return a subset's row, its name in `width` letters; 80 letters where that is 32.

    Example:
        >>> from flasheval.subset.library import load_subset
        >>> row_of(load_subset("coco-clip-50"), width=14).split()[:2]
        ['coco-clip-50', '50']

    """
    evidence = subset.record.evidence
    held_out = random = equivalent = times = "-"
    if evidence is not None:
        pooled = evidence.pooled
        held_out, random = f"{pooled.held_out_tau.mean:.3f}", f"{pooled.random_tau.mean:.3f}"
        if pooled.equivalent_random_size is not None:
            estimate = pooled.equivalent_random_size.estimate
            equivalent, times = str(estimate), fewer(estimate, evidence.size)
    name = f"{subset.name:<{width}}"
    return f"{name}{subset.size:>7}{held_out:>14}{random:>8}{equivalent:>12}{times:>7}"


def data_of(subset: Subset) -> dict[str, Any]:
    """Return what a list says of a subset, as plain data.

    Example:
        >>> from flasheval.subset.library import load_subset
        >>> data_of(load_subset("coco-clip-50"))["metrics"]
        [{'name': 'CLIP', 'higher_is_better': True}]

    """
    evidence = subset.record.evidence
    pooled = None if evidence is None else evidence.pooled
    equivalent = None if pooled is None else pooled.equivalent_random_size
    return {
        "name": subset.name,
        "prompt_set": subset.prompt_set_name,
        "size": subset.size,
        "metrics": [
            {"name": one.name, "higher_is_better": one.higher_is_better} for one in subset.metrics
        ],
        "content_hash": subset.content_hash,
        "held_out_tau": None if pooled is None else pooled.held_out_tau.mean,
        "random_tau": None if pooled is None else pooled.random_tau.mean,
        "equivalent_random_size": None if equivalent is None else str(equivalent.estimate),
    }


def further_line(evidence: Evidence) -> str:
    """Return what was measured on another kind of splits, in one line.

    Example:
        >>> from flasheval.subset.evidence import Agreement, Evidence, Spread, SplitSizes
        >>> agreement = Agreement(Spread(0.75, 0.7, 0.8), Spread(0.53, 0.4, 0.6))
        >>> further_line(Evidence(50, "official split", (SplitSizes("0", 24, 40),), agreement))
        'official split (1 split): held-out tau 0.750, random 0.530'

    """
    pooled, count = evidence.pooled, len(evidence.splits)
    equivalent = pooled.equivalent_random_size
    as_good = "" if equivalent is None else f", as good as {equivalent} random prompts"
    return (
        f"{evidence.split_spec} ({count_of(count, 'split')}): held-out tau "
        f"{pooled.held_out_tau.mean:.3f}, random {pooled.random_tau.mean:.3f}{as_good}"
    )


def how_to_use(subset: Subset, name: str) -> list[str]:
    """Return lines on where a subset's texts are, how to use it, and under which licence.

    Example:
        >>> from flasheval.subset.library import load_subset
        >>> how_to_use(load_subset("miniature-shared-50"), "mine")[1]
        'use:      flasheval.load_subset("mine"), or flasheval evaluate subset=mine ...'

    """
    source = source_of(subset)
    where = f", such as {source.copy} of {source.homepage}" if source else ""
    resolve = f"flasheval subsets resolve {name} prompts=FILE"
    if has_texts(subset):
        texts = "in the manifest"
    elif has_texts(with_kept_texts(subset)):
        texts = f"ready, kept in {cache_path(subset.prompt_set_hash or '')}"
    else:
        texts = f'once: {resolve}, your copy of "{subset.prompt_set_name}"{where}'
    lines = [
        f"texts:    {texts}",
        f'use:      flasheval.load_subset("{name}"), or flasheval evaluate subset={name} ...',
    ]
    return [*lines, f"licence:  {source.licence}; {source.note}"] if source else lines


def count_of(count: int, noun: str = "subset") -> str:
    """Return a number with its noun.

    >>> count_of(1), count_of(2, "text")
    ('1 subset', '2 texts')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
