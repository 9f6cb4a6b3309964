"""Names for the variants of a grid: from a template, or from the settings that vary."""

from __future__ import annotations

import re
from collections import Counter
from string import Formatter
from typing import Any

from flasheval.base.errors import SettingError
from flasheval.base.suggest import nearest
from flasheval.generators.populations.grid import Entry

__all__ = ["labelled"]

# What a name shows in its middle, and what the rest of the settings need not repeat.
_SCHEDULE = ("scheduler", "steps")
_PRECISION = ("quantise", "dtype")
_NEVER = ("name", "generator", "base_model", "checkpoint", "revision", "factors")


def labelled(entries: list[Entry], template: object = None) -> list[Entry]:
    """Return the entries with a ``name`` each.

    An entry's own name stays. Others get the template's, such as
    ``{base_model}/{scheduler}{steps}`` (``{precision}`` is the quantisation, else the dtype);
    without one, base model, schedule, precision and what else varies, as far as they vary.

    Raises SettingError for a key of the template an entry lacks, and for two equal names.

    >>> entries = [{"base_model": "sd15", "scheduler": "DDIM", "steps": n} for n in (10, 50)]
    >>> [entry["name"] for entry in labelled(entries)]
    ['sd15/DDIM10', 'sd15/DDIM50']
    """
    varying = _varying([entry for entry in entries if "name" not in entry])
    named = []
    for entry in entries:
        if entry.get("name"):
            name = str(entry["name"])
        elif template:
            name = _filled(str(template), entry)
        else:
            name = _usual(entry, varying)
        named.append({**entry, "name": name})
    repeated = [name for name, count in Counter(e["name"] for e in named).items() if count > 1]
    if repeated:
        raise SettingError(
            f"{len(repeated)} names of variants occur more than once, such as {repeated[0]!r}; "
            "set population.label so that it tells them apart, or leave one out"
        )
    return named


def _varying(entries: list[Entry]) -> list[str]:
    """Return the keys that the base model does not tell already."""
    keys = dict.fromkeys(key for entry in entries for key in entry)
    values: dict[tuple[str, object], set[str]] = {}
    for entry in entries:
        for key in keys:
            values.setdefault((key, entry.get("base_model")), set()).add(repr(entry.get(key)))
    return [key for key in keys if any(len(v) > 1 for (k, _), v in values.items() if k == key)]


def _filled(template: str, entry: Entry) -> str:
    values = {**entry, "precision": _first(entry, _PRECISION) or "fp"}
    try:
        fields = list(Formatter().parse(template))
    except ValueError as error:
        raise SettingError(f"population.label={template}: {error}; write {{KEY}}") from error
    for _, key, form, _ in fields:
        if form and re.search(r"\d{3}|[{}]", form):  # widths of so many signs
            raise SettingError(f"population.label={template}: leave the form {form} out")
        if key is not None and values.get(key) is None:
            raise SettingError(
                f"population.label={template}: a variant has no {key!r}; it has: "
                f"{', '.join(values)}{nearest(key, values)}"
            )
    try:
        return template.format(**values)
    except (ValueError, TypeError) as error:  # a form for numbers, of a text
        raise SettingError(f"population.label={template}: {error}; leave the form out") from error


def _usual(entry: Entry, varying: list[str]) -> str:
    parts = [str(entry["base_model"])] if entry.get("base_model") is not None else []
    if any(key in varying for key in _SCHEDULE):
        parts.append("".join(str(entry[key]) for key in _SCHEDULE if entry.get(key) is not None))
    if any(key in varying for key in _PRECISION):
        parts.append(str(_first(entry, _PRECISION) or "fp"))
    others = (key for key in varying if key not in (*_SCHEDULE, *_PRECISION, *_NEVER))
    parts += [f"{key}={_short(entry[key])}" for key in others if entry.get(key) is not None]
    return "/".join(part for part in parts if part) or str(entry.get("generator", "variant"))


def _first(entry: Entry, keys: tuple[str, ...]) -> Any:
    return next((entry[key] for key in keys if entry.get(key) is not None), None)


def _short(value: Any) -> str:
    return str(value).replace("/", "_")[:40]
