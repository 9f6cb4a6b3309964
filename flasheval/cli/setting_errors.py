"""A mistake in the settings of the command line, as one readable line.

Hydra and OmegaConf say what went wrong in several lines and their own words. The exceptions are
looked at by their attributes, so that nothing here imports either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from flasheval.base.extras import LAUNCHERS, pip_command
from flasheval.base.suggest import nearest
from flasheval.cli.groups import GROUPS

__all__ = ["in_quotes", "quoted", "setting_mistake", "unknown_key"]

_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "list[int]": "a list of whole numbers such as [10,20,50]",
    "list[str]": "a list such as [a,b]",
}
_FEW = 9
_NOISE = ("full_key:", "object_type=", "reference_type=", "See https://", "Config search path")


def setting_mistake(error: Exception) -> str:
    """Return the mistake behind an exception of Hydra or OmegaConf, in one line."""
    options = getattr(error, "options", None)
    missing = getattr(error, "missing_cfg_file", None)
    if options and missing:
        group, _, name = str(missing).rpartition("/")
        choices = [str(option) for option in options]
        if group == "hydra/launcher" and name in LAUNCHERS:
            return f"{group}={name} comes with: {pip_command(LAUNCHERS[name])}"
        return (
            f"{group}={name}: there is no such {_noun(group)}; there are: {', '.join(choices)}"
            + (nearest(name, choices))
        )
    override = getattr(error, "override", None)
    if override is not None:
        return _not_parsed(str(override))
    cause = error if hasattr(error, "full_key") else error.__cause__
    if cause is not None and getattr(cause, "full_key", None):
        return _at_key(cause)
    return _first_lines(str(error) or str(error.__cause__ or type(error).__name__))


def unknown_key(key: str, known: Iterable[str], owner: str = "") -> str:
    """Return the line for a key that is not there; `owner` is whose setting it would be.

    >>> unknown_key("sise", ["size", "seed"])
    "sise is not a key; there are: size, seed; did you mean 'size'?"
    """
    prefix, _, name = key.rpartition(".")
    names = list(known)
    said = f"{owner or prefix} has no setting {name}" if prefix else f"{key} is not a key"
    if prefix == "executor.options":  # free, but Hydra must be told that a key is new
        return f"{said} yet; add it by +{key}=VALUE"
    hint = nearest(name, names)
    if not hint or len(names) <= _FEW:
        hint = f"; there are: {', '.join(names)}{hint}" if names else "; it has none"
    return said + hint


def quoted(override: str) -> str | None:
    """Return `key="value"` for an override whose value needs quotes, or None where it cannot help.

    >>> quoted("scores=my (first) table.csv")
    'scores="my (first) table.csv"'
    """
    key, equals, value = override.partition("=")
    if not equals or not re.fullmatch(r"[+~]*[\w./@-]+", key) or value[:1] in ("'", '"', "[", "{"):
        return None
    return f"{key}={in_quotes(value)}"


def in_quotes(value: str) -> str:
    r"""Return a value as Hydra reads it whatever characters are in it.

    >>> print(in_quotes('a "b", c'))
    "a \"b\", c"
    """
    # Hydra takes a backslash as it is, unless a quote follows the row of them.
    escaped = re.sub(r'(\\+)(?="|\Z)', r"\1\1", value).replace('"', '\\"')
    return f'"{escaped}"'


def _noun(group: str) -> str:
    return {"hydra/launcher": "launcher"}.get(group, group)


def _not_parsed(override: str) -> str:
    if "=" not in override or override.startswith("="):
        example = "" if not Path(override).exists() else f", for example scores={override}"
        return f"{override}: expected key=value{example}"
    key = override.partition("=")[0]
    if not re.fullmatch(r"[+~]*[A-Za-z_][\w./@-]*", key, re.ASCII):
        return f"{override}: {key!r} is not a key"
    return f"{override}: the value of {key} cannot be read; put it in double quotes inside single"


def _at_key(cause: Any) -> str:
    key = re.sub(r"\[\d+\]$", "", str(cause.full_key))
    owner = cause.object_type
    if type(cause).__name__ in ("ConfigAttributeError", "ConfigKeyError"):
        names = [field.name for field in fields(owner)] if is_dataclass(owner) else []
        group = key.partition(".")[0]
        typed = group in GROUPS and GROUPS[group].types is not None
        choice = getattr(owner, "name", None) if typed else None
        if choice is not None:
            names.remove("name")  # chosen by GROUP=NAME
        return unknown_key(key, names, f"{group} {choice}" if choice else "")
    value = cause.value
    if key != cause.full_key:  # an entry of a list
        converted = re.search(r"could not be converted to (\w+)", str(cause))
        kind = (
            {"Integer": "whole numbers", "Float": "numbers"}.get(converted[1])
            if converted
            else None
        )
        return f"{key}: {value!r} is in it; expected a list of {kind or 'other values'}"
    shown = "null" if value is None else str(value)
    return f"{key}={shown}: expected {_expected(owner, key.rpartition('.')[2], key)}"


def _expected(owner: Any, name: str, key: str) -> str:
    hint = None
    if is_dataclass(owner) and isinstance(owner, type):
        hint = get_type_hints(owner).get(name)
    text = hint.__name__ if isinstance(hint, type) and not hasattr(hint, "__args__") else str(hint)
    text = text.replace(" | None", "")
    return _EXPECTED.get(text, f"another kind of value for {key}")


def _first_lines(text: str) -> str:
    ambiguous = re.match(r"Ambiguous value for argument '(.+?)=(.*)'", text)
    if ambiguous:
        key, values = ambiguous.groups()
        return (
            f"{key}={values}: one value expected; write {key}=[{values}] for a list, "
            "or add -m to run each"
        )
    sweep = re.match(r"Sweep parameters '(.+)' requires --multirun", text)
    if sweep:
        return f"{sweep[1]}: several values; add -m to run each"
    several = re.match(r"You must specify '(\w+)'", text)
    if several:
        return f"{several[1]} is missing: say which, {several[1]}=NAME"
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith(_NOISE)]
    return " ".join(kept)[:300]
