"""The names of the official FlashEval variants: their order, and the factors in a name.

A name is ``base/scheduler+steps/precision``, such as ``stablediffusion1.5/DDIM50/fp``.
"""

import re

from flasheval.generators.variants import Factor, Variant

__all__ = ["OFFICIAL_VARIANTS", "official_factors", "official_variant"]

_BASES = (
    "dreamlike-photoreal",
    "small-stablediffusion",
    "stablediffusion1.2",
    "stablediffusion1.4",
    "stablediffusion1.5",
    "stablediffusion2.1",
)
_SCHEDULES = ("DDIM10", "DDIM20", "DDIM50", "PNDM10", "PNDM20", "PNDM50", "DPM10", "DPM20")
_QUANTISED_BASES = _BASES[2:5]
_QUANTISED_SCHEDULES = ("DDIM10", "DDIM20", "DDIM50", "DPM10", "DPM20")

OFFICIAL_VARIANTS: tuple[str, ...] = (
    *(f"{base}/{schedule}/fp" for base in _BASES for schedule in _SCHEDULES),
    *(
        f"{base}/{schedule}/{precision}"
        for base in _QUANTISED_BASES
        for schedule in _QUANTISED_SCHEDULES
        for precision in ("_6", "_8")
    ),
)
"""The 78 variants in the order that the authors' split of them counts in."""

_NAME = re.compile(r"(?P<base>[^/]+)/(?P<scheduler>[A-Za-z][A-Za-z+-]*)(?P<steps>\d{1,6})/"
                   r"(?P<precision>fp|_\d+)")  # fmt: skip


def official_factors(name: str) -> dict[str, Factor]:
    """Return the factors a name of the official form tells, none for any other name.

    Precision is ``fp`` (full), ``_6`` or ``_8`` (bits), as the files have it.

    >>> official_factors("stablediffusion1.5/DDIM50/_8")["steps"]
    50
    >>> official_factors("my-model")
    {}
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return {}
    factors: dict[str, Factor] = {
        "base_model": match["base"],
        "scheduler": match["scheduler"],
        "steps": int(match["steps"]),
        "precision": match["precision"],
    }
    if match["base"] in _BASES:
        factors["family"] = "stable-diffusion"
    return factors


def official_variant(name: str) -> Variant:
    """Return the variant of this name with whatever factors its name tells.

    >>> official_variant("stablediffusion1.5/DDIM50/_8").factors["precision"]
    '_8'
    """
    return Variant(name, official_factors(name))
