"""Votes of scores are the signs of differences."""

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.scores import ScoreTable
from flasheval.scores.votes import votes_from_scores


@pytest.fixture
def table():
    values = np.random.default_rng(0).normal(size=(2, 4, 7)).round(1)
    values[0, 1, 3] = np.nan
    both = {"clip": values[0], "fid": values[1]}
    names = {"variants": list("abcd"), "prompts": [f"p{i}" for i in range(7)]}
    return ScoreTable.from_arrays(both, higher_is_better={"fid": False}, **names)


def test_they_are_the_signs_of_differences(table):
    votes = votes_from_scores(table, tie_within=0.25)
    assert votes.raters == ("clip", "fid")
    assert len(votes) == 6 * 7 * 2 - 3
    for row in range(len(votes)):
        metric = votes.raters[votes.rater[row]]
        values = table[metric].values[:, votes.prompt[row]].astype(float)
        gap = (values[votes.first[row]] - values[votes.second[row]]) * (
            1 if metric == "clip" else -1
        )
        assert votes.outcome[row] == (0 if abs(gap) <= 0.25 else np.sign(gap))


def cells_of(votes):
    prompts = np.array(votes.prompts.ids)[votes.prompt]
    return [one.tolist() for one in (votes.first, votes.second, prompts, votes.outcome)]


def test_a_sample_is_some_of_them(table):
    every = votes_from_scores(table, "fid")
    some = votes_from_scores(table, "fid", sample=10, seed=3)
    rows = [set(zip(*cells_of(one), strict=True)) for one in (every, some)]
    assert len(rows[1]) == 10
    assert rows[1] <= rows[0]
    again = votes_from_scores(table, "fid", sample=10, seed=3)
    assert again.outcome.tolist() == some.outcome.tolist()
    assert len(votes_from_scores(table, "fid", sample=10**6)) == len(every)


def test_what_cannot_be(table):
    for call, kind, said in (
        (lambda: votes_from_scores(table, tie_within=-1), SettingError, "tie_within=-1"),
        (lambda: votes_from_scores(table, sample=0), SettingError, "sample=0"),
        (lambda: votes_from_scores(table, "x"), SettingError, "no scores for metric 'x'"),
        (lambda: votes_from_scores(3), SettingError, "expected ScoreTable"),
        (lambda: votes_from_scores(table.with_variants(["a"])), DataError, "need two variants"),
    ):
        with pytest.raises(kind, match=said):
            call()
