"""A variant together with the generator settings that make its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flasheval.base.canonical import JSON, sha256_of
from flasheval.generators.generator import GeneratorSettings
from flasheval.generators.variants import Variant

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """How the images of one variant are made.

    Attributes:
        variant: The variant's name and factors, as score tables hold them.
        generator: The settings of the generator that makes its images.

    >>> from flasheval.generators.function import FunctionSettings
    >>> one, two = (Recipe(Variant(n), FunctionSettings("math:hypot", version="1")) for n in "ab")
    >>> one.name, two.name, one.key("cpu") == two.key("cpu")  # the same images under two names
    ('a', 'b', True)

    """

    variant: Variant
    generator: GeneratorSettings

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.variant.name

    def settled(self, kind: str) -> Recipe:
        """Return the recipe with every choice that depends on the device written out.

        >>> from flasheval.generators.diffusers_settings import DiffusersSettings
        >>> Recipe(Variant("a"), DiffusersSettings("sd15")).settled("cuda").generator.dtype
        'fp16'
        """
        return replace(self, generator=self.generator.settled(kind))

    def for_prompts(self, ids: Sequence[str]) -> Recipe:
        """Return the recipe, its generator told of all the prompts.

        >>> from flasheval.generators.function import FunctionSettings
        >>> one = Recipe(Variant("a"), FunctionSettings("math:hypot", version="1"))
        >>> one.for_prompts(["1", "2"]) == one
        True
        """
        return replace(self, generator=self.generator.for_prompts(ids))

    def identity(self, device: str) -> dict[str, JSON]:
        """Return everything that determines the images, as JSON data; the name is not part of it.

        Raises FlashevalError when a file the generator needs is missing.

        >>> from flasheval.generators.function import FunctionSettings
        >>> Recipe(Variant("a"), FunctionSettings("math:hypot", version="1")).identity("cpu")
        {'generator': 'function', 'function': 'math:hypot', 'version': '1'}
        """
        return {"generator": self.generator.kind, **self.generator.identity(device)}

    def key(self, device: str) -> str:
        """Return the sha256 of the identity, in hex: equal means the same images.

        >>> from flasheval.generators.function import FunctionSettings
        >>> one = Recipe(Variant("a"), FunctionSettings("math:hypot", version="1"))
        >>> two = Recipe(Variant("a"), FunctionSettings("math:hypot", version="2"))
        >>> len(one.key("cpu")), one.key("cpu") == two.key("cpu")
        (64, False)
        """
        return sha256_of(self.identity(device), path=f"variant {self.name!r}", digits=17)
