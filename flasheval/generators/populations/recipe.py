"""A variant together with what makes its images."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flasheval.base.canonical import JSON, sha256_of
from flasheval.generators.generator import GeneratorSettings
from flasheval.generators.variants import Variant

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """How the images of one variant are made.

    Attributes:
        variant: Its name and factors, as score tables hold them.
        generator: The settings its images come from.

    """

    variant: Variant
    generator: GeneratorSettings

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.variant.name

    def settled(self, kind: str) -> Recipe:
        """Return the recipe with all that is left to the device said outright."""
        return replace(self, generator=self.generator.settled(kind))

    def identity(self, device: str) -> dict[str, JSON]:
        """Return all that determines the images, as JSON data; its name does not.

        Raises FlashevalError where something the generator needs is not there.
        """
        return {"generator": self.generator.kind, **self.generator.identity(device)}

    def key(self, device: str) -> str:
        """Return the sha256 of the identity, in hex: equal means the same images."""
        return sha256_of(self.identity(device), path=f"variant {self.name!r}", digits=17)
