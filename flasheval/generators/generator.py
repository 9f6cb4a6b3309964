"""The generator protocol, and the base class of the settings a generator is loaded from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from flasheval.base.canonical import JSON
from flasheval.generators.variants import Factor
from flasheval.prompts.readers import TextReader

__all__ = ["Batch", "Generator", "GeneratorSettings"]


@dataclass(frozen=True)
class Batch:
    """Images to make: each one's prompt id, text, seed and number, all of one length.

    A prompt of which several images are made stands once for each, with the images' numbers from
    0; without numbers each is the first one.

    >>> batch = Batch(("a", "b", "b"), ("A cat.", "A dog.", "A dog."), (7, 8, 9), (0, 0, 1))
    >>> len(batch), batch[1:].seeds, batch[1:].images
    (3, (8, 9), (0, 1))
    """

    ids: tuple[str, ...]
    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    images: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", self.images or (0,) * len(self.ids))

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, part: slice) -> Batch:
        return Batch(self.ids[part], self.prompts[part], self.seeds[part], self.images[part])


class Generator(Protocol):
    """A loaded model, or anything else that makes images for prompts."""

    @property
    def family(self) -> str:
        """The family of models, such as ``diffusion``, ``masked-token`` or ``gan``."""
        ...

    @property
    def evaluations(self) -> int | None:
        """Network evaluations one image of the last call took, as counted; None if unknown."""
        ...

    def generate(self, batch: Batch) -> object:
        """Return the images in any form that `flasheval.generators.images.to_images` takes.

        An image depends on its prompt and its seed only, never on the batch it is made in.
        """
        ...


class GeneratorSettings(ABC):
    """The settings of one kind of generator: a frozen dataclass of plain values.

    Making one checks the values; nothing is loaded, and torch is not imported, before `load`.
    """

    kind: ClassVar[str]
    """The name of the kind in settings: ``generator: KIND``."""

    @abstractmethod
    def factors(self) -> dict[str, Factor]:
        """Return the factors of the variant: family, scheduler, steps, precision, ..."""

    @abstractmethod
    def identity(self, device: str) -> dict[str, JSON]:
        """Return everything that determines the images, as JSON data: settings, revisions.

        Raises FlashevalError when a file it needs is missing.
        """

    def settled(self, kind: str) -> GeneratorSettings:
        """Return these settings with every choice that depends on the device written out.

        Args:
            kind: The kind of device the run was begun on (``cpu``, ``cuda``): another machine
                that goes on with it must make the same images.

        >>> from flasheval.generators.function import FunctionSettings
        >>> settings = FunctionSettings("math:hypot")
        >>> settings.settled("cuda") is settings  # nothing depends on the device
        True

        """
        return self

    def for_prompts(self, ids: Sequence[str]) -> GeneratorSettings:
        """Return these settings, told of all the prompts whose images will be asked for.

        >>> from flasheval.generators.function import FunctionSettings
        >>> settings = FunctionSettings("math:hypot")
        >>> settings.for_prompts(["1", "2"]) is settings  # it makes no difference
        True
        """
        return self

    def images_there(self, ids: Sequence[str]) -> int | None:
        """Return how many images a prompt lie on disk, the most of these; None where they are made.

        >>> from flasheval.generators.function import FunctionSettings
        >>> FunctionSettings("math:hypot").images_there(["1", "2"]) is None
        True
        """
        return None

    def state(self, ids: Sequence[str], image: int = 0) -> JSON:
        """Return the state of files on disk that images of these prompts come from, or None.

        Args:
            ids: The prompts' ids.
            image: The images' number among those of their prompt.

        >>> from flasheval.generators.function import FunctionSettings
        >>> FunctionSettings("math:hypot").state(["1", "2"]) is None  # no files on disk
        True

        """
        return None

    def readers(self) -> tuple[TextReader, ...]:
        """Return the text encoders that read the prompts, and how far; nothing where not known.

        Raises FlashevalError when a file it needs is missing.

        >>> from flasheval.generators.function import FunctionSettings
        >>> FunctionSettings("math:hypot").readers()
        ()
        """
        return ()

    def without_effect(self) -> dict[str, str]:
        """Return the settings that are known to change no image, each with the reason.

        Nothing is loaded for it: files that are at hand are read.

        >>> from flasheval.generators.function import FunctionSettings
        >>> FunctionSettings("math:hypot").without_effect()
        {}
        """
        return {}

    def model_key(self, device: str) -> str | None:
        """Return a key; variants with equal keys share one loaded model. None means no sharing.

        >>> from flasheval.generators.function import FunctionSettings
        >>> FunctionSettings("math:hypot").model_key("cpu") is None  # a function shares no model
        True
        """
        return None

    @abstractmethod
    def load(self, device: str, last: Generator | None = None) -> Generator:
        """Load the model onto a device (``cpu``, ``cuda:0``).

        Args:
            device: The device, such as ``cuda:0``.
            last: The generator loaded before, if it had the same `model_key`: its model may be
                taken over.

        Raises FlashevalError when the model cannot be loaded.

        """
