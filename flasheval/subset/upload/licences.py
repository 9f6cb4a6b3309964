"""Licences of known prompt sets, and warnings about unknown ones.

A prompt set is known by its hash, never by its name: anyone may call a file ``coco``. A subset of
any other set gets a warning, as only the person who publishes can say what its prompts allow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from flasheval.base.errors import SettingError
from flasheval.subset.prompt_sources import source_of
from flasheval.subset.subset import Subset

__all__ = ["card_licences", "licence_notes", "licence_warnings"]


def card_licences(subsets: Iterable[Subset], given: str | None = None) -> list[str]:
    """Return the licences a card names: the one given, else those of the sources, once each.

    Sources that are not known count as ``unknown``, which the Hub accepts.

    Raises SettingError for one that does not have the form of a licence name on the Hub.

    >>> from flasheval.subset.library import find_subset
    >>> card_licences([find_subset("coco-shared-50")]), card_licences([], "other")
    (['cc-by-4.0'], ['other'])
    """
    if given is not None:
        if not re.fullmatch("[a-z0-9][a-z0-9.+-]*", given):
            raise SettingError(
                f'license={given}: expected the Hub\'s name of it, such as "cc-by-4.0", or "other"'
            )
        return [given]
    sources = [source_of(subset) for subset in subsets]
    return list(dict.fromkeys("unknown" if one is None else one.licence for one in sources))


def licence_notes(subsets: Sequence[Subset], given: str | None = None) -> list[str]:
    """Return the card's paragraphs on licences, one for each source.

    >>> from flasheval.subset.subset import Method, SubsetPrompt
    >>> one = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
    >>> licence_notes([one])
    ['The licence of the prompts of "pets" is not known to flasheval.']
    """
    known = dict.fromkeys(one.note for subset in subsets if (one := source_of(subset)))
    notes = list(known)
    for name in _unknown(subsets):
        said = "is not known to flasheval" if given is None else f"is said to be `{given}`"
        notes.append(f'The licence of the prompts of "{name}" {said}.')
    return notes


def licence_warnings(subsets: Sequence[Subset], given: str | None = None) -> list[str]:
    """Return one warning for every prompt set whose licence is unknown.

    >>> from flasheval.subset import Method, MetricInfo, Subset, SubsetPrompt
    >>> mine = Subset("few", "mine", None, (SubsetPrompt("1", text="A cat."),),
    ...               (MetricInfo("clip"),), Method("random", seed=0))
    >>> licence_warnings([mine])[0][:68]
    'the licence of the prompts of "mine" is not known, and their texts a'
    >>> licence_warnings([mine], "cc-by-4.0")
    []
    """
    if given is not None:
        return []
    warnings = []
    for name, included in _unknown(subsets).items():
        texts = ", and their texts are included" if included else ""
        warnings.append(
            f'the licence of the prompts of "{name}" is not known{texts}: say it before '
            "uploading, with license=, and include texts only where it allows that"
        )
    return warnings


def _unknown(subsets: Sequence[Subset]) -> dict[str, bool]:
    """Return the prompt sets of unknown licence, and whether texts of theirs are there."""
    found: dict[str, bool] = {}
    for subset in subsets:
        if source_of(subset) is None:
            texts = any(prompt.text is not None for prompt in subset.prompts)
            found[subset.prompt_set_name] = found.get(subset.prompt_set_name, False) or texts
    return found
