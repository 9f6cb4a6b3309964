"""One search as an object: its method and settings, checked and resolved before any work."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import sha256_of
from flasheval.base.checks import checked_seed
from flasheval.base.errors import SettingError
from flasheval.base.files import made_safe, safe_name
from flasheval.base.version import __version__
from flasheval.generators.seeds import checked_images_per_prompt
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreTable
from flasheval.scores.twins import first_of_twins
from flasheval.selection.calibration.folds import (
    DEFAULT_GROUP,
    FEWEST_VARIANTS,
    Expect,
    make_folds,
)
from flasheval.selection.features import (
    Features,
    Kinds,
    check_shares,
    prompt_features,
    prompt_kinds,
)
from flasheval.selection.held_out.splits import Split
from flasheval.selection.images import (
    ImagesAs,
    ImageUse,
    check_several_images,
    checked_images_as,
    filled_images,
    image_values,
)
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.nested import check_nested, check_sizes
from flasheval.selection.methods.problem import Problem, checked_size, make_problem
from flasheval.selection.methods.registry import selector_settings
from flasheval.selection.methods.selector import Selector
from flasheval.subset import Subset
from flasheval.subset.library.catalogue import own_name

__all__ = [
    "SearchRequest",
    "calibration_folds",
    "checked_features",
    "checked_kinds",
    "hints_for",
    "make_request",
    "measured_sizes",
    "subset_name",
]

_CURVE = (10, 20, 50, 100, 200)
_NAMED = 2  # metrics in the name of a subset; more are "all"


@dataclass(frozen=True)
class SearchRequest:
    """One request to search: scores, method, sizes, seed and rules for prompts.

    The search on all variants, the evidence, the calibration and the report's replay make the same
    request, each with its own variants.

    Attributes:
        table: Complete variants and the metrics to serve together, no more.
        selector: The method.
        sizes: One size, or the ascending sizes of a nested search.
        seed: Seed of all randomness.
        required: Positions of the prompts that must be in.
        forbidden: Positions of the prompts that must stay out.
        warm_start: Positions of the prompts to start from, or None.
        hints: What a method that borrows may look at beside the table, of all its variants.
        images_per_prompt: Images a prompt that the subset is to be used with; None for as many as
            the table has.
        images_as: How a search sees several images of a prompt: ``mean``, their mean alone;
            ``rows``, each image of a variant as a row of its own in methods that fit rankings;
            ``auto``, rows in the methods that gained by them on development data.
        features: What is to be kept in balance beside the scores; None for nothing.
        kinds: Kinds of prompts whose shares are to be held; None for none.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.methods.random import Random
        >>> request = SearchRequest(synthetic_scores(8, 30), Random(), (5, 10), required=(29,))
        >>> request.size, request.nested, request.settings()
        (10, True, {'nested': [5, 10], 'require': ['30']})

    """

    table: ScoreTable
    selector: Selector[Any]
    sizes: tuple[int, ...]
    seed: int = 0
    required: tuple[int, ...] = ()
    forbidden: tuple[int, ...] = ()
    warm_start: tuple[int, ...] | None = None
    hints: Hints = field(default_factory=Hints)
    images_per_prompt: int | None = None
    images_as: ImagesAs = "auto"
    features: Features | None = None
    kinds: Kinds | None = None

    @property
    def size(self) -> int:
        """Number of prompts to choose."""
        return self.sizes[-1]

    @property
    def nested(self) -> bool:
        """Whether several sizes shall each be the first prompts of one list."""
        return len(self.sizes) > 1

    def cost(self, n_variants: int) -> float:
        """Return about how long a search on so many variants takes, beside other such searches.

        Methods take time in proportion to the variants and metrics; four times the prompts take
        `anneal` no longer, `pooled` and `auto` twice as long, `evolve` four times as long.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.methods.pooled import Pooled
        >>> request = SearchRequest(synthetic_scores(24, 300), Pooled(), (10,))
        >>> request.cost(24) / request.cost(12)
        2.0
        """
        rows = n_variants * (self.table.images_per_prompt if self.images_as != "mean" else 1)
        return rows * len(self.table.metrics) * sum(math.sqrt(size) for size in self.sizes)

    def problem(
        self, rows: NDArray[np.int64] | None = None, images: ImageUse | None = None
    ) -> Problem:
        """Return what the method is given: the scores of some variants (all by default).

        Args:
            rows: int64 positions of the search variants.
            images: Which images it sees, and which it will be judged by; all by default.

        Raises:
            SettingError: A size that does not fit, or a prompt both required and forbidden.
            DataError: Too few variants, or scores that cannot be searched on.

        Example:
            >>> from flasheval.scores.synthetic import synthetic_scores
            >>> from flasheval.selection.methods.random import Random
            >>> request = SearchRequest(synthetic_scores(8, 30), Random(), (5,))
            >>> request.problem().n_variants, request.problem(np.array([0, 2, 3])).n_variants
            (8, 3)

        """
        searched = None if images is None else images.searched
        matrices = [self.table[name] for name in self.table.metrics]
        blocks = [image_values(matrix, searched) for matrix in matrices]
        hints = self.hints.seen(searched) if self.selector.borrows else None
        if rows is not None:
            blocks = [block[rows] for block in blocks]
            hints = None if hints is None else hints.take(rows)
        if hints is not None and searched is not None:
            hints = hints.complete()
        numbers = range(self.table.images_per_prompt) if searched is None else searched
        several = len(numbers) > 1
        return make_problem(
            blocks,
            self.table.metrics,
            self.size,
            required=self.required,
            forbidden=self.forbidden,
            warm_start=self.warm_start,
            hints=hints,
            images=[filled_images(one, numbers, rows) for one in matrices] if several else None,
            images_used=self.images_per_prompt
            if searched is None or images is None
            else len(images.judged),
            images_as=self.images_as,
            features=None if self.features is None else self.features.values,
            kinds=None if self.kinds is None else self.kinds.values,
        )

    def settings(self) -> dict[str, Any]:
        """Return every setting that determines the subset, apart from scores and seed.

        Example:
            >>> from flasheval.scores.synthetic import synthetic_scores
            >>> from flasheval.selection.methods.anneal import Anneal
            >>> table = synthetic_scores(8, 30)
            >>> request = SearchRequest(table, Anneal(swaps=500), (5,), forbidden=(0,))
            >>> request.settings()["swaps"], request.settings()["forbid"]  # prompts by id
            (500, ['1'])

        """
        ids = self.table.prompts.ids
        settings = selector_settings(self.selector)
        if self.nested:
            settings["nested"] = list(self.sizes)
        for key, chosen in (
            ("require", self.required),
            ("forbid", self.forbidden),
            ("warm_start", self.warm_start),
        ):
            if chosen:
                settings[key] = [ids[index] for index in chosen]
        several = self.table.images_per_prompt
        if several > 1 and self.images_per_prompt not in (None, several):
            settings["images_per_prompt"] = self.images_per_prompt
        if self.images_as != "auto":
            settings["images_as"] = self.images_as
        if self.features is not None:
            settings["balance"] = list(self.features.columns)
        if self.kinds is not None:
            settings["quota"] = list(self.kinds.columns)
        return settings

    def context(self) -> str:
        """Return the hash of everything that the searches of this request have in common.

        Example:
            >>> from flasheval.scores.synthetic import synthetic_scores
            >>> from flasheval.selection.methods.random import Random
            >>> table = synthetic_scores(8, 30)
            >>> requests = [SearchRequest(table, Random(), (5,), seed) for seed in (0, 0, 1)]
            >>> contexts = [request.context() for request in requests]
            >>> contexts[0] == contexts[1], contexts[1] == contexts[2]
            (True, False)

        """
        parts = {
            "version": __version__,
            "scores": self.table.content_hash,
            "method": self.selector.name,
            "settings": self.settings(),
            "seed": self.seed,
        }
        if self.selector.borrows:
            parts["hints"] = self.hints.fingerprint()
        if self.features is not None:
            parts["features"] = self.features.fingerprint()
        if self.kinds is not None:
            parts["kinds"] = self.kinds.values.tolist()
        return sha256_of(parts, digits=17)


def make_request(
    table: ScoreTable,
    selector: Selector[Any],
    size: int,
    nested: Sequence[int] | None = None,
    seed: int = 0,
    require: Sequence[str] = (),
    forbid: Sequence[str] = (),
    warm_start: Subset | Sequence[str] | None = None,
    hints: Hints | None = None,
    images_per_prompt: int | None = None,
    images_as: str = "auto",
    balance: Any = "auto",
    quota: Any = "none",
) -> SearchRequest:
    """Check the settings of `flasheval.search` (see there) and resolve prompt ids to positions.

    Raises:
        SettingError: An invalid size, seed, list of sizes or number of images, or rows of images
            where there are none or the method knows none.
        DataError: A prompt id that the table does not have, or a warm start of other prompts.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.methods.pooled import Pooled
        >>> request = make_request(synthetic_scores(24, 300), Pooled(), 50, nested=[20, 10])
        >>> request.sizes, request.size, request.settings()["nested"]
        ((10, 20), 20, [10, 20])

    """
    prompts = table.prompts
    required, forbidden = _positions(prompts, require), _positions(prompts, forbid)
    if nested is None:  # now: random subsets of that size are drawn before any search begins
        free = table.n_prompts - len({*required, *forbidden})
        sizes: tuple[int, ...] = (checked_size(size, len({*required}), free),)
    else:
        sizes = check_nested(nested, table.n_prompts)
    start = None
    if warm_start is not None:
        if isinstance(warm_start, Subset):
            warm_start.verify(prompts)  # equal ids may be other prompts
            warm_start = warm_start.ids
        start = _positions(prompts, warm_start)
    return SearchRequest(
        table,
        selector,
        sizes,
        checked_seed(seed),
        required,
        forbidden,
        start,
        hints or Hints(),
        None if images_per_prompt is None else checked_images_per_prompt(images_per_prompt),
        _checked_rows(images_as, table, selector),
        checked_features(prompts, balance, selector),
        checked_kinds(prompts, quota, (selector,), sizes, required, forbidden, start),
    )


def checked_features(prompts: PromptSet, balance: Any, selector: Selector[Any]) -> Features | None:
    """Return what a search keeps in balance; SettingError where its method can keep nothing.

    >>> from flasheval.selection.methods.random import Random
    >>> pets = PromptSet("pets", "1234", extras={"kind": ("cat", "cat", "dog", "dog")})
    >>> checked_features(pets, "auto", Random()) is None
    True
    >>> checked_features(pets, "kind", Random())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: balance: method 'random' keeps nothing in balance; use ...
    """
    if getattr(selector, "balances", False):
        return prompt_features(prompts, balance)
    if balance is None or (isinstance(balance, str) and balance in ("auto", "none")):
        return None
    raise SettingError(
        f"balance: method '{selector.name}' keeps nothing in balance; use auto, pooled, balanced, "
        "shared, anneal, padded or evolve, or balance=none"
    )


def checked_kinds(
    prompts: PromptSet,
    quota: Any,
    selectors: Sequence[Selector[Any]],
    sizes: Sequence[int],
    required: Sequence[int] = (),
    forbidden: Sequence[int] = (),
    warm_start: Sequence[int] | None = None,
) -> Kinds | None:
    """Return the kinds whose shares a search holds; SettingError where it cannot.

    >>> from flasheval.selection.methods.anneal import Anneal
    >>> pets = PromptSet("pets", "1234", extras={"kind": ("cat", "cat", "dog", "dog")})
    >>> checked_kinds(pets, "kind", [Anneal()], [2]).names
    ('kind=cat', 'kind=dog')
    """
    kinds = prompt_kinds(prompts, quota)
    if kinds is None:
        return None
    what = f"quota={','.join(kinds.columns)}"
    for selector in selectors:
        if not getattr(selector, "holds_shares", False):
            raise SettingError(
                f"{what}: method '{selector.name}' cannot hold shares; use auto, pooled, balanced, "
                "shared, anneal, padded, random or ridge"
            )
    if warm_start is not None:
        raise SettingError(f"{what}: a warm start may have other shares: drop warm_start or quota")
    check_shares(kinds, sizes, required, forbidden)
    return kinds


def _checked_rows(images_as: str, table: ScoreTable, selector: Selector[Any]) -> ImagesAs:
    """Return how a search sees several images; SettingError for rows that cannot be."""
    word = checked_images_as(images_as)
    if word == "rows":
        check_several_images(table, "images_as=rows", "use images_as=auto")
        if not getattr(selector, "image_rows", False):
            raise SettingError(
                f"images_as=rows: method '{selector.name}' sees the mean of a prompt's images "
                "only; use images_as=auto, or anneal, evolve, frequency or padded"
            )
    return word


def hints_for(given: ScoreTable, table: ScoreTable, group: str | None = None) -> Hints:
    """Collect what a search on `table` may borrow from the table it was taken from.

    Args:
        given: The whole table.
        table: Complete variants of it, with the metrics to serve.
        group: The factor that names each variant's family; `base_model` unless given.

    Returns:
        The other metrics in which all those variants are complete, and the families where each
        variant has one.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> whole = synthetic_scores(n_variants=24, n_prompts=30)
        >>> hints = hints_for(whole, whole.with_metrics(["quality"]))
        >>> len(hints.scores), len(set(hints.groups))
        (1, 8)

    """
    families = [variant.factors.get(group or DEFAULT_GROUP) for variant in table.variants]
    known = all(family is not None for family in families)
    others = given.other_metrics(table)
    several = any(matrix.images is not None for matrix in others)
    return Hints(
        tuple(matrix.values for matrix in others),
        tuple(str(family) for family in families) if known else None,
        tuple(matrix.images for matrix in others) if several else (),
    )


def _positions(prompts: PromptSet, ids: Sequence[str]) -> tuple[int, ...]:
    chosen = prompts.index_of([ids] if isinstance(ids, str) else ids)
    return tuple(int(index) for index in chosen)


def subset_name(request: SearchRequest, name: str | None) -> str:
    """Return the subset's name, which must be good for a file, before any work is done.

    By default it says prompt set, metrics, method and size. That of a shipped subset has no method
    in it, so the two never meet. A default name is made good for a file; one that was given and is
    not, or that a shipped subset has, is refused.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.methods.random import Random
        >>> request = SearchRequest(synthetic_scores(8, 30), Random(), (5,))
        >>> subset_name(request, None), subset_name(request, "mine")
        ('synthetic-quality+alignment-random-5', 'mine')

    """
    if name is None:
        metrics = request.table.metrics
        shown = "+".join(metrics) if len(metrics) <= _NAMED else "all"
        end = f"-{request.selector.name}-{request.size}"
        return own_name(made_safe(f"{request.table.prompts.name}-{shown}", end))
    return own_name(safe_name(name, "subset name"))


def measured_sizes(
    request: SearchRequest, curve: int | Sequence[int] | Literal["auto"] | None
) -> tuple[int, ...]:
    """Return the sizes at which agreement is measured, the one asked for first.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.methods.random import Random
        >>> request = SearchRequest(synthetic_scores(8, 120), Random(), (50,))
        >>> measured_sizes(request, "auto"), measured_sizes(request, None)
        ((50, 10, 20, 100), (50,))

    """
    if request.nested:
        return request.sizes
    least = max(1, len(request.required))
    most = request.table.n_prompts - len(request.forbidden)
    if isinstance(curve, str):
        if curve != "auto":
            raise SettingError(f"curve={curve}: expected auto, null or a list of sizes")
        curve = _CURVE if request.selector.cheap else ()
        curve = [size for size in curve if least <= size <= most]
    if isinstance(curve, int) and not isinstance(curve, bool):
        curve = [curve]
    wanted = check_sizes("curve", curve, least, most) if curve else ()
    return (request.size, *(size for size in wanted if size != request.size))


def calibration_folds(
    request: SearchRequest,
    calibrate: bool | Literal["auto"],
    expect: Expect,
    group: str | None,
) -> tuple[Split, ...]:
    """Return the parts to hold out for the calibration, none when there shall be none.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.methods.random import Random
        >>> request = SearchRequest(synthetic_scores(16, 30), Random(), (5,))
        >>> [len(calibration_folds(request, on, "similar", None)) for on in ("auto", False)]
        [8, 0]

    """
    if calibrate is False:
        return ()
    matrices = request.table.matrices.values()
    twins = first_of_twins([*(matrix.values for matrix in matrices), *request.hints.scores])
    if calibrate == "auto":
        affordable = request.selector.cheap or request.selector.name == "auto"
        calibrate = affordable and len(np.unique(twins)) >= FEWEST_VARIANTS
    if not isinstance(calibrate, bool):
        raise SettingError(f"calibrate={calibrate}: expected true, false or auto")
    return make_folds(request.table, expect, group, request.seed, twins=twins) if calibrate else ()
