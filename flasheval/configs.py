"""The settings of the command line as types: what `conf/` is checked against.

They are mutable, unlike the methods' own dataclasses, because overrides are written into them.
The defaults here are those of the files in `conf/`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, make_dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

__all__ = [
    "IMPORTER_CONFIGS",
    "PROTOCOL_CONFIGS",
    "RUN_CONFIGS",
    "DistanceConfig",
    "DoctorConfig",
    "GenerateConfig",
    "ImporterConfig",
    "LongConfig",
    "NpzConfig",
    "OfficialConfig",
    "ProtocolConfig",
    "RunConfig",
    "ScoreConfig",
    "SearchConfig",
    "ShowConfig",
    "StatusConfig",
    "ValidateConfig",
    "WideConfig",
    "executor_configs",
    "extractor_configs",
    "method_configs",
]


@dataclass
class SearchConfig:
    """Keys of `flasheval search`; `conf/search.yaml` says what they mean.

    `Any` is where a key takes several forms, such as a name or a list; the verb checks those.
    """

    method: Any = None
    scores: Any = "miniature"
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

    scores: Any = "miniature"
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
class PopulationConfig:
    """Keys that every verb about a population has."""

    population: Any = None
    prompts: str | None = None
    limit: int | None = None
    out: str | None = None
    seed: int | None = None
    chunk: int | None = None
    device: str = "auto"
    image_store: str = "shards"


@dataclass
class GenerateConfig(PopulationConfig):
    """Keys of `flasheval generate`; `conf/generate.yaml` says what they mean."""

    executor: Any = None
    batch: int = 8
    image_format: str = "png"


@dataclass
class ScoreConfig(PopulationConfig):
    """Keys of `flasheval score`; `conf/score.yaml` says what they mean."""

    executor: Any = None
    scorers: Any = field(default_factory=lambda: ["clip"])
    keep_embeddings: bool = False
    retry_faults: bool = False


@dataclass
class RunConfig(ScoreConfig):
    """Keys of `flasheval run`; `conf/run.yaml` says what they mean."""

    batch: int = 8
    keep_images: bool = False
    image_format: str = "png"
    contact_sheet: bool = False
    compare: str | None = None
    tolerance: Any = 0.001


@dataclass
class DoctorConfig(PopulationConfig):
    """Keys of `flasheval doctor`; `conf/doctor.yaml` says what they mean."""

    scorers: Any = field(default_factory=lambda: ["clip"])
    batch: int = 8
    keep_images: bool = False
    image_format: str = "png"
    sample: bool = True


@dataclass
class StatusConfig:
    """Keys of `flasheval status`."""

    path: str | None = None
    check: bool = False


@dataclass
class DistanceConfig:
    """Keys of `flasheval distance`; `conf/distance.yaml` says what they mean."""

    extractor: Any = None
    protocol: Any = None
    run: str | None = None
    metric: str | None = None
    images: Any = None
    prompts: str | None = None
    reference: str | None = None
    save_reference: str | None = None
    extrapolate: bool = True
    size: Any = None
    held_out: Any = 0.5
    n_sets: int = 1000
    draws: int = 200
    seed: int = 0
    device: str = "auto"
    threads: int | None = None
    out: str | None = None


@dataclass
class ProtocolConfig:
    """The choice `none` of `protocol`, and what every choice of it has."""

    name: str = "none"


@dataclass
class Coco30kConfig(ProtocolConfig):
    """The fields of `flasheval.set_metrics.protocol.ImageProtocol`."""

    name: str = "coco-30k"
    images: int = 30_000
    side: int = 256


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


RUN_CONFIGS: dict[str, type[RunConfig] | type[GenerateConfig] | type[ScoreConfig]] = {
    "run": RunConfig,
    "generate": GenerateConfig,
    "score": ScoreConfig,
}
"""The keys of the verbs that do units, by name."""

IMPORTER_CONFIGS: dict[str, type[ImporterConfig]] = {
    "flasheval-official": OfficialConfig,
    "long": LongConfig,
    "wide": WideConfig,
    "npz": NpzConfig,
}
"""The keys of every importer, by its name."""


PROTOCOL_CONFIGS: dict[str, type[ProtocolConfig]] = {
    "none": ProtocolConfig,
    "coco-30k": Coco30kConfig,
}
"""The settings of every protocol of images, by its name."""


def method_configs() -> dict[str, type[Any]]:
    """Return the settings of every search method, by its name, `name` the first of them.

    >>> sorted(key.name for key in fields(method_configs()["anchors"]))
    ['name', 'rounds', 'weighted']
    """
    from flasheval.selectors.registry import METHODS

    return _named_configs(METHODS)


def executor_configs() -> dict[str, type[Any]]:
    """Return the settings of every executor, by its name, `name` the first of them.

    >>> sorted(key.name for key in fields(executor_configs()["in_process"]))
    ['name']
    """
    from flasheval.runs.executors import EXECUTORS

    return _named_configs(EXECUTORS)


def extractor_configs() -> dict[str, type[Any]]:
    """Return the settings of every extractor, by its name, `name` the first of them.

    >>> sorted(key.name for key in fields(extractor_configs()["inception"]))
    ['batch', 'name', 'path']
    """
    from flasheval.set_metrics.extractor_settings import EXTRACTORS

    return _named_configs(EXTRACTORS)


def _named_configs(classes: Mapping[str, type[Any]]) -> dict[str, type[Any]]:
    configs = {}
    for name, one in classes.items():
        hints = get_type_hints(one)
        settings = [(key.name, _mutable(hints[key.name]), key) for key in fields(one)]
        configs[name] = make_dataclass(
            f"{one.__name__}Config",
            [
                ("name", str, field(default=name)),
                *((key, hint, _default_of(old)) for key, hint, old in settings),
            ],
        )
    return configs


def _default_of(old: Field[Any]) -> Any:
    default: Any = old.default
    if old.default_factory is not MISSING:
        return field(default_factory=old.default_factory)
    if isinstance(default, tuple):
        return field(default_factory=lambda: list(default))
    return field(default=default)


def _mutable(hint: Any) -> Any:
    """Return `list[int] | None` for `tuple[int, ...] | None`: a command line gives lists.

    Likewise a dict for a mapping, a text for one of several words, and anything for an object.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return list[arguments[0]]  # type: ignore[valid-type]
    if origin is Mapping:
        return dict[str, Any]
    if origin is Literal:
        return str
    if hint is object:
        return Any
    if NoneType in arguments:
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _mutable(inner) | None
    return hint
