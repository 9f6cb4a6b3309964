"""The settings of the command line as types: what `conf/` is checked against.

They are mutable, unlike the methods' own dataclasses, because overrides are written into them.
The defaults here are those of the files in `conf/`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, make_dataclass
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from flasheval.base.errors import SettingError
from flasheval.base.registry import Registry

__all__ = [
    "IMPORTER_CONFIGS",
    "PROTOCOL_CONFIGS",
    "RUN_CONFIGS",
    "CompareConfig",
    "DistanceConfig",
    "DoctorConfig",
    "EvaluateConfig",
    "GenerateConfig",
    "ImporterConfig",
    "LongConfig",
    "NpzConfig",
    "OfficialConfig",
    "ProtocolConfig",
    "PublishConfig",
    "ReportConfig",
    "RunConfig",
    "ScoreConfig",
    "SearchConfig",
    "ShowConfig",
    "StatusConfig",
    "SubsetsConfig",
    "ValidateConfig",
    "WatchConfig",
    "WideConfig",
    "evaluate_configs",
    "executor_configs",
    "extractor_configs",
    "method_configs",
    "tracker_configs",
    "watch_config",
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
class EvaluateConfig:
    """Keys of `flasheval evaluate`, beside those of its generator, which stand at the top too."""

    generator: str = "diffusers"
    tracker: Any = None
    subset: str | None = None
    prompts: str | None = None
    scorers: Any = field(default_factory=lambda: ["clip"])
    seed: int = 0
    batch: int = 8
    device: str = "auto"
    name: str | None = None
    step: int | None = None
    images: str | None = None
    out: str | None = None


@dataclass
class CompareConfig:
    """Keys of `flasheval compare`; `conf/compare.yaml` says what they mean."""

    reports: list[str] = field(default_factory=list)
    metric: Any = None
    level: float = 0.9
    looks: list[int] | None = None


@dataclass
class WatchConfig:
    """Keys of `flasheval watch`, beside those of diffusers pipelines, which stand there too."""

    generator: str = "diffusers"
    tracker: Any = None
    path: str | None = None
    subset: str | None = None
    prompts: str | None = None
    scorers: Any = field(default_factory=lambda: ["clip"])
    base: str | None = None
    loader: str | None = None
    call: Any = None
    pattern: str | None = None
    metric: str | None = None
    level: float = 0.9
    seed: int = 0
    batch: int = 8
    device: str = "auto"
    interval: float = 30.0
    settle: float = 5.0
    once: bool = False
    out: str | None = None


@dataclass
class ShowConfig:
    """Keys of `flasheval show`."""

    path: str | None = None
    metric: Any = None


@dataclass
class SubsetsConfig:
    """Keys of `flasheval subsets`; `conf/subsets.yaml` says what they mean."""

    action: str = "list"
    names: list[str] = field(default_factory=list)
    prompts: Any = None
    format: str | None = None
    out: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class PublishConfig:
    """Keys of `flasheval publish`; `conf/publish.yaml` says what they mean."""

    names: list[str] = field(default_factory=list)
    out: str | None = None
    title: str | None = None
    prompts: Any = None
    license: str | None = None
    repo: str | None = None
    push: bool = False
    private: bool = False
    message: str | None = None
    artifact: str | None = None
    project: str | None = None


@dataclass
class ReportConfig:
    """Keys of `flasheval report`; `conf/report.yaml` says what they mean."""

    path: str | None = None
    out: str | None = None
    scores: Any = None
    prompts: str | None = None
    images: str | None = None
    metric: str | None = None


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
    from flasheval.selection.methods.registry import METHODS

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


def evaluate_configs() -> dict[str, type[EvaluateConfig]]:
    """Return the keys of `flasheval evaluate` with each kind of generator, by its name.

    >>> evaluate_configs()["function"](function="mine.py:draw").seed
    0
    """
    from flasheval.generators.registry import GENERATORS

    return {
        kind: make_dataclass(
            "EvaluateGeneratorConfig",
            [("generator", str, field(default=kind)), *_optional_keys(settings)],
            bases=(EvaluateConfig,),
        )
        for kind, settings in _classes(GENERATORS).items()
    }


def watch_config() -> type[WatchConfig]:
    """Return the keys of `flasheval watch` with those of diffusers pipelines.

    >>> watch_config()(steps=20).interval
    30.0
    """
    from flasheval.generators.registry import GENERATORS

    keys = _optional_keys(GENERATORS["diffusers"])
    return make_dataclass("WatchDiffusersConfig", keys, bases=(WatchConfig,))


def _optional_keys(settings: type[Any]) -> list[tuple[str, Any, Any]]:
    """Return the fields of a settings class; those without a default may be null."""
    hints = get_type_hints(settings)
    keys = []
    for one in fields(settings):
        hint, default = _mutable(hints[one.name]), _default_of(one)
        if one.default is MISSING and one.default_factory is MISSING:
            hint, default = hint | None, field(default=None)
        keys.append((one.name, hint, default))
    return keys


def tracker_configs() -> dict[str, type[Any]]:
    """Return the settings of every tracker, by its name, `name` the first of them.

    >>> sorted(key.name for key in fields(tracker_configs()["json_lines"]))
    ['name', 'path']
    """
    from flasheval.evaluation.trackers.registry import TRACKERS

    return _named_configs(TRACKERS)


@dataclass
class _Broken:
    """Stands for a plug-in that cannot be used."""


def _classes(registry: Registry[Any]) -> dict[str, type[Any]]:
    """Return the classes by name; a broken one without settings, for its verb tells why."""
    classes = {}
    for name in registry:
        try:
            classes[name] = registry[name]
        except SettingError:
            classes[name] = _Broken
    return classes


def _named_configs(registry: Registry[Any]) -> dict[str, type[Any]]:
    configs = {}
    for name, one in _classes(registry).items():
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
        return list[_mutable(arguments[0])]  # type: ignore[misc]
    if origin is Mapping:
        return dict[str, Any]
    if origin is Literal:
        return str
    if NoneType in arguments and len(arguments) == 2:
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _mutable(inner) | None
    return hint if hint in (bool, int, float, str) else Any
