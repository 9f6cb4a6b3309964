"""`flasheval watch`: each checkpoint of a folder evaluated once, and the leaderboard."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.drawing.terminal import drawn
from flasheval.base.errors import SettingError
from flasheval.base.run_folders import shown_path
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.evaluate import asked_subset
from flasheval.cli.configs import WatchConfig
from flasheval.cli.exit_codes import DONE, INTERRUPTED
from flasheval.evaluation.trackers.no_tracker import NoTracker
from flasheval.evaluation.trackers.registry import make_tracker
from flasheval.evaluation.watching.watch import watch, watch_folder
from flasheval.generators.diffusers_settings import DiffusersSettings

if TYPE_CHECKING:
    from flasheval.evaluation.trackers import Tracker
    from flasheval.evaluation.watching.leaderboard import Leaderboard

__all__ = ["run_watch"]

_WATCHED = ("checkpoint", "revision", "lora")


def run_watch(config: WatchConfig, context: Context) -> Outcome:
    """Watch a folder with the settings of the command line; print the leaderboard as it changes.

    Returns the outcome, with the code 0, or 130 once it is interrupted.

    Raises FlashevalError for a setting or a file that cannot be used.
    """
    if not config.path:
        raise SettingError("path is missing: flasheval watch FOLDER subset=MANIFEST.json")
    console, settings = context.console, _settings(config)
    subset = asked_subset(config.subset, config.prompts, "watch")
    folder = Path(config.path).expanduser()
    out = Path(config.out) if config.out else Path(watch_folder(folder))

    shown: list[Leaderboard] = []

    def show(board: Leaderboard) -> None:
        shown[:] = [board]
        console.print(drawn(board.view()))
        console.print()

    trackers = _trackers(config)
    how = "" if config.once else ", until Ctrl-C"
    console.print(f"{shown_path(folder)}/ to {shown_path(out)}/{how}", soft_wrap=True, markup=False)
    try:
        board = watch(
            folder,
            subset,
            config.scorers,
            out=out,
            base=config.base,
            loader=config.loader,
            settings=settings,
            call=config.call,
            pattern=config.pattern,
            metric=config.metric,
            fidelity=config.fidelity,
            most_lost=config.most_lost,
            level=config.level,
            images_per_prompt=config.images_per_prompt,
            seeds=config.seeds,
            seed=config.seed,
            batch=config.batch,
            device=config.device,
            interval=config.interval,
            settle=config.settle,
            once=config.once,
            trackers=trackers,
            on_change=show,
            progress=context.shows_progress,
        )
    except KeyboardInterrupt:
        return Outcome(INTERRUPTED, answer=_answer(shown[-1], out) if shown else None)
    finally:
        for tracker in trackers:
            tracker.finish()
    if not shown:
        show(board)
    where = shown_path(out)
    console.print(f"reports: {where}/reports/", soft_wrap=True, markup=False)
    console.print(f"table:   {where}/leaderboard.md, .csv", soft_wrap=True, markup=False)
    return Outcome(DONE, answer=_answer(board, out))


def _answer(board: Leaderboard, out: Path) -> Answer:
    files = {"folder": out, "reports": out / "reports", "table": out / "leaderboard.csv"}
    return Answer(board, view=board.view(), files=files)


def _settings(config: WatchConfig) -> dict[str, Any]:
    """Return the settings that say how checkpoints are loaded."""
    settings = {}
    for one in fields(DiffusersSettings):
        value = getattr(config, one.name)
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        if value is None or value == default:
            continue
        if one.name in _WATCHED:
            raise SettingError(
                f"{one.name} comes from the watched folder: leave it out, and add base={value} if "
                "checkpoints are LoRAs or parts of that pipeline"
            )
        settings[one.name] = value
    return settings


def _trackers(config: WatchConfig) -> tuple[Tracker, ...]:
    tracker = make_tracker(config.tracker)
    return () if isinstance(tracker, NoTracker) else (tracker,)
