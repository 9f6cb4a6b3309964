"""Pinned subsets: the same seed must give the same prompts on every machine and in every version.

To print the table anew run `python tests/selectors/test_golden.py` at the repository's root. That
is legitimate only when a method's behaviour was changed on purpose; then say so in CHANGELOG.md and
raise the package's version, for kept searches and published manifests are named by it.
"""

from dataclasses import replace

import numpy as np
import pytest

from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.problem import Problem, make_problem
from flasheval.selection.methods.registry import METHODS, make_selector
from flasheval.selection.methods.selector import Selection

SETTINGS = {
    "frequency": {"n_sets": 2_000},
    "evolve": {"population": 40, "generations": 20},
    "anneal": {"swaps": 6_000},
    "padded": {"core": 5},
}
GOLDEN = {
    ("auto", 1): [11, 355, 45, 242, 148, 284, 288, 234],
    ("auto", 2): [11, 148, 77, 19, 35, 325, 46, 242],
    ("random", 1): [11, 22, 361, 88, 102, 6, 235, 269],
    ("random", 2): [11, 22, 361, 88, 102, 6, 235, 269],
    ("ridge", 1): [11, 22, 361, 88, 102, 6, 235, 269],
    ("ridge", 2): [11, 22, 361, 88, 102, 6, 235, 269],
    ("stratified", 1): [11, 42, 190, 276, 198, 179, 119, 184],
    ("stratified", 2): [11, 46, 116, 7, 277, 157, 377, 308],
    ("discrimination", 1): [11, 176, 355, 273, 179, 327, 284, 159],
    ("discrimination", 2): [11, 84, 77, 176, 179, 355, 201, 148],
    ("anchors", 1): [11, 273, 22, 86, 73, 71, 326, 371],
    ("anchors", 2): [11, 273, 22, 89, 75, 71, 325, 35],
    ("frequency", 1): [11, 31, 45, 76, 273, 284, 302, 355],
    ("frequency", 2): [11, 19, 77, 111, 128, 217, 242, 334],
    ("evolve", 1): [11, 76, 258, 273, 284, 329, 355, 390],
    ("evolve", 2): [11, 27, 76, 77, 170, 181, 327, 365],
    ("anneal", 1): [11, 327, 355, 234, 273, 284, 228, 159],
    ("anneal", 2): [11, 116, 201, 84, 148, 129, 46, 77],
    ("balanced", 1): [11, 355, 148, 242, 288, 284, 234, 129],
    ("balanced", 2): [11, 148, 77, 201, 84, 19, 46, 176],
    ("shared", 1): [11, 355, 148, 242, 288, 284, 234, 129],
    ("shared", 2): [11, 148, 77, 201, 84, 19, 46, 176],
    ("pooled", 1): [11, 355, 45, 242, 148, 284, 288, 234],
    ("pooled", 2): [11, 148, 77, 19, 35, 325, 46, 242],
    ("padded", 1): [11, 284, 355, 234, 273, 275, 100, 35],
    ("padded", 2): [11, 46, 201, 148, 77, 275, 100, 35],
}
HINTED = {
    "auto": [11, 148, 355, 201, 77, 176, 129, 273],
    "pooled": [11, 148, 355, 201, 77, 176, 129, 273],
}
IMAGES = {
    "frequency": [11, 116, 228, 273, 324, 325, 380, 386],
    "evolve": [11, 7, 84, 111, 116, 327, 361, 390],
    "anneal": [11, 329, 355, 327, 324, 325, 7, 228],
    "balanced": [11, 325, 355, 7, 380, 228, 329, 324],
}
WEIGHTS = {
    "anchors": [0.46, 2.06, 0.32, 0.56, 0.54, 1.72, 1.36, 0.98],
    "ridge": [0.8437, 0.6843, 1.7727, 0.6345, 1.5661, 0.0, 1.1296, 1.3691],
    "pooled": [1.2915, 0.9671, 0.8201, 0.9075, 0.8412, 1.1681, 0.9728, 1.0316],
}


def _problem(n_metrics: int) -> Problem:
    table = synthetic_scores(n_variants=30, n_prompts=400, seed=7)
    names = table.metrics[:n_metrics]
    return make_problem([table[name].values for name in names], names, 8, required=[11])


def _select(method: str, n_metrics: int, hints: Hints | None = None) -> Selection:
    selector = make_selector(method, SETTINGS.get(method))
    problem = replace(_problem(n_metrics), hints=hints or Hints())
    return drive(selector, problem, np.random.default_rng(123)).selection


def _find(method: str, n_metrics: int) -> list[int]:
    return _select(method, n_metrics).indices.tolist()


def _hinted(method: str) -> list[int]:
    return _select(method, 1, Hints(_problem(2).scores[1:])).indices.tolist()


def _of_images(method: str) -> list[int]:
    """Two images a prompt are searched, and one will be used."""
    matrix = synthetic_scores(n_variants=30, n_prompts=400, seed=7, images=2)["quality"]
    problem = make_problem(
        [matrix.values], ["quality"], 8, required=[11], images=[matrix.images], images_used=1
    )
    selector = make_selector(method, SETTINGS.get(method))
    return drive(selector, problem, np.random.default_rng(123)).selection.indices.tolist()


def _weights(method: str) -> list[float]:
    weights = _select(method, 1).weights
    assert weights is not None
    return [round(weight, 4) for weight in weights.tolist()]


@pytest.mark.parametrize("n_metrics", [1, 2])
@pytest.mark.parametrize("method", METHODS)
def test_a_seed_gives_the_pinned_subset(method: str, n_metrics: int) -> None:
    assert _find(method, n_metrics) == GOLDEN[method, n_metrics]


@pytest.mark.parametrize("method", HINTED)
def test_a_seed_and_another_metric_give_the_pinned_subset(method: str) -> None:
    assert _hinted(method) == HINTED[method]
    assert HINTED[method] != GOLDEN[method, 1]


@pytest.mark.parametrize("method", IMAGES)
def test_a_seed_and_two_images_give_the_pinned_subset(method: str) -> None:
    assert _of_images(method) == IMAGES[method]


@pytest.mark.parametrize("method", WEIGHTS)
def test_a_seed_gives_the_pinned_weights(method: str) -> None:
    assert _weights(method) == pytest.approx(WEIGHTS[method], abs=2e-4)


if __name__ == "__main__":
    print("GOLDEN = {")
    for name in METHODS:
        for count in (1, 2):
            print(f'    ("{name}", {count}): {_find(name, count)},')
    print("}\nHINTED = {")
    for name in HINTED:
        print(f'    "{name}": {_hinted(name)},')
    print("}\nIMAGES = {")
    for name in IMAGES:
        print(f'    "{name}": {_of_images(name)},')
    print("}\nWEIGHTS = {")
    for name in WEIGHTS:
        print(f'    "{name}": {_weights(name)},')
    print("}")
