"""`flasheval judge`: how far to trust a judge, and what it answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from flasheval.base.drawing.terminal import drawn
from flasheval.base.drawing.view import Line, Table, View
from flasheval.base.errors import SettingError
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.configs import JudgeConfig
from flasheval.cli.exit_codes import DONE
from flasheval.evaluation.judging.check import check_judge
from flasheval.runs.answers import answers_by_tag, read_answers

__all__ = ["run_judge"]


def run_judge(config: JudgeConfig, context: Context) -> Outcome:
    """Do what the action asks for, and return the outcome.

    Raises FlashevalError for a setting, a run or a judge that cannot be used.
    """
    if config.action not in _ACTIONS:
        raise SettingError(
            f"action={config.action}: expected {' or '.join(_ACTIONS)}, such as flasheval judge "
            "check run=FOLDER scorers=[vqa]"
        )
    if config.run is None:
        raise SettingError(f"run is missing: flasheval judge {config.action} run=FOLDER")
    if config.out and not config.out.endswith(".json"):
        raise SettingError(f"out={config.out}: expected a name in .json")
    return _ACTIONS[config.action](config, config.run, context)


def _check(config: JudgeConfig, run: str, context: Context) -> Outcome:
    """Ask a judge again, and say how far to trust it."""
    given = config.scorers if isinstance(config.scorers, list) else [config.scorers]
    if len(given) != 1 or given[0] is None:
        raise SettingError(
            f"scorers holds {len([one for one in given if one])} judges: give the one to check, as "
            "for flasheval run: scorers=[{name:vqa,...}]"
        )
    found = check_judge(
        run,
        given[0],
        images=config.images,
        repeats=config.repeats,
        against=config.against,
        seed=config.seed,
        device=config.device,
    )
    view = found.view()
    context.console.print(drawn(view))
    return Outcome(DONE, answer=Answer(found, view=view, warnings=found.warnings))


def _answers(config: JudgeConfig, run: str, context: Context) -> Outcome:
    """Print each variant's mean score by the tags of the questions."""
    if config.metric is None:
        raise SettingError("metric is missing: flasheval judge answers run=FOLDER metric=Questions")
    answers = read_answers(run, config.metric)
    by_tag = answers_by_tag(answers)
    headline = f"{len(answers):,} answers of {config.metric} in {run}"
    rows = [
        (
            one.variant,
            one.tag or "-",
            f"{one.mean:.3f}",
            f"{one.questions:,}",
            f"{one.unanswered:,}",
        )
        for one in by_tag
    ]
    titles = ("variant", "tag", "mean score", "questions", "no answer")
    view = View((Line(headline, "headline"), Line(""), Table(titles, rows, left=2)))
    context.console.print(drawn(view))
    result = {
        "kind": "judge_answers",
        "schema": 1,
        "metric": config.metric,
        "tags": [asdict(one) for one in by_tag],
        "answers": [asdict(one) for one in answers],
    }
    return Outcome(DONE, answer=Answer(result, headline))


_ACTIONS: dict[str, Callable[[JudgeConfig, str, Context], Outcome]] = {
    "check": _check,
    "answers": _answers,
}
