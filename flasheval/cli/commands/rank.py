"""`flasheval rank`: who is ahead in a score table, and whether it is real."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from rich.text import Text

from flasheval.base.drawing.terminal import drawn
from flasheval.base.run_folders import shown_path
from flasheval.cli.commands.context import Context
from flasheval.cli.commands.score_settings import note_on, read_scores
from flasheval.cli.configs import RankConfig
from flasheval.cli.exit_codes import DONE
from flasheval.scores.leaderboard import rank
from flasheval.scores.table import Incomplete

__all__ = ["run_rank"]


def run_rank(config: RankConfig, context: Context) -> int:
    """Print the leaderboard, write its files where `out` names a folder, return the exit code.

    Raises FlashevalError for a setting, a file or scores that cannot be used.
    """
    table, how = read_scores(
        config.scores, config.prompts, config.higher_is_better, config.columns, config.drop
    )
    board = rank(
        table,
        metric=config.metric,
        by=config.by,
        cluster=config.cluster,
        level=config.level,
        incomplete=cast("Incomplete", config.incomplete),
        draws=config.draws,
        seed=config.seed,
    )
    folder = None if config.out is None else board.save(Path(config.out))
    console = context.console
    for note in filter(None, (how, note_on(config.scores))):
        console.print(Text(note, style="magenta"), soft_wrap=True)
    console.print(drawn(board.view()))
    if folder is not None:
        console.print(f"\nfiles: {shown_path(folder)}/", soft_wrap=True, markup=False)
    return DONE
