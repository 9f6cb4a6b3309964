"""Experiments: settings with a name, each for one verb, which the first words of its file say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from flasheval.base.errors import SettingError
from flasheval.base.resources import conf_dir

__all__ = ["experiments", "refuse_other_verbs"]

_VERB = re.compile(r"^# flasheval (?P<verb>[a-z]+): *(?P<what>.*)$", re.MULTILINE)


def experiments(verb: str) -> dict[str, str]:
    """Return what each shipped experiment of a verb is, by its name.

    >>> list(experiments("search"))
    ['training-loop']
    """
    found = {path.stem: _said(path) for path in sorted((conf_dir() / "experiment").glob("*.yaml"))}
    return {name: said[1] for name, said in found.items() if said and said[0] == verb}


def refuse_other_verbs(verb: str, overrides: Sequence[str], config_dir: str | None) -> None:
    """Raise SettingError for an experiment that is another verb's.

    Args:
        verb: The verb.
        overrides: Overrides that can be parsed.
        config_dir: A folder of the user's own settings. Its files may say ``# flasheval VERB:``
            as the shipped ones do; one that does not is tried with any verb.

    Example:
        >>> refuse_other_verbs("search", ["experiment=training-loop"], None)
        >>> refuse_other_verbs("validate", ["experiment=training-loop"], None)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: experiment=training-loop is for flasheval search, ...

    """
    from hydra.core.override_parser.overrides_parser import OverridesParser

    folders = [conf_dir(), *([Path(config_dir)] if config_dir else [])]
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        if override.key_or_group != "experiment":
            continue
        swept = override.is_sweep_override()
        names = override.sweep_string_iterator() if swept else [override.value()]
        for name in map(str, names):
            said = [_said(folder / "experiment" / f"{name}.yaml") for folder in folders]
            verbs = [one[0] for one in said if one]
            if verbs and verb not in verbs:
                raise SettingError(
                    f"experiment={name} is for flasheval {verbs[0]}, not for flasheval {verb}"
                )


def _said(path: Path) -> tuple[str, str] | None:
    """Return an experiment's verb and what it is; None where its file does not say."""
    try:
        found = _VERB.search(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return None if found is None else (found["verb"], found["what"])
