"""Merging two score tables; a contradiction between them raises ConflictError."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import ConflictError
from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.parts import TableParts

__all__ = ["attach_prompts", "check_prompts", "merge_tables"]


def merge_tables(
    first: TableParts, second: TableParts
) -> tuple[PromptSet, tuple[Variant, ...], dict[str, ScoreMatrix]]:
    """Return the parts of the union of two tables; see ScoreTable.merge."""
    check_prompts(first, second)
    prompts = _merge_prompts(first.prompts, second.prompts)
    variants = _merge_variants(first.variants, second.variants)
    names = tuple(variant.name for variant in variants)
    matrices = {}
    for metric in dict.fromkeys((*first.matrices, *second.matrices)):
        parts = [t.matrices[metric] for t in (first, second) if metric in t.matrices]
        matrices[metric] = _merge_matrices(metric, parts, names, prompts)
    return prompts, variants, matrices


def check_prompts(first: TableParts, second: TableParts) -> None:
    """Check that ids which are in both tables mean the same prompts; ConflictError otherwise.

    >>> from flasheval.scores.synthetic import synthetic_scores
    >>> table = synthetic_scores(4, 6)
    >>> other = PromptSet("other", table.prompts.ids, ("A cat.",) * 6)
    >>> from dataclasses import replace
    >>> check_prompts(table, replace(table, prompts=other))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.ConflictError: prompt id '1' is another text in prompt set ...
    """
    _check_texts(first.prompts, second.prompts)
    _check_ids_tell(first.prompts, second.prompts)
    _check_recorded_hashes(first, second)


def attach_prompts(
    table: TableParts, prompts: PromptSet
) -> tuple[PromptSet, Mapping[str, ScoreMatrix]]:
    """Look the prompts of a table up by id; see ScoreTable.with_prompts."""
    found = prompts.take(prompts.index_of(table.prompts.ids))
    _check_texts(table.prompts, found)
    own = table.prompts
    extras, tags = {**own.extras, **found.extras}, _merged_tags(found, own)
    if extras != found.extras or tags != found.tag_keys:
        found = replace(found, extras=extras, tag_keys=tags)
    if found.text_hashes is None:
        return replace(own, extras=extras, tag_keys=tags), table.matrices
    for matrix in table.matrices.values():
        if not found.may_be(matrix.prompt_set_hash):
            raise ConflictError(
                f"the scores of metric {matrix.metric!r} were measured on other texts than "
                f"prompt set {prompts.name!r} has under their ids; give the prompts they are of"
            )
    matrices = {
        metric: replace(matrix, prompt_set_hash=found.hash)
        for metric, matrix in table.matrices.items()
    }
    return found, matrices


def _check_texts(first: PromptSet, second: PromptSet) -> None:
    """Raise ConflictError when an id of both has another text in each."""
    if first.text_hashes is None or second.text_hashes is None:
        return
    known = dict(zip(first.ids, first.text_hashes, strict=True))
    differ = [
        identifier
        for identifier, digest in zip(second.ids, second.text_hashes, strict=True)
        if known.get(identifier, digest) != digest
    ]
    if differ:
        raise ConflictError(
            f"prompt id {differ[0]!r} is another text in prompt set {first.name!r} than in "
            f"{second.name!r} (so are {len(differ)} ids in all): these are different prompt sets; "
            "keep their scores apart"
        )


def _check_ids_tell(first: PromptSet, second: PromptSet) -> None:
    """Raise ConflictError when texts are unknown and ids alone do not show the sets the same."""
    ids_1, ids_2 = set(first.ids), set(second.ids)
    covered = (
        second.text_hashes is not None or ids_2 <= ids_1,
        first.text_hashes is not None or ids_1 <= ids_2,
    )
    neither = first.text_hashes is None and second.text_hashes is None
    if not (any(covered) if neither else all(covered)):
        blind = first if first.text_hashes is None else second
        raise ConflictError(
            f"prompt sets {first.name!r} and {second.name!r} share {len(ids_1 & ids_2)} of "
            f"{len(ids_1)} and {len(ids_2)} ids, and the texts of {blind.name!r} are unknown, so "
            "the ids may mean different prompts; give prompts= when loading it"
        )


def _merge_prompts(first: PromptSet, second: PromptSet) -> PromptSet:
    ids_1, ids_2 = set(first.ids), set(second.ids)
    same = first.extras == second.extras and first.tag_keys == second.tag_keys
    if first.ids == second.ids and same:
        return first if _knowledge(first) >= _knowledge(second) else second
    # Where one set knows the texts, the other's ids lie within it, so it alone supplies them.
    added = [i for i, identifier in enumerate(second.ids) if identifier not in ids_1]
    tail = second.take(added)
    ids = first.ids + tail.ids
    return PromptSet(
        _merged_name(first, second, bool(added), ids_1 <= ids_2),
        ids,
        _merge_column(ids, first, second, first.texts, second.texts),
        _merge_column(ids, first, second, first.text_hashes, second.text_hashes),
        _merge_extras(ids, first, second),
        _merged_tags(first, second),
    )


def _knowledge(prompts: PromptSet) -> tuple[bool, bool]:
    return prompts.text_hashes is not None, prompts.texts is not None


def _merged_name(first: PromptSet, second: PromptSet, added: bool, inside: bool) -> str:
    if not added or first.name == second.name:
        return first.name
    return second.name if inside else "+".join(sorted((first.name, second.name)))


def _merge_column(
    ids: tuple[str, ...],
    first: PromptSet,
    second: PromptSet,
    column_1: tuple[str, ...] | None,
    column_2: tuple[str, ...] | None,
) -> tuple[str, ...] | None:
    """Return one column over the union, the first set's value where both have one."""
    merged: dict[str, str] = {}
    for prompts, column in ((second, column_2), (first, column_1)):
        if column is not None:
            merged.update(zip(prompts.ids, column, strict=True))
    return tuple([merged[i] for i in ids]) if len(merged) == len(ids) else None


def _merged_tags(first: PromptSet, second: PromptSet) -> tuple[str, ...] | None:
    """Return the tags of both where one names its own, else None."""
    if first.tag_keys is None and second.tag_keys is None:
        return None
    return tuple(dict.fromkeys([*first.tags, *second.tags]))


def _merge_extras(
    ids: tuple[str, ...], first: PromptSet, second: PromptSet
) -> dict[str, tuple[str, ...]]:
    extras = {}
    for key in dict.fromkeys((*first.extras, *second.extras)):
        merged: dict[str, str] = {}
        for prompts in (first, second):
            for identifier, value in zip(prompts.ids, prompts.extras.get(key, ()), strict=False):
                if value and merged.setdefault(identifier, value) != value:
                    raise ConflictError(
                        f"prompt {identifier!r} has {key} {merged[identifier]!r} in prompt set "
                        f"{first.name!r} but {value!r} in {second.name!r}"
                    )
        extras[key] = tuple([merged.get(identifier, "") for identifier in ids])
    return extras


def _check_recorded_hashes(first: TableParts, second: TableParts) -> None:
    """Raise ConflictError when the same ids were measured with different texts.

    A matrix may remember the hash of its prompt set though the texts are gone. Hashes depend on
    the order of the prompts, so only equal orders can be compared.
    """
    if first.prompts.ids != second.prompts.ids:
        return
    recorded = {
        matrix.prompt_set_hash
        for table in (first, second)
        for matrix in table.matrices.values()
        if matrix.prompt_set_hash is not None
    }
    if len(recorded) > 1:
        recorded.discard(PromptSet("", first.prompts.ids).hash)  # says nothing of the texts
    if len(recorded) > 1:
        raise ConflictError(
            f"the scores to merge have the same {len(first.prompts)} prompt ids but record "
            "different prompt texts (prompt_set_hash); load each with its own prompts="
        )


def _merge_variants(first: Iterable[Variant], second: Iterable[Variant]) -> tuple[Variant, ...]:
    merged = {variant.name: variant for variant in first}
    for variant in second:
        have: Mapping[str, object] = merged.setdefault(variant.name, variant).factors
        for key, value in variant.factors.items():
            if have.get(key, value) != value:
                raise ConflictError(
                    f"variant {variant.name!r} has {key}={have[key]!r} in one table and "
                    f"{key}={value!r} in the other; give one of them another name"
                )
        known = merged[variant.name]
        # Times of two measurements are no contradiction: the first table's stay.
        merged[variant.name] = Variant(
            variant.name, {**known.factors, **variant.factors}, known.time or variant.time
        )
    return tuple(merged.values())


def _merge_matrices(
    metric: str, parts: list[ScoreMatrix], variants: tuple[str, ...], prompts: PromptSet
) -> ScoreMatrix:
    exact = any(part.exact for part in parts)
    kind = np.float64 if exact else np.float32
    values: NDArray[np.float32] = np.full((len(variants), len(prompts)), np.nan, dtype=kind)
    row_of = {name: row for row, name in enumerate(variants)}
    first_conflict: str | None = None
    conflicts = 0
    for part in sorted(parts, key=lambda one: not one.exact):  # those of most digits first
        columns = prompts.index_of(part.prompt_ids)
        for name, new in zip(part.variants, part.values, strict=True):
            row = values[row_of[name]]
            found = _place(row, columns, new)
            if found.size and first_conflict is None:
                at = int(found[0])
                first_conflict = (
                    f"variant {name!r} on prompt {part.prompt_ids[at]!r} scores "
                    f"{row[columns[at]]:.7g} in one table and {new[at]:.7g} in the other"
                )
            conflicts += found.size
    if first_conflict:
        raise ConflictError(
            f"metric {metric!r}: {first_conflict} ({conflicts} scores differ in all); "
            "name the metrics or variants apart, or leave one out"
        )
    if len(parts) == 1 and parts[0].prompt_ids == prompts.ids:
        digest = parts[0].prompt_set_hash or _known_hash(prompts)
    else:
        digest = _known_hash(prompts) or _same(parts, prompts)
    return ScoreMatrix(
        metric,
        values,
        variants,
        prompts.ids,
        higher_is_better=bool(_agreed(metric, parts, "higher_is_better")),
        scorer=_agreed(metric, parts, "scorer"),
        scorer_version=_agreed(metric, parts, "scorer_version"),
        prompt_set_hash=digest,
        images=_merge_images(metric, parts, values, row_of, prompts),
        exact=exact,
        seeds=parts[0].seeds if len({part.seeds for part in parts}) == 1 else None,
    )


def _merge_images(
    metric: str,
    parts: list[ScoreMatrix],
    values: NDArray[np.float32],
    row_of: Mapping[str, int],
    prompts: PromptSet,
) -> NDArray[np.float32] | None:
    """Return the scores of the images of all parts; cells of a part without them have none."""
    known = [(part, part.images) for part in parts if part.images is not None]
    known.sort(key=lambda one: not one[0].exact)
    if not known:
        return None
    most = max(images.shape[2] for _, images in known)
    merged = np.full((*values.shape, most), np.nan, dtype=values.dtype)
    for part, images in known:
        columns = prompts.index_of(part.prompt_ids)
        for name, new in zip(part.variants, images, strict=True):
            row = merged[row_of[name]]
            wide = np.full((len(columns), most), np.nan, dtype=values.dtype)
            wide[:, : new.shape[1]] = new
            old, there = row[columns], ~np.isnan(new).all(axis=1)
            differ = (old.astype(new.dtype) != wide) & ~(np.isnan(old) & np.isnan(wide))
            taken = ~np.isnan(old).all(axis=1)
            clash = np.flatnonzero(there & taken & differ.any(axis=1))
            if clash.size:
                raise ConflictError(
                    f"metric {metric!r}: variant {name!r} on prompt "
                    f"{part.prompt_ids[int(clash[0])]!r} has other scores of its images in one "
                    "table than in the other; leave one out"
                )
            row[columns[there]] = wide[there]
    return merged


def _place(
    row: NDArray[np.float32], columns: NDArray[np.int64], new: NDArray[np.float32]
) -> NDArray[np.intp]:
    """Put what was measured into the row; return where another score already stands."""
    old = row[columns]
    measured = ~np.isnan(new)
    differ = measured & ~np.isnan(old) & (old.astype(new.dtype, copy=False) != new)
    fill = measured & np.isnan(old)
    row[columns[fill]] = new[fill]
    return np.flatnonzero(differ)


def _agreed(metric: str, parts: list[ScoreMatrix], name: str) -> str | None:
    values = {getattr(part, name): None for part in parts if getattr(part, name) is not None}
    if len(values) > 1:
        both = " and ".join(f"{name}={value!r}" for value in values)
        raise ConflictError(
            f"metric {metric!r} has {both} in the tables to merge; these are different metrics: "
            "give them different names"
        )
    return next(iter(values), None)


def _known_hash(prompts: PromptSet) -> str | None:
    return prompts.hash if prompts.text_hashes is not None else None


def _same(parts: list[ScoreMatrix], prompts: PromptSet) -> str | None:
    """Return the recorded hash of the parts that were measured on exactly these prompts."""
    for part in parts:
        if part.prompt_ids == prompts.ids and part.prompt_set_hash is not None:
            return part.prompt_set_hash
    return None
