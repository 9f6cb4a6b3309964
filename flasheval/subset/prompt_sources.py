"""Prompt sets that are known by their hash: their licences, languages and addresses."""

from __future__ import annotations

from dataclasses import dataclass

from flasheval.subset.subset import Subset

__all__ = ["PromptSource", "seeds_note", "source_of"]


@dataclass(frozen=True)
class PromptSource:
    """The source of a prompt set: licence, language and address.

    Attributes:
        licence: the Hub's name of the licence.
        note: one paragraph for the card.
        language: of the prompts, ISO 639-1.
        homepage: where to get the whole set.
        copy: the usual file name of the whole set.
        seedless: whether the scores that are public of it name no image seed.

    """

    licence: str
    note: str
    language: str
    homepage: str
    copy: str
    seedless: bool = False


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
    seedless=True,
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
    seedless=True,
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


def seeds_note(subset: Subset) -> str:
    """Return what it means that the scores searched name no image seed; empty where they do.

    >>> from flasheval.subset.library import find_subset
    >>> seeds_note(find_subset("coco-shared-50"))[:47]
    'The scores it was chosen by name no image seed,'
    """
    source = source_of(subset)
    if source is None or not source.seedless or subset.record.seeds is not None:
        return ""
    return (
        "The scores it was chosen by name no image seed, so new images always have other seeds. "
        "The evidence is on the seeds of those scores; what it is worth on others is not known. On "
        "flasheval's miniature, where both are measured, a part of the gain over random prompts is "
        "lost (docs/evidence/seeds.md)."
    )
