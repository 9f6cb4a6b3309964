"""Votes: people's or a judge's choices between two variants' images of one prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.arguments import checked_class
from flasheval.base.checks import checked_names
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import Line, Table, View
from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.base.suggest import nearest
from flasheval.prompts import PromptSet
from flasheval.scores.table import ScoreTable
from flasheval.scores.votes.arrays import VoteArrays
from flasheval.scores.votes.board import VoteBoard
from flasheval.scores.votes.clusters import Cluster
from flasheval.scores.votes.counts import PairCounts, pair_counts
from flasheval.scores.votes.files import write_votes
from flasheval.scores.votes.ranking import rank_votes
from flasheval.scores.votes.strengths import Ties
from flasheval.scores.votes.wins import wins_table

__all__ = ["Votes"]

_SHOWN = 20  # variants in a view


@checked_class
@dataclass(frozen=True, eq=False, repr=False)
class Votes(Shown, VoteArrays):
    """Choices between two variants' images of one prompt, one entry a vote.

    `flasheval.load_votes` reads them from files. ``variants``, ``prompts`` and ``raters`` are
    labels; ``first``, ``second``, ``prompt``, ``outcome`` and ``rater`` are read-only arrays of
    places and outcomes, see `flasheval.scores.votes.arrays.VoteArrays`. ``len(votes)`` is their
    number. Raises DataError for arrays that do not fit together.

    Example:
        >>> pets = PromptSet("pets", ("1", "2"), ("A cat.", "A dog."))
        >>> votes = Votes(("sd15", "sdxl"), pets, [0, 1], [1, 0], [0, 1], [-1, 0])
        >>> len(votes), votes.counts.shares[1].tolist()  # sdxl won once and tied once
        (2, [0.75, nan])

    """

    kind = "votes"

    @property
    def counts(self) -> PairCounts:
        """How often each variant beat, tied with and lost to each other."""
        return pair_counts(self)

    def rank(
        self,
        *,
        ties: Ties = "davidson",
        prior: float = 0.0,
        cluster: Cluster = "both",
        level: float = 0.95,
        draws: int = 10_000,
        seed: int = 0,
    ) -> VoteBoard:
        """Say which variant wins, by how much, and which are tied.

        Args:
            ties: How ties enter the strengths: `davidson` or `rao_kupper`, see
                `flasheval.scores.votes.strengths`.
            prior: Made-up votes of each variant against an average one, half of them won; above 0
                strengths are finite where a variant never lost, never won or met few others.
            cluster: What errs together: `both` the votes on one prompt and those of one rater;
                `prompt` takes these raters as they are, `rater` these prompts.
            level: Probability that an interval holds, each alone; and that all rank intervals hold
                together.
            draws: Draws of the greatest difference, as for `flasheval.rank`.
            seed: Same votes, settings and seed give the same board.

        Raises:
            SettingError: An invalid setting.

        Example:
            >>> from flasheval.scores.synthetic import synthetic_scores
            >>> from flasheval.scores.votes import votes_from_scores
            >>> board = votes_from_scores(synthetic_scores(3, 200), "quality").rank()
            >>> board.variants[0], board.standings.groups
            ('charlie/DDIM10', (('charlie/DDIM10', 'alpha/DDIM10'), ('bravo/DDIM10',)))

        """
        return rank_votes(
            self, ties=ties, prior=prior, cluster=cluster, level=level, draws=draws, seed=seed
        )

    def to_scores(
        self, *, n0: float = 8.0, ties: Ties = "davidson", prior: float = 1.0
    ) -> ScoreTable:
        """Return a score table of one metric, ``wins``: expected share of wins by prompt.

        What search, validate, rank, evaluate and compare work on. A variant that nobody judged on a
        prompt is NaN there; see `flasheval.scores.votes.wins` for the formula.

        Args:
            n0: How many votes the overall strengths count for on a prompt where not every pair was
                judged.
            ties: The model of ties.
            prior: As for `rank`; above 0, as votes of few raters often have a variant that never
                lost.

        Raises:
            SettingError: An invalid setting.
            DataError: Without a prior, votes that give no finite strengths.

        Example:
            >>> from flasheval.scores.synthetic import synthetic_scores
            >>> from flasheval.scores.votes import votes_from_scores
            >>> wins = votes_from_scores(synthetic_scores(3, 20), "quality").to_scores()["wins"]
            >>> wins.values.shape, sorted(set(wins.values.ravel().tolist()))
            ((3, 20), [0.0, 0.5, 1.0])

        """
        return wins_table(self, n0=n0, ties=ties, prior=prior)

    def take(self, rows: ArrayLike) -> Votes:
        """Return some of the votes, by their places or by true and false; DataError for others.

        Example:
            >>> pets = PromptSet("pets", ("1",))
            >>> votes = Votes(("a", "b"), pets, [0, 1], [1, 0], [0, 0], [1, 1])
            >>> len(votes.take([True, False]))
            1

        """
        chosen = np.asarray(rows)
        if chosen.dtype == np.bool_ and chosen.shape == (len(self),):
            chosen = np.flatnonzero(chosen)
        if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
            raise DataError("votes are taken by their places, or by true or false for each")
        chosen = chosen.astype(np.int64)
        if chosen.size and (chosen.min() < 0 or chosen.max() >= len(self)):
            raise DataError(f"there are {len(self):,} votes; a place is outside 0..{len(self) - 1}")
        return self._changed(lambda array: array[chosen])

    def without(self, names: str | Sequence[str]) -> Votes:
        """Return the votes without those of some variants; SettingError for an unknown one.

        Example:
            >>> pets = PromptSet("pets", ("1",))
            >>> votes = Votes(("a", "b", "c"), pets, [0, 1], [1, 2], [0, 0], [1, 1])
            >>> votes.without("c").variants
            ('a', 'b')

        """
        given = checked_names("drop", names) if names else ()
        gone = given or ()
        for name in gone:
            if name not in self.variants:
                raise SettingError(
                    f"drop={name}: there is no such variant among the votes"
                    f"{nearest(name, self.variants)}"
                )
        if not gone:
            return self
        left = [place for place, name in enumerate(self.variants) if name not in gone]
        if len(left) < 2:
            raise SettingError("drop leaves fewer than two variants, so no votes")
        part = self.take(np.isin(self.first, left) & np.isin(self.second, left))
        place = np.full(len(self.variants), -1)
        place[left] = np.arange(len(left))
        kept = tuple(self.variants[one] for one in left)
        return replace(part, variants=kept, first=place[part.first], second=place[part.second])

    def merge(self, other: Votes) -> Votes:
        """Return the votes of both, this one's labels first.

        Prompts are joined by id. Raises ConflictError where one id has two texts.

        Example:
            >>> pets = PromptSet("pets", ("1",))
            >>> one = Votes(("a", "b"), pets, [0], [1], [0], [1], ("ann",), [0])
            >>> two = Votes(("b", "c"), pets, [0], [1], [0], [0], ("bob",), [0])
            >>> both = one.merge(two)
            >>> both.variants, both.raters, both.second.tolist()
            (('a', 'b', 'c'), ('ann', 'bob'), [1, 2])

        """
        variants, place = _joined(self.variants, other.variants)
        raters, rater_place = _joined(self.raters, other.raters)
        prompts, prompt_place = _joined_prompts(self.prompts, other.prompts)
        n, m = len(self), len(other)

        def joined(mine: Any, theirs: Any, nothing: object) -> Any:
            if mine is None and theirs is None:
                return None
            some = mine if mine is not None else theirs
            blank = [np.full((size, *some.shape[1:]), nothing, some.dtype) for size in (n, m)]
            return np.concatenate(
                [blank[0] if mine is None else mine, blank[1] if theirs is None else theirs]
            )

        rater = other.rater
        if rater is not None:
            rater = np.append(rater_place, -1)[rater].astype(np.int32)
        return Votes(
            variants,
            prompts,
            np.concatenate([self.first, place[other.first]]),
            np.concatenate([self.second, place[other.second]]),
            np.concatenate([self.prompt, prompt_place[other.prompt]]),
            np.concatenate([self.outcome, other.outcome]),
            raters,
            joined(self.rater, rater, -1),
            joined(self.both_bad, other.both_bad, False),
            joined(self.left, other.left, 0),
            joined(self.seconds, other.seconds, np.nan),
            joined(self.images, other.images, -1),
        )

    def save(self, path: str | Path) -> Path:
        """Write the votes as one Parquet file and return its path.

        `flasheval.load_votes` reads it; its form is in `flasheval.scores.votes.files`. Tags and
        other columns of the prompts are not kept. Raises DataError when it cannot be written.

        Example:
            >>> import tempfile, flasheval
            >>> votes = Votes(("a", "b"), PromptSet("pets", ("1",)), [0], [1], [0], [1])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     flasheval.load_votes(votes.save(f"{folder}/votes.parquet")).variants
            ('a', 'b')

        """
        return write_votes(self, Path(path))

    def view(self) -> View:
        """Return how many votes there are, and how often each variant won, tied and lost."""
        titles = ("variant", "votes", "won", "tied", "lost")
        rows = [(name, *(f"{n:,}" for n in one)) for name, one in self._tally().items()]
        told = (Line(self._brief(), "headline"), Table(titles, rows[:_SHOWN]))
        more = len(rows) - _SHOWN
        return View((*told, *([Line(f"and {more:,} more", "faint")] if more > 0 else [])))

    def _tally(self) -> dict[str, tuple[int, ...]]:
        """Return by variant its votes, and how many it won, tied and lost."""
        tally = np.zeros((len(self.variants), 3), dtype=np.int64)
        for side, sign in ((self.first, 1), (self.second, -1)):
            np.add.at(tally, (side, 1 - sign * self.outcome.astype(np.int64)), 1)
        return {
            name: (sum(row), *row) for name, row in zip(self.variants, tally.tolist(), strict=True)
        }

    def _brief(self) -> str:
        raters = f" by {len(self.raters):,} raters" if self.raters else ""
        pairs = f"{len(self.variants):,} variants on {len(self.prompts):,} prompts"
        return f"{len(self):,} votes{raters} between {pairs} of {self.prompts.name}"

    def _data(self) -> dict[str, object]:
        keys = ("votes", "won", "tied", "lost")
        return {
            "prompt_set": self.prompts.name,
            "votes": len(self),
            "prompts": len(self.prompts),
            "raters": list(self.raters),
            "variants": [
                {"name": name, **dict(zip(keys, row, strict=True))}
                for name, row in self._tally().items()
            ],
        }

    def _rows(self) -> dict[str, object]:
        names, ids = np.array(self.variants, dtype=object), np.array(self.prompts.ids, dtype=object)
        columns: dict[str, object] = {
            "prompt_id": ids[self.prompt],
            "first": names[self.first],
            "second": names[self.second],
            "outcome": self.outcome,
        }
        if self.rater is not None:
            raters = np.array([*self.raters, None], dtype=object)  # -1, not known, is the last
            columns["rater"] = raters[self.rater]
        for name in ("both_bad", "left", "seconds"):
            if getattr(self, name) is not None:
                columns[name] = getattr(self, name)
        return columns

    def _changed(self, change: Any) -> Votes:
        """Return the votes with every array changed alike."""
        arrays = {one.name: getattr(self, one.name) for one in fields(self)}
        changed = {
            name: change(value) for name, value in arrays.items() if isinstance(value, np.ndarray)
        }
        return replace(self, **changed)


def _joined(
    first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return labels joined, and the places of the second ones in them."""
    labels = tuple(dict.fromkeys((*first, *second)))
    place = {label: number for number, label in enumerate(labels)}
    return labels, np.array([place[label] for label in second], dtype=np.int64)


def _joined_prompts(first: PromptSet, second: PromptSet) -> tuple[PromptSet, NDArray[np.int64]]:
    ids, place = _joined(first.ids, second.ids)
    if ids == first.ids and first.may_be(second.hash):
        return first, place
    known: dict[str, str] = {}
    for prompts in (first, second):
        for one, text in zip(prompts.ids, prompts.texts or (), strict=False):
            if known.setdefault(one, text) != text:
                raise ConflictError(f"prompt {one!r} has two texts in the votes to be joined")
    texts = tuple(known[one] for one in ids) if len(known) == len(ids) else None
    return PromptSet(first.name, ids, texts), place
