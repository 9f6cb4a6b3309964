"""Set metrics: distances of a whole set of images from a reference, computed from features.

Unlike a scorer, which gives every image a score, a set metric (Frechet distance, kernel distance)
compares the distribution of a set's features with that of a reference. Subsets of prompts are
chosen for it by another objective: see `flasheval.set_metrics.subset_search`. Lower is better in
all of them. Everything but the extractors needs NumPy alone.
"""

from flasheval.set_metrics.extrapolated import FrechetInfinity, frechet_infinity
from flasheval.set_metrics.frechet import FrechetDistance, FrechetReference, frechet_distance
from flasheval.set_metrics.kid import KernelDistance, kernel_distance, kernel_distance_of_subsets
from flasheval.set_metrics.subset_agreement import SubsetAgreement, subset_agreement
from flasheval.set_metrics.subset_search import SubsetSearch, search_subset

__all__ = [
    "FrechetDistance",
    "FrechetInfinity",
    "FrechetReference",
    "KernelDistance",
    "SubsetAgreement",
    "SubsetSearch",
    "frechet_distance",
    "frechet_infinity",
    "kernel_distance",
    "kernel_distance_of_subsets",
    "search_subset",
    "subset_agreement",
]
