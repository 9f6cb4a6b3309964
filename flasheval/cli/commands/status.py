"""`flasheval status`: a run's progress, failures and speed."""

from __future__ import annotations

from pathlib import Path

from flasheval.base.drawing.terminal import drawn
from flasheval.base.errors import SettingError
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.configs import StatusConfig
from flasheval.cli.exit_codes import DONE
from flasheval.runs.status.run_status import read_status

__all__ = ["run_status"]


def run_status(config: StatusConfig, context: Context) -> Outcome:
    """Print how far the run in a folder is and return the outcome.

    Raises FlashevalError when there is no run.
    """
    if not config.path:
        raise SettingError("path is missing: flasheval status FOLDER, the out= of a run")
    if config.out and not config.out.endswith(".json"):
        raise SettingError(f"out={config.out}: expected a name in .json")
    status = read_status(Path(config.path), check=config.check)
    view = status.view()
    context.console.print(drawn(view))
    files = {"folder": status.folder}
    return Outcome(DONE, answer=Answer(status, "", view, status.problems, files=files))
