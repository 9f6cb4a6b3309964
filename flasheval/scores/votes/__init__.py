"""Votes: choices between two variants' images of one prompt, counted, ranked and made scores."""

from flasheval.scores.votes.board import VoteBoard
from flasheval.scores.votes.from_scores import votes_from_scores
from flasheval.scores.votes.loading import load_votes
from flasheval.scores.votes.votes import Votes

__all__ = ["VoteBoard", "Votes", "load_votes", "votes_from_scores"]
