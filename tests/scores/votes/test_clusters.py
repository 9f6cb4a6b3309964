"""The two-way variance is that of the formula, written out in loops."""

from dataclasses import replace

import numpy as np
import pytest

from flasheval.base.errors import SettingError
from flasheval.scores.votes.clusters import vote_clusters


def by_hand(influences, labels):
    """G / (G - 1) times the sum of outer products of the clusters' sums."""
    names = sorted(set(labels))
    sums = [influences[[one == name for one in labels]].sum(axis=0) for name in names]
    return len(names) / (len(names) - 1) * sum(np.outer(one, one) for one in sums)


def parts_of(votes):
    prompts, raters = votes.prompt.tolist(), votes.rater.tolist()
    return prompts, raters, list(zip(prompts, raters, strict=True))


def test_covariance_is_prompt_plus_rater_minus_both(votes):
    rng = np.random.default_rng(1)
    influences = rng.normal(size=(len(votes), 3))
    prompts, raters, both = parts_of(votes)
    wanted = by_hand(influences, prompts) + by_hand(influences, raters) - by_hand(influences, both)
    roots, vectors = np.linalg.eigh(wanted)
    wanted = (vectors * np.maximum(roots, 0)) @ vectors.T
    rows = np.repeat(np.arange(len(votes)), 3)
    columns = np.tile(np.arange(3), len(votes))
    found = vote_clusters(votes).covariance(rows, columns, influences.ravel(), 3)
    assert np.allclose(found, wanted, rtol=1e-9)


def test_a_mean_has_the_error_of_its_deviations(votes):
    says = votes.outcome.astype(np.int64) + 1
    table = np.array([[0.0, 0.5, 1.0]])
    clusters = vote_clusters(votes)
    columns = votes.first.astype(np.int64)
    means, errors, units = clusters.mean_errors(np.arange(len(votes)), columns, says, table, 4)
    for one in range(4):
        rows = votes.first == one
        values = table[0][says[rows]]
        assert means[0, one] == pytest.approx(values.mean())
        deviations = (values - values.mean())[:, None] / rows.sum()
        parts = [[x for x, mine in zip(of, rows, strict=True) if mine] for of in parts_of(votes)]
        prompt, rater, both = (by_hand(deviations, of)[0, 0] for of in parts)
        wanted = max(prompt + rater - both, prompt, rater)
        assert errors[0, one] == pytest.approx(np.sqrt(wanted))
        assert units[one] == min(len(set(parts[0])), len(set(parts[1])))


def test_one_way_where_the_other_says_nothing(votes):
    assert vote_clusters(votes).words == ("prompt", "rater")
    assert vote_clusters(votes, "rater").words == ("rater",)
    assert vote_clusters(replace(votes, rater=None)).words == ("prompt",)
    assert vote_clusters(replace(votes, rater=None), "rater").words == ("prompt",)
    one = votes.take(np.flatnonzero(votes.rater == 3))
    assert vote_clusters(one).words == ("prompt",)
    with pytest.raises(SettingError, match="cluster=people: expected both, prompt or rater"):
        vote_clusters(votes, "people")


def test_unknown_raters_stand_alone(votes):
    rater = votes.rater.copy()
    rater[:10] = -1
    clusters = vote_clusters(replace(votes, rater=rater), "rater")
    (codes,) = clusters.ways
    assert len(set(codes[:10].tolist()) - set(codes[10:].tolist())) == 10
