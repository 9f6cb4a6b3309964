"""A subset and its manifest: the chosen prompts, how they were chosen, and what was measured.

A manifest has two parts. The *content* says which prompts these are and where they come from; its
canonical JSON (:mod:`flasheval.base.canonical`) is hashed, and the hash identifies the subset.
The *record* holds what was measured: evidence, calibration, versions, times.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from flasheval.base.arguments import checked_class
from flasheval.base.canonical import JSON
from flasheval.base.drawing.shown import ENVELOPE, Shown
from flasheval.base.drawing.view import View
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import safe_name
from flasheval.base.json_data import read_json, write_json
from flasheval.base.suggest import nearest
from flasheval.prompts import PromptSet
from flasheval.prompts.tags import counted, places_by_value, values_of
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import Record
from flasheval.subset.evidence_table import record_view
from flasheval.subset.image_plan import checked_seeds
from flasheval.subset.manifest import content_hash, read_manifest, write_manifest
from flasheval.subset.paired import Scores, paired_errors_of, weighted_means
from flasheval.subset.parts import Method, MetricInfo, SubsetPrompt, require_hash
from flasheval.subset.predictions import Difference, Placement, Prediction
from flasheval.subset.saturated import without_saturated
from flasheval.subset.two_stage import fresh_loadings, image_noise, prompt_means

__all__ = ["Method", "MetricInfo", "Subset", "SubsetPrompt"]

_WHICH = 'is it the prompt set "{name}", whole, that the subset was chosen from?'
_SOURCES = ("image_name", "part_id")


@checked_class
@dataclass(frozen=True, repr=False)
class Subset(Shown):
    """Chosen prompts, in order, with everything needed to use, check and judge them.

    Raises DataError for no prompts, a prompt id given twice, a metric given twice, and a name
    that could not be a file's.

    >>> from flasheval.prompts import PromptSet
    >>> pets = PromptSet("pets", ("1", "2", "3"), texts=("a cat", "a dog", "a newt"))
    >>> subset = Subset.choose(pets, [2, 0], name="two-pets", metrics=(MetricInfo("clip"),),
    ...                        method=Method("random", seed=0))
    >>> subset.ids, subset.weights.tolist()
    (('3', '1'), [1.0, 1.0])
    >>> print(subset)
    two-pets: 2 prompts of pets
    """

    kind = "subset"

    name: str
    prompt_set_name: str
    prompt_set_hash: str | None
    prompts: tuple[SubsetPrompt, ...]
    metrics: tuple[MetricInfo, ...]
    method: Method
    searched_variants: tuple[str, ...] = ()
    record: Record = field(default_factory=Record)

    def __post_init__(self) -> None:
        safe_name(self.name, "subset name")
        require_hash(self.prompt_set_hash, "prompt_set_hash")
        for key in ("prompts", "metrics", "searched_variants"):
            object.__setattr__(self, key, tuple(getattr(self, key)))
        self.content_hash  # noqa: B018 - fixed now, so that verify() sees later changes
        if not self.prompts:
            raise DataError(f'subset "{self.name}" has no prompts; choose at least one')
        total = sum(self.weights.tolist())
        if not math.isfinite(total) or total == 0:
            raise DataError(
                f'the weights of subset "{self.name}" sum to {total:g}, so there is no mean over '
                "them; give weights of a finite sum that is not 0"
            )
        _refuse_repeats(self.ids, f'prompts of subset "{self.name}"', "use multiplicity instead")
        _refuse_repeats([m.name for m in self.metrics], "metrics", "name each metric once")
        _refuse_repeats(self.searched_variants, "searched_variants", "name each variant once")

    @classmethod
    def choose(
        cls,
        prompts: PromptSet,
        indices: Sequence[int] | NDArray[np.integer[Any]],
        *,
        name: str,
        metrics: tuple[MetricInfo, ...],
        method: Method,
        searched_variants: tuple[str, ...] = (),
        weights: Sequence[float] | NDArray[np.floating[Any]] | None = None,
        record: Record | None = None,
        with_texts: bool = False,
    ) -> Subset:
        """Return the subset of ``prompts`` at ``indices`` (distinct, in order of choice).

        ``weights`` has one entry an index, 1 unless given. Extras of the prompt set named
        ``image_name`` and ``part_id`` become sources; its tags go in with how many prompts have
        each value. Texts go in only ``with_texts``.

        Raises DataError for an index outside the prompt set or given twice, and for weights of
        another length.

        >>> from flasheval.prompts import PromptSet
        >>> pets = PromptSet("pets", ("1", "2", "3"))
        >>> subset = Subset.choose(pets, [2, 0], name="two", metrics=(), method=Method("mine"),
        ...                        weights=[1.0, 3.0])
        >>> subset.ids, subset.weights.tolist()
        (('3', '1'), [1.0, 3.0])
        """
        chosen = prompts.take(indices)
        count = len(chosen.ids)
        shares = [1.0] * count if weights is None else [float(weight) for weight in weights]
        if len(shares) != count:
            raise DataError(f"{len(shares)} weights for {count} prompts; give one a prompt")
        hashes = chosen.text_hashes or (None,) * count
        texts = chosen.texts if with_texts and chosen.texts is not None else (None,) * count
        places = {key: chosen.extras[key] for key in _SOURCES if key in chosen.extras}
        tags = {key: tuple(map(values_of, chosen.extras[key])) for key in prompts.tags}
        members = tuple(
            SubsetPrompt(
                id=chosen.ids[i],
                text_hash=hashes[i],
                weight=shares[i],
                sources={key: column[i] for key, column in places.items()},
                text=texts[i],
                tags={key: column[i] for key, column in tags.items() if column[i]},
            )
            for i in range(count)
        )
        record = Record() if record is None else record
        if tags and not record.tag_counts:
            counts = {key: dict(counted(prompts.extras[key])) for key in tags}
            record = replace(record, tag_counts=counts, prompt_set_size=len(prompts))
        return cls(
            name, prompts.name, prompts.hash, members, metrics, method, searched_variants, record
        )

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the distinct prompts, in order."""
        return tuple(prompt.id for prompt in self.prompts)

    @property
    def size(self) -> int:
        """The number of distinct prompts."""
        return len(self.prompts)

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weight times multiplicity of each prompt, float64 [size]; 1 for most methods.

        >>> prompts = (SubsetPrompt("1", multiplicity=2), SubsetPrompt("2", weight=0.5))
        >>> Subset("two", "pets", None, prompts, (), Method("drawn")).weights.tolist()
        [2.0, 0.5]
        """
        return np.array([prompt.weight * prompt.multiplicity for prompt in self.prompts])

    def by_tag(self, tag: str) -> dict[str, NDArray[np.int64]]:
        """Return the places of the prompts that have each value of a tag, values sorted.

        Raises SettingError, listing the tags there are, for another.

        >>> prompts = tuple(SubsetPrompt(one, tags={"kind": (one,)}) for one in ("cat", "dog"))
        >>> subset = Subset("two", "pets", None, prompts, (), Method("random"))
        >>> {value: places.tolist() for value, places in subset.by_tag("kind").items()}
        {'cat': [0], 'dog': [1]}
        """
        known = dict.fromkeys(key for prompt in self.prompts for key in prompt.tags)
        if tag not in known:
            there = ", ".join(known) or (
                "none; search again with a prompt set that has tags (prompts=FILE)"
            )
            raise SettingError(
                f'by={tag}: subset "{self.name}" has no such tag; there are: {there}'
                f"{nearest(str(tag), known)}"
            )
        return places_by_value(prompt.tags.get(tag, ()) for prompt in self.prompts)

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts, in order.

        Raises DataError when the manifest does not carry them, with the command that finds them.

        >>> subset = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
        >>> subset.texts  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: subset "one" knows the texts of 0 of its 1 prompts; ...
        """
        known = tuple(prompt.text for prompt in self.prompts if prompt.text is not None)
        if len(known) < self.size:
            raise DataError(
                f'subset "{self.name}" knows the texts of {len(known)} of its {self.size} prompts; '
                f"run: flasheval subsets resolve {self.name} prompts=FILE with your copy of the "
                f'prompt set "{self.prompt_set_name}" (where it is not published, the manifest in '
                "place of the name)"
            )
        return known

    @cached_property
    def content_hash(self) -> str:
        """The sha256 of the canonical JSON of the content, 64 hex digits."""
        return content_hash(self)

    @property
    def found(self) -> str:
        """Where `flasheval.load_subset` found it; empty for one made here, or changed since.

        >>> from flasheval.subset.library import find_subset
        >>> find_subset("coco-shared-50").found
        'shipped with flasheval'
        """
        return str(self.__dict__.get("_found", ""))

    def found_at(self, where: str) -> Subset:
        """Return the same subset, whose `found` says where it was; no manifest holds that.

        >>> subset = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
        >>> subset.found_at("one.json").found, subset.found_at("one.json") == subset
        ('one.json', True)
        """
        copy = replace(self)
        object.__setattr__(copy, "_found", where)
        return copy

    def verify(self, prompt_set: PromptSet | None = None) -> None:
        """Check that nothing changed since the subset was made, and that its prompts exist.

        With a prompt set, each prompt must be there under its id with the same text hash. Ids
        alone prove nothing (COCO and DiffusionDB share 421), so a text known to one side only is
        refused too, unless the hashes of the two prompt sets agree.

        Raises DataError naming the prompts that do not agree.

        >>> from flasheval.prompts import PromptSet
        >>> pets = PromptSet("pets", ("1", "2"), ("a cat", "a dog"))
        >>> subset = Subset.choose(pets, [1], name="one", metrics=(), method=Method("random"))
        >>> subset.verify(pets)
        >>> subset.verify(PromptSet("pets", ("1", "2"), ("a cat", "a newt")))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: subset "one" against prompt set "pets": 1 of 1 prompts ...
        """
        if content_hash(self) != self.content_hash:
            raise DataError(
                f'subset "{self.name}" was changed in place after it was made; '
                "make a changed one with dataclasses.replace"
            )
        if prompt_set is None:
            return
        found: dict[str, str | None] = dict.fromkeys(prompt_set.ids)
        if prompt_set.text_hashes is not None:
            found.update(zip(prompt_set.ids, prompt_set.text_hashes, strict=True))
        pairs = [(p.id, p.text_hash, found.get(p.id)) for p in self.prompts]
        missing = [p.id for p in self.prompts if p.id not in found]
        other = [name for name, ours, theirs in pairs if ours and theirs and ours != theirs]
        unknown = [name for name, ours, theirs in pairs if not (ours and theirs)]
        self._refuse(prompt_set, missing, "are not there", _WHICH)
        self._refuse(prompt_set, other, "have another text there", _WHICH)
        if prompt_set.hash != self.prompt_set_hash:
            problem = "cannot be compared, as their texts are known on one side at most"
            self._refuse(prompt_set, unknown, problem, "load the prompt set with its texts")

    def with_texts(self, prompt_set: PromptSet) -> Subset:
        """Return the same subset (same hash) with its texts looked up in ``prompt_set`` by id.

        Raises DataError as :meth:`verify` does, and when ``prompt_set`` has no texts.

        >>> from flasheval.prompts import PromptSet
        >>> pets = PromptSet("pets", ("1", "2"), ("a cat", "a dog"))
        >>> subset = Subset.choose(pets, [1], name="one", metrics=(), method=Method("random"))
        >>> subset.with_texts(pets).texts
        ('a dog',)
        """
        self.verify(prompt_set)
        texts = prompt_set.take(prompt_set.index_of(self.ids)).texts
        if texts is None:
            raise DataError(f'prompt set "{prompt_set.name}" has no texts; load the original file')
        prompts = tuple(replace(p, text=text) for p, text in zip(self.prompts, texts, strict=True))
        return replace(self, prompts=prompts).found_at(self.found)

    def with_tags(self, prompt_set: PromptSet) -> Subset:
        """Return the same subset (same hash) with the tags of ``prompt_set``, found by its texts.

        Where texts are known on one side only, prompts are found by id.

        >>> from flasheval.prompts import PromptSet
        >>> pets = PromptSet("pets", ("1", "2"), extras={"kind": ("cat", "dog")},
        ...                  tag_keys=("kind",))
        >>> subset = Subset("one", "pets", None, (SubsetPrompt("2"),), (), Method("random"))
        >>> subset.with_tags(pets).prompts[0].tags
        {'kind': ('dog',)}
        """
        by_id = {name: place for place, name in enumerate(prompt_set.ids)}
        hashes = prompt_set.text_hashes or ()
        by_hash = {text: place for place, text in reversed(list(enumerate(hashes)))}
        tags = prompt_set.tags
        prompts, missing = [], []
        for prompt in self.prompts:
            place = by_id.get(prompt.id)
            if prompt.text_hash is not None and hashes:
                same = place is not None and hashes[place] == prompt.text_hash
                place = place if same else by_hash.get(prompt.text_hash)
            if place is None:
                missing.append(prompt.id)
            own = {} if place is None else {tag: column[place] for tag, column in tags.items()}
            own = {tag: values for tag, values in own.items() if values}
            prompts.append(replace(prompt, tags={**prompt.tags, **own}))
        if missing:
            warnings.warn(
                f"{prompt_set.name} lacks {len(missing)} of the {self.size} prompts of subset "
                f'"{self.name}", or their texts are others ({", ".join(missing[:5])}'
                f"{', ...' if len(missing) > 5 else ''}): they get no tags from it",
                UserWarning,
                stacklevel=2,
            )
            return replace(self, prompts=tuple(prompts)).found_at(self.found)
        counts = {tag: dict(counted(prompt_set.extras[tag])) for tag in tags}
        record = replace(
            self.record,
            tag_counts={**self.record.tag_counts, **counts},
            prompt_set_size=len(prompt_set),
        )
        return replace(self, prompts=tuple(prompts), record=record).found_at(self.found)

    def without_texts(self) -> Subset:
        """Return the same subset (same hash) without texts, so that it may be published.

        >>> prompts = (SubsetPrompt("1", text="a cat"),)
        >>> subset = Subset("one", "pets", None, prompts, (), Method("random"))
        >>> subset.without_texts().content_hash == subset.content_hash
        True
        """
        bare = replace(self, prompts=tuple(replace(p, text=None) for p in self.prompts))
        return bare.found_at(self.found)

    def prefix(self, size: int) -> Subset:
        """Return the first ``size`` prompts as a subset of its own, named ``NAME-first-SIZE``.

        Its method settings record the subset it is a prefix of; a prefix of a prefix refers to the
        original. Evidence, subset means and calibration belong to the whole set and are left out,
        except that each size of the nested search that made the subset has its own calibration.

        Raises SettingError for a size outside 1 to the size of this subset.

        >>> prompts = tuple(map(SubsetPrompt, "abc"))
        >>> first = Subset("three", "pets", None, prompts, (), Method("random")).prefix(2)
        >>> first.name, first.ids
        ('three-first-2', ('a', 'b'))
        """
        if not 1 <= size <= self.size:
            raise SettingError(
                f'size is {size}; a prefix of "{self.name}" has 1 to {self.size} prompts'
            )
        if size == self.size:
            return self
        whole: dict[str, JSON] = {
            "name": self.name,
            "size": self.size,
            "content_hash": self.content_hash,
        }
        origin = self.method.settings.get("prefix_of", whole)
        origin_name = origin.get("name") if isinstance(origin, Mapping) else self.name
        settings: dict[str, JSON] = {
            **self.method.settings,
            "prefix_of": origin,
            "prefix_size": size,
        }
        known = tuple(replace(variant, subset_means={}) for variant in self.record.known_variants)
        looks = self.record.looks
        look = next((look for look in looks if look.size == size), None)
        own = None if look is None else look.calibration
        how = "was chosen as a whole" if own is None else "was chosen size by size, this one too"
        note = f"the first {size} of {self.size} prompts of {self.name}, which {how}"
        record = replace(
            self.record,
            evidence=None,
            further_evidence=(),
            calibration=own,
            other_seeds=None if look is None else look.other_seeds,
            looks=tuple(look for look in looks if look.size < size),
            known_variants=known,
            notes=(*self.record.notes, note),
        )
        return replace(
            self,
            name=f"{origin_name}-first-{size}",
            prompts=self.prompts[:size],
            method=replace(self.method, settings=settings),
            record=record,
        )

    @property
    def calibrated_sizes(self) -> tuple[int, ...]:
        """Sizes of the prefixes that are calibrated, ascending, with its own if it is calibrated.

        >>> from flasheval.subset.library import find_subset
        >>> find_subset("coco-shared-50").calibrated_sizes[-1]
        50
        """
        own = () if self.record.calibration is None else (self.size,)
        return (*(look.size for look in self.record.looks if look.size < self.size), *own)

    def calibrated_for(self, seeds: str = "search") -> Calibration | None:
        """Return what predicts full scores from images of these seeds; None where nothing does.

        Args:
            seeds: ``search``, or ``other``: without a calibration for other seeds that for the
                search's takes its place, and predictions warn of it.

        Raises SettingError for another word.

        >>> from flasheval.subset.library import find_subset
        >>> find_subset("coco-shared-50").calibrated_for("other").seeds
        'search'

        """
        if checked_seeds(seeds) == "other" and self.record.other_seeds is not None:
            return self.record.other_seeds
        return self.record.calibration

    def predict(
        self,
        scores: Scores,
        *,
        level: float = 0.9,
        scorers: Mapping[str, str] | None = None,
        seeds: str = "search",
    ) -> dict[str, Prediction]:
        """Predict a new variant's full-set score in every metric given.

        Args:
            scores: By metric, the mean over the subset, one score a prompt, in order, or those of
                each prompt's images, [prompts, images].
            level: Probability that the full score lies in its interval.
            scorers: The version of what scored them, such as ``clip@77940f08``: of one other than
                the calibration was learnt with the prediction's warning tells.
            seeds: ``search`` where the images have the seeds of those searched on, ``other`` where
                not. Without a calibration for other seeds the interval is that for the search's,
                widened by the noise that several images of each prompt show; a warning tells.

        Raises DataError when the subset was not calibrated, or not for a metric given, and for
        scores on another scale. See :meth:`flasheval.subset.calibration.Calibration.predict`.

        >>> from flasheval.subset.library import find_subset
        >>> subset = find_subset("coco-shared-50")
        >>> found = subset.predict({"CLIP": 0.27}, level=0.5)["CLIP"]
        >>> found.low < found.value < found.high
        True

        """
        flat = _prompt_means(scores)
        means, fresh = weighted_means(flat, self.weights), self._fresh(seeds, scores)
        found = self._calibration(seeds).predict(means, level=level, fresh=fresh)
        ends = without_saturated({}, flat)[1]
        return self._warned(found, flat, ends=ends, scorers=scorers, seeds=seeds, widened=fresh)

    def difference(
        self,
        first: Scores,
        second: Scores,
        *,
        level: float = 0.9,
        related: bool = True,
        scorers: Mapping[str, str] | None = None,
        seeds: str = "search",
        paired: bool = True,
    ) -> dict[str, Difference]:
        """Predict the full-set difference of two new variants, first minus second.

        One score a prompt, or one an image, as in :meth:`predict`, gives the narrowest interval.

        Args:
            first: The first variant's scores.
            second: The second's.
            level: Probability that the full set's difference lies in its interval.
            related: See :meth:`flasheval.subset.calibration.Calibration.difference`.
            scorers: As for :meth:`predict`.
            seeds: As for :meth:`predict`. Without a calibration for other seeds the noise of the
                images counts in full: as the images of each prompt show it or, where each has one,
                as much as the paired standard error can hold.
            paired: Whether image j of both has the same seed.

        Raises DataError as :meth:`predict` does, and for a metric given of one variant only.

        >>> from flasheval.subset.library import find_subset
        >>> subset = find_subset("coco-shared-50")
        >>> found = subset.difference({"CLIP": 0.27}, {"CLIP": 0.268})["CLIP"]
        >>> found.value > 0, 0.5 < found.probability < 1
        (True, True)

        """
        weights, flat = self.weights, (_prompt_means(first), _prompt_means(second))
        means = weighted_means(flat[0], weights), weighted_means(flat[1], weights)
        errors = paired_errors_of(*flat, weights)
        fresh = self._fresh(seeds, first, second, errors=errors, paired=paired)
        errors, ends = without_saturated(errors, *flat)
        found = self._calibration(seeds).difference(
            *means, errors, level=level, related=related, fresh=fresh
        )
        return self._warned(found, flat[0], ends=ends, scorers=scorers, seeds=seeds, widened=fresh)

    def place(
        self,
        scores: Scores,
        *,
        level: float = 0.9,
        scorers: Mapping[str, str] | None = None,
        seeds: str = "search",
    ) -> dict[str, Placement]:
        """Place a new variant among the known ones, with its probability of beating each.

        Arguments are those of :meth:`predict`; see
        :meth:`flasheval.subset.calibration.Calibration.place`.

        Raises DataError as :meth:`predict` does.

        >>> from flasheval.subset.library import find_subset
        >>> placement = find_subset("coco-shared-50").place({"CLIP": 0.27})["CLIP"]
        >>> placement.best <= placement.rank <= placement.worst
        True
        """
        known: dict[str, dict[str, float]] = {}
        for variant in self.record.known_variants:
            for metric, mean in variant.full_means.items():
                known.setdefault(metric, {})[variant.name] = mean
        flat, fresh = _prompt_means(scores), self._fresh(seeds, scores)
        means = weighted_means(flat, self.weights)
        found = self._calibration(seeds).place(means, known, level=level, fresh=fresh)
        ends = without_saturated({}, flat)[1]
        return self._warned(found, flat, ends=ends, scorers=scorers, seeds=seeds, widened=fresh)

    def other_scorer(self, metric: str, version: str) -> str:
        """Return a warning where a metric was scored by another scorer than in the search.

        >>> from flasheval.subset.library import find_subset
        >>> find_subset("miniature-shared-50").other_scorer("CLIP", "clip@0")  # doctest: +ELLIPSIS
        'CLIP was scored by clip@0, but the subset was chosen and calibrated with clip@7...'
        """
        learnt = self.record.scorers.get(metric, version)
        if learnt == version:
            return ""
        return (
            f"{metric} was scored by {version}, but the subset was chosen and calibrated with "
            f"{learnt}: predicted full scores may be off"
        )

    def manifest(self) -> dict[str, Any]:
        """Return the manifest as JSON data, as it stands in a file.

        >>> one = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
        >>> one.manifest()["name"], list(one.to_dict())[:4]
        ('one', ['kind', 'schema', 'headline', 'format'])
        """
        return write_manifest(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest as JSON data; :meth:`from_dict` gives an equal subset back.

        ``kind``, ``schema`` and ``headline`` stand before it, as in every result's.
        """
        return super().to_dict()

    @classmethod
    def from_dict(cls, data: object, *, source: str = "manifest") -> Subset:
        """Return the subset a manifest describes; ``source`` names the manifest in messages.

        Raises DataError naming the key at fault, such as ``prompts[3].weight``: a missing key,
        an unknown one, a wrong type, an unknown schema version; and when the content or the
        record does not match its hash.

        >>> subset = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
        >>> Subset.from_dict(subset.to_dict()) == subset
        True
        """
        if isinstance(data, Mapping):
            data = {key: value for key, value in data.items() if key not in ENVELOPE}
        return read_manifest(cls, data, source)

    def save(self, path: str | Path) -> Path:
        """Write the manifest as indented JSON and return its path; the file is replaced at once.

        Raises DataError when the file cannot be written or the record holds no JSON.
        """
        return write_json(path, self.manifest())

    @classmethod
    def load(cls, path: str | Path) -> Subset:
        """Read and check a manifest.

        Raises DataError, one line naming the file, when it cannot be read or :meth:`from_dict`
        refuses it.

        >>> import tempfile
        >>> subset = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Subset.load(subset.save(f"{folder}/one.json")) == subset
        True
        """
        return cls.from_dict(read_json(path), source=str(path))

    def view(self, n_prompts: int | None = None, notes: Sequence[str] = ()) -> View:
        """Return what to know of it: the answer, its evidence, its warnings.

        Args:
            n_prompts: Prompts of the whole set, where known.
            notes: Lines to put before the warnings.

        """
        whole = f" of {n_prompts:,}" if n_prompts else ""
        draws = sum(prompt.multiplicity for prompt in self.prompts)
        repeats = f" ({draws:,} with repeats)" if draws > self.size else ""
        notes = [*notes, f"found: {self.found}"] if self.found else notes
        about = (
            f"{self.name}: {self.size}{whole} prompts of {self.prompt_set_name}{repeats}"
            f"{self._chosen()}"
        )
        return record_view(about, self.record, [one.name for one in self.metrics], notes)

    def _chosen(self) -> str:
        """Say how it was chosen; nothing of one that was searched on no scores known here."""
        if not self.searched_variants:
            return ""
        count = len(self.searched_variants)
        return f", chosen by {self.method.name} from the scores of {count} variants"

    def _brief(self) -> str:
        short = self.content_hash[:12]
        of = f"{self.size} prompts of {self.prompt_set_name}, by {self.method.name}"
        return f"{self.name}, {of}, sha256 {short}"

    def _data(self) -> dict[str, Any]:
        return self.manifest()

    def _rows(self) -> list[dict[str, object]]:
        texts = any(one.text is not None for one in self.prompts)
        several = any(one.multiplicity != 1 for one in self.prompts)
        return [
            {
                "prompt_id": one.id,
                **({"prompt": one.text} if texts else {}),
                "weight": one.weight,
                **({"multiplicity": one.multiplicity} if several else {}),
                **{key: ", ".join(values) for key, values in one.tags.items()},
            }
            for one in self.prompts
        ]

    def _calibration(self, seeds: str = "search") -> Calibration:
        found = self.calibrated_for(seeds)
        if found is None:
            way = "calibrate=true"
            if "prefix_of" in self.method.settings:
                way += f" and {self.size} among the sizes of nested"
            raise DataError(
                f'subset "{self.name}" is not calibrated, so full scores cannot be predicted from '
                f"it; search again with {way}"
            )
        return found

    @property
    def _images(self) -> int:
        """Images a prompt that the calibration is for."""
        return self.record.images_per_prompt or self.record.images_searched or 1

    def _noise_met(self, seeds: str) -> Literal["search", "other", "unknown"]:
        """Return which noise of images the calibration has met; see `fresh_loadings`."""
        known = self.record.seeds
        if known is not None and known.variant_seeds:  # each variant held out had its own
            return "other"
        if seeds == "search":
            return "search"
        return "unknown" if self.record.other_seeds is None else "other"

    def _fresh(
        self,
        seeds: str,
        *variants: Scores,
        errors: Mapping[str, float] | None = None,
        paired: bool = True,
    ) -> dict[str, float]:
        """Return the variance of image noise that the calibration has not met, by metric.

        It is of the subset mean, or of the difference of two. Where scores do not say how many
        images they are of it is as many as were calibrated. A metric where it is not known is left
        out; of a difference it is at most what the paired standard error holds.
        """
        met, shares = self._noise_met(seeds), self.weights / self.weights.sum()
        found: dict[str, float] = {}
        for metric in variants[0]:
            if any(metric not in scores for scores in variants):
                continue
            given = [np.asarray(scores[metric], dtype=np.float64) for scores in variants]
            counts = [one.shape[1] if one.ndim == 2 else self._images for one in given]
            width = max(*counts, self._images)
            parts = [fresh_loadings(count, self._images, met, width) for count in counts]
            if not any(part.any() for part in parts):
                continue
            several = all(one.ndim == 2 for one in given)
            noise = image_noise(*given, paired=paired) if several else None
            if noise is not None:
                second = parts[1] if len(parts) > 1 else np.zeros(width)
                found[metric] = float(shares**2 @ noise.of(parts[0], second))
            elif errors and math.isfinite(errors.get(metric, math.nan)):
                pairs = zip(parts, counts, strict=True)
                share = max(float(part @ part) * count for part, count in pairs)
                found[metric] = share * errors[metric] ** 2
            else:
                found[metric] = math.nan
        return found

    def _warned(
        self,
        found: Mapping[str, Any],
        given: Scores,
        *,
        ends: Mapping[str, str],
        scorers: Mapping[str, str] | None,
        seeds: str,
        widened: Mapping[str, float],
    ) -> dict[str, Any]:
        """Add to predictions that another scorer taught them, or that scores are at an end."""
        calibration = self._calibration(seeds)
        others = {name: self.other_scorer(name, told) for name, told in (scorers or {}).items()}

        def words(metric: str, own: str) -> str:
            used = calibration.used(metric, given)
            said = [others.get(name, "") for name in used]
            said.append(ends.get(metric, ""))
            said.append(self._narrow(seeds, [widened[name] for name in used if name in widened]))
            return "; ".join(filter(None, [*said, own]))

        return {
            metric: replace(one, warning=words(metric, one.warning))
            for metric, one in found.items()
        }

    def _narrow(self, seeds: str, widened: Sequence[float]) -> str:
        """Return a warning of an interval for other images than these; empty where it is theirs."""
        if not widened:
            return ""
        unknown = any(math.isnan(one) for one in widened)
        so = "is too narrow" if unknown else "is widened by the noise of these images"
        if self._noise_met(seeds) == "unknown":
            return (
                "the images have other seeds than the search's: the interval holds for the "
                f"search's seeds only and {so}"
            )
        if not unknown:
            return ""
        return (
            f"fewer images of each prompt than the {self._images} calibrated with: the interval "
            f"{so}"
        )

    def _refuse(self, prompt_set: PromptSet, ids: Sequence[str], problem: str, way: str) -> None:
        if ids:
            shown = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
            raise DataError(
                f'subset "{self.name}" against prompt set "{prompt_set.name}": {len(ids)} of '
                f"{self.size} prompts {problem} ({shown}); " + way.format(name=self.prompt_set_name)
            )


def _prompt_means(scores: Scores) -> dict[str, NDArray[np.float64]]:
    """Return means over images where scores of images are given, and whatever else is."""
    return {metric: prompt_means(given) for metric, given in scores.items()}


def _refuse_repeats(names: Sequence[str], what: str, advice: str) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f'"{twice}" occurs twice in the {what}; {advice}')
