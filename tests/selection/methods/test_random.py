import numpy as np
from scipy.stats import chisquare

from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.random import Random


def test_every_allowed_prompt_is_as_likely(a_problem):
    problem = a_problem(n_prompts=20, size=5, required=[3], forbidden=[7, 8])
    counts = np.zeros(20)
    for seed in range(2_000):
        chosen = Random().choose(problem, np.random.default_rng(seed)).indices
        counts[chosen] += 1
    assert counts[3] == 2_000
    assert counts[[7, 8]].sum() == 0
    assert chisquare(counts[problem.allowed]).pvalue > 1e-3


def test_one_step_and_no_weights(a_problem):
    found = drive(Random(), a_problem(), np.random.default_rng(0))
    assert (found.sets, found.history, found.selection.weights) == (1, [], None)
