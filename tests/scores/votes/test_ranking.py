"""The board says who wins, which are tied and what to mind, and writes it down."""

import json
from dataclasses import replace

import numpy as np
import pytest

from flasheval.base.drawing.terminal import as_text
from flasheval.base.errors import SettingError
from flasheval.prompts import PromptSet
from flasheval.scores.leaderboard.standings import standings_of
from flasheval.scores.ranking.moments import Moments
from flasheval.scores.votes import Votes
from flasheval.scores.votes.clusters import vote_clusters
from flasheval.scores.votes.strengths import fit_strengths, strength_covariance


def test_ties_and_ranks_are_those_of_rank(votes):
    board = votes.rank(draws=500)
    fit, clusters = fit_strengths(votes.counts), vote_clusters(votes)
    moments = Moments(fit.values, strength_covariance(fit, votes, clusters)[0], clusters.units)
    one = standings_of("strength", True, votes.variants, moments, prompts=40, draws=500)
    assert board.variants == one.variants == board.standings.variants
    assert (board.standings.separated == one.separated).all()
    assert (board.standings.best == one.best).all()
    assert [board.labels[at] for at in board.order] == list(board.variants)


def test_it_says_who_wins_first(votes):
    board = votes.rank(draws=200)
    text = " ".join(as_text(board.view()).split())
    assert text.startswith("a is first, but not told apart from b")
    assert "400 votes on 40 prompts of pets by 25 raters" in text
    assert "majorities run in a circle in 0 of" in text
    assert "the one shown left won" in text
    assert max(len(line) for line in as_text(board.view(), width=80).splitlines()) <= 80
    one = board.expected
    assert (one.low < one.shares).all()
    assert (one.shares < one.high).all()


def test_the_files(votes, tmp_path):
    board = votes.rank(draws=200, ties="rao_kupper")
    folder = board.save(tmp_path / "board")
    names = {one.name for one in folder.iterdir()}
    assert names == {"votes.md", "votes.json", "votes.csv", "votes.png"}
    data = json.loads((folder / "votes.json").read_text("utf-8"))
    assert [one["variant"] for one in data["variants"]] == list(board.variants)
    assert data["tie_parameter"] == pytest.approx(board.fit.tie_parameter)
    assert len(data["pairs"]) == 6
    rows = board.to_csv().splitlines()
    assert rows[0].startswith("rank,variant,votes,won,tied,lost,share,")
    assert len(rows) == 5


def test_without_finite_strengths_rates_are_told_and_the_way_out():
    pets = PromptSet("pets", ("1", "2"))
    votes = Votes(("a", "b", "c"), pets, [0, 0, 1, 2], [1, 2, 2, 1], [0, 1, 0, 1], [1, 1, 1, 1])
    board = votes.rank()
    assert board.standings is None
    text = " ".join(as_text(board.view()).split())
    assert text.startswith("a won most: 100% (95%:")
    assert "strengths are left out: a never lost against the others" in text
    assert "prior=1" in text
    assert "the raters are not known" in text
    assert board.to_csv().count("\n") == 4
    held = votes.rank(prior=1)
    assert held.variants[0] == "a"
    assert np.isfinite(held.fit.values).all()


def test_files_without_strengths(tmp_path):
    pets = PromptSet("pets", ("1", "2"))
    votes = Votes(("a", "b"), pets, [0, 0], [1, 1], [0, 1], [1, 1])
    folder = votes.rank().save(tmp_path)
    assert not (folder / "votes.png").exists()
    assert json.loads((folder / "votes.json").read_text("utf-8"))["groups"] is None


def test_warnings(votes):
    few = replace(votes, raters=("x", "y"), rater=votes.rater % 2)
    assert "intervals over only 2 raters are wide; cluster=prompt" in " ".join(few.rank().notes)
    assert few.rank(cluster="prompt").units == 40
    one = replace(votes, raters=("x",), rater=votes.rater * 0)
    assert "all votes are of x" in " ".join(one.rank().notes)
    some = replace(votes, rater=np.where(np.arange(400) < 100, -1, votes.rater))
    assert "25% of the votes have no rater" in " ".join(some.rank().notes)
    leaning = replace(votes, left=np.where(votes.outcome == 0, 1, votes.outcome))
    assert "raters lean to the left" in " ".join(leaning.rank().view().warnings)
    gone = Votes(("a", "b", "c"), votes.prompts, [0, 1], [1, 0], [0, 1], [1, 1])
    assert "without a vote: c" in " ".join(gone.rank().notes)


def test_one_prompt_and_one_rater_have_no_intervals(votes):
    one = votes.take(np.flatnonzero(votes.rater == votes.rater[0]))
    one = replace(one, prompt=one.prompt * 0)
    board = one.rank(prior=1)
    assert np.isnan(board.standings.low).all()
    assert np.isnan(board.expected.low).all()
    assert "nan" not in as_text(board.view())


def test_files_given_twice_are_noticed(votes):
    some = votes.take(np.arange(5))
    turned = replace(some, first=some.second, second=some.first, outcome=-some.outcome)
    for one in (votes, votes.merge(turned)):
        pairs = np.sort(np.stack([one.first, one.second]), axis=0)
        keys = set(zip(*pairs.tolist(), one.prompt.tolist(), one.rater.tolist(), strict=True))
        said = [line for line in one.rank(draws=50).notes if "repeat another" in line]
        assert [int(line.split()[0]) for line in said] == [len(one) - len(keys)]


def test_seconds_are_told(votes):
    timed = replace(votes, seconds=np.where(np.arange(400) < 100, np.nan, 3.5))
    assert "half of the votes took less than 3.5 seconds" in as_text(timed.rank(draws=50).view())


def test_settings_are_checked(votes):
    for wrong in ({"level": 95}, {"draws": 0}, {"seed": -1}, {"ties": "x"}, {"cluster": "x"}):
        with pytest.raises(SettingError):
            votes.rank(**wrong)
