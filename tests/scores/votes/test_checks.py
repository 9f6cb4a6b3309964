"""Agreement and circles, counted in loops."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from flasheval.scores.votes.checks import circles_of, krippendorff_alpha, rater_agreement
from flasheval.scores.votes.counts import PairCounts


def doubled(votes):
    """The votes of 400 and 300 more on the same pairs and prompts, some turned, by others."""
    rng = np.random.default_rng(3)
    again = votes.take(np.arange(300))
    rater = (again.rater + rng.integers(1, 20, 300)) % 25
    outcome = np.where(rng.random(300) < 0.6, again.outcome, rng.integers(-1, 2, 300))
    again = replace(again, first=again.second, second=again.first, outcome=-outcome, rater=rater)
    return votes.merge(again)


def test_agreement_is_that_of_a_loop(votes):
    votes = doubled(votes)
    items = {}
    for row in range(len(votes)):
        a, b = int(votes.first[row]), int(votes.second[row])
        says = int(votes.outcome[row]) * (1 if a < b else -1)
        own = items.setdefault((int(votes.prompt[row]), *sorted((a, b))), {})
        own.setdefault(int(votes.rater[row]), says)
    several = [list(own.values()) for own in items.values() if len(own) > 1]
    same = sum(x == y for own in several for x, y in combinations(own, 2))
    pairs = sum(len(own) * (len(own) - 1) // 2 for own in several)
    found = rater_agreement(votes)
    assert found.items == len(several)
    assert found.votes == sum(map(len, several))
    assert found.raw == pytest.approx(same / pairs)
    # Krippendorff's alpha from its matrix of coincidences.
    matrix = np.zeros((3, 3))
    for own in several:
        for i, x in enumerate(own):
            for j, y in enumerate(own):
                if i != j:
                    matrix[x + 1, y + 1] += 1 / (len(own) - 1)
    n = matrix.sum(axis=0)
    observed = matrix.sum() - np.trace(matrix)
    expected = (n.sum() ** 2 - (n**2).sum()) / (n.sum() - 1)
    assert found.alpha == pytest.approx(1 - observed / expected)


def test_alpha_of_the_textbook():
    """Krippendorff's example of two raters, ten binary items: alpha .095."""
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    table = np.array(
        [[(x == v) + (y == v) for v in (0, 1)] for x, y in zip(first, second, strict=True)]
    )
    assert krippendorff_alpha(table.astype(float)) == pytest.approx(0.095, abs=5e-4)


def test_images_part_items_and_nothing_is_nan(votes):
    none = rater_agreement(votes.take([0]))
    assert none.items == 0
    assert np.isnan([none.raw, none.alpha]).all()
    twice = replace(votes.take([0, 0]), rater=[0, 1])
    assert rater_agreement(twice).items == 1
    assert rater_agreement(replace(twice, images=[[0, 1], [0, 2]])).items == 0
    turned = replace(
        twice,
        first=[twice.first[0], twice.second[0]],
        second=[twice.second[0], twice.first[0]],
        images=[[0, 1], [1, 0]],
    )
    assert rater_agreement(turned).items == 1
    assert rater_agreement(replace(twice, rater=[2, 2])).items == 0  # one rater twice


def test_circles_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    wins = rng.integers(0, 4, (9, 9)).astype(float)
    np.fill_diagonal(wins, 0)
    counts = PairCounts(wins, np.zeros((9, 9)))
    beats = wins > wins.T
    triples = circular = 0
    for a, b, c in combinations(range(9), 3):
        if all(beats[x, y] or beats[y, x] for x, y in ((a, b), (b, c), (a, c))):
            triples += 1
            circular += (beats[a, b] and beats[b, c] and beats[c, a]) or (
                beats[b, a] and beats[c, b] and beats[a, c]
            )
    found = circles_of(counts)
    assert (found.triples, found.circular) == (triples, circular)
    assert found.chance == triples / 4
