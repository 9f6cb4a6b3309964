"""Measure what votes are worth: on which prompts, how many decide a pair, how to spread raters.

Opinions of EvalMi-50K (mean human ratings of 24 models on 2,100 prompts, in evalmi.npz) become
votes: of two models on one prompt the better rated wins with the chance of a logistic rater, whose
own opinion strays by NOISE points (of 100) and who calls less than TIE points a tie. The truth is a
model's expected share of wins against all others over all prompts.

Prompts: on random halves of the models 50 prompts are searched by the votes among one half; the
error is that of the win rates of the other half against all models. Beside it 50 random prompts and
50 spread over the kinds of prompts, a third of all, and all; each pair judged once on each prompt,
and as many votes as for 50 prompts spread over more.

Pairs: votes come in looks, each on a new prompt by a new rater, until a sign test decides; the
error of 5% is spent over the looks as `flasheval compare` spends it.

Raters: 2,000 votes by raters with tastes of their own, once or several times on one pair and
prompt.

    nice python scripts/evidence/measure_votes.py --data ../shared/data --out docs/evidence/votes.md
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import binom, kendalltau, t

import flasheval
from flasheval.evaluation.sequential import spent_errors
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreTable
from flasheval.scores.votes.showing import prompts_to_show

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOISE, TIE = 6.0, 3.0
SIZE, FIRST_SPLIT = 50, 1000
METHODS = ("auto", "frequency", "anchors")
LOOKS = (10, 20, 50, 100, 200, 400, 800, 1600)
ERROR = 0.05
TASTES = 4.0  # standard deviation of a rater's own liking of a model, in points


class Opinions:
    """One opinion of 24 models, and the votes that it makes."""

    def __init__(self, name: str, values: Floats, tags: tuple[str, ...]) -> None:
        self.name, self.values = name, values
        self.n, self.width = values.shape
        gaps = values[:, None] - values
        self.won = expit((gaps - TIE) / NOISE)
        self.lost = self.won.transpose(1, 0, 2)
        self.first, self.second = np.triu_indices(self.n, 1)
        self.share = (self.won + 1 - self.lost) / 2
        self.truth = self.rates(self.share.mean(axis=2))
        ids = tuple(map(str, range(self.width)))
        self.prompts = PromptSet(name, ids, extras={"kind": tags})

    def rates(self, pairs: Floats) -> Floats:
        """Return win rates against all others of shares by pair [n, n], or [n, n, prompts]."""
        off = ~np.eye(self.n, dtype=bool)
        shape = (self.n, self.n, *[1] * (pairs.ndim - 2))
        return np.where(off.reshape(shape), pairs, 0).sum(axis=1) / (self.n - 1)

    def votes(self, prompts: Ints, rng: np.random.Generator) -> Floats:
        """Return one vote of each pair and prompt, 1, 1/2 or 0 for the first: [pairs, prompts]."""
        cells = (self.first[:, None], self.second[:, None], prompts)
        drawn = rng.random((len(self.first), len(prompts)))
        won, lost = self.won[cells], self.lost[cells]
        return np.where(drawn < won, 1.0, np.where(drawn > 1 - lost, 0.0, 0.5))

    def measured(self, prompts: Ints, rng: np.random.Generator, most: int | None = None) -> Floats:
        """Return win rates by votes on some prompts; at most so many votes, drawn at random."""
        found = self.votes(prompts, rng)
        if most is not None and most < found.size:
            kept = np.zeros(found.size, dtype=bool)
            kept[rng.choice(found.size, most, replace=False)] = True
            found = np.where(kept.reshape(found.shape), found, np.nan)
        pairs = np.full((self.n, self.n), 0.5)
        means = np.nanmean(found, axis=1)
        pairs[self.first, self.second], pairs[self.second, self.first] = means, 1 - means
        return self.rates(pairs)


def load(path: Path) -> list[Opinions]:
    """Return the opinions of the file."""
    data = np.load(path, allow_pickle=False)
    tags = tuple(map(str, data["tags"]))
    pairs = zip(data["metrics"], data["scores"], strict=True)
    return [Opinions(str(name), values.astype(np.float64), tags) for name, values in pairs]


def chosen(opinions: Opinions, searched: Ints, method: str, seed: int) -> Ints:
    """Return the prompts searched by one vote of each pair of some models on every prompt."""
    rng = np.random.default_rng(seed)
    found = opinions.votes(np.arange(opinions.width), rng)
    pairs = np.zeros((opinions.n, opinions.n, opinions.width))
    pairs[opinions.first, opinions.second] = found
    pairs[opinions.second, opinions.first] = 1 - found
    wins = pairs[np.ix_(searched, searched)].sum(axis=1) / (len(searched) - 1)
    table = ScoreTable.from_arrays(
        wins,
        variants=[f"model {one}" for one in searched],
        prompts=list(range(opinions.width)),
        metric="wins",
    )
    settings: dict[str, Any] = {"splits": None, "curve": None, "calibrate": False, "draws": 10}
    found = flasheval.search(table, method=method, size=SIZE, seed=seed, progress=False, **settings)
    return np.array([int(one) for one in found.subset.ids])


def prompt_rows(opinions: Opinions, splits: int, repeats: int) -> list[list[str]]:
    """Return a row for each way to choose prompts: prompts, votes, error and tau, held out."""
    third = opinions.width // 3
    each = len(opinions.first)
    once = SIZE * each
    whole = np.arange(opinions.width)
    ways: dict[str, list[tuple[float, float]]] = {}
    votes: dict[str, tuple[int, int]] = {}
    for split in range(FIRST_SPLIT, FIRST_SPLIT + splits):
        order = np.random.default_rng(split).permutation(opinions.n)
        searched, new = np.sort(order[: opinions.n // 2]), order[opinions.n // 2 :]
        sets = {f"{SIZE} by `{name}`": chosen(opinions, searched, name, split) for name in METHODS}
        squares: dict[str, list[tuple[float, float]]] = {}
        for repeat in range(repeats):
            seed = split * 1000 + repeat
            rng = np.random.default_rng(seed)

            def drawn(size: int, by: str | None, seed: int = seed) -> Ints:
                return prompts_to_show(opinions.prompts, size, by=by, seed=seed)

            plans = {name: (one, None) for name, one in sets.items()}
            plans |= {
                f"{SIZE} at random": (drawn(SIZE, None), None),
                f"{SIZE} spread over kinds": (drawn(SIZE, "kind"), None),
                "a third at random": (drawn(third, None), None),
                "a third spread over kinds": (drawn(third, "kind"), None),
                "all": (whole, None),
                "a third spread over kinds, fewer votes": (drawn(third, "kind"), once),
                "all, fewer votes": (whole, once),
            }
            for name, (prompts, most) in plans.items():
                rates = opinions.measured(prompts, rng, most)
                error = float(np.mean((rates[new] - opinions.truth[new]) ** 2))
                tau = float(kendalltau(rates[new], opinions.truth[new]).statistic)
                squares.setdefault(name, []).append((error, tau))
                votes[name] = (len(prompts), most or len(prompts) * each)
        for name, found in squares.items():
            errors, taus = np.transpose(found)
            ways.setdefault(name, []).append((float(np.sqrt(errors.mean())), float(taus.mean())))
    rows = []
    for name, by_split in ways.items():
        errors, taus = np.transpose(by_split)
        row = [name, f"{votes[name][0]:,}", f"{votes[name][1]:,}"]
        rows.append([*row, with_interval(100 * errors, 2), with_interval(taus, 3, most=1.0)])
    return rows


def with_interval(values: Floats, digits: int, most: float = np.inf) -> str:
    """Return a mean over splits with its 90% interval by Student's t."""
    room = t.ppf(0.95, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    low, mean, high = (f"{min(values.mean() + x, most):.{digits}f}" for x in (-room, 0, room))
    return f"{mean} ({low} to {high})"


def decided(opinions: Opinions, prompts: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return for each pair the votes that decided it (0: none did) and the sign found.

    The votes are on these prompts in turn, each of a new rater: [LOOKS[-1]] of them.
    """
    said = np.sign(opinions.votes(prompts, rng) - 0.5)
    after, sign = np.zeros(len(said), dtype=np.int64), np.zeros(len(said), dtype=np.int64)
    for look, error in zip(LOOKS, spent_errors(LOOKS, ERROR), strict=True):
        wins, losses = (said[:, :look] > 0).sum(axis=1), (said[:, :look] < 0).sum(axis=1)
        chance = 2 * binom.cdf(np.minimum(wins, losses), wins + losses, 0.5)
        new = (after == 0) & (chance < error)
        after[new], sign[new] = look, np.sign(wins - losses)[new]
    return after, sign


def pair_rows(opinions: Opinions, repeats: int) -> list[list[str]]:
    """Return a row for each way and quarter of the true difference: votes, decided, wrong."""
    pairs = (opinions.first, opinions.second)
    lead = opinions.share.mean(axis=2)[pairs] - 0.5
    quarter = np.argsort(np.argsort(np.abs(lead))) * 4 // len(lead)
    rows = []
    for way in ("new prompts", f"{SIZE} prompts again and again"):
        found = []
        for repeat in range(repeats):
            rng = np.random.default_rng(repeat)
            if way == "new prompts":
                prompts = rng.permutation(opinions.width)[: LOOKS[-1]]
            else:
                few = prompts_to_show(opinions.prompts, SIZE, by="kind", seed=repeat)
                prompts = np.resize(few, LOOKS[-1])
            found.append(decided(opinions, prompts, rng))
        after, sign = (np.stack(one) for one in zip(*found, strict=True))
        for one in range(4):
            mine = quarter == one
            told = after[:, mine] > 0
            wrong = told & (sign[:, mine] != np.sign(lead[mine]))
            used = np.where(told, after[:, mine], LOOKS[-1])
            leads = f"{50 + 100 * np.abs(lead[mine]).min():.0f}% to "
            leads += f"{50 + 100 * np.abs(lead[mine]).max():.0f}%"
            shares = [f"{told.mean():.0%}", f"{wrong.sum() / max(told.sum(), 1):.1%}"]
            rows.append([way, leads, f"{np.median(used):.0f}", f"{used.mean():.0f}", *shares])
    return rows


def rater_rows(opinions: Opinions, repeats: int, n: int = 2000) -> list[list[str]]:
    """Return a row for each number of raters: the error by votes on one pair and prompt."""
    rows = []
    for raters in (5, 20, 100):
        cells = []
        for times in (1, 2, 5):
            squares = []
            for repeat in range(repeats):
                rng = np.random.default_rng(repeat)
                tastes = rng.normal(0, TASTES, (raters, opinions.n))
                items = n // times
                pair = np.repeat(rng.permutation(np.resize(np.arange(276), items)), times)
                prompt = np.repeat(rng.integers(0, opinions.width, items), times)
                rater = np.resize(rng.permutation(raters), len(pair))
                first, second = opinions.first[pair], opinions.second[pair]
                gaps = opinions.values[first, prompt] - opinions.values[second, prompt]
                gaps += tastes[rater, first] - tastes[rater, second]
                gaps += NOISE * rng.logistic(size=len(gaps))
                outcome = np.where(np.abs(gaps) <= TIE, 0.5, (gaps > 0) * 1.0)
                shares = np.bincount(pair, outcome, 276) / np.maximum(np.bincount(pair), 1)
                table = np.zeros((opinions.n, opinions.n))
                table[opinions.first, opinions.second] = shares
                table[opinions.second, opinions.first] = 1 - shares
                squares.append(np.mean((opinions.rates(table) - opinions.truth) ** 2))
            cells.append(f"{100 * np.sqrt(np.mean(squares)):.2f}")
        rows.append([f"{raters}", *cells])
    return rows


def table_of(titles: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    head = [f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}"]
    return [*head, *(f"| {' | '.join(row)} |" for row in rows), ""]


def report(path: Path, splits: int, repeats: int) -> str:
    """Return all tables."""
    begun = time.perf_counter()
    lines: list[str] = []
    for opinions in load(path):
        lines += [f"## {opinions.name}: which prompts", ""]
        titles = ["prompts", "number", "votes", "error of win rates, points", "tau, held out"]
        lines += table_of(titles, prompt_rows(opinions, splits, repeats))
        lines += [f"## {opinions.name}: how many votes decide a pair", ""]
        titles = ["votes on", "the better one wins", "median", "mean", "decided", "wrong"]
        lines += table_of(titles, pair_rows(opinions, repeats * 4))
        lines += [f"## {opinions.name}: how to spread raters", ""]
        titles = ["raters", "once", "twice", "five times"]
        lines += table_of(titles, rater_rows(opinions, repeats * 20))
    took = time.perf_counter() - begun
    return "\n".join([*lines, f"{splits} splits, {repeats} draws; {took:.0f} seconds.", ""])


def main() -> None:
    """Measure, and print Markdown or put it below the page's mark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=5, help="draws of prompts and votes a split")
    parser.add_argument("--out", type=Path, help="a page, whose lines below its mark are replaced")
    arguments = parser.parse_args()
    path = arguments.data / "evalmi.npz"
    if not path.is_file():
        print(f"{path} is not there: the opinions are not part of the repository; nothing measured")
        return
    text = report(path, arguments.splits, arguments.repeats)
    if arguments.out is None:
        print(text)
        return
    mark = "<!-- measured -->\n"
    old = arguments.out.read_text("utf-8") if arguments.out.exists() else f"# Votes\n\n{mark}"
    arguments.out.write_text(f"{old.partition(mark)[0]}{mark}\n{text}", "utf-8")


if __name__ == "__main__":
    main()
