"""The settings of the command line as types: what `conf/` is checked against.

They are mutable, unlike the methods' own dataclasses, because overrides are written into them.
The defaults here are those of the files in `conf/`; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, make_dataclass
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

__all__ = [
    "IMPORTER_CONFIGS",
    "ImporterConfig",
    "LongConfig",
    "NpzConfig",
    "OfficialConfig",
    "SearchConfig",
    "ShowConfig",
    "ValidateConfig",
    "WideConfig",
    "method_configs",
]


@dataclass
class SearchConfig:
    """Keys of `flasheval search`; `conf/search.yaml` says what they mean.

    `Any` is where a key takes several forms, such as a name or a list; the verb checks those.
    """

    method: Any = None
    scores: Any = "synthetic"
    prompts: str | None = None
    higher_is_better: Any = None
    metric: Any = None
    size: int = 50
    nested: list[int] | None = None
    seed: int = 0
    splits: Any = "random:10"
    incomplete: str = "drop"
    require: Any = None
    forbid: Any = None
    warm_start: Any = None
    curve: Any = "auto"
    draws: int = 200
    calibrate: Any = "auto"
    expect: str = "similar"
    group: str | None = None
    name: str | None = None
    out: str | None = None


@dataclass
class ValidateConfig:
    """Keys of `flasheval validate`; `conf/validate.yaml` says what they mean."""

    scores: Any = "synthetic"
    prompts: str | None = None
    higher_is_better: Any = None
    metric: Any = None
    methods: Any = field(default_factory=lambda: ["frequency", "anneal", "balanced", "pooled"])
    size: Any = 50
    splits: Any = "random:10"
    reference: str | None = "frequency"
    search_variants: Any = None
    cluster: str | None = None
    group: str | None = None
    seed: int = 0
    draws: int = 200
    incomplete: str = "drop"
    workers: int | None = None
    out: str | None = None


@dataclass
class ShowConfig:
    """Keys of `flasheval show`."""

    path: str | None = None
    metric: Any = None


@dataclass
class ImporterConfig:
    """Keys every importer has."""

    importer: str = ""
    out: str | None = None
    prompts: str | None = None


@dataclass
class OfficialConfig(ImporterConfig):
    """Keys of `flasheval import flasheval-official`."""

    importer: str = "flasheval-official"
    root: str | None = None
    metrics: list[str] | None = None
    other_root: str | None = None
    dataset: str | None = None


@dataclass
class WideConfig(ImporterConfig):
    """Keys of `flasheval import wide`."""

    importer: str = "wide"
    source: str | None = None
    metric: str | None = None
    higher_is_better: Any = None


@dataclass
class NpzConfig(WideConfig):
    """Keys of `flasheval import npz`."""

    importer: str = "npz"


@dataclass
class LongConfig(WideConfig):
    """Keys of `flasheval import long`."""

    importer: str = "long"
    factors: list[str] = field(default_factory=list)


IMPORTER_CONFIGS: dict[str, type[ImporterConfig]] = {
    "flasheval-official": OfficialConfig,
    "long": LongConfig,
    "wide": WideConfig,
    "npz": NpzConfig,
}
"""The keys of every importer, by its name."""


def method_configs() -> dict[str, type[Any]]:
    """Return the settings of every search method, by its name, `name` the first of them.

    >>> sorted(key.name for key in fields(method_configs()["anchors"]))
    ['name', 'rounds', 'weighted']
    """
    from flasheval.selectors.registry import METHODS

    configs = {}
    for name, method in METHODS.items():
        hints = get_type_hints(method)
        settings = [(key.name, _list_for_tuple(hints[key.name]), key) for key in fields(method)]
        configs[name] = make_dataclass(
            f"{method.__name__}Config",
            [
                ("name", str, field(default=name)),
                *((key, hint, field(default=old.default)) for key, hint, old in settings),
            ],
        )
    return configs


def _list_for_tuple(hint: Any) -> Any:
    """Return `list[int] | None` for `tuple[int, ...] | None`: a command line gives lists."""
    arguments = get_args(hint)
    if get_origin(hint) is tuple:
        return list[arguments[0]]  # type: ignore[valid-type]
    if NoneType in arguments:
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _list_for_tuple(inner) | None
    return hint
