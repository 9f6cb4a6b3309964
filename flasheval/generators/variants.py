"""Variants: one configuration each of a generative model, with its factors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from flasheval.base.arguments import checked_class
from flasheval.base.canonical import sha256_of
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import Line, Table, View
from flasheval.base.errors import DataError
from flasheval.generators.image_time import ImageTime

__all__ = ["Factor", "Variant", "check_name"]

Factor = str | int | float | bool | None

# Columns of the files variants are written to; a variant or factor so named could not be told.
_RESERVED_NAME = "prompt_id"
_RESERVED_FACTOR = "name"


@checked_class
@dataclass(frozen=True, repr=False)
class Variant(Shown):
    """One configuration of a generative model: checkpoint, scheduler, steps, and so on.

    ``name`` labels it in every table; ``factors`` describe it (``base_model``, ``scheduler``,
    ``steps``, ``precision``, ``family``) and group variants into splits. A factor of None is
    unknown and is left out. ``time`` is how long an image takes, where that is known; it does not
    tell variants apart, nor is it part of any hash. Raises DataError for an empty or reserved name
    and for a factor that is not a string, number or boolean.

    >>> Variant("sd15/DDIM10", {"base_model": "sd15", "steps": 10}).fingerprint[:12]
    '40923dabca19'
    """

    kind = "variant"

    name: str
    factors: Mapping[str, Factor] = field(default_factory=dict)
    time: ImageTime | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        name = check_name("variant", self.name)
        if name == _RESERVED_NAME:
            raise DataError(f"a variant cannot be called {name!r}: that is the prompts' column")
        factors = {
            str(key): value
            for key, given in self.factors.items()
            if (value := _plain(name, key, given)) is not None
        }
        sha256_of([name, factors], path=f"variant {name!r}")  # refuses what no file can hold
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "factors", factors)

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def seconds(self) -> float:
        """Seconds an image, without warm-up; NaN where they are not known.

        >>> Variant("sd15", time=ImageTime(0.25)).seconds
        0.25
        """
        return math.nan if self.time is None else self.time.seconds

    @property
    def evaluations(self) -> int | None:
        """Network evaluations an image, where they were counted.

        >>> Variant("sd15", {"evaluations": 50}).evaluations
        50
        """
        found = self.factors.get("evaluations")
        return None if not isinstance(found, int | float) else int(found)

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 of the canonical JSON of name and factors, in hex: equal means same."""
        return sha256_of({"name": self.name, "factors": dict(self.factors)})

    def view(self) -> View:
        """Return its name, and a row a factor."""
        rows = [(key, str(value)) for key, value in self.factors.items()]
        table = [Table(("factor", "value"), rows, left=2)] if rows else []
        return View((Line(self.name, "headline"), *table))

    def _brief(self) -> str:
        return ", ".join([self.name, *(f"{key}={one}" for key, one in self.factors.items())])

    def _rows(self) -> list[dict[str, Factor]]:
        return [{"name": self.name, **self.factors}]


def check_name(what: str, name: object) -> str:
    """Return ``name`` when it can label a row, a column or a metric: a non-empty string.

    >>> check_name("variant", "")
    Traceback (most recent call last):
    flasheval.base.errors.DataError: a variant's name must be a non-empty string, not ''
    """
    if not isinstance(name, str) or not name:
        raise DataError(f"a {what}'s name must be a non-empty string, not {name!r}")
    return str(name)


def _plain(variant: str, key: object, value: object) -> Factor:
    """Return a factor as a plain Python value; numpy scalars are unwrapped."""
    if not isinstance(key, str) or not key or key == _RESERVED_FACTOR:
        raise DataError(
            f"variant {variant!r}: a factor cannot be called {key!r}; use another non-empty string"
        )
    item = getattr(value, "item", None)
    if callable(item):
        value = item()
    if isinstance(value, float) and not math.isfinite(value):
        raise DataError(f"variant {variant!r}: factor {key!r} is {value}; give a finite number")
    if value is None or isinstance(value, str | int | float):
        return value
    raise DataError(
        f"variant {variant!r}: factor {key!r} is a {type(value).__name__}; "
        "give a string, number, bool or None"
    )
