"""The settings of the command line as types: what `conf/` is checked against.

They are mutable, unlike the methods' own dataclasses, because overrides are written into them.
Where a Python function has the same setting, its signature has the default, which is read when it
is asked for; the defaults written here are those that only the command line has. The files in
`conf/` show every default and say what it means; a test holds them to these types.
"""

# ruff: noqa: RUF009 - default_of returns a field

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, make_dataclass
from functools import partial
from inspect import Parameter, signature
from pkgutil import resolve_name
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from flasheval.base.errors import SettingError
from flasheval.base.registry import Registry

__all__ = [
    "COMMON_KEYS",
    "AuditConfig",
    "CompareConfig",
    "CompletionConfig",
    "DistanceConfig",
    "DoctorConfig",
    "EvaluateConfig",
    "GenerateConfig",
    "ImporterConfig",
    "JudgeConfig",
    "LongConfig",
    "NpzConfig",
    "OfficialConfig",
    "OutputConfig",
    "PromptKeys",
    "PublishConfig",
    "RankConfig",
    "ReportConfig",
    "ResultsConfig",
    "RunConfig",
    "ScoreConfig",
    "SearchConfig",
    "ShowConfig",
    "StatusConfig",
    "SubsetsConfig",
    "ValidateConfig",
    "VerbConfig",
    "VotesConfig",
    "WatchConfig",
    "WideConfig",
    "evaluate_configs",
    "executor_configs",
    "extractor_configs",
    "format_settings",
    "generator_configs",
    "importer_configs",
    "method_configs",
    "plain_type",
    "protocol_configs",
    "scorer_configs",
    "tracker_configs",
    "watch_config",
]


def default_of(function: str, parameter: str) -> Any:
    """Return a field whose default is that of a parameter of a Python function.

    Args:
        function: Where the function is; it is imported when the default is asked for.
        parameter: Its name.

    Example:
        >>> @dataclass
        ... class Config:
        ...     level: float = default_of("flasheval.evaluation.comparison:compare", "level")
        >>> Config()
        Config(level=0.9)

    """

    def default() -> Any:
        value = signature(resolve_name(function)).parameters[parameter].default
        if value is Parameter.empty:
            raise TypeError(f"{parameter} of {function} has no default")
        return list(value) if isinstance(value, tuple) else value

    return field(default_factory=default)


_search = partial(default_of, "flasheval.selection.search:search")
_validate = partial(default_of, "flasheval.selection.held_out.validate:validate")
_run = partial(default_of, "flasheval.runs.run:run")
_diagnose = partial(default_of, "flasheval.runs.doctor.diagnosis:diagnose")
_evaluate = partial(default_of, "flasheval.evaluation.evaluate:evaluate")
_rank = partial(default_of, "flasheval.scores.leaderboard.rank:rank")
_vote = partial(default_of, "flasheval.scores.votes.votes:Votes.rank")
_page = partial(default_of, "flasheval.report.votes_page.writing:write_votes_page")
_wins = partial(default_of, "flasheval.scores.votes.votes:Votes.to_scores")
_load_votes = partial(default_of, "flasheval.scores.votes.loading:load_votes")
_made = partial(default_of, "flasheval.scores.votes.from_scores:votes_from_scores")
_audit = partial(default_of, "flasheval.evaluation.ageing:audit")
_judge = partial(default_of, "flasheval.evaluation.judging.check:check_judge")
_compare = partial(default_of, "flasheval.evaluation.comparison:compare")
_watch = partial(default_of, "flasheval.evaluation.watching.watch:watch")
_distances = partial(default_of, "flasheval.set_metrics.comparison:compare_sets")
_choose = partial(default_of, "flasheval.set_metrics.subset_choice:choose_subset")
_publish = partial(default_of, "flasheval.subset.upload:publish")
_push = partial(default_of, "flasheval.subset.upload.hub:push")
_artifact = partial(default_of, "flasheval.subset.upload.wandb_artifact:log_artifact")


@dataclass(kw_only=True)
class VerbConfig:
    """Keys of every verb: how it answers, and what it says meanwhile."""

    json: bool = False
    progress: bool = True
    quiet: bool = False
    verbose: bool = False


COMMON_KEYS = tuple(one.name for one in fields(VerbConfig))
"""The keys of every verb; they change nothing that is found or written."""


@dataclass(kw_only=True)
class PromptKeys(VerbConfig):
    """Keys of every verb that reads prompts: the file, and which of its columns are what."""

    prompts: str | None = None
    id: str | None = None
    text: str | None = None
    tags: Any = None


@dataclass
class OutputConfig(VerbConfig):
    """Keys that every verb with a result in `out` has."""

    overwrite: bool = field(default=False, kw_only=True)


@dataclass
class SearchConfig(OutputConfig, PromptKeys):
    """Keys of `flasheval search`; `conf/search.yaml` says what they mean.

    `Any` is where a key takes several forms, such as a name or a list; the verb checks those.
    """

    method: Any = None
    scores: Any = "miniature"
    higher_is_better: Any = None
    columns: Any = _search("columns")
    drop: Any = _search("drop")
    metric: Any = _search("metric")
    size: int = _search("size")
    nested: list[int] | None = _search("nested")
    seed: int = _search("seed")
    splits: Any = _search("splits")
    incomplete: str = _search("incomplete")
    require: Any = None
    forbid: Any = None
    warm_start: Any = None
    curve: Any = "auto"
    draws: int = _search("draws")
    images_per_prompt: int | None = _search("images_per_prompt")
    images_as: str = _search("images_as")
    balance: Any = _search("balance")
    quota: Any = _search("quota")
    calibrate: Any = _search("calibrate")
    expect: str = _search("expect")
    group: str | None = _search("group")
    name: str | None = _search("name")
    out: str | None = _search("folder")


@dataclass
class ValidateConfig(OutputConfig, PromptKeys):
    """Keys of `flasheval validate`; `conf/validate.yaml` says what they mean."""

    scores: Any = "miniature"
    higher_is_better: Any = None
    columns: Any = _validate("columns")
    drop: Any = _validate("drop")
    metric: Any = _validate("metric")
    methods: Any = _validate("methods")
    size: Any = _validate("size")
    splits: Any = _validate("splits")
    reference: str | None = _validate("reference")
    search_variants: Any = _validate("search_variants")
    cluster: str | None = _validate("cluster")
    group: str | None = _validate("group")
    seed: int = _validate("seed")
    draws: int = _validate("draws")
    images_per_prompt: int | None = _validate("images_per_prompt")
    images_as: str = _validate("images_as")
    balance: Any = _validate("balance")
    quota: Any = _validate("quota")
    incomplete: str = _validate("incomplete")
    workers: int | None = _validate("workers")
    out: str | None = _validate("folder")


@dataclass
class PopulationConfig(PromptKeys):
    """Keys that every verb about a population has."""

    population: Any = None
    limit: int | None = _run("limit")
    whole_texts: bool = _run("whole_texts")
    out: str | None = None
    seed: int | None = _run("seed")
    images_per_prompt: int | None = _run("images_per_prompt")
    variant_seeds: bool | None = _run("variant_seeds")
    chunk: int | None = _run("chunk")
    device: str = _run("device")
    image_store: str = _run("image_store")


@dataclass
class GenerateConfig(PopulationConfig, OutputConfig):
    """Keys of `flasheval generate`; `conf/generate.yaml` says what they mean."""

    executor: Any = None
    batch: int = _run("batch")
    image_format: str = _run("image_format")


@dataclass
class ScoreConfig(PopulationConfig, OutputConfig):
    """Keys of `flasheval score`; `conf/score.yaml` says what they mean."""

    executor: Any = None
    scorers: Any = _run("scorers")
    keep_embeddings: bool = _run("keep_embeddings")
    retry_faults: bool = _run("retry_faults")


@dataclass
class RunConfig(ScoreConfig):
    """Keys of `flasheval run`; `conf/run.yaml` says what they mean."""

    batch: int = _run("batch")
    keep_images: bool = _run("keep_images")
    image_format: str = _run("image_format")
    contact_sheet: bool = False
    compare: str | None = None
    tolerance: Any = 0.001


@dataclass
class DoctorConfig(PopulationConfig):
    """Keys of `flasheval doctor`; `conf/doctor.yaml` says what they mean."""

    scorers: Any = _run("scorers")
    batch: int = _run("batch")
    keep_images: bool = _run("keep_images")
    image_format: str = _run("image_format")
    sample: bool = _diagnose("sample")
    pilot: Any = None
    budget: Any = None


@dataclass
class StatusConfig(OutputConfig):
    """Keys of `flasheval status`."""

    path: str | None = None
    check: bool = False
    out: str | None = None


@dataclass
class DistanceConfig(OutputConfig, PromptKeys):
    """Keys of `flasheval distance`; `conf/distance.yaml` says what they mean."""

    extractor: Any = None
    protocol: Any = None
    run: str | None = None
    metric: str | None = None
    images: Any = None
    reference: str | None = None
    save_reference: str | None = None
    extrapolate: bool = _distances("extrapolate")
    size: Any = None
    held_out: Any = 0.5
    n_sets: int = _choose("n_sets")
    draws: int = _choose("draws")
    seed: int = _choose("seed")
    device: str = "auto"
    threads: int | None = None
    out: str | None = None


@dataclass
class EvaluateConfig(OutputConfig, PromptKeys):
    """Keys of `flasheval evaluate`, beside those of its generator, which stand at the top too."""

    generator: str = "diffusers"
    tracker: Any = None
    subset: str | None = None
    scorers: Any = _evaluate("scorers")
    images_per_prompt: int | None = _evaluate("images_per_prompt")
    seeds: str = _evaluate("seeds")
    seed: int | None = _evaluate("seed")
    batch: int = _evaluate("batch")
    device: str = "auto"
    by: str | None = None
    name: str | None = None
    step: int | None = _evaluate("step")
    images: str | None = None
    out: str | None = None


@dataclass
class CompareConfig(OutputConfig):
    """Keys of `flasheval compare`; `conf/compare.yaml` says what they mean."""

    reports: list[str] = field(default_factory=list)
    metric: Any = _compare("metrics")
    level: float = _compare("level")
    by: str | None = _compare("by")
    looks: list[Any] | None = None
    out: str | None = None


@dataclass
class RankConfig(OutputConfig, PromptKeys):
    """Keys of `flasheval rank`; `conf/rank.yaml` says what they mean."""

    scores: Any = "miniature"
    reports: list[str] = field(default_factory=list)
    higher_is_better: Any = None
    columns: Any = _rank("columns")
    drop: Any = _rank("drop")
    metric: Any = _rank("metric")
    by: str | None = _rank("by")
    cluster: str | None = _rank("cluster")
    level: float = _rank("level")
    incomplete: str = _rank("incomplete")
    draws: int = _rank("draws")
    seed: int = _rank("seed")
    seconds: Any = _rank("seconds")
    max_seconds: float | None = _rank("max_seconds")
    out: str | None = None


@dataclass
class VotesConfig(OutputConfig, PromptKeys):
    """Keys of `flasheval votes`; `conf/votes.yaml` says what they mean."""

    action: str = "rank"
    votes: list[str] = field(default_factory=list)
    scores: Any = None
    metric: Any = _made("metric")
    tie_within: float = _made("tie_within")
    sample: int | None = _made("sample")
    columns: Any = _load_votes("columns")
    drop: Any = _load_votes("drop")
    ties: str = _vote("ties")
    prior: float = _vote("prior")
    cluster: str = _vote("cluster")
    level: float = _vote("level")
    draws: int = _vote("draws")
    seed: int = _vote("seed")
    n0: float = _wins("n0")
    run: str | None = None
    subset: str | None = None
    variants: Any = _page("variants")
    pairs: int | None = _page("pairs")
    raters: int = _page("raters")
    out: str | None = None


@dataclass
class JudgeConfig(OutputConfig):
    """Keys of `flasheval judge`; `conf/judge.yaml` says what they mean."""

    action: str = "check"
    run: str | None = None
    scorers: Any = None
    images: int = _judge("images")
    repeats: int = _judge("repeats")
    against: Any = _judge("against")
    seed: int = _judge("seed")
    device: str = _judge("device")
    metric: str | None = None
    out: str | None = None


@dataclass
class AuditConfig(OutputConfig, PromptKeys):
    """Keys of `flasheval audit`; `conf/audit.yaml` says what they mean."""

    subset: str | None = None
    scores: Any = None
    reports: list[str] = field(default_factory=list)
    higher_is_better: Any = None
    columns: Any = None
    drop: Any = field(default_factory=list)
    metric: Any = _audit("metric")
    level: float = _audit("level")
    draws: int = _audit("draws")
    seed: int = _audit("seed")
    out: str | None = None


@dataclass
class WatchConfig(OutputConfig, PromptKeys):
    """Keys of `flasheval watch`, beside those of diffusers pipelines, which stand there too."""

    generator: str = "diffusers"
    tracker: Any = None
    path: str | None = None
    subset: str | None = None
    scorers: Any = _watch("scorers")
    base: str | None = _watch("base")
    loader: str | None = _watch("loader")
    call: Any = _watch("call")
    pattern: str | None = _watch("pattern")
    metric: str | None = _watch("metric")
    fidelity: str | None = _watch("fidelity")
    most_lost: float | None = _watch("most_lost")
    level: float = _watch("level")
    images_per_prompt: int | None = _watch("images_per_prompt")
    seeds: str = _watch("seeds")
    seed: int | None = _watch("seed")
    batch: int = _watch("batch")
    device: str = _watch("device")
    interval: float = _watch("interval")
    settle: float = _watch("settle")
    once: bool = _watch("once")
    out: str | None = _watch("out")


@dataclass
class CompletionConfig(VerbConfig):
    """Keys of `flasheval completion`; `conf/completion.yaml` says what they mean."""

    action: str = "show"
    shell: str | None = None
    yes: bool = False


@dataclass
class ShowConfig(PromptKeys):
    """Keys of `flasheval show`."""

    path: str | None = None
    by: str | None = None
    metric: Any = None
    columns: Any = None
    drop: Any = field(default_factory=list)
    seconds: Any = None


@dataclass
class SubsetsConfig(OutputConfig, PromptKeys):
    """Keys of `flasheval subsets`; `conf/subsets.yaml` says what they mean."""

    action: str = "list"
    names: list[str] = field(default_factory=list)
    prompts: Any = field(default=None, kw_only=True)
    format: str | None = None
    out: str | None = None
    signature: str | None = None
    signers: str | None = None
    identity: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class PublishConfig(OutputConfig, PromptKeys):
    """Keys of `flasheval publish`; `conf/publish.yaml` says what they mean."""

    names: list[str] = field(default_factory=list)
    out: str | None = None
    overwrite: bool = _publish("overwrite")
    title: str | None = _publish("title")
    prompts: Any = _publish("prompts")
    license: str | None = _publish("license")
    repo: str | None = _publish("repo")
    push: bool = False
    private: bool = _push("private")
    message: str | None = _push("message")
    artifact: str | None = None
    project: str | None = _artifact("project")


@dataclass
class ReportConfig(OutputConfig, PromptKeys):
    """Keys of `flasheval report`; `conf/report.yaml` says what they mean."""

    path: str | None = None
    out: str | None = None
    scores: Any = None
    images: str | None = None
    by: str | None = None
    metric: str | None = None
    seconds: Any = None


@dataclass
class ImporterConfig(OutputConfig, PromptKeys):
    """Keys every importer has."""

    importer: str = ""
    out: str | None = None


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
    columns: Any = None
    drop: list[str] = field(default_factory=list)


@dataclass
class ResultsConfig(ImporterConfig):
    """Keys of `flasheval import` for the results of a public benchmark."""

    source: str | None = None
    metric: str | None = None
    higher_is_better: Any = None


@dataclass
class NpzConfig(ImporterConfig):
    """Keys of `flasheval import npz`."""

    importer: str = "npz"
    source: str | None = None
    metric: str | None = None
    higher_is_better: Any = None


@dataclass
class LongConfig(WideConfig):
    """Keys of `flasheval import long`."""

    importer: str = "long"
    factors: list[str] = field(default_factory=list)


_IMPORTERS: dict[str, type[ImporterConfig]] = {
    "flasheval-official": OfficialConfig,
    "long": LongConfig,
    "wide": WideConfig,
    "npz": NpzConfig,
}


def importer_configs() -> dict[str, type[ImporterConfig]]:
    """Return the keys of every importer that comes with flasheval, by its name.

    >>> importer_configs()["geneval"]().importer
    'geneval'
    """
    from flasheval.scores.importers import IMPORTERS
    from flasheval.scores.importers.results.layout import ResultLayout

    layouts = [name for name, one in IMPORTERS.items() if issubclass(one, ResultLayout)]
    return _IMPORTERS | {
        name: make_dataclass(
            f"{IMPORTERS[name].__name__}Config",
            [("importer", str, field(default=name))],
            bases=(ResultsConfig,),
        )
        for name in layouts
    }


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


def protocol_configs() -> dict[str, type[Any]]:
    """Return the settings of every protocol of images, by its name, `name` the first of them.

    >>> asdict(protocol_configs()["coco-30k"]())
    {'name': 'coco-30k', 'images': 30000, 'side': 256}
    """
    from flasheval.set_metrics.protocol import COCO_30K

    known = {"none": {}, "coco-30k": asdict(COCO_30K)}
    return {
        name: make_dataclass(
            "ProtocolConfig",
            [
                (key, type(value), field(default=value))
                for key, value in {"name": name, **settings}.items()
            ],
        )
        for name, settings in known.items()
    }


def generator_configs() -> dict[str, type[Any]]:
    """Return the settings of every kind of generator, by its name, `generator` the first of them.

    >>> generator_configs()["diffusers"](checkpoint="models/sd15").generator
    'diffusers'
    """
    from flasheval.generators.registry import GENERATORS

    return _named_configs(GENERATORS, key="generator")


def scorer_configs() -> dict[str, type[Any]]:
    """Return the settings of every scorer, by its name, `name` the first of them.

    >>> scorer_configs()["clip"]().metric_name
    'CLIP'
    """
    from flasheval.scorers.registry import SCORERS

    return _named_configs(SCORERS)


def format_settings() -> dict[str, str]:
    """Return the settings of every export format in words, by its name.

    >>> format_settings()["jsonl"]
    'no settings'
    """
    from flasheval.subset.exports.registry import FORMATS

    keys = {name: [key.name for key in fields(one)] for name, one in FORMATS.items()}
    return {name: ", ".join(own) if own else "no settings" for name, own in keys.items()}


def evaluate_configs() -> dict[str, type[EvaluateConfig]]:
    """Return the keys of `flasheval evaluate` with each kind of generator, by its name.

    >>> evaluate_configs()["function"](function="mine.py:draw").batch
    8
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
        hint, default = plain_type(hints[one.name]), _default_of(one)
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


def _named_configs(registry: Registry[Any], key: str = "name") -> dict[str, type[Any]]:
    configs = {}
    for name, one in _classes(registry).items():
        hints = get_type_hints(one)
        settings = [
            (own.name, plain_type(hints[own.name]), _default_of(own)) for own in fields(one)
        ]
        keys = [(key, str, field(default=name)), *settings]
        # What has no default comes after what has one, which is fine for keys only.
        configs[name] = make_dataclass(f"{one.__name__}Config", keys, kw_only=True)
    return configs


def _default_of(old: Field[Any]) -> Any:
    default: Any = old.default
    if old.default_factory is not MISSING:
        return field(default_factory=old.default_factory)
    if isinstance(default, tuple):
        return field(default_factory=lambda: list(default))
    return field(default=default)


def plain_type(hint: Any) -> Any:
    """Return `list[int] | None` for `tuple[int, ...] | None`: a command line gives lists.

    A mapping becomes a dict, one of several words a text, and an object anything.

    >>> plain_type(tuple[int, ...] | None), plain_type(Literal["run", "score"])
    (list[int] | None, <class 'str'>)
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return list[plain_type(arguments[0])]  # type: ignore[misc]
    if origin is Mapping:
        return dict[str, Any]
    if origin is Literal:
        return str
    if NoneType in arguments and len(arguments) == 2:
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return plain_type(inner) | None
    return hint if hint in (bool, int, float, str) else Any
