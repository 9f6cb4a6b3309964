"""The plan of a run: its variants, scorers and chunks, with the keys that name their files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flasheval.base.canonical import JSON, sha256_of
from flasheval.base.drawing.brief import Brief
from flasheval.base.errors import FlashevalError, SettingError
from flasheval.generators.populations.recipe import Recipe
from flasheval.generators.seeds import ImageSeeds, checked_images_per_prompt
from flasheval.prompts import PromptSet
from flasheval.runs.chunks import Chunk, chunks_of
from flasheval.runs.devices import device_kind
from flasheval.scorers.scorer import ScorerSettings

__all__ = [
    "PlannedScorer",
    "PlannedVariant",
    "RunPlan",
    "Stage",
    "Unit",
    "WorkSettings",
    "folder_name",
    "make_run_plan",
    "unit_name",
]

Stage = Literal["run", "generate", "score"]


@dataclass(frozen=True)
class WorkSettings:
    """How units are done; none of these settings changes a score beyond its last digits.

    Attributes:
        stage: ``generate`` makes and keeps images, ``score`` scores kept ones, ``run`` does both.
        batch: Images made at a time.
        device: The device that models are loaded on.
        keep_images: Whether images stay after they were scored.
        image_store: ``shards`` (WebDataset tars) or ``folder`` (one file an image).
        image_format: ``png``, ``webp`` (both lossless) or ``jpeg``.
        keep_embeddings: Whether scorers that embed images keep the embeddings.
        retry_faults: Whether units with faulty images are done again.

    >>> WorkSettings(batch=0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: batch=0: expected at least 1 image at a time

    """

    stage: Stage = "run"
    batch: int = 8
    device: str = "cpu"
    keep_images: bool = False
    image_store: Literal["shards", "folder"] = "shards"
    image_format: Literal["png", "webp", "jpeg"] = "png"
    keep_embeddings: bool = False
    retry_faults: bool = False

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise SettingError(f"batch={self.batch}: expected at least 1 image at a time")


@dataclass(frozen=True)
class PlannedVariant:
    """A variant with the hash of everything that determines its images, and its folder's name."""

    recipe: Recipe
    key: str
    slug: str

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.recipe.name


@dataclass(frozen=True)
class PlannedScorer:
    """A scorer with the hash of everything that determines its scores, and its folder's name."""

    settings: ScorerSettings
    key: str
    slug: str

    @property
    def metric(self) -> str:
        """The metric's name."""
        return self.settings.metric


@dataclass(frozen=True)
class Unit:
    """The work that is done or lost as a whole: one variant's image of each prompt of a chunk.

    Attributes:
        variant: The variant.
        chunk: The prompts.
        name: A hash of everything that determines the images, 32 hex digits.
        image: The images' number among those of their prompt, from 0.

    """

    variant: PlannedVariant
    chunk: Chunk
    name: str
    image: int = 0


@dataclass(frozen=True, repr=False)
class RunPlan(Brief):
    """All the work of one command.

    Attributes:
        prompts: The prompts, with texts.
        variants: The variants, in the population's order.
        scorers: The scorers.
        chunks: The prompts by units.
        seed: The seed that images' seeds are made from.
        chunk: Prompts a unit.
        kind: The kind of device the run was begun on, which decides settings left to the device.
        work: How units are done.
        unusable: Why a variant cannot be measured, by its name; it is not in `variants`.
        entries: The population's plain settings, for other processes; None where there are none.
        scorer_entries: The scorers' plain settings, for other processes; None where there are none.
        images_per_prompt: Images made and scored of each prompt.
        variant_seeds: Whether each variant has image seeds of its own.
        all_ids: The ids of the whole list that the prompts are of.
        images_there: Images of the prompt with the most, of each variant whose lie in a folder.

    """

    prompts: PromptSet
    variants: tuple[PlannedVariant, ...]
    scorers: tuple[PlannedScorer, ...]
    chunks: tuple[Chunk, ...]
    seed: int
    chunk: int
    kind: str
    work: WorkSettings
    unusable: Mapping[str, str]
    entries: tuple[Mapping[str, Any], ...] | None = None
    scorer_entries: tuple[Any, ...] | None = None
    images_per_prompt: int = 1
    variant_seeds: bool = False
    all_ids: tuple[str, ...] = ()
    images_there: Mapping[str, int] = field(default_factory=dict)

    @property
    def seeds(self) -> ImageSeeds:
        """How the images' seeds are made."""
        return ImageSeeds(self.seed, self.variant_seeds)

    @property
    def n_units(self) -> int:
        """The number of units, done ones too.

        >>> from flasheval.generators.function import FunctionSettings
        >>> from flasheval.generators.variants import Variant
        >>> recipes = [Recipe(Variant(n), FunctionSettings("math:hypot", version=n)) for n in "ab"]
        >>> pets = PromptSet("pets", ("1", "2", "3"), ("A cat.", "A dog.", "A hen."))
        >>> make_run_plan(recipes, pets, (), seed=0, chunk=2, work=WorkSettings()).n_units
        4
        """
        return len(self.variants) * len(self.chunks) * self.images_per_prompt

    def units(self, variant: PlannedVariant) -> Iterator[Unit]:
        """Yield the units of one variant, in the order of the prompts and then of their images.

        >>> from flasheval.generators.function import FunctionSettings
        >>> from flasheval.generators.variants import Variant
        >>> recipes = [Recipe(Variant("a"), FunctionSettings("math:hypot", version="1"))]
        >>> pets = PromptSet("pets", ("1", "2", "3"), ("A cat.", "A dog.", "A hen."))
        >>> plan = make_run_plan(recipes, pets, (), seed=0, chunk=2, work=WorkSettings())
        >>> [unit.chunk.ids for unit in plan.units(plan.variants[0])]
        [('1', '2'), ('3',)]
        """
        generator, own = variant.recipe.generator, variant.name if self.variant_seeds else None
        for chunk in self.chunks:
            for image in range(self.images_per_prompt):
                # A generator of other people may not know of images' numbers.
                state = generator.state(chunk.ids, *([image] if image else []))
                name = unit_name(variant.key, self.seed, chunk, state, image=image, own=own)
                yield Unit(variant, chunk, name, image)


def make_run_plan(
    recipes: Sequence[Recipe],
    prompts: PromptSet,
    scorers: Sequence[ScorerSettings],
    *,
    seed: int,
    chunk: int,
    work: WorkSettings,
    kind: str | None = None,
    entries: Sequence[Mapping[str, Any]] | None = None,
    scorer_entries: Sequence[Any] | None = None,
    images_per_prompt: int | None = None,
    variant_seeds: bool = False,
    all_ids: Sequence[str] | None = None,
) -> RunPlan:
    """Find the checkpoints of all variants and scorers, and compute their keys.

    ``kind`` is the kind of device the run was begun on; None takes that of ``work``. A variant
    whose checkpoint is missing goes to `RunPlan.unusable`, so that the others are measured.
    ``images_per_prompt`` is 1 unless given, or as many as lie there where every variant's images
    lie in a folder. ``all_ids`` are those of the whole list where ``prompts`` are a part of it.

    Raises:
        FlashevalError: A scorer that cannot be used, prompts without texts, or no variant left.

    >>> from flasheval.generators.diffusers_settings import DiffusersSettings
    >>> from flasheval.generators.variants import Variant
    >>> recipes = [Recipe(Variant("a"), DiffusersSettings("no-such-folder"))]
    >>> pets = PromptSet("pets", ("1",), ("A cat.",))
    >>> make_run_plan(recipes, pets, (), seed=0, chunk=2, work=WorkSettings())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.FlashevalError: no variant can be measured; 'a': checkpoint ...

    """
    if chunk < 1:
        raise SettingError(f"chunk={chunk}: expected at least 1 prompt a unit")
    planned = [_planned_scorer(settings) for settings in scorers]
    variants, unusable = [], {}
    kind = kind or device_kind(work.device)
    ids = prompts.ids if all_ids is None else tuple(all_ids)
    there: list[int | None] = []
    for recipe in (one.settled(kind).for_prompts(ids) for one in recipes):
        try:
            key = recipe.key(kind)
            there.append(recipe.generator.images_there(prompts.ids))
        except FlashevalError as error:
            unusable[recipe.name] = str(error)
        else:
            variants.append(PlannedVariant(recipe, key, folder_name(recipe.name)))
    if unusable and not variants:
        name, reason = next(iter(unusable.items()))
        raise FlashevalError(f"no variant can be measured; {name!r}: {reason}")
    if images_per_prompt is None:
        known = [count for count in there if count is not None]
        images_per_prompt = max((1, *known)) if len(known) == len(there) else 1
    return RunPlan(
        prompts,
        tuple(variants),
        tuple(planned),
        chunks_of(prompts, chunk),
        seed,
        chunk,
        kind,
        work,
        unusable,
        None if entries is None else tuple(entries),
        None if scorer_entries is None else tuple(scorer_entries),
        checked_images_per_prompt(images_per_prompt),
        variant_seeds,
        ids,
        {one.name: count for one, count in zip(variants, there, strict=True) if count is not None},
    )


def unit_name(
    variant_key: str,
    seed: int,
    chunk: Chunk,
    state: JSON = None,
    *,
    image: int = 0,
    own: str | None = None,
) -> str:
    """Return the hash of everything that determines a unit's images, 32 hex digits.

    Args:
        variant_key: The hash of what determines the variant's images.
        seed: The run's seed.
        chunk: The prompts.
        state: The state of files that the images come from.
        image: The images' number.
        own: The variant's name, where it has image seeds of its own.

    >>> chunk, = chunks_of(PromptSet("pets", ("1",), ("A cat.",)), 32)
    >>> name = unit_name("key", 0, chunk)
    >>> len(name), name == unit_name("key", 1, chunk)
    (32, False)

    """
    parts = [variant_key, str(seed), chunk.digest]
    if state is not None:
        parts.append(sha256_of(state, digits=17))
    if image or own is not None:  # units of first images keep the names they always had
        parts.append(sha256_of([image, own]))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def folder_name(name: str) -> str:
    """Return a readable folder name for a variant's or metric's name.

    >>> folder_name("sd15/DDIM10")
    'sd15_DDIM10'
    """
    kept = re.sub(r"[^\w+=-]+", "_", name, flags=re.ASCII)[:60].strip("_")
    plain = kept == name or kept == name.replace("/", "_")
    return kept if plain and kept else f"{kept}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _planned_scorer(settings: ScorerSettings) -> PlannedScorer:
    identity = {"scorer": settings.kind, **settings.identity()}
    key = sha256_of(identity, path=f"scorer {settings.metric!r}", digits=17)
    return PlannedScorer(settings, key, folder_name(settings.metric))
