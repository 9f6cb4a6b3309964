import numpy as np

from flasheval.selection.methods.discrimination import Discrimination
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.statistics import prompt_statistics


def test_the_sharpest_prompts_come_first(a_problem):
    problem = a_problem(size=5, forbidden=[0, 1, 2])
    sharpness = prompt_statistics(problem.scores[0]).discrimination
    expected = sorted(problem.allowed, key=lambda prompt: -sharpness[prompt])[:5]
    found = drive(Discrimination(), problem, np.random.default_rng(0)).selection
    assert found.indices.tolist() == expected


def test_metrics_are_scaled_alike(a_problem):
    problem = a_problem(n_metrics=2, size=8)
    total = 0
    for block in problem.scores:
        sharpness = prompt_statistics(block).discrimination
        total = total + sharpness / np.abs(sharpness).mean()
    expected = np.argsort(-total, kind="stable")[:8]
    found = drive(Discrimination(), problem, np.random.default_rng(0)).selection
    np.testing.assert_array_equal(found.indices, expected)
    scaled = make_problem([problem.scores[0], 128 * problem.scores[1]], ["a", "b"], 8)
    again = drive(Discrimination(), scaled, np.random.default_rng(0)).selection
    np.testing.assert_array_equal(again.indices, expected)


def test_of_equal_prompts_the_first_is_taken():
    column = np.array([[0.0], [1.0], [3.0], [4.0]])
    scores = np.tile(column, (1, 6)).astype(np.float32)
    problem = make_problem([scores], ["m"], 3, forbidden=[1])
    found = drive(Discrimination(), problem, np.random.default_rng(0)).selection
    assert found.indices.tolist() == [0, 2, 3]


def test_a_clean_prompt_beats_noisy_ones():
    rng = np.random.default_rng(0)
    quality = np.linspace(-1, 1, 20)[:, None]
    scores = (quality + rng.normal(size=(20, 100))).astype(np.float32)
    scores[:, 42] = (3 * quality + 0.1 * rng.normal(size=(20, 1)))[:, 0]
    problem = make_problem([scores], ["m"], 1)
    found = drive(Discrimination(), problem, np.random.default_rng(0)).selection
    assert found.indices.tolist() == [42]
