"""The ``sample:`` part of an ai-toolkit job (ostris/ai-toolkit, config/examples/*.yaml)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from flasheval.base.errors import SettingError
from flasheval.subset.exports.image_settings import ImageSettings
from flasheval.subset.exports.text_checks import refuse, stripped, warn_of_weights

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["AiToolkit"]

# What ai-toolkit fills in: the trigger word, the job's name, environment variables.
_FILLED_IN = re.compile(r"\[trigger\]|\[name\]|\$\{[^}]+\}")


@dataclass(frozen=True)
class AiToolkit(ImageSettings):
    """YAML to merge into a job's ``sample:``: a list ``prompts``, or ``samples`` with seeds.

    With a ``seed`` or ``seeds`` every prompt stands under ``samples`` with its own; older versions
    know ``prompts`` only. It drops ids and weights, and white space at a text's ends. A text
    that holds ``--`` (ai-toolkit cuts it there), ``[trigger]``, ``[name]`` or ``${...}`` (it fills
    these in) is refused.

    Attributes:
        sampler: ai-toolkit wants that of ``train.noise_scheduler``.
        sample_every: Steps from one look at the samples to the next.

    >>> AiToolkit(sample_every=0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: sample_every=0: expected a number above 0

    """

    name: ClassVar[str] = "ai-toolkit"
    binary: ClassVar[bool] = False
    suffix: ClassVar[None] = None

    sampler: str | None = None
    sample_every: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sample_every is not None and self.sample_every < 1:
            raise SettingError(f"sample_every={self.sample_every}: expected a number above 0")
        if self.negative_prompt is not None and _filled_in(self.negative_prompt):
            raise SettingError(f"negative_prompt: {_filled_in(self.negative_prompt)}; leave it out")

    def write(self, subset: Subset) -> bytes:
        """Return the file; see `Format`.

        >>> from flasheval.subset.subset import Method, Subset, SubsetPrompt
        >>> prompts = (SubsetPrompt("7", text="a cat"),)
        >>> subset = Subset("one", "pets", None, prompts, (), Method("random"))
        >>> print(AiToolkit(steps=20).write(subset).decode(), end="")
        sample:
          sample_steps: 20
          prompts:
          - "a cat"
        """
        texts = stripped(subset, "ai-toolkit")
        refuse(subset, texts, _fault, "ai-toolkit")
        warn_of_weights(subset, "ai-toolkit")
        settings = {
            "sampler": self.sampler,
            "sample_every": self.sample_every,
            "width": self.width,
            "height": self.height,
            "neg": self.negative_prompt,
            "guidance_scale": self.guidance,
            "sample_steps": self.steps,
        }
        sample = {key: value for key, value in settings.items() if value is not None}
        if not self.seeded:
            return _yaml({"sample": {**sample, "prompts": list(texts)}})
        samples = [
            {"prompt": text, "seed": seed}
            for prompt, text in zip(subset.prompts, texts, strict=True)
            for seed in self.images_of(subset.record, prompt.id)
        ]
        return _yaml({"sample": {**sample, "samples": samples}})

    def how(self, path: str) -> tuple[str, ...]:
        """Return how to use it; see `Format`."""
        key = "samples, in place of prompts," if self.seeded else "prompts"
        return (f"put {key} and the other keys under config.process[0].sample of your job's YAML",)


def _filled_in(text: str) -> str:
    found = _FILLED_IN.search(text)
    return f"it holds {found[0]}, which ai-toolkit fills in" if found else ""


def _fault(text: str) -> str:
    return 'it holds "--", at which ai-toolkit cuts it' if "--" in text else _filled_in(text)


def _yaml(data: dict[str, Any]) -> bytes:
    """Return YAML with keys bare and every text quoted: ai-toolkit takes a bare 1e5 for a number.

    PyYAML escapes whatever YAML cannot hold as it is, such as U+2028 and control characters.
    """
    import yaml

    class Dumper(yaml.SafeDumper):
        def represent_mapping(self, tag: str, mapping: Any, flow_style: Any = None) -> Any:
            node = super().represent_mapping(tag, mapping, flow_style)
            for key, value in node.value:
                key.style = None
                if isinstance(value, yaml.ScalarNode) and value.tag.endswith(":str"):
                    value.style = '"'
            return node

        def represent_sequence(self, tag: str, sequence: Any, flow_style: Any = None) -> Any:
            node = super().represent_sequence(tag, sequence, flow_style)
            for value in node.value:
                if isinstance(value, yaml.ScalarNode):
                    value.style = '"'
            return node

    text: str = yaml.dump(
        data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=float("inf")
    )
    return text.encode()
