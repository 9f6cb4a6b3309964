"""What a page of votes shows: variants, prompts, pairs and their images, small enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flasheval.base.errors import DataError
from flasheval.generators.images import ImageFault
from flasheval.report.votes_page.pairs import Chosen, Pair, choose_pairs
from flasheval.report.votes_page.shrinking import Size, shrunk_all
from flasheval.runs.kept.of_run import KeptImages, Key

__all__ = ["Gathered", "Gathering", "TooLarge"]

_ENOUGH = 16  # images whose bytes tell how many all will have
_UNSURE = 1.3  # times the limit that all may seem to have before a size is given up


class TooLarge(Exception):  # noqa: N818 - it asks for smaller images; no user meets it
    """The images take more than they may.

    Args:
        pairs: How many pairs there are.
        needed: The bytes that all their images would take.

    """

    def __init__(self, pairs: int, needed: int) -> None:
        super().__init__(f"{pairs} pairs need {needed} bytes")
        self.pairs, self.needed = pairs, needed


@dataclass(frozen=True)
class Gathered:
    """All that a page shows.

    Attributes:
        variants: The variants' names.
        prompts: Id and text of each prompt.
        pairs: Numbers of variants and prompts in the above.
        images: WebP files by variant's and prompt's number and the image's.
        left_out: Pairs left out because an image is missing or faulty.

    """

    variants: tuple[str, ...]
    prompts: tuple[tuple[str, str], ...]
    pairs: tuple[Pair, ...]
    images: dict[tuple[int, int, int], bytes]
    left_out: int


@dataclass(frozen=True)
class Gathering:
    """How pairs are chosen, and the images found faulty so far.

    Args:
        kept: The run's images.
        variants: The variants to compare.
        ids: The prompts to compare them on.
        pairs: How many pairs are wanted; None for all.
        seed: Seed of the choice.

    """

    kept: KeptImages
    variants: tuple[str, ...]
    ids: tuple[str, ...]
    pairs: int | None
    seed: int

    def at(self, size: Size, most_bytes: int, faults: set[Key]) -> Gathered:
        """Choose the pairs and read their images.

        Args:
            size: How large an image may be.
            most_bytes: What all of them may take together.
            faults: Images known to be faulty; those found are added.

        Raises:
            TooLarge: The images take more.
            DataError: No pair has both of its images.

        """
        images: dict[Key, bytes] = {}
        while True:
            chosen = self._chosen(faults)
            if not chosen.pairs:
                raise DataError(
                    "no two variants have images of the same prompt that can be read; run them "
                    "again with keep_images=true"
                )
            missing = [key for key in self._keys(chosen.pairs) if key not in images]
            if not missing:
                return self._gathered(chosen, images)
            self._read(missing, size, most_bytes, images, faults, len(chosen.pairs))

    def _chosen(self, faults: set[Key]) -> Chosen:
        def usable(variant: int, prompt: int, image: int) -> bool:
            key = self._key(variant, prompt, image)
            return key not in faults and self.kept.has(key)

        return choose_pairs(
            len(self.variants),
            len(self.ids),
            usable=usable,
            most=self.pairs,
            images=self.kept.images_per_prompt,
            seed=self.seed,
        )

    def _key(self, variant: int, prompt: int, image: int) -> Key:
        return self.variants[variant], self.ids[prompt], image

    def _keys(self, pairs: Sequence[Pair]) -> Iterator[Key]:
        """Yield each image of some pairs once."""
        yield from dict.fromkeys(
            self._key(variant, pair.prompt, pair.image)
            for pair in pairs
            for variant in (pair.a, pair.b)
        )

    def _read(
        self,
        keys: Sequence[Key],
        size: Size,
        most_bytes: int,
        images: dict[Key, bytes],
        faults: set[Key],
        pairs: int,
    ) -> None:
        """Add images, or those that are faulty to the faults; TooLarge as soon as it is seen."""
        total = len(images) + len(keys)
        for found in self.kept.read(keys):
            faults |= {key for key, one in found.items() if isinstance(one, ImageFault)}
            good = {key: one for key, one in found.items() if not isinstance(one, ImageFault)}
            images.update(zip(good, shrunk_all(list(good.values()), size), strict=True))
            spent = sum(map(len, images.values()))
            needed = spent * total // max(1, len(images))
            seems = needed > _UNSURE * most_bytes and len(images) >= _ENOUGH
            if spent > most_bytes or seems:
                raise TooLarge(pairs, needed)

    def _gathered(self, chosen: Chosen, images: dict[Key, bytes]) -> Gathered:
        """Keep the variants and prompts that are in a pair, and number those alone."""
        variants = sorted({one for pair in chosen.pairs for one in (pair.a, pair.b)})
        prompts = sorted({pair.prompt for pair in chosen.pairs})
        new_variant = {old: new for new, old in enumerate(variants)}
        new_prompt = {old: new for new, old in enumerate(prompts)}
        renamed = {
            (new_variant[one], new_prompt[pair.prompt], pair.image): images[
                self._key(one, pair.prompt, pair.image)
            ]
            for pair in chosen.pairs
            for one in (pair.a, pair.b)
        }
        ids = [self.ids[prompt] for prompt in prompts]
        return Gathered(
            tuple(self.variants[one] for one in variants),
            tuple((one, self.kept.texts[one]) for one in ids),
            tuple(
                Pair(new_variant[p.a], new_variant[p.b], new_prompt[p.prompt], p.image)
                for p in chosen.pairs
            ),
            renamed,
            chosen.left_out,
        )
