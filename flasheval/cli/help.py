"""Help texts, from the rows of `verbs` and the comments in `conf/`: a key is explained once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from pkgutil import resolve_name

from flasheval.base.resources import conf_dir
from flasheval.cli.experiments import experiments
from flasheval.cli.groups import GROUPS
from flasheval.cli.verbs import VERBS, Choice, Verb

__all__ = ["COMMON", "first_comment", "keys_of", "overview", "verb_help"]

# A key at the top of a file, or a group in its list of defaults.
_KEY = re.compile(r"^(?:  - )?\"?(?P<key>\w+)\"?: (?P<value>.+?) # (?P<meaning>.+)$")
COMMON = "common.yaml"
"""The file of the keys of every verb."""

_MUST = "???"  # Hydra's mark of a group without a default


def overview() -> str:
    """Return the text of `flasheval --help`.

    Example:
        >>> overview().splitlines()[-1]
        'Begin with: flasheval search'

    """
    width = max(map(len, VERBS))
    stages = (
        "\n".join([f"{stage}:", *(f"  {one.name:<{width}} {one.summary}" for one in verbs)])
        for stage, verbs in groupby(VERBS.values(), key=lambda verb: verb.stage)
    )
    return (
        "Find the few prompts that rank text-to-image models as the whole benchmark would.\n\n"
        "usage: flasheval VERB [key=value ...]\n\n" + "\n\n".join(stages) + "\n\n"
        "  flasheval VERB --help   the keys of a verb, with examples\n"
        "  flasheval --version\n\n"
        "Begin with: flasheval search"
    )


def verb_help(name: str, words: Sequence[str] = ()) -> str:
    """Return the text of `flasheval VERB --help`.

    Args:
        name: One of `VERBS`.
        words: The other words of the command line: `method=NAME`, or an importer's name, adds
            the settings of that one.

    Example:
        >>> verb_help("show").splitlines()[2]
        'usage: flasheval show PATH'

    """
    verb = VERBS[name]
    parts = [
        f"{verb.summary}.",
        f"usage: flasheval {name} {verb.usage}",
        _keys_block("keys", conf_dir() / f"{name}.yaml"),
    ]
    for choice in verb.choices:
        parts += _group_blocks(choice, words)
    parts += [_listed(title, resolve_name(target)()) for title, target in verb.lists]
    parts.append(_keys_block("keys of every verb", conf_dir() / COMMON))
    if named := experiments(name):
        parts.append(_listed("experiments (experiment=NAME)", named))
    parts += [_examples(verb), _tail(verb)]
    return "\n\n".join(part for part in parts if part)


def keys_of(path: Path) -> dict[str, tuple[str, str]]:
    """Return each top-level key of a settings file with its default and its meaning.

    Example:
        >>> keys_of(conf_dir() / "show.yaml")["metric"][0]
        'null'
        >>> list(keys_of(conf_dir() / "show.yaml"))
        ['path', 'prompts', 'id', 'text', 'tags', 'by', 'metric', 'columns', 'drop', 'seconds']

    """
    lines = path.read_text(encoding="utf-8").splitlines()
    found = (_KEY.match(line) for line in lines)
    return {m["key"]: (m["value"].strip(), m["meaning"]) for m in found if m is not None}


def first_comment(path: Path) -> str:
    """Return the first comment of a settings file that is no directive.

    Example:
        >>> first_comment(conf_dir() / "method" / "random.yaml")
        'prompts drawn at random, the baseline for every method'

    """
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# ") and not line.startswith("# @"):
            return line[2:]
    return ""


def _group_blocks(choice: Choice, words: Sequence[str]) -> list[str]:
    """Return the list of a group's choices, and the settings of those that words name."""
    files = {path.stem: path for path in sorted((conf_dir() / choice.group).glob("*.yaml"))}
    given = {word.removeprefix(f"{choice.group}=") for word in words}
    named = [name for name in files if name in given]
    shown = named or [name for name in files if {name, "*"} & set(choice.shown)]
    parts = []
    if choice.listed:
        title = f"{GROUPS[choice.group].title.lower()} ({choice.how})"
        parts.append(_listed(title, {name: first_comment(path) for name, path in files.items()}))
    remark = "" if choice.listed else f" ({choice.how})"
    return parts + [_keys_block(f"settings of {name}{remark}", files[name]) for name in shown]


def _tail(verb: Verb) -> str:
    keys = [f"{one.group}=NAME" for one in verb.choices if one.how == f"{one.group}=NAME"]
    lines = [f"{' or '.join(keys)} beside --help adds the settings of that choice."] if keys else []
    if verb.sweeps:
        lines.append("-m runs every combination of comma-separated values.")
    lines += [
        "Settings are Hydra's: --cfg job prints them, --config-dir adds a folder of yours,",
        "--hydra-help says more.",
    ]
    return "\n".join(lines)


def _keys_block(title: str, path: Path) -> str:
    keys = keys_of(path)
    if not keys:
        return ""
    left = [f"{key}={'NAME' if value == _MUST else value}" for key, (value, _) in keys.items()]
    width = min(max(map(len, left)), 26)
    lines = [
        line
        for shown, (_, meaning) in zip(left, keys.values(), strict=True)
        for line in _wrapped(shown, meaning, width)
    ]
    return "\n".join([f"{title}:", *lines])


def _listed(title: str, choices: Mapping[str, str]) -> str:
    width = max(map(len, choices))
    lines = [line for name, what in choices.items() for line in _wrapped(name, what, width)]
    return "\n".join([f"{title}:", *lines])


def _wrapped(left: str, right: str, width: int) -> list[str]:
    from textwrap import wrap

    lines = wrap(right, 80 - width - 4, break_on_hyphens=False) or [""]
    head = [f"  {left:<{width}}  {lines[0]}"] if len(left) <= width else [f"  {left}"]
    rest = lines[1:] if len(left) <= width else lines
    return [line.rstrip() for line in (*head, *(f"{'':<{width + 4}}{line}" for line in rest))]


def _examples(verb: Verb) -> str:
    lines = [f"  {command}{f'  # {note}' if note else ''}" for command, note in verb.examples]
    return "\n".join(["examples:", *lines])
