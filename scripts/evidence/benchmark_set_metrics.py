"""Measure the search by Frechet distance: how fast it is, and what its subsets are worth.

Two measurements:

- speed: candidate subsets of one variant scored per second on one thread, beside the plain way in
  torch (covariances of d x d in a batch, their product's root by Newton-Schulz iterations), on the
  same features, with the difference of the two numbers; ours with all it prepares for the set;
- agreement: on made-up features, the held-out tau-b of searched subsets beside random ones of the
  same size, on variants that the search has not seen.

All features are made up from a seed. Speed does not depend on them; agreement does, and shows that
the search works, not how well it will on images.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.files import atomic_write
from flasheval.base.versions import library_versions
from flasheval.set_metrics import FrechetReference, search_subset, subset_agreement
from flasheval.set_metrics.frechet import frechet_distance
from flasheval.set_metrics.subset_distances import SubsetDistances

POOL, SETS = 2_000, 1_000  # prompts and candidate subsets where speed is measured
VARIANTS, PROMPTS, WIDTH = 48, 1_000, 64  # the made-up population
ITERATIONS = 20
SPEED_TITLES = ["d", "N", "sets/s", "plain, sets/s", "ratio", "error", "error, plain"]
AGREEMENT_TITLES = [
    *("N", "on searched variants", "held out", "random, held out"),
    *("gain (least to greatest)", "random subsets beaten", "seconds a search"),
]
PAGE = f"""# Subsets by Frechet distance

Made by `python scripts/evidence/benchmark_set_metrics.py` on {{machine}} processors shared with
other work ({{libraries}}).
Trust the ratios, not the seconds.

## Speed

Candidate subsets of one variant scored per second, one thread, {{candidates:,}} candidates (in
proportion fewer above N=50) from {POOL:,} prompts, with all that is prepared for the variant.
Plain: covariances of d x d in a batch and {ITERATIONS} Newton-Schulz iterations in torch, float32.
Errors: the greatest relative difference to the sum of the singular values in float64.

{{speed}}

## Agreement

Made-up features ({VARIANTS} variants x {PROMPTS:,} prompts x {WIDTH}): half of the variants
searched, the other half held out, {{splits}} random halves, {{candidates:,}} sets a pool, two
threads. Kendall's tau-b of the distances on N prompts with those on all.

{{agreement}}
"""


def newton_schulz_distances(features: Any, mean: Any, covariance: Any, sets: Any) -> Any:
    """Frechet distances of sets [B, N] the plain way, in torch and the features' type: [B].

    The root of S1 S2 by the coupled Newton-Schulz iteration, from the product over its norm
    (Higham, "Functions of Matrices", 2008, equation 6.35).
    """
    import torch

    images = features[sets]
    means = images.mean(dim=1)
    images = images - means[:, None]
    covariances = torch.bmm(images.transpose(1, 2), images) / (sets.shape[1] - 1)
    product = covariances @ covariance
    norm = torch.linalg.matrix_norm(product)[:, None, None]
    root, inverse = product / norm, torch.eye(len(mean), dtype=features.dtype).expand_as(product)
    thrice = 3 * inverse
    for _ in range(ITERATIONS):
        step = 0.5 * (thrice - torch.bmm(inverse, root))
        root, inverse = torch.bmm(root, step), torch.bmm(step, inverse)
    trace = torch.diagonal(root * norm.sqrt(), dim1=1, dim2=2).sum(dim=1)
    own = torch.diagonal(covariances, dim1=1, dim2=2).sum(dim=1)
    shift = means - mean
    return (shift * shift).sum(dim=1) + own + torch.trace(covariance) - 2 * trace


def spread_features(n: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Features with a spectrum that falls as those of networks do, float32 [n, width]."""
    scale = np.arange(1, width + 1) ** -0.5
    turn = np.linalg.qr(rng.normal(size=(width, width)))[0]
    return (rng.normal(size=(n, width)) * scale @ turn + 0.1).astype(np.float32)


def speed_row(width: int, size: int, n_sets: int, rng: np.random.Generator) -> list[str]:
    """Measure one size of subsets at one width of features."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    features = spread_features(POOL, width, rng)
    reference = FrechetReference.of(spread_features(2 * width, width, rng))
    sets = np.stack([rng.permutation(POOL)[:size] for _ in range(n_sets)])
    with threadpool_limits(limits=1):
        warm = SubsetDistances(features[:50], reference)
        warm.of_sets(np.arange(40).reshape(4, 10), tables=True)  # compiles
        begun = time.perf_counter()
        ours = SubsetDistances(features, reference).of_sets(sets)
        rate = n_sets / (time.perf_counter() - begun)
        covariance = torch.from_numpy((reference.factor @ reference.factor.T).astype(np.float32))
        few = sets[: 16 if width < 2000 else 2]
        inputs = (torch.from_numpy(features), torch.from_numpy(reference.mean.astype(np.float32)))
        begun = time.perf_counter()
        plain = newton_schulz_distances(*inputs, covariance, torch.from_numpy(few)).numpy()
        plain_rate = len(few) / (time.perf_counter() - begun)
        exact = np.array([frechet_distance(features[one], reference).value for one in few])
    errors = [np.abs(found[: len(few)] / exact - 1).max() for found in (ours, plain)]
    return [
        *(str(width), str(size), f"{rate:,.0f}", f"{plain_rate:.3g}", f"{rate / plain_rate:,.0f}x"),
        *(f"{error:.0e}" for error in errors),
    ]


def population(rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Make up features [variants, prompts, d] of a population, and those of real images.

    What a prompt shows is the same for all variants; a variant shifts it, turns and narrows it
    more or less, and adds noise of its own. Variants of one base model (of six) shift alike.
    """
    scale = np.arange(1, WIDTH + 1) ** -0.5
    content = rng.normal(size=(PROMPTS, WIDTH)) * scale
    family = rng.normal(size=(6, WIDTH)) * scale
    features = np.empty((VARIANTS, PROMPTS, WIDTH), dtype=np.float32)
    for variant in range(VARIANTS):
        shift = 0.4 * family[variant % 6] + 0.25 * rng.normal(size=WIDTH) * scale
        narrowing = np.eye(WIDTH) * rng.uniform(0.75, 1) + 0.02 * rng.normal(size=(WIDTH, WIDTH))
        noise = 0.4 * rng.normal(size=(PROMPTS, WIDTH)) * scale
        features[variant] = content @ narrowing + shift + noise
    return features, rng.normal(size=(10_000, WIDTH)) * scale


def agreement_row(size: int, splits: int, n_sets: int) -> list[str]:
    """Search on random halves of a made-up population and look at the other half."""
    features, real = population(np.random.default_rng(0))
    reference = FrechetReference.of(real)
    rows = []
    for split in range(splits):
        order = np.random.default_rng(split).permutation(VARIANTS)
        seen, unseen = order[: VARIANTS // 2], order[VARIANTS // 2 :]
        rng = np.random.default_rng(split)
        begun = time.perf_counter()
        found = search_subset(features[seen], reference, size, rng, n_sets=n_sets, threads=2)
        seconds = time.perf_counter() - begun
        held_out = subset_agreement(features[unseen], reference, found.indices, rng, threads=2)
        tau, random = held_out.tau, held_out.mean_random
        rows.append((found.tau, tau, random, held_out.share_beaten, seconds))
    found_tau, tau, random, beaten, seconds = np.mean(rows, axis=0)
    gains = np.subtract(*np.transpose(rows)[1:3])
    return [
        *(str(size), f"{found_tau:.3f}", f"{tau:.3f}", f"{random:.3f}"),
        f"{gains.mean():+.3f} ({gains.min():+.3f} to {gains.max():+.3f})",
        *(f"{100 * beaten:.0f}%", f"{seconds:.1f}"),
    ]


def table(titles: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def report(options: argparse.Namespace) -> str:
    """Measure, and return the page."""
    rng = np.random.default_rng(0)
    speed = [
        speed_row(width, size, max(20, min(options.sets, options.sets * 50 // size)), rng)
        for width in options.widths
        for size in options.sizes
    ]
    agreement = [agreement_row(size, options.splits, options.sets) for size in options.search_sizes]
    return PAGE.format(
        machine=f"{os.cpu_count()} {platform.machine()}",
        libraries=", ".join(
            f"{name} {version}"
            for name, version in library_versions(("numpy", "scipy", "numba", "torch")).items()
        ),
        candidates=options.sets,
        splits=options.splits,
        speed=table(SPEED_TITLES, speed),
        agreement=table(AGREEMENT_TITLES, agreement),
    )


def main() -> None:
    """Read the arguments, measure, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--widths", type=int, nargs="+", default=[256, 768, 2048], metavar="D")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 50, 200, 1000], metavar="N")
    parser.add_argument("--search-sizes", type=int, nargs="+", default=[10, 50], metavar="N")
    parser.add_argument("--sets", type=int, default=SETS, help="candidates, and sets a pool")
    parser.add_argument("--splits", type=int, default=10, help="random halves")
    parser.add_argument("--out", type=Path, help="write the page here instead of printing it")
    options = parser.parse_args()
    page = report(options)
    if options.out is None:
        print(page)
        return
    with atomic_write(options.out) as temporary:
        temporary.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
