"""A loaded diffusers pipeline as a generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.base.extras import pip_command
from flasheval.base.models.weights import Weights
from flasheval.generators.components import load_components
from flasheval.generators.evaluations import EvaluationCounter, denoiser_of
from flasheval.generators.generator import Batch, Generator
from flasheval.generators.library_logs import heard_warnings, quiet_libraries
from flasheval.generators.lora import fuse_lora
from flasheval.generators.missing_weights import weights_all_there
from flasheval.generators.pipeline_call import PipelineCall
from flasheval.generators.quantise import Quantisation, quantise
from flasheval.generators.schedulers import swapped_scheduler
from flasheval.generators.variants import Factor
from flasheval.generators.without_effect import facts_of_pipeline, mentioned, warned, without_effect

__all__ = ["DiffusersGenerator", "LoadedPipeline", "given_arguments", "load_generator"]

Given = Mapping[str, tuple[str, Any]]
_DTYPES = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


@dataclass(frozen=True)
class LoadedPipeline:
    """A pipeline that several variants share.

    Attributes:
        pipeline: The pipeline, on its device.
        scheduler: The scheduler it came with, which every swap starts from.

    """

    pipeline: Any
    scheduler: Any


class DiffusersGenerator:
    """A generator that makes images with a loaded diffusers pipeline.

    Args:
        loaded: The pipeline.
        family: The family of models.
        scheduler: The scheduler to put in; another variant may have swapped it meanwhile.
        call: The pipeline with the arguments of its call.
        given: The user's settings of the call: ``{setting: (argument, value)}``.
        remarks: Settings that are known to change nothing, with reasons.

    """

    def __init__(
        self,
        loaded: LoadedPipeline,
        family: str,
        scheduler: Any,
        call: PipelineCall,
        *,
        given: Given | None = None,
        remarks: Mapping[str, str] | None = None,
    ) -> None:
        self.loaded, self._family = loaded, family
        self._scheduler, self.call = scheduler, call
        self._evaluations: int | None = None
        self._given, self._remarks = dict(given or {}), dict(remarks or {})

    @property
    def family(self) -> str:
        """The family of models."""
        return self._family

    @property
    def evaluations(self) -> int | None:
        """Calls of the denoising network for one image, counted during the last `generate`."""
        return self._evaluations

    @property
    def remarks(self) -> dict[str, str]:
        """Settings that change nothing, or that the pipeline warned of, with the reason."""
        return dict(self._remarks)

    def generate(self, batch: Batch) -> Any:
        """Return the images, float [n, height, width, 3] in [0, 1], or a list of single ones."""
        self.loaded.pipeline.scheduler = self._scheduler
        network = denoiser_of(self.loaded.pipeline)
        if network is None:
            return self._made(batch)
        with EvaluationCounter(network) as counter:
            made = self._made(batch)
        one_by_one = not self.call.takes_lists
        self._evaluations = round(counter.calls / (max(1, len(batch)) if one_by_one else 1))
        return made

    def _made(self, batch: Batch) -> Any:
        import torch

        with torch.inference_mode(), quiet_libraries(), heard_warnings() as lines:
            made = self.call(batch.prompts, batch.seeds)
        for line in lines:
            for setting in mentioned(line, self._given):
                self._remarks.setdefault(setting, warned(type(self.loaded.pipeline), line))
        return made


class PipelineSettings(Protocol):
    """The settings a pipeline is loaded with: the fields of `DiffusersSettings`."""

    @property
    def checkpoint(self) -> str:
        """A folder or a name on the Hub."""

    @property
    def found(self) -> Weights:
        """The checkpoint's path and revision."""

    @property
    def found_components(self) -> Mapping[str, Weights]:
        """Paths and revisions of replacement parts, by part."""

    @property
    def weights(self) -> str | None:
        """Which of several sets of weights."""

    @property
    def scheduler(self) -> str | None:
        """The scheduler to swap in."""

    @property
    def scheduler_settings(self) -> Mapping[str, object]:
        """Settings of the scheduler to change."""

    @property
    def steps(self) -> int | None:
        """Steps of the scheduler."""

    @property
    def guidance(self) -> float | None:
        """Guidance scale."""

    @property
    def width(self) -> int | None:
        """Width of the images in pixels."""

    @property
    def height(self) -> int | None:
        """Height of the images in pixels."""

    @property
    def negative_prompt(self) -> str | None:
        """One text for every prompt."""

    @property
    def quantise(self) -> Quantisation | None:
        """How the denoiser's weights are rounded."""

    @property
    def lora(self) -> str | None:
        """A LoRA to fuse in."""

    @property
    def lora_scale(self) -> float:
        """Strength of the LoRA."""

    @property
    def lora_partial(self) -> bool:
        """Whether a LoRA is taken of which only some modules fit."""

    @property
    def safety_checker(self) -> bool:
        """Whether the checkpoint's safety checker is loaded."""

    @property
    def offload(self) -> str | None:
        """Whether parts are kept off the GPU."""

    @property
    def options(self) -> Mapping[str, object]:
        """Further arguments of the pipeline's call."""

    def factors(self) -> Mapping[str, Factor]:
        """Return the factors of the variant."""

    def compute_dtype(self, device: str) -> str:
        """Return the name of the type the model computes in."""


def load_generator(
    settings: PipelineSettings, device: str, last: Generator | None = None
) -> DiffusersGenerator:
    """Return a generator; see `DiffusersSettings.load`."""
    if isinstance(last, DiffusersGenerator):
        loaded = last.loaded
    else:
        with quiet_libraries():
            loaded = _load(settings, device)
    call = _call(settings, loaded.pipeline)
    scheduler = swapped_scheduler(loaded.scheduler, settings.scheduler, settings.scheduler_settings)
    given = given_arguments(settings)
    facts = facts_of_pipeline(loaded.pipeline, scheduler)
    return DiffusersGenerator(
        loaded,
        str(settings.factors()["family"]),
        scheduler,
        call,
        given=given,
        remarks=without_effect(facts, given, settings.scheduler_settings),
    )


def _load(settings: PipelineSettings, device: str) -> LoadedPipeline:
    try:
        import diffusers
        import torch
    except ImportError as error:
        raise SettingError(
            f"generator diffusers needs more packages: {pip_command('diffusers')}"
        ) from error
    dtype = getattr(torch, _DTYPES[settings.compute_dtype(device)])
    try:
        pipeline: Any = diffusers.DiffusionPipeline
        index = pipeline.load_config(settings.found.path, revision=settings.found.commit)
        more: dict[str, Any] = {}
        # Only a checkpoint that names one may be loaded without it.
        if not settings.safety_checker and "safety_checker" in index:
            more = {"safety_checker": None, "requires_safety_checker": False}
        with weights_all_there() as check:
            more |= load_components(settings.found_components, index, dtype)
            pipeline = pipeline.from_pretrained(
                settings.found.path,
                revision=settings.found.commit,
                variant=settings.weights,
                torch_dtype=dtype,
                use_safetensors=True,
                trust_remote_code=False,
                **more,
            )
            check(pipeline)
    except FlashevalError:
        raise
    except Exception as error:  # files missing, of another version, cut short, ...
        raise DataError(_not_loaded(settings, error)) from error
    pipeline.set_progress_bar_config(disable=True)
    if settings.lora is not None:
        fuse_lora(pipeline, settings.lora, settings.lora_scale, settings.lora_partial)
    if settings.quantise is not None:
        quantise(denoiser_of(pipeline), settings.quantise)
    _place(pipeline, settings.offload, device)
    return LoadedPipeline(pipeline, pipeline.scheduler)


def _not_loaded(settings: PipelineSettings, error: Exception) -> str:
    folder = Path(settings.found.path)
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    if folder.is_dir() and list(folder.rglob("*.bin")) and not list(folder.rglob("*.safetensors")):
        reason = "its weights are .bin files, which may hold code; convert them to safetensors"
    return f"checkpoint {settings.checkpoint} cannot be loaded: {reason}"


def _place(pipeline: Any, offload: str | None, device: str) -> None:
    if offload is None:
        pipeline.to(device)
    elif device.partition(":")[0] == "cpu":
        raise SettingError(f"offload={offload} is for GPUs; leave it out with device=cpu")
    elif offload == "model":
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.enable_sequential_cpu_offload(device=device)


def given_arguments(settings: PipelineSettings) -> dict[str, tuple[str, Any]]:
    """Return the arguments of the call that are set: ``{setting: (argument, value)}``."""
    named = {
        "steps": ("num_inference_steps", settings.steps),
        "guidance": ("guidance_scale", settings.guidance),
        "width": ("width", settings.width),
        "height": ("height", settings.height),
        "negative_prompt": ("negative_prompt", settings.negative_prompt),
        **{f"options.{key}": (key, value) for key, value in settings.options.items()},
    }
    return {key: (argument, value) for key, (argument, value) in named.items() if value is not None}


def _call(settings: PipelineSettings, pipeline: Any) -> PipelineCall:
    """Return the pipeline with its arguments; SettingError for one it does not take."""
    given = given_arguments(settings)
    return PipelineCall(
        pipeline,
        dict(given.values()),
        names={argument: f"{key}={value}" for key, (argument, value) in given.items()},
    )
