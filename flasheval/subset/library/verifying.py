"""Verifying a subset: its hashes, its name, its texts, and the subset it is a prefix of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flasheval.base.errors import FlashevalError
from flasheval.subset.library.finding import find_subset, manifest_file
from flasheval.subset.library.rows import Copy
from flasheval.subset.library.signatures import Signature
from flasheval.subset.library.texts import find_texts, missing_texts
from flasheval.subset.parts import SubsetPrompt
from flasheval.subset.subset import Subset

__all__ = ["Verdict", "verify", "verify_texts"]


@dataclass(frozen=True)
class Verdict:
    """The result of verifying one subset.

    Attributes:
        name: the name or path asked for.
        subset: the subset; None where its manifest cannot be read or is damaged.
        faults: one sentence for each fault; empty when there is none.
        texts: whether the texts of all its prompts were found, with their hashes, in a copy.

    """

    name: str
    subset: Subset | None
    faults: tuple[str, ...] = ()
    texts: bool = False


def verify(
    source: str | Path,
    wholes: Mapping[str, Subset],
    signature: Signature | None = None,
    read: Subset | None = None,
) -> Verdict:
    """Check a subset: both hashes, its name, and the subset it is the first prompts of.

    The hashes say that nothing changed since it was saved, not that its numbers are true: whoever
    changes a manifest can make new hashes. Only a signature says who vouches for it.

    Args:
        source: What :func:`flasheval.subset.library.find_subset` takes.
        wholes: Subsets, by name, of which it may be the first prompts.
        signature: A signature of the manifest to check as well.
        read: The subset, where it has been read already.

    >>> verify("coco-shared-50", {}).faults
    ()
    >>> verify("coco-shred-50", {}).subset is None
    True

    """
    try:
        if signature is not None:
            signature.check(manifest_file(source))
        subset = read or find_subset(source)
    except FlashevalError as error:
        return Verdict(str(source), None, (str(error),))
    return Verdict(str(source), subset, _prefix_faults(subset, wholes))


def verify_texts(verdicts: Sequence[Verdict], copy: Copy, *, only_its_own: bool) -> list[Verdict]:
    """Check also that a copy of the prompts holds the texts, each with its hash.

    Args:
        verdicts: What was found so far.
        copy: The user's copy.
        only_its_own: Skip subsets of a prompt set of which the copy holds no text, instead of
            reporting a fault.

    """
    prompts: dict[str | None, list[SubsetPrompt]] = {}
    for verdict in verdicts:
        if verdict.subset is not None:
            prompts.setdefault(verdict.subset.prompt_set_hash, []).extend(verdict.subset.prompts)
    found = {key: find_texts(dict.fromkeys(wanted), copy) for key, wanted in prompts.items()}
    checked = []
    for verdict in verdicts:
        subset = verdict.subset
        if subset is None or (only_its_own and not found[subset.prompt_set_hash].texts):
            checked.append(verdict)
            continue
        missing = missing_texts(subset, found[subset.prompt_set_hash])
        faults = verdict.faults if missing is None else (*verdict.faults, str(missing))
        checked.append(replace(verdict, faults=faults, texts=missing is None))
    return checked


def _prefix_faults(subset: Subset, wholes: Mapping[str, Subset]) -> tuple[str, ...]:
    """Return how a subset contradicts the one that its settings say it is the beginning of."""
    origin = subset.method.settings.get("prefix_of")
    if origin is None:
        return ()
    name = origin.get("name") if isinstance(origin, Mapping) else None
    if not isinstance(origin, Mapping) or not isinstance(name, str):
        return ("its setting prefix_of names no subset",)
    faults = []
    size = subset.method.settings.get("prefix_size")
    if size != subset.size:
        faults.append(f"its setting prefix_size is {size}; it has {subset.size} prompts")
    hashes = {one.content_hash: one for one in wholes.values()}
    whole = hashes.get(str(origin.get("content_hash")))
    if whole is not None and _bare(whole)[: subset.size] != _bare(subset):
        faults.append(f"its prompts are not the first {subset.size} of {whole.name}")
    if whole is None and name in wholes:
        faults.append(
            f'it is a prefix of another "{name}" than the published one: of content hash '
            f"{str(origin.get('content_hash'))[:12]}, not {wholes[name].content_hash[:12]}"
        )
    return tuple(faults)


def _bare(subset: Subset) -> tuple[SubsetPrompt, ...]:
    return subset.without_texts().prompts
