"""`flasheval rank`: who is ahead in a score table or in evaluations, and whether it is real."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from rich.text import Text

from flasheval.base.drawing.terminal import drawn
from flasheval.base.errors import DataError, SettingError
from flasheval.base.json_data import read_json
from flasheval.base.run_folders import shown_path
from flasheval.cli.commands.compare import named_reports
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.score_settings import note_on, read_scores
from flasheval.cli.configs import RankConfig
from flasheval.cli.exit_codes import DONE
from flasheval.evaluation.full_board import FullBoard, rank_reports
from flasheval.evaluation.report import FORMAT
from flasheval.scores.leaderboard import Leaderboard, rank
from flasheval.scores.table import Incomplete

__all__ = ["run_rank"]

_OF_SCORES = (
    *("prompts", "higher_is_better", "columns", "by", "cluster"),
    *("seconds", "max_seconds"),
)


def run_rank(config: RankConfig, context: Context) -> Outcome:
    """Print the leaderboard, write its files where `out` names a folder, return the outcome.

    Raises FlashevalError for a setting, a file, scores or reports that cannot be used.
    """
    board: Leaderboard | FullBoard
    notes: list[str] = []
    if paths := _asked_reports(config):
        board = _of_reports(config, paths)
    else:
        board, notes = _of_scores(config, context)
    folder = None if config.out is None else board.save(Path(config.out))
    console = context.console
    for note in notes:
        console.print(Text(note, style="magenta"), soft_wrap=True)
    view = board.view()
    console.print(drawn(view))
    if folder is not None:
        console.print(f"\nfiles: {shown_path(folder)}/", soft_wrap=True, markup=False)
    files = {} if folder is None else {"folder": folder}
    return Outcome(DONE, answer=Answer(board, view=view, notes=tuple(notes), files=files))


def _of_scores(config: RankConfig, context: Context) -> tuple[Leaderboard, list[str]]:
    table, how = read_scores(
        config.scores, config.prompts, config.higher_is_better, config.columns, config.drop
    )
    with context.progress() as progress:
        board = rank(
            table,
            metric=config.metric,
            by=config.by,
            cluster=config.cluster,
            level=config.level,
            incomplete=cast("Incomplete", config.incomplete),
            draws=config.draws,
            seed=config.seed,
            seconds=config.seconds,
            max_seconds=config.max_seconds,
            progress=progress,
        )
    return board, [note for note in (how, note_on(config.scores)) if note]


def _of_reports(config: RankConfig, paths: list[Path]) -> FullBoard:
    odd = [key for key in _OF_SCORES if getattr(config, key) is not None]
    if odd or config.drop:
        raise SettingError(
            f"{(odd or ['drop'])[0]}= belongs to scores, not to reports: leave it out"
        )
    return rank_reports(
        named_reports(list(map(str, paths))), metric=config.metric, level=config.level
    )


def _asked_reports(config: RankConfig) -> list[Path]:
    """Return the files of the reports that the settings name; none where they name scores.

    The first word may be scores or a report, so that is looked at.
    """
    first = [] if config.scores == RankConfig.scores else [config.scores]
    found = list(_reports_in(one for one in first if isinstance(one, str)))
    if config.reports and first and not found:
        raise SettingError(
            f"scores={config.scores} is no report: give scores or reports, one at a time"
        )
    for name in config.reports:
        more = list(_reports_in([name]))
        # A file that is no report says itself what is wrong with it.
        if not more and Path(name).is_dir():
            raise DataError(
                f"{name}: no report in this folder; expected those of flasheval evaluate"
            )
        found += more or [Path(name)]
    return found


def _reports_in(names: Iterable[str]) -> Iterable[Path]:
    for path in map(Path, names):
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        yield from (file for file in files if _is_report(file))


def _is_report(path: Path) -> bool:
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(200)
    if FORMAT.encode() not in start:  # written first: a large table is not read for this
        return False
    content = read_json(path)
    return isinstance(content, dict) and content.get("format") == FORMAT
