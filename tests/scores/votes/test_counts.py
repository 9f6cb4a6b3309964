import numpy as np


def test_counts_are_those_of_a_loop(votes):
    m = len(votes.variants)
    wins, ties = np.zeros((m, m)), np.zeros((m, m))
    for first, second, outcome in zip(votes.first, votes.second, votes.outcome, strict=True):
        if outcome == 0:
            ties[first, second] += 1
            ties[second, first] += 1
        else:
            better, worse = (first, second) if outcome == 1 else (second, first)
            wins[better, worse] += 1
    counts = votes.counts
    assert (counts.wins == wins).all()
    assert (counts.ties == ties).all()
    assert counts.votes.sum() == 2 * len(votes)
    off = ~np.eye(m, dtype=bool)
    shares = (wins + ties / 2)[off] / (wins + wins.T + ties)[off]
    assert np.allclose(counts.shares[off], shares)
    assert np.isnan(np.diag(counts.shares)).all()
