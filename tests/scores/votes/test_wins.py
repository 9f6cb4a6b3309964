"""Expected wins follow the formula, cell by cell, and work as scores everywhere."""

import numpy as np
import pytest

import flasheval
from flasheval.base.errors import SettingError
from flasheval.scores.synthetic import synthetic_scores
from flasheval.scores.votes import votes_from_scores
from flasheval.scores.votes.strengths import fit_strengths
from flasheval.scores.votes.wins import expected_wins


def by_hand(votes, expected, n0):
    m = len(votes.variants)
    out = np.full((m, len(votes.prompts)), np.nan)
    for p in range(len(votes.prompts)):
        met = {(i, j): [] for i in range(m) for j in range(m) if i != j}
        for row in np.flatnonzero(votes.prompt == p):
            i, j, share = votes.first[row], votes.second[row], (1 + votes.outcome[row]) / 2
            met[i, j].append(share)
            met[j, i].append(1 - share)
        for i in range(m):
            others = [j for j in range(m) if j != i]
            mine = [(share - expected[i, j]) for j in others for share in met[i, j]]
            if not mine:
                continue
            more = len(mine) / (n0 + len(mine)) * np.mean(mine)
            shares = [np.mean(met[i, j]) if met[i, j] else expected[i, j] + more for j in others]
            out[i, p] = np.clip(np.mean(shares), 0, 1)
    return out


def test_it_is_the_formula(votes):
    sparse = votes.take(np.arange(90))
    expected = fit_strengths(sparse.counts, prior=1).expected
    found = expected_wins(sparse, expected, 2.5)
    assert np.allclose(found, by_hand(sparse, expected, 2.5), equal_nan=True, atol=1e-12)
    table = sparse.to_scores(n0=2.5)
    assert np.allclose(table["wins"].values, found.astype(np.float32), equal_nan=True)
    assert np.isnan(found).any()
    assert table["wins"].higher_is_better


def test_where_every_pair_is_judged_it_is_the_plain_share():
    table = synthetic_scores(4, 12)
    wins = votes_from_scores(table, "quality").to_scores(n0=99)["wins"].values
    values = table["quality"].values
    better = (values[:, None] > values[None]).sum(axis=1) / 3
    assert np.allclose(wins, better)


def test_all_ties_are_halves_and_settings_are_checked():
    votes = votes_from_scores(synthetic_scores(3, 5), "quality", tie_within=1e6)
    assert (votes.to_scores()["wins"].values == 0.5).all()
    with pytest.raises(SettingError, match="n0=-1"):
        votes.to_scores(n0=-1)


def test_a_search_finds_prompts_to_show(tmp_path):
    votes = votes_from_scores(synthetic_scores(10, 60), "quality", tie_within=0.05)
    folder = votes.to_scores().save(tmp_path / "wins")
    settings = {"method": "balanced", "splits": "random:2", "curve": None, "draws": 5, "size": 6}
    found = flasheval.search(folder, **settings, progress=False)
    assert found.subset.size == 6
    assert [one.name for one in found.subset.metrics] == ["wins"]
    board = flasheval.rank(folder, draws=50)
    assert board["wins"].variants[0] == votes.rank(draws=50).variants[0]
