"""`flasheval votes`: which variants people or a judge prefer, and the votes as scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from rich.text import Text

from flasheval.base.drawing.terminal import drawn, warning_lines
from flasheval.base.errors import SettingError
from flasheval.base.files import write_text
from flasheval.base.run_folders import shown_path
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.score_settings import note_on, read_scores
from flasheval.cli.configs import VotesConfig
from flasheval.cli.exit_codes import DONE
from flasheval.cli.folders import VOTES_PAGE, folder_of_votes
from flasheval.report.votes_page.writing import make_votes_page
from flasheval.scores.votes import Votes, load_votes, votes_from_scores
from flasheval.scores.votes.clusters import Cluster
from flasheval.scores.votes.loading import KEPT
from flasheval.scores.votes.strengths import Ties

__all__ = ["run_votes"]

_WINS = "wins"
_OF_SCORES = {"metric": None, "tie_within": 0.0, "sample": None}


def run_votes(config: VotesConfig, context: Context) -> Outcome:
    """Do what the settings of the command line ask for, and return the outcome.

    A first word that is no action is a file of votes. Raises FlashevalError for a setting, a file
    or votes that cannot be used.
    """
    words = list(config.votes)
    action = config.action
    if action not in _ACTIONS:
        words.insert(0, action)
        action = "rank"
    return _ACTIONS[action](config, words, context)


def _rank(config: VotesConfig, words: list[str], context: Context) -> Outcome:
    """Print who wins, and write what there is where `out` names a folder."""
    votes, notes = _votes(config, words)
    board = votes.rank(
        ties=cast("Ties", config.ties),
        prior=config.prior,
        cluster=cast("Cluster", config.cluster),
        level=config.level,
        draws=config.draws,
        seed=config.seed,
    )
    console = context.console
    folder = None if config.out is None else board.save(Path(config.out))
    if folder is not None:
        _keep(votes, folder, config)
    for note in notes:
        console.print(Text(note, style="magenta"), soft_wrap=True)
    view = board.view()
    console.print(drawn(view))
    if folder is not None:
        shown = shown_path(folder)
        console.print(f"\nfiles:    {shown}/", soft_wrap=True, markup=False)
        search = f"flasheval search scores={shown}/{_WINS}"
        console.print(f"use them: {search}", soft_wrap=True, markup=False)
    files = {} if folder is None else {"folder": folder, "scores": folder / _WINS}
    return Outcome(DONE, answer=Answer(board, view=view, notes=tuple(notes), files=files))


def _page(config: VotesConfig, words: list[str], context: Context) -> Outcome:
    """Write a page that collects votes on a run's images."""
    if words:
        raise SettingError(f"{words[0]}: the action page takes no files of votes; leave it out")
    if config.run is None:
        raise SettingError(
            "run is missing: flasheval votes page run=FOLDER, a run made with keep_images=true"
        )
    named = [config.variants] if isinstance(config.variants, str) else config.variants
    made = make_votes_page(
        config.run,
        config.subset,
        variants=named,
        pairs=config.pairs,
        raters=config.raters,
        seed=config.seed,
    )
    folder = folder_of_votes({"action": "page", "out": config.out})
    path = write_text(Path(str(folder)) / VOTES_PAGE, made.html)
    console, shown = context.console, shown_path(path)
    size = path.stat().st_size / 1e6
    said = f"A page with {len(made.shown.pairs):,} pairs of images, {size:.1f} MB"
    console.print(said, style="bold")
    for line in warning_lines(made.warnings):
        console.print(line, soft_wrap=True)
    console.print(f"\nopen:     {shown} in a browser; it needs no network", soft_wrap=True)
    console.print("then:     flasheval votes DOWNLOADED.json ...", soft_wrap=True)
    result = {"kind": "votes_page", "schema": 1, "pairs": len(made.shown.pairs)}
    files = {"page": path}
    return Outcome(DONE, answer=Answer(result, said, warnings=tuple(made.warnings), files=files))


_ACTIONS: dict[str, Callable[[VotesConfig, list[str], Context], Outcome]] = {
    "rank": _rank,
    "page": _page,
}


def _votes(config: VotesConfig, words: list[str]) -> tuple[Votes, list[str]]:
    """Return the votes of the files or scores that the settings name, and what to say of them."""
    if config.scores is not None:
        if words:
            raise SettingError("votes= and scores= are two sources: give one at a time")
        if config.columns is not None:
            raise SettingError("columns= is of files of votes: leave it out beside scores=")
        table, how = read_scores(config.scores, config.prompts, None)
        found = votes_from_scores(
            table,
            config.metric,
            tie_within=config.tie_within,
            sample=config.sample,
            seed=config.seed,
        )
        notes = [note for note in (how, note_on(config.scores)) if note]
        return found.without(config.drop), notes
    odd = [key for key, usual in _OF_SCORES.items() if getattr(config, key) != usual]
    if odd:
        raise SettingError(f"{odd[0]}= is of votes made from scores: add scores=PATH")
    if not words:
        raise SettingError(
            "no votes are named: flasheval votes FILE ..., or scores=PATH to make some from scores"
        )
    votes = load_votes(words, columns=config.columns, prompts=config.prompts, drop=config.drop)
    return votes, []


def _keep(votes: Votes, folder: Path, config: VotesConfig) -> None:
    """Write the votes, and their table of expected wins, beside the board."""
    votes.save(folder / KEPT)
    prior = {"prior": config.prior} if config.prior > 0 else {}
    table = votes.to_scores(n0=config.n0, ties=cast("Ties", config.ties), **prior)
    table.save(folder / _WINS, overwrite=True)
