"""The base class of the settings of judges: which model is asked, and how."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flasheval.base.canonical import JSON, sha256_of
from flasheval.base.errors import SettingError
from flasheval.base.models.loading import Dtype
from flasheval.base.models.weights import Weights, locate
from flasheval.scorers.checkpoint import CheckpointSettings
from flasheval.scorers.judges.asking import AnsweringModel
from flasheval.scorers.judges.endpoint import EndpointSettings

__all__ = ["JudgeSettings", "check_mass", "check_template", "check_tokens"]

CHECKPOINT = "Qwen/Qwen2.5-VL-7B-Instruct"


@dataclass(frozen=True)
class JudgeSettings(CheckpointSettings):
    """Settings of a judge: a scorer that asks a vision-language model.

    Attributes:
        checkpoint: An image-text-to-text model of transformers: a folder, or a name on the Hub.
        dtype: As in `CheckpointSettings`; auto is that of the stored weights.
        batch: Questions answered at a time; it changes scores by rounding only.
        system: The system's turn of the chat, before each question; None for none.
        image_side: The longest side of images, in pixels: larger ones are made smaller first. None
            leaves that to the model.
        endpoint: An endpoint that is asked in place of the checkpoint; see `EndpointSettings`.

    """

    checkpoint: str = CHECKPOINT
    dtype: Dtype = "auto"
    batch: int = 8
    system: str | None = None
    image_side: int | None = None
    endpoint: EndpointSettings | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_side is not None and self.image_side < 1:
            raise SettingError(
                f"scorer {self.kind}: image_side={self.image_side}; expected a number of pixels"
            )

    @cached_property
    def weights(self) -> Weights:
        """The path and revision of the checkpoint. Raises DataError when it is not found."""
        return locate(self.checkpoint, self.revision, tested=self.tested)

    @abstractmethod
    def asks(self) -> dict[str, JSON]:
        """Return what is asked, and how an answer becomes a score: templates, files' hashes."""

    @cached_property
    def asks_label(self) -> str:
        """A short hash of all that is asked, for versions: ``asks:`` and eight digits."""
        asked = {"kind": self.kind, "system": self.system, "side": self.image_side, **self.asks()}
        if self.endpoint is not None:
            asked |= {"logprobs": self.endpoint.logprobs}
        return f"asks:{sha256_of(asked, digits=17)[:8]}"

    @property
    def version(self) -> str:
        """Checkpoint and revision, the dtype unless it is fp32, and a hash of what is asked.

        Of an endpoint the model's name there, which says nothing of its revision.
        """
        if self.endpoint is not None:
            return f"{self.endpoint.model}@endpoint {self.asks_label}"
        return f"{super().version} {self.asks_label}"

    def identity(self) -> dict[str, JSON]:
        """Return the checkpoint's revision with its chat template, the dtype, and what is asked."""
        if self.endpoint is None:
            weights = self.weights
            model: dict[str, JSON] = {
                "checkpoint": weights.revision,
                "chat_template": _template_hash(weights),
                "dtype": self.dtype,
            }
        else:
            model = {"endpoint": self.endpoint.identity()}
        return {
            "kind": self.kind,
            **model,
            "system": self.system,
            "image_side": self.image_side,
            **self.asks(),
        }

    def model(self, device: str) -> AnsweringModel:
        """Return the model that is asked; judges of one checkpoint share one in memory.

        Raises DataError when it cannot be loaded, SettingError where a key is not set.
        """
        if self.endpoint is not None:
            from flasheval.scorers.judges.http_model import endpoint_model

            return endpoint_model(self.endpoint)
        from flasheval.scorers.judges.resident import resident_model

        return resident_model(self.weights, self.dtype, device)


def check_template(kind: str, key: str, template: str, *names: str) -> None:
    """Raise SettingError unless a template holds each of ``{names}``.

    >>> check_template("vqa", "template", "Is it a cat?", "prompt")
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: scorer vqa: template='Is it a cat?' has no {prompt}; write \
it where the prompt belongs
    """
    for name in names:
        if "{" + name + "}" not in template:
            raise SettingError(
                f"scorer {kind}: {key}={template[:60]!r} has no {{{name}}}; write it where the "
                f"{name} belongs"
            )


def check_mass(kind: str, least: float) -> None:
    """Raise SettingError unless a probability lies in [0, 1].

    >>> check_mass("vqa", 2.0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: scorer vqa: least_mass=2; expected a number from 0 to 1
    """
    if not 0 <= least <= 1:
        raise SettingError(f"scorer {kind}: least_mass={least:g}; expected a number from 0 to 1")


def check_tokens(kind: str, most: int) -> None:
    """Raise SettingError unless an answer may have a token.

    >>> check_tokens("rubric", 0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: scorer rubric: most_tokens=0; expected a whole number \
above 0
    """
    if most < 1:
        raise SettingError(f"scorer {kind}: most_tokens={most}; expected a whole number above 0")


def _template_hash(weights: Weights) -> str | None:
    """Return the hash of a local chat template that stands in a file of its own.

    The revision of a folder covers JSON files; that of the Hub covers all.
    """
    if weights.commit is not None:
        return None
    file = Path(weights.path) / "chat_template.jinja"
    return hashlib.sha256(file.read_bytes()).hexdigest()[:24] if file.is_file() else None
