"""What votes say of themselves: do raters agree, do choices run in circles, does the side count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.scores.votes.arrays import VoteArrays
from flasheval.scores.votes.counts import PairCounts

__all__ = [
    "Circles",
    "RaterAgreement",
    "circles_of",
    "krippendorff_alpha",
    "rater_agreement",
    "repeated_votes",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RaterAgreement:
    """How raters agree on what several of them judged: the same two variants on one prompt.

    Attributes:
        items: What at least two raters judged.
        votes: The votes on these.
        raw: Share of pairs of such votes that say the same; NaN without any.
        alpha: Krippendorff's alpha for nominal values: 1 is agreement, 0 what chance gives.

    """

    items: int
    votes: int
    raw: float
    alpha: float


@dataclass(frozen=True)
class Circles:
    """Triples of variants in which the majorities run in a circle: a beats b, b beats c, c beats a.

    Attributes:
        triples: Triples of which every pair has a majority.
        circular: Those that run in a circle.
        chance: How many would, were every majority a coin's: a quarter.

    """

    triples: int
    circular: int

    @property
    def chance(self) -> float:
        """How many circles coins would give.

        >>> Circles(8, 1).chance
        2.0
        """
        return self.triples / 4


def rater_agreement(votes: VoteArrays) -> RaterAgreement:
    """Return how the raters agree; of a rater's repeated votes on one item the first counts.

    An item is two variants on one prompt, with the same image numbers where these are known. Votes
    of unknown raters each count as another's.

    >>> from flasheval.prompts import PromptSet
    >>> pets = PromptSet("pets", ("1", "2"))
    >>> votes = VoteArrays(("a", "b"), pets, [0, 1, 0], [1, 0, 1], [0, 0, 1], [1, -1, 0])
    >>> rater_agreement(votes)
    RaterAgreement(items=1, votes=2, raw=1.0, alpha=nan)
    """
    items, says = _items(votes)
    if votes.rater is not None:
        rater = votes.rater.astype(np.int64)
        unknown = rater < 0
        rater[unknown] = len(votes.raters) + np.arange(int(unknown.sum()))
        kept = np.unique(items * (int(rater.max()) + 1) + rater, return_index=True)[1]
        items, says = items[kept], says[kept]
    table = np.zeros((int(items.max()) + 1, 3))
    np.add.at(table, (items, says), 1)
    table = table[table.sum(axis=1) > 1]
    if not len(table):
        return RaterAgreement(0, 0, float("nan"), float("nan"))
    n = table.sum(axis=1)
    same = (table * (table - 1)).sum()
    raw = float(same / (n * (n - 1)).sum())
    return RaterAgreement(len(table), int(n.sum()), raw, krippendorff_alpha(table))


def repeated_votes(votes: VoteArrays) -> int:
    """Return how many votes repeat another: one rater, the same two variants, prompt and images.

    >>> from flasheval.prompts import PromptSet
    >>> pets = PromptSet("pets", ("1",))
    >>> repeated_votes(VoteArrays(("a", "b"), pets, [0, 1], [1, 0], [0, 0], [1, 1], ("x",), [0, 0]))
    1
    """
    if votes.rater is None:
        return 0
    known = votes.rater >= 0
    items, _ = _items(votes)
    keys = items[known] * len(votes.raters) + votes.rater[known]
    return int(known.sum()) - len(np.unique(keys))


def _items(votes: VoteArrays) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what each vote judged, and what it says: 0, 1, 2 for the earlier's loss, tie, win."""
    first, second = votes.first.astype(np.int64), votes.second.astype(np.int64)
    turned = first > second
    low, high = np.minimum(first, second), np.maximum(first, second)
    says = np.where(turned, -votes.outcome, votes.outcome).astype(np.int64) + 1
    m = len(votes.variants)
    items = (votes.prompt * np.int64(m) + low) * m + high
    if votes.images is not None:
        images = votes.images.astype(np.int64)
        images = np.where(turned[:, None], images[:, ::-1], images)
        rows = np.stack([items, *images.T], axis=1)
        items = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
    return np.unique(items, return_inverse=True)[1].astype(np.int64), says


def krippendorff_alpha(table: Floats) -> float:
    """Return Krippendorff's alpha for nominal values (Content Analysis, 2004, chapter 11).

    table: float [items, values], how many raters gave each value; items of one rater count for
    nothing. 1 less observed over expected disagreement, both over all pairs of votes on one item,
    and over all pairs of votes. NaN where all say the same.

    >>> round(krippendorff_alpha(np.array([[2, 0], [0, 2], [1, 1]])), 4)
    0.4444
    """
    n = table.sum(axis=1)
    kept, n = table[n > 1], n[n > 1]
    total = n.sum()
    observed = ((n**2 - (kept**2).sum(axis=1)) / np.maximum(n - 1, 1)).sum()
    values = kept.sum(axis=0)
    expected = (total**2 - (values**2).sum()) / max(total - 1, 1)
    return float(1 - observed / expected) if expected > 0 else float("nan")


def circles_of(counts: PairCounts) -> Circles:
    """Count the triples in which majorities run in a circle.

    >>> wins = np.array([[0, 2, 0], [0, 0, 2], [2, 0, 0]])
    >>> circles_of(PairCounts(wins, np.zeros((3, 3))))
    Circles(triples=1, circular=1)
    """
    beats = (np.nan_to_num(counts.shares, nan=0.0) > 0.5).astype(np.float64)
    decided = beats + beats.T
    whole = round(float(np.einsum("ij,ji->", decided @ decided, decided)) / 6)
    return Circles(whole, round(float(np.einsum("ij,ji->", beats @ beats, beats)) / 3))
