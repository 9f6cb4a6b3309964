"""Made-up raters: variants with strengths, prompts and raters with leanings of their own."""

from types import SimpleNamespace

import numpy as np
import pytest

from flasheval.prompts import PromptSet
from flasheval.scores.votes import Votes

STRENGTHS = np.array([0.6, 0.2, -0.1, -0.7])
TIE = 0.5  # half the width of a tie
SPREADS = (0.6, 0.5)  # of prompts' and raters' leanings


def study(rng, n=400, prompts=40, raters=25, sides=False):
    """Votes drawn from cumulative logits, with random leanings of prompts and raters."""
    m = len(STRENGTHS)
    by_prompt = rng.normal(0, SPREADS[0], (prompts, m))
    by_rater = rng.normal(0, SPREADS[1], (raters, m))
    first = rng.integers(0, m, n)
    second = (first + rng.integers(1, m, n)) % m
    prompt, rater = rng.integers(0, prompts, n), rng.integers(0, raters, n)
    worth = STRENGTHS + by_prompt[prompt] + by_rater[rater]
    rows = np.arange(n)
    gap = worth[rows, first] - worth[rows, second] + rng.logistic(size=n)
    outcome = np.where(np.abs(gap) <= TIE, 0, np.sign(gap)).astype(int)
    names = tuple(f"r{one}" for one in range(raters))
    left = rng.choice([-1, 1], n) if sides else None
    pets = PromptSet("pets", tuple(map(str, range(prompts))))
    return Votes(
        *(tuple("abcd"), pets, first, second, prompt, outcome, names, rater),
        left=left,
    )


def true_shares():
    """How often the row's variant truly wins and loses, by integration over the leanings."""
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    gaps = (STRENGTHS[:, None] - STRENGTHS)[..., None] + np.sqrt(2) * np.hypot(*SPREADS) * points
    off = ~np.eye(len(STRENGTHS), dtype=bool)
    shares = [1 / (1 + np.exp(TIE - side * gaps)) @ (weights / weights.sum()) for side in (1, -1)]
    return [np.where(off, one, 0.0) for one in shares]


@pytest.fixture
def made():
    """A namespace with `study` and `true_shares`."""
    return SimpleNamespace(study=study, true_shares=true_shares)


@pytest.fixture
def votes():
    """400 votes between four variants."""
    return study(np.random.default_rng(0), sides=True)
