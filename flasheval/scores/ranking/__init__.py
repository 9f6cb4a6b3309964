"""Agreement of rankings, on plain arrays: no files, no labels, no models.

`scores` are the numbers being judged (a subset's), `target` those to be recovered (the full
benchmark's); higher is better in both, or lower in both. Importing this package imports numba.
"""

from flasheval.scores.ranking.bootstrap import bootstrap_interval
from flasheval.scores.ranking.kendall import kendall_tau_b, kendall_tau_b_many, tau_b_of_sets
from flasheval.scores.ranking.kendall_torch import tau_b_of_sets_torch
from flasheval.scores.ranking.pairwise import pairwise_accuracy, pairwise_accuracy_many
from flasheval.scores.ranking.significant import (
    near_tie_share,
    significant_pairs,
    tau_on_pairs,
    tau_on_pairs_many,
)
from flasheval.scores.ranking.weighted import weighted_tau, weighted_tau_many

__all__ = [
    "bootstrap_interval",
    "kendall_tau_b",
    "kendall_tau_b_many",
    "near_tie_share",
    "pairwise_accuracy",
    "pairwise_accuracy_many",
    "significant_pairs",
    "tau_b_of_sets",
    "tau_b_of_sets_torch",
    "tau_on_pairs",
    "tau_on_pairs_many",
    "weighted_tau",
    "weighted_tau_many",
]
