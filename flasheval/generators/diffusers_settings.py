"""The settings of a diffusers pipeline; nothing is loaded before `load`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from flasheval.base.canonical import JSON, canonical_value, sha256_of
from flasheval.base.errors import DataError, SettingError
from flasheval.base.models.weights import Weights, local_path, locate, shipped_parts
from flasheval.generators.components import find_components
from flasheval.generators.diffusers_pipeline import given_arguments, load_generator
from flasheval.generators.generator import Generator, GeneratorSettings
from flasheval.generators.lora import lora_revision
from flasheval.generators.pipeline_call import SET_FOR_EACH_BATCH
from flasheval.generators.quantise import Quantisation
from flasheval.generators.schedulers import scheduler_class
from flasheval.generators.text_encoders import text_encoders
from flasheval.generators.variants import Factor
from flasheval.generators.without_effect import facts_of_files, read_config, without_effect
from flasheval.prompts.readers import TextReader

if TYPE_CHECKING:
    from flasheval.generators.diffusers_pipeline import DiffusersGenerator

__all__ = [
    "DiffusersSettings",
]

Dtype = Literal["auto", "fp32", "fp16", "bf16"]

# Arguments of a pipeline's call that no option may set, and the setting to use in their place.
_MANAGED: Mapping[str, str | None] = {
    "num_inference_steps": "steps",
    "guidance_scale": "guidance",
    "width": "width",
    "height": "height",
    "negative_prompt": "negative_prompt",
    **dict.fromkeys(SET_FOR_EACH_BATCH),
}


@dataclass(frozen=True)
class DiffusersSettings(GeneratorSettings):
    """A text-to-image pipeline of diffusers.

    Attributes:
        checkpoint: A folder or a name on the Hub.
        revision: A Hub commit, tag or branch; None is the newest. Not for folders.
        weights: Which of several sets of weights, such as ``fp16``: diffusers' ``variant``.
        scheduler: DDIM, PNDM, DPM, Euler, ... or a class name of diffusers; None is the
            checkpoint's own.
        scheduler_settings: Settings of the scheduler to change, by diffusers' own names.
        steps: Steps of the scheduler; None is the pipeline's default.
        guidance: Guidance scale; None is the pipeline's default.
        width: Width of the images in pixels; None is the model's own.
        height: Height of the images in pixels; None is the model's own.
        negative_prompt: One text for every prompt.
        dtype: Type the model computes in; auto is fp16 on a GPU and fp32 elsewhere.
        quantise: How the denoiser's weights are rounded; see `flasheval.generators.quantise`.
        components: Parts of the pipeline to replace, each by a folder or a Hub name:
            ``{vae: stabilityai/sd-vae-ft-mse}``. A shipped checkpoint (``miniature:NAME``) brings
            the parts it is stored without.
        lora: A LoRA: a safetensors file, a folder of one, or a name on the Hub.
        lora_scale: Strength of the LoRA.
        lora_partial: Whether a LoRA is taken of which only some modules fit the pipeline.
        safety_checker: Whether the checkpoint's safety checker is loaded; it blackens images.
        offload: Keep parts of the model off the GPU: ``model`` or ``sequential``; changes no image.
        options: Further arguments of the pipeline's call, by diffusers' own names.

    Raises SettingError for a value out of range.

    >>> DiffusersSettings("runwayml/stable-diffusion-v1-5", steps=0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: steps=0: expected at least 1
    >>> DiffusersSettings("sd15", options={"num_inference_steps": 20})
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: options.num_inference_steps: set steps instead

    """

    kind: ClassVar[str] = "diffusers"

    checkpoint: str
    revision: str | None = None
    weights: str | None = None
    scheduler: str | None = None
    scheduler_settings: Mapping[str, object] = field(default_factory=dict)
    steps: int | None = None
    guidance: float | None = None
    width: int | None = None
    height: int | None = None
    negative_prompt: str | None = None
    dtype: Dtype = "auto"
    quantise: Quantisation | None = None
    components: Mapping[str, str] = field(default_factory=dict)
    lora: str | None = None
    lora_scale: float = 1.0
    lora_partial: bool = False
    safety_checker: bool = False
    offload: Literal["model", "sequential"] | None = None
    options: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in ("steps", "width", "height"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise SettingError(f"{key}={value}: expected at least 1")
        for key, words in (("dtype", get_args(Dtype)), ("quantise", get_args(Quantisation))):
            value = getattr(self, key)
            if value is not None and value not in words:
                raise SettingError(f"{key}={value}: choose one of {', '.join(words)}")
        for key in ("guidance", "lora_scale", "scheduler_settings", "options"):
            try:  # refuses NaN, infinities, and what no file can hold
                canonical_value(getattr(self, key), path=key)
            except DataError as error:
                raise SettingError(str(error)) from error
        for argument in self.options:
            if argument in _MANAGED:
                use = _MANAGED[argument]
                advice = f"set {use} instead" if use else "it is set for every batch; leave it out"
                raise SettingError(f"options.{argument}: {advice}")

    @cached_property
    def found(self) -> Weights:
        """The checkpoint's path and revision. Raises DataError when it cannot be found."""
        return locate(self.checkpoint, self.revision, marker="model_index.json")

    @cached_property
    def found_components(self) -> dict[str, Weights]:
        """The replacement parts, and those a shipped checkpoint is stored without, by part.

        Raises DataError when one cannot be found.
        """
        return find_components({**shipped_parts(self.checkpoint), **self.components})

    def factors(self) -> dict[str, Factor]:
        """Return family, scheduler, steps, guidance, precision, and what else is set.

        The precision is the quantisation, else the dtype, ``fp`` where that is left to the device.

        >>> settings = DiffusersSettings("sd15", scheduler="DDIM", steps=20, quantise="fake-int8")
        >>> factors = settings.factors()
        >>> factors["scheduler"], factors["steps"], factors["precision"]
        ('DDIM', 20, 'fake-int8')
        """
        return {
            "family": _family(local_path(self.checkpoint)),
            "scheduler": self.scheduler,
            "steps": self.steps,
            "guidance": self.guidance,
            "precision": self.quantise or ("fp" if self.dtype == "auto" else self.dtype),
            "width": self.width,
            "height": self.height,
            "negative_prompt": self.negative_prompt,
            "lora": None if self.lora is None else Path(self.lora).stem,
        }

    def identity(self, device: str) -> dict[str, JSON]:
        """Return all settings that change an image, with the revision of the checkpoint.

        Raises DataError when the checkpoint cannot be found.

        >>> settings = DiffusersSettings("miniature:small-final", steps=4)
        >>> found = settings.identity("cpu")
        >>> found["steps"], found["dtype"], found["checkpoint"].startswith("sha256:")
        (4, 'fp32', True)
        """
        return {
            **self._model(device),
            "scheduler": self.scheduler,
            "scheduler_settings": _json(self.scheduler_settings),
            "steps": self.steps,
            "guidance": self.guidance,
            "size": [self.width, self.height],
            "negative_prompt": self.negative_prompt,
            "options": _json(self.options),
        }

    def model_key(self, device: str) -> str:
        """Return a key of the loaded model; scheduler, steps and guidance do not change it.

        >>> few, many = (DiffusersSettings("miniature:small-final", steps=n) for n in (4, 50))
        >>> few.model_key("cpu") == many.model_key("cpu")  # one loaded model serves both
        True
        >>> few.model_key("cpu") == few.model_key("cuda")  # fp32 and fp16
        False
        """
        return sha256_of({**self._model(device), "offload": self.offload}, digits=17)

    def without_effect(self) -> dict[str, str]:
        """Return the settings that change no image, as far as the checkpoint's files tell.

        >>> DiffusersSettings("no-such-folder", lora_scale=0.5).without_effect()
        {'lora_scale': 'there is no lora'}
        """
        found = {}
        if self.lora is None:
            idle = {"lora_scale": self.lora_scale != 1.0, "lora_partial": self.lora_partial}
            found = {key: "there is no lora" for key, given in idle.items() if given}
        try:
            facts = facts_of_files(local_path(self.checkpoint))
            if facts is not None and self.scheduler is not None:
                facts = replace(facts, scheduler=scheduler_class(self.scheduler))
        except (ImportError, SettingError):  # told where the variant is loaded
            return found
        if facts is None:
            return found
        return found | without_effect(facts, given_arguments(self), self.scheduler_settings)

    def compute_dtype(self, device: str) -> Dtype:
        """Return the type the model computes in on a device: ``fp32``, ``fp16`` or ``bf16``.

        >>> settings = DiffusersSettings("sd15")
        >>> settings.compute_dtype("cpu"), settings.compute_dtype("cuda:1")
        ('fp32', 'fp16')
        """
        if self.dtype != "auto":
            return self.dtype
        return "fp16" if device.partition(":")[0] == "cuda" else "fp32"

    def settled(self, kind: str) -> DiffusersSettings:
        """Return these settings with ``dtype="auto"`` replaced by the dtype it means on ``kind``.

        >>> settings = DiffusersSettings("sd15")
        >>> settings.dtype, settings.settled("cuda").dtype
        ('auto', 'fp16')
        """
        return replace(self, dtype=self.compute_dtype(kind)) if self.dtype == "auto" else self

    def _model(self, device: str) -> dict[str, JSON]:
        return {
            "checkpoint": self.found.revision,
            "weights": self.weights,
            "dtype": self.compute_dtype(device),
            "quantise": self.quantise,
            **self._parts(),
            "lora": None if self.lora is None else lora_revision(self.lora),
            "lora_scale": self.lora_scale if self.lora is not None else None,
            "safety_checker": self.safety_checker,
        }

    def _parts(self) -> dict[str, JSON]:
        """Return the revisions of parts from elsewhere; nothing where there are none."""
        parts: JSON = {part: where.revision for part, where in self.found_components.items()}
        return {"components": parts} if parts else {}

    def readers(self) -> tuple[TextReader, ...]:
        """Return the pipeline's text encoders, by its tokenizers' settings and its call's default.

        >>> DiffusersSettings(
        ...     "miniature:small-final", components={"tokenizer": "miniature:clip"}
        ... ).readers()[0].tokens
        40
        """
        return text_encoders(
            self.checkpoint,
            Path(self.found.path),
            {part: Path(where.path) for part, where in self.found_components.items()},
            self.options.get("max_sequence_length"),
        )

    def load(self, device: str, last: Generator | None = None) -> DiffusersGenerator:
        """Load the pipeline, or take over that of a generator with the same model."""
        return load_generator(self, device, last)


def _family(folder: Path) -> str:
    """Return the family of a checkpoint as far as its files tell without loading it."""
    index = read_config(folder / "model_index.json")
    scheduler = str(read_config(folder / "scheduler" / "scheduler_config.json").get("_class_name"))
    if "Amused" in str(index.get("_class_name")):
        return "masked-token"
    if "FlowMatch" in scheduler:
        return "flow-matching"
    if "transformer" in index:
        return "diffusion-transformer"
    return "diffusion-unet" if "unet" in index else "diffusion"


def _json(value: Mapping[str, object]) -> Any:
    return dict(value)
