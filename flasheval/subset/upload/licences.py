"""Licences of known prompt sets, and warnings about unknown ones.

A prompt set is known by its hash, never by its name: anyone may call a file ``coco``. A subset of
any other set gets a warning, as only the person who publishes can say what its prompts allow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flasheval.base.errors import SettingError
from flasheval.subset.subset import Subset

__all__ = ["PromptSource", "card_licences", "licence_notes", "licence_warnings", "source_of"]


@dataclass(frozen=True)
class PromptSource:
    """The source of a prompt set: licence, language and address.

    Attributes:
        licence: the Hub's name of the licence.
        note: one paragraph for the card.
        language: of the prompts, ISO 639-1.
        homepage: where to get the whole set.
        copy: the usual file name of the whole set.

    """

    licence: str
    note: str
    language: str
    homepage: str
    copy: str


_SCORES = (
    "Where they were chosen by the scores that FlashEval's authors released "
    "(https://github.com/thu-nics/FlashEval): that repository states no licence. No score of "
    "theirs is passed on here, only prompt ids, hashes, and means over many prompts."
)

_COCO = PromptSource(
    licence="cc-by-4.0",
    note=(
        "The prompts are captions of the COCO 2014 validation images, one an image, as FlashEval "
        "(Zhao et al., CVPR 2024) used them. COCO's annotations belong to the COCO Consortium and "
        "are licensed under CC BY 4.0 (https://cocodataset.org/#termsofuse): whoever passes them "
        "on must name it. Captions are unchanged here where they are included. " + _SCORES
    ),
    language="en",
    homepage="https://cocodataset.org/#download",
    copy="captions_val2014.json",
)
_DIFFUSIONDB = PromptSource(
    licence="cc0-1.0",
    note=(
        "The prompts are 5,000 of DiffusionDB's (Wang et al., 2022), as FlashEval (Zhao et al., "
        "CVPR 2024) chose them. DiffusionDB's authors release it under CC0 1.0 "
        "(https://huggingface.co/datasets/poloclub/diffusiondb). `image_name` and `part_id` say "
        "where a prompt stands in it; the ids 1 to 5000 are FlashEval's own. " + _SCORES
    ),
    language="en",
    homepage="https://huggingface.co/datasets/poloclub/diffusiondb",
    copy="diffusionDB_5000.json",
)
_MINIATURE = PromptSource(
    licence="apache-2.0",
    note="The prompts are flasheval's own, made by a program: Apache-2.0, as the package is.",
    language="en",
    homepage="it comes with flasheval: prompts=miniature",
    copy="miniature",
)

_KNOWN = {
    "54671f8b71060748d1a095b2323645df2df40128b7dbbb189e6e2a4528f659fc": _COCO,
    "11d65a890a16449ba82bb2cb72c31d8a822e88cbc91228b7f61a892e68f062cb": _DIFFUSIONDB,
    "6f836e93b4e28088c49c44e9b3fa0b69195630c201edabf712e84102f059aa8e": _MINIATURE,
}


def source_of(subset: Subset) -> PromptSource | None:
    """Return the source of a subset's prompt set, or None when it is unknown.

    >>> from flasheval.subset.library import find_subset
    >>> source_of(find_subset("coco-shared-50")).licence
    'cc-by-4.0'
    """
    return _KNOWN.get(subset.prompt_set_hash or "")


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
