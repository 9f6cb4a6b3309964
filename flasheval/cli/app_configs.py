"""Settings for other people's Hydra applications: what `flasheval/NAME` stands for in theirs.

`flasheval/search` holds the arguments of `flasheval.search` at ``flasheval.search``, and the like
for the other functions; `flasheval/method=pooled` and the other groups hold a choice with its
settings at ``flasheval.method``, which the functions' arguments refer to. Nothing of it is written
down here: the names, defaults and types are those of the functions' signatures and of the plug-ins.
`hydra_plugins/flasheval_configs.py` shows it to Hydra.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, make_dataclass
from inspect import Parameter, signature
from pkgutil import resolve_name
from typing import Any

from flasheval.base.arguments import annotation_of
from flasheval.base.resources import conf_dir

__all__ = ["APP_GROUPS", "CALLS", "choices_of", "settings_of"]

CALLS: Mapping[str, tuple[str, ...]] = {
    "search": ("flasheval.selection.search:search",),
    "validate": ("flasheval.selection.held_out.validate:validate",),
    "rank": ("flasheval.scores.leaderboard.rank:rank",),
    "audit": ("flasheval.evaluation.ageing:audit",),
    "run": ("flasheval.runs.run:run",),
    "evaluate": ("flasheval.evaluation.evaluate:evaluate",),
    "watch": ("flasheval.evaluation.watching.watch:watch",),
    # A monitor hands further arguments to evaluate.
    "monitor": (
        "flasheval.evaluation.monitor:CheckpointMonitor",
        "flasheval.evaluation.evaluate:evaluate",
    ),
}
"""The functions by the name of their settings; later ones get what the first one hands on."""

_NOT_PLAIN = ("generator", "known", "modules", "on_change", "progress")
_SET_BY_STEP = {"monitor": ("images", "name", "step")}  # by the monitor itself


@dataclass(frozen=True)
class _Group:
    """A group of choices.

    Attributes:
        types: Where the function is that returns the type of each choice's settings by name; None
            where the files of `conf/` are plain data.
        argument: The argument of functions that takes a choice; None where the caller gives it.

    """

    types: str | None
    argument: str | None


APP_GROUPS: Mapping[str, _Group] = {
    "method": _Group("flasheval.cli.configs:method_configs", "method"),
    "scorer": _Group("flasheval.cli.configs:scorer_configs", "scorers"),
    "generator": _Group("flasheval.cli.configs:generator_configs", None),
    "population": _Group(None, "population"),
    "executor": _Group("flasheval.cli.configs:executor_configs", "executor"),
    "tracker": _Group("flasheval.cli.configs:tracker_configs", "trackers"),
}
"""The groups of choices that arguments of public functions take."""


def choices_of(group: str) -> list[str]:
    """Return the names of a group's choices, sorted.

    >>> choices_of("population")
    ['flasheval78', 'miniature', 'miniature-families']
    """
    types = APP_GROUPS[group].types
    if types is None:
        return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))
    return sorted(resolve_name(types)())


def settings_of(name: str, choice: str | None = None) -> Any:
    """Return settings as OmegaConf keeps them: of a function, or of a choice of a group.

    Args:
        name: One of `CALLS`, or one of `APP_GROUPS` where there is a choice.
        choice: One of `choices_of`.

    Example:
        >>> settings = settings_of("search")
        >>> settings.search.size, settings.search.method
        (50, 'auto')
        >>> settings_of("method", "anneal").name
        'anneal'

    """
    from omegaconf import OmegaConf

    if choice is None:
        return OmegaConf.create({name: OmegaConf.structured(_arguments(name))})
    types = APP_GROUPS[name].types
    if types is None:
        return OmegaConf.load(conf_dir() / name / f"{choice}.yaml")
    return OmegaConf.structured(resolve_name(types)()[choice])


def _arguments(name: str) -> type[Any]:
    """Return the arguments of a function as a dataclass, but for those that are objects only."""
    left_out = (*_NOT_PLAIN, *_SET_BY_STEP.get(name, ()))
    keys: dict[str, tuple[str, Any, Any]] = {}
    for number, target in enumerate(CALLS[name]):
        function = resolve_name(target)
        for one in signature(function).parameters.values():
            handed_on = number > 0 and one.kind is not Parameter.KEYWORD_ONLY
            if one.name not in left_out and one.kind is not Parameter.VAR_KEYWORD and not handed_on:
                keys.setdefault(one.name, _key(function, one))
    return make_dataclass(f"{name.capitalize()}Arguments", keys.values())


def _key(function: Callable[..., Any], one: Parameter) -> tuple[str, Any, Any]:
    """Return a parameter as a field; what is required stands at null, for flasheval to tell."""
    default = None if one.default is Parameter.empty else one.default
    default = list(default) if isinstance(default, tuple) else default
    groups = [group for group, row in APP_GROUPS.items() if row.argument == one.name]
    if groups:
        # Where no choice is made, the function's own default; the order of choices is no matter.
        return one.name, Any, field(default=f"${{oc.select:..{groups[0]},{_written(default)}}}")
    from flasheval.cli.configs import plain_type

    hint = plain_type(annotation_of(function, one.name))
    if default is None and hint in (bool, int, float, str):
        hint = hint | None
    kept: Any = field(default_factory=lambda: default) if _is_mutable(default) else default
    return one.name, hint, kept


def _is_mutable(value: object) -> bool:
    return isinstance(value, list | dict)


def _written(value: object) -> str:
    """Return a default as OmegaConf's grammar writes it."""
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    return "null" if value is None else str(value)
