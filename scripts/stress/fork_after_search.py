"""Fork after a search, many times: every child calls the kernels, and none may hang.

    python scripts/stress/fork_after_search.py 100

A thread pool that lives on after a search is not there in a forked child, which then waits for it
for ever. Exits with 1 when a child took longer than 20 seconds or gave other numbers.
"""

from __future__ import annotations

import os
import signal
import sys
import time

import numpy as np

from flasheval.base.threads import crew
from flasheval.scores.ranking import kendall_tau_b_many
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.smooth_loss import smooth_loss
from flasheval.selection.search import search

PATIENCE = 20.0  # seconds


def main(times: int) -> int:
    """Search, then fork so many times."""
    table = synthetic_scores(n_variants=24, n_prompts=200)
    expected = _numbers()
    for method in ("frequency", "anneal", "pooled"):
        search(table, size=8, method=method, splits="random:2", draws=10, progress=False)
    begun, bad = time.monotonic(), 0
    for _ in range(times):
        child = os.fork()
        if child == 0:
            signal.alarm(int(PATIENCE))  # the end of a child that hangs
            os._exit(0 if np.array_equal(_numbers(), expected) else 1)
        bad += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    print(f"{times} forks after a search in {time.monotonic() - begun:.1f} s, {bad} of them bad")
    return min(bad, 1)


def _numbers() -> np.ndarray:
    """Call the kernels that part their work over threads, with three of them."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(12, 80)).astype(np.float32)
    loss = smooth_loss(make_problem([scores], ["m"], 5), inflation=2.0)
    sets = rng.integers(0, 80, (5000, 5))
    with crew(3):
        taus = kendall_tau_b_many(rng.normal(size=(20_000, 12)), scores.mean(axis=1))
        return np.concatenate([taus, loss.of_sets(sets)])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
