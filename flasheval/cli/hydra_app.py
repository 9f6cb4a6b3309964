"""A verb run by Hydra: one job, a sweep of jobs, or Hydra's own options such as `--cfg`."""

from __future__ import annotations

import io
import logging
import shlex
import shutil
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.errors import DataError, SettingError
from flasheval.base.resources import conf_dir
from flasheval.cli.answers import Answers
from flasheval.cli.arguments import lifted, read_options, tidied
from flasheval.cli.composing import check_jobs, plain_settings, register, swept_values
from flasheval.cli.exit_codes import DONE, FAILED, INTERRUPTED
from flasheval.cli.setting_errors import quoted
from flasheval.cli.verbs import VERBS

if TYPE_CHECKING:
    from flasheval.cli.commands.context import Outcome

__all__ = ["run_verb"]


_LONGEST = 255  # bytes of a name in a path


def run_verb(verb: str, words: list[str], answers: Answers) -> int:
    """Run a verb with the words that follow it and return its exit code.

    Args:
        verb: The verb.
        words: The words.
        answers: Where its answer goes, in case it is to be one for programs.

    Raises:
        SettingError: An invalid setting.
        FlashevalError: A job that failed.
        KeyboardInterrupt: A job that was interrupted; what it found is written.

    """
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    options = read_options(verb, words)
    overrides = tidied(verb, options)
    register(verb)
    with initialize_config_dir(str(conf_dir()), job_name=verb, version_base="1.3"):
        hydra = GlobalHydra.instance().hydra
        if hydra is None:
            raise RuntimeError("Hydra did not start")
        many = bool(options.multirun)
        overrides = lifted(overrides) if many else overrides
        folder, settings = check_jobs(hydra, verb, overrides, many=many)
        if not (options.cfg or options.info or options.hydra_help or options.shell_completion):
            run = _run_many if many else _run_one
            if settings.get("json"):
                answers.begin()
            return run(hydra, verb, overrides, folder, settings, answers)
    flags = [word for word in words if word not in options.overrides]
    return _leave_to_hydra(verb, [*flags, *overrides])


def job(config: Any, swept: Mapping[str, tuple[str, ...]] | None = None) -> Outcome:
    """Do one job, in this process or in a launcher's: what Hydra calls the task function.

    `swept` are the keys that differ between the jobs of a sweep, with their values.
    """
    from hydra.core.hydra_config import HydraConfig

    from flasheval.cli.commands.context import Sweep
    from flasheval.cli.commands.jobs import run_job

    hydra = HydraConfig.get()
    verb = str(hydra.job.config_name)
    words = tuple(hydra.overrides.task)
    command = shlex.join(["flasheval", verb, *words])
    sweep = None if swept is None else Sweep(Path(hydra.sweep.dir), swept)
    folder = Path(hydra.runtime.output_dir)
    return run_job(verb, plain_settings(config), folder, command, words, sweep)


def _run_one(
    hydra: Any,
    verb: str,
    overrides: list[str],
    folder: Path,
    settings: Mapping[str, Any],
    answers: Answers,
) -> int:
    from flasheval.base.run_folders import require_writable
    from flasheval.cli.outputs import kept_output

    _refuse_long_name(settings.get("out"))
    row = VERBS[verb]
    fresh = row.folder is not None and not folder.exists()
    if row.folder is not None:
        require_writable(folder)
    with kept_output(row, settings):
        with _settings_written(folder):
            words = [*overrides, "hydra.mode=RUN"]
            done = hydra.run(verb, job, words, with_log_configuration=False)
        outcome: Outcome = done.return_value
        if outcome.error is not None:
            if fresh and not _holds_work(folder):  # a mistake leaves nothing behind
                shutil.rmtree(folder, ignore_errors=True)
            raise outcome.error
        if outcome.document is not None:
            answers.give(outcome.document)
        if outcome.code == INTERRUPTED:
            raise KeyboardInterrupt
    return outcome.code


def _refuse_long_name(out: object) -> None:
    """Refuse an `out` that no file system takes, before anything looks for it."""
    names = Path(out).parts if isinstance(out, str) else ()
    for part in names:
        if len(part.encode("utf-8", "surrogatepass")) > _LONGEST:
            raise SettingError(
                f"out={str(out)[:40]}...: a name of {len(part)} letters is longer than a file's "
                f"may be ({_LONGEST} bytes); shorten it"
            )


@contextmanager
def _settings_written(folder: Path) -> Iterator[None]:
    """Say it in one line where Hydra cannot write its own files of settings."""
    try:
        yield
    except OSError as error:
        if traceback.extract_tb(error.__traceback__)[-1].name != "_save_config":
            raise
        raise DataError(
            f"{folder}: the settings of the run cannot be written there ({error.strerror}); make "
            "room, or name another out"
        ) from error


def _holds_work(folder: Path) -> bool:
    """Tell whether a folder has more than the settings and the log: units, a manifest, a mark."""
    from flasheval.base.run_folders import MADE_BY  # late, for help must not load NumPy

    return any(
        path.is_file()
        and path.suffix != ".log"
        and path.relative_to(folder).parts[0] not in ("config", MADE_BY)
        for path in folder.rglob("*")
    )


def _run_many(
    hydra: Any,
    verb: str,
    overrides: list[str],
    folder: Path,
    settings: Mapping[str, Any],
    answers: Answers,
) -> int:
    from flasheval.base.run_folders import require_writable
    from flasheval.cli.commands.jobs import finish_sweep
    from flasheval.cli.outputs import kept_output

    row = VERBS[verb]
    if not row.sweeps:
        swept = " and ".join(f"flasheval {one.name}" for one in VERBS.values() if one.sweeps)
        raise SettingError(f"-m is for {swept}, not for flasheval {verb}: {row.no_sweep}")
    if row.folder is None and str(settings.get("out")).endswith(".json"):
        raise SettingError(f"out={settings['out']}: a sweep has a folder; name one")
    require_writable(folder)
    # Said outright, for a job cannot tell the sweep's folder from its own share of the overrides.
    more = [quoted(f"hydra.sweep.dir={folder}") or "", "hydra.mode=MULTIRUN"]
    with kept_output(row, settings, overrides):
        task = partial(job, swept=swept_values(overrides))
        returns = hydra.multirun(verb, task, [*overrides, *more], with_log_configuration=False)
        outcomes = [done.return_value for batch in returns or [] for done in batch]
        command = shlex.join(["flasheval", verb, "-m", *overrides])
        quiet = bool(settings.get("quiet")) or answers.json
        code, document = finish_sweep(verb, outcomes, folder, command, quiet=quiet)
        answers.give(document)
        return code


def _leave_to_hydra(verb: str, words: list[str]) -> int:
    """Let Hydra show settings or help; the words have been checked already."""
    import hydra

    kept, root = sys.argv, logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    sys.argv = ["flasheval", *words]
    shown = io.StringIO()  # written by us: a closed pipe is a bug to Hydra
    code = DONE
    try:
        with redirect_stdout(shown):
            hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=verb)(job)()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else FAILED
    finally:
        sys.argv = kept
        root.setLevel(level)  # Hydra's handlers would write to today's streams for ever
        root.handlers[:] = handlers
    sys.stdout.write(shown.getvalue())
    return code
