"""The run folder: the paths of everything in it, and the settings of the run."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from flasheval.base.canonical import sha256_of
from flasheval.base.errors import ConflictError, DataError
from flasheval.base.files import atomic_write
from flasheval.base.json_data import from_plain, read_json, to_plain
from flasheval.prompts import save_prompts
from flasheval.runs.claims import Claims
from flasheval.runs.failures import FailureLog
from flasheval.runs.kept.features import FeatureStore
from flasheval.runs.kept.images import ImageStore, ImageUnit
from flasheval.runs.kept.opening import open_image_store
from flasheval.runs.repairs import RepairLog
from flasheval.runs.run_plan import (
    PlannedScorer,
    PlannedVariant,
    RunPlan,
    Stage,
    Unit,
    WorkSettings,
)

__all__ = [
    "Asked",
    "RegisteredMetric",
    "RegisteredVariant",
    "RunSettings",
    "RunStore",
    "score_name",
]

T = TypeVar("T", "RegisteredVariant", "RegisteredMetric")

_FORMAT = 1


@dataclass(frozen=True)
class RunSettings:
    """The settings that all commands on one run folder share.

    Attributes:
        seed: The seed that images' seeds are made from.
        chunk: Prompts a unit.
        device: The kind of device it was begun on, which decides settings left to the device.
        format: The version of the folder's layout.
        variant_seeds: Whether each variant has image seeds of its own.

    """

    seed: int
    chunk: int
    device: str = "cpu"
    format: int = _FORMAT
    variant_seeds: bool = False

    def __post_init__(self) -> None:
        if self.chunk < 1:
            raise DataError(f"chunk is {self.chunk}; expected at least 1 prompt a unit")


@dataclass(frozen=True)
class RegisteredVariant:
    """A variant the run knows, from this command or an earlier one."""

    name: str
    key: str
    kind: str
    factors: dict[str, Any]  # a Factor each: text, number or truth value


@dataclass(frozen=True)
class RegisteredMetric:
    """A metric the run knows."""

    name: str
    key: str
    scorer: str
    version: str
    higher_is_better: bool


@dataclass(frozen=True)
class Asked:
    """The work that the last command on a run requested; `status` compares with it.

    Attributes:
        stage: ``run``, ``generate`` or ``score``.
        variants: The variants' names, also of those that cannot be measured.
        metrics: The metrics' names.
        keep_images: Whether images are kept.
        image_store: The form of the store of images.
        image_format: The format of the images.
        images_per_prompt: Images of each prompt.

    """

    stage: Stage
    variants: tuple[str, ...]
    metrics: tuple[str, ...]
    keep_images: bool = False
    image_store: Literal["shards", "folder"] = "shards"
    image_format: Literal["png", "webp", "jpeg"] = "png"
    images_per_prompt: int = 1


def score_name(unit: str, scorer_key: str) -> str:
    """Return the name of the file of a unit's scores in one metric.

    >>> score_name("0a1b", "clip-key") == score_name("0a1b", "another-key")
    False
    """
    return hashlib.sha256(f"{unit}\n{scorer_key}".encode()).hexdigest()[:32] + ".json"


class RunStore:
    """A run folder with its parts.

    ``units/VARIANT/METRIC/HASH.json`` holds the scores of a unit, ``images/`` and ``embeddings/``
    what is kept of it, ``failures/`` what went wrong; ``prompts.parquet``, ``variants.parquet`` and
    ``scores/`` are the score table collected from the units.

    Args:
        folder: The run folder; made when absent.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failures = FailureLog(folder / "failures")
        self.features = FeatureStore(folder / "embeddings")
        self.repairs = RepairLog(folder)

    def settings(self) -> RunSettings | None:
        """Return the settings the run was begun with; None for a new folder.

        Raises DataError when the file is damaged or of another version.

        >>> RunStore(Path("no/such/folder")).settings() is None
        True
        """
        path = self.folder / "run.json"
        if not path.exists():
            return None
        advice = "delete it, and give seed= and chunk= if they were given before"
        settings = from_plain(RunSettings, _read_checked(path, advice), source=str(path))
        if settings.format != _FORMAT:
            raise DataError(f"{path}: format {settings.format}; this version reads {_FORMAT}")
        return settings

    def begin(self, settings: RunSettings) -> None:
        """Save the settings of a new run, or check that they are those of the existing run.

        Raises ConflictError when the folder holds a run with another seed or chunk, DataError when
        it cannot be written.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = RunStore(Path(folder))
        ...     store.begin(RunSettings(seed=0, chunk=32))
        ...     store.begin(RunSettings(seed=1, chunk=32))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.ConflictError: ... holds a run with seed=0, not seed=1; ...
        """
        before = self.settings()
        if before is None:
            with atomic_write(self.folder / "run.json") as temporary:
                temporary.write_text(_checked({**to_plain(settings), "format": _FORMAT}), "utf-8")
            return
        for key in ("seed", "chunk", "variant_seeds"):
            old, new = getattr(before, key), getattr(settings, key)
            if old != new:
                raise ConflictError(
                    f"{self.folder} holds a run with {key}={_written(old)}, not "
                    f"{key}={_written(new)}; "
                    f"leave {key} out to go on with it, or name another folder with out="
                )

    @cached_property
    def claims(self) -> Claims:
        """The claims of this process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Claims(self.folder / ".claims")

    def images(self, work: WorkSettings) -> ImageStore:
        """Return the store of kept images.

        >>> store = RunStore(Path("run"))
        >>> store.images(WorkSettings(image_store="folder", image_format="webp")).image_format
        'webp'
        """
        return open_image_store(self.folder / "images", work.image_store, work.image_format)

    def image_unit(self, unit: Unit) -> ImageUnit:
        """Return a unit as an `ImageUnit`, by which its kept images are found."""
        chunk = unit.chunk
        return ImageUnit(unit.name, unit.variant.slug, chunk.ids, chunk.texts, unit.image)

    def score_path(self, unit: Unit, scorer: PlannedScorer) -> Path:
        """Return the file of a unit's scores in one metric."""
        name = score_name(unit.name, scorer.key)
        return self.folder / "units" / unit.variant.slug / scorer.slug / name

    def listing(self, variant: PlannedVariant, scorer: PlannedScorer) -> set[str]:
        """Return the names of the existing score files of a variant and a metric."""
        try:
            return set(os.listdir(self.folder / "units" / variant.slug / scorer.slug))
        except OSError:
            return set()

    def register(self, plan: RunPlan) -> None:
        """Save prompts, variants and metrics, for the score table and for `status`.

        A variant or metric replaces an earlier one of the same name, whose units stay. Raises
        DataError when the file of an earlier one is damaged.
        """
        save_prompts(plan.prompts, self.folder / "prompts.parquet")
        for variant in plan.variants:
            recipe = variant.recipe
            kind, factors = recipe.generator.kind, dict(recipe.variant.factors)
            self._register(
                "variants",
                variant.name,
                RegisteredVariant(variant.name, variant.key, kind, factors),
            )
        for scorer in plan.scorers:
            settings = scorer.settings
            self._register(
                "metrics",
                scorer.metric,
                RegisteredMetric(
                    scorer.metric,
                    scorer.key,
                    settings.kind,
                    settings.version,
                    settings.higher_is_better,
                ),
            )
        self.known_variants()  # before the work, not after it, see that they can be read
        self.known_metrics()
        self._note("asked.json", _asked(plan))

    def asked(self) -> Asked | None:
        """Return the work that the last command requested; None when there is none.

        Raises DataError when the file is damaged.

        >>> RunStore(Path("no/such/folder")).asked() is None
        True
        """
        path = self.folder / "known" / "asked.json"
        if not path.exists():
            return None
        advice = "delete it: the next command writes it again"
        return from_plain(Asked, _read_checked(path, advice), source=str(path))

    def _register(self, what: str, name: str, record: object) -> None:
        self._note(f"{what}/{sha256_of(name)[:32]}.json", record)

    def _note(self, name: str, record: object) -> None:
        text = _checked(to_plain(record))
        path = self.folder / "known" / name
        if not path.exists() or path.read_bytes() != text.encode():
            with atomic_write(path) as temporary:
                temporary.write_text(text, "utf-8")

    def known_variants(self, first: Sequence[str] = ()) -> list[RegisteredVariant]:
        """Return the variants of the run: those named in ``first``, then the others by name.

        >>> RunStore(Path("no/such/folder")).known_variants()
        []
        """
        return self._known("variants", RegisteredVariant, first)

    def known_metrics(self, first: Sequence[str] = ()) -> list[RegisteredMetric]:
        """Return the metrics of the run: those named in ``first``, then the others by name."""
        return self._known("metrics", RegisteredMetric, first)

    def _known(self, what: str, cls: type[T], first: Sequence[str]) -> list[T]:
        paths = (self.folder / "known" / what).glob("*.json")
        advice = f"delete it: a command with that {what[:-1]} writes it again"
        found = [from_plain(cls, _read_checked(path, advice), source=str(path)) for path in paths]
        place = {name: number for number, name in enumerate(first)}
        return sorted(found, key=lambda one: (place.get(one.name, len(place)), one.name))


def _checked(body: dict[str, Any]) -> str:
    """Return JSON text that carries a checksum, so that no bit of it changes unseen."""
    body = {**body, "check": sha256_of(body, digits=17)}
    return json.dumps(body, ensure_ascii=False, sort_keys=True)


def _read_checked(path: Path, advice: str) -> Any:
    try:
        body = read_json(path)
    except DataError as error:
        raise DataError(f"{error}; {advice}") from error
    if not isinstance(body, dict) or body.pop("check", None) != sha256_of(body, digits=17):
        raise DataError(f"{path} is damaged (its checksum does not fit its content); {advice}")
    return body


def _asked(plan: RunPlan) -> Asked:
    return Asked(
        plan.work.stage,
        (*(variant.name for variant in plan.variants), *plan.unusable),
        tuple(scorer.metric for scorer in plan.scorers),
        plan.work.keep_images,
        plan.work.image_store,
        plan.work.image_format,
        plan.images_per_prompt,
    )


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
