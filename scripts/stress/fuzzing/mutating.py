"""Change JSON data and text a little, in ways that a hand, a tool or an attacker would."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any

__all__ = ["json_text", "mutated_data", "mutated_text"]

_DEEP = re.compile(r'"deep:(\d+)"')
_ODD_TEXTS = ("", " ", "\0", "[/oops]", "\x1b[31m", "\u202ex", "$x_{$", "=1+1", "nan", "1e400")
_ODD_TEXTS += ("../../x", "a" * 5000, "\ud800", "${oc.env:HOME}", "{}", "%s", "0" * 70, "-1", "1,5")
_ODD_NUMBERS = (0, 1, -1, 2, 0.5, -0.5, 1e-320, 1e308, -1e308, 1e30, 10**18, 10**400, -(10**30))
_ODD = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    {"": 0},
    float("nan"),
    float("inf"),
    "deep:40",
    "deep:9000",
)
_TOKENS = (
    "\0",
    "\ufeff",
    '"',
    "'",
    ",",
    ";",
    "\t",
    "\r",
    "\n\n",
    "{",
    "}",
    "[",
    "]",
    ":",
    "#",
    "\\",
)
_TOKENS += (
    "NaN",
    "1e999",
    "-",
    "9" * 400,
    "null",
    "&a",
    "*a",
    "!!python/object:os.system x",
    "<<: ",
)
_TOKENS += ("\ud7ff", "\u2028", "% ", "=", "\x1b", "true", "- ", "? ", "|\n", "[" * 3000)


def mutated_data(data: Any, rng: random.Random) -> Any:
    """Return JSON data with one to three of its places changed."""
    data = copy.deepcopy(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        place = _place(data, rng)
        if place is not None:
            _change(*place, rng)
    return data


def json_text(data: Any) -> str:
    """Return JSON text of mutated data; where it says so, nested as deep as it says."""
    text = json.dumps(data)
    return _DEEP.sub(lambda found: "[" * int(found[1]) + "]" * int(found[1]), text)


def mutated_text(text: str, rng: random.Random) -> bytes:
    """Return a text with some of its characters, lines or bytes changed."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        at, to = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        lines = text.splitlines(keepends=True) or [""]
        line = rng.randrange(len(lines))
        match rng.randrange(8):
            case 0:
                text = text[:at] + rng.choice(_TOKENS) + text[at:]
            case 1:
                text = text[:at] + text[min(to, at + 30) :]
            case 2:
                text = text[:at]
            case 3:
                text = "".join([*lines[: line + 1], *lines[line:]])
            case 4:
                text = "".join([*lines[:line], *lines[line + 1 :]])
            case 5:
                cells = re.split(r"([,;\t:\s]+)", lines[line])
                odd = (*_ODD_TEXTS, *map(str, (*_ODD_NUMBERS[:-2], 10**400, None, True)))
                cells[rng.randrange(len(cells))] = rng.choice(odd)
                text = "".join([*lines[:line], *cells, *lines[line + 1 :]])
            case 6:
                text = text.replace(",", rng.choice((";", "\t", ",,", " ")), rng.randrange(20))
            case _:
                rng.shuffle(lines)
                text = "".join(lines)
    content = bytearray(text.encode("utf-8", "surrogatepass"))
    if content and rng.random() < 0.2:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def _place(data: Any, rng: random.Random) -> tuple[Any, Any] | None:
    """Return a container somewhere in the data, and a key of it; deeper ones as likely."""
    places = []
    stack = [data]
    while stack:
        here = stack.pop()
        if isinstance(here, dict | list):
            items = here.items() if isinstance(here, dict) else enumerate(here)
            places += [(here, key) for key, _ in items]
            stack += [value for _, value in items]
    return rng.choice(places) if places else None


def _change(holder: Any, key: Any, rng: random.Random) -> None:
    value = holder[key]
    match rng.randrange(7):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice((*_ODD_TEXTS, "extra", f"{key}x"))] = holder.pop(key)
        case 1 | 2 if isinstance(value, int | float) and -1e300 < value < 1e300:
            holder[key] = rng.choice((-value, value * 1e6, value + 1, value / 1e9, value * 10**200))
        case 3 if isinstance(holder, list):
            holder[:] = [*holder, *holder] if rng.random() < 0.5 else holder[::-1]
        case 4:
            holder[key] = rng.choice(_ODD_TEXTS)
        case 5:
            holder[key] = rng.choice(_ODD_NUMBERS)
        case _:
            holder[key] = copy.deepcopy(rng.choice((*_ODD, [value], {"x": value}, str(value))))
