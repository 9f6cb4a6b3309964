import numpy as np
import pytest

from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.stratified import Stratified


@pytest.mark.parametrize("size", [1, 4, 7, 20])
def test_one_prompt_from_every_stratum_of_the_mean_score(size):
    rng = np.random.default_rng(0)
    means = rng.permutation(20).astype(np.float32)
    scores = means + np.array([[-0.1], [0.0], [0.2]], dtype=np.float32)
    problem = make_problem([scores], ["m"], size)
    chosen = Stratified().choose(problem, rng).indices
    strata = np.array_split(np.arange(20), size)  # the means are the ranks 0 to 19
    assert all(means[prompt] in stratum for prompt, stratum in zip(chosen, strata, strict=True))


def test_metrics_weigh_the_same_whatever_their_scale():
    rng = np.random.default_rng(0)
    easy = np.sort(rng.normal(size=10))
    small = (easy + 0.01 * rng.normal(size=(4, 1))).astype(np.float32)
    large = 1000 * small
    both = make_problem([small, large], ["a", "b"], 10)
    chosen = Stratified().choose(both, rng).indices
    assert chosen.tolist() == list(range(10))


def test_prompts_of_one_mean_are_no_stratum_of_their_own():
    scores = np.array([[1, 1, 1, 1], [2, 2, 2, 2]], dtype=np.float32)
    problem = make_problem([scores], ["m"], 2)
    chosen = Stratified().choose(problem, np.random.default_rng(0)).indices
    assert chosen[0] in (0, 1)
    assert chosen[1] in (2, 3)
