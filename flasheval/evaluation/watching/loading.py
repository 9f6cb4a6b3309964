"""Loading a checkpoint, by its kind and the settings given for all checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from flasheval.base.canonical import JSON
from flasheval.base.errors import DataError, SettingError
from flasheval.base.json_data import from_plain, to_plain
from flasheval.base.models.weights import local_path, locate
from flasheval.base.user_code import load_object, source_hash
from flasheval.evaluation.watching.checkpoint_files import INDEX, Checkpoint, index_parts
from flasheval.evaluation.watching.completeness import safetensors_header
from flasheval.generators.diffusers_pipeline import DiffusersGenerator
from flasheval.generators.diffusers_settings import DiffusersSettings
from flasheval.generators.evaluations import denoiser_of

__all__ = ["CheckpointLoader", "Loaded"]

_OF_CALL = {
    "num_inference_steps": "steps",
    "guidance_scale": "guidance",
    "width": "width",
    "height": "height",
    "negative_prompt": "negative_prompt",
}
_TAKEN = ("checkpoint", "revision", "lora")


@dataclass(frozen=True)
class Loaded:
    """A loaded checkpoint.

    Attributes:
        model: A model for `flasheval.evaluate`.
        arguments: The arguments of its call.
        settings: The settings it was loaded from; None with a user's loader.

    """

    model: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)
    settings: DiffusersSettings | None = None


@dataclass(frozen=True)
class CheckpointLoader:
    """The loader of checkpoints, with the settings that all of them share.

    Attributes:
        device: The models' device.
        base: The pipeline that parts, LoRAs and single files of weights belong to.
        loader: A user's function, or its name ``file.py:name``: it takes a checkpoint's path and
            returns a pipeline or a function of prompts and seeds.
        settings: Settings of `DiffusersSettings`, such as components, scheduler and dtype.
        call: Arguments of the pipeline's call.

    """

    device: str
    base: str | None = None
    loader: str | Callable[..., Any] | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> dict[str, JSON]:
        """Return everything but the checkpoint that images depend on; FlashevalError for a mistake.

        >>> CheckpointLoader("cpu", loader="json:loads", base="sd15").check()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: base and settings are for checkpoints that ...
        """
        if self.loader is not None:
            if self.base is not None or self.settings:
                raise SettingError(
                    "base and settings are for checkpoints that flasheval loads; the loader does "
                    "that itself: leave them out"
                )
            name = self.loader if isinstance(self.loader, str) else _name_of(self.loader)
            self.function  # noqa: B018 - a mistake is told now
            return {"loader": name, "call": dict(self.call)}
        made = self._made("checkpoint")
        shown: Any = to_plain(made)
        parts = {part: where.revision for part, where in made.found_components.items()}
        base = None if self.base is None else locate(self.base, marker=INDEX).revision
        settings = {key: value for key, value in shown.items() if key not in _TAKEN}
        return {"base": base, "settings": {**settings, "components": parts, "device": self._kind}}

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The user's loader. Raises SettingError when it is not a function."""
        found = load_object(self.loader, "loader") if isinstance(self.loader, str) else self.loader
        if not callable(found):
            raise SettingError(f"loader={self.loader}: expected a function that takes a path")
        return found

    @cached_property
    def source(self) -> str | None:
        """The hash of the loader's source file, when it is given by name; else None."""
        return source_hash(self.loader, "loader") if isinstance(self.loader, str) else None

    @cached_property
    def base_parts(self) -> tuple[str, ...]:
        """The names of the base's parts; without a base the parts that are usually trained."""
        folder = None if self.base is None else local_path(self.base)
        if folder is None or not folder.is_dir():
            return ("unet", "transformer", "prior", "text_encoder", "text_encoder_2", "vae")
        return index_parts(folder / INDEX)

    @property
    def elsewhere(self) -> frozenset[str]:
        """The parts that a pipeline's folder need not have.

        >>> sorted(CheckpointLoader("cpu").elsewhere)
        ['safety_checker']
        """
        if self.loader is not None:
            return frozenset()
        return frozenset([*self._made("checkpoint").components, "safety_checker"])

    def load(self, checkpoint: Checkpoint) -> Loaded:
        """Load a checkpoint.

        Raises FlashevalError, and any error of a user's loader.

        >>> from pathlib import Path
        >>> loader = CheckpointLoader("cpu", loader=lambda path: f"model of {path.name}")
        >>> loader.load(Checkpoint("step-2", Path("step-2"), "path", 2, {})).model
        'model of step-2'
        """
        if self.loader is not None:
            try:
                return Loaded(self.function(checkpoint.path), dict(self.call))
            except SystemExit as error:
                raise DataError(f"the loader ended with exit code {error.code}") from error
        path = str(checkpoint.path)
        if checkpoint.kind == "pipeline":
            settings = self._made(path)
            return Loaded(settings.load(self.device), settings=settings)
        if self.base is None:
            what = "parts" if checkpoint.kind == "parts" else "weights"
            raise DataError(f"it holds only {what} of a pipeline; name the pipeline with base=")
        base = self._made(self.base)
        if checkpoint.kind == "parts":
            settings = replace(base, components={**base.components, **_parts_of(checkpoint)})
            return Loaded(settings.load(self.device), settings=settings)
        if any("lora" in name.lower() for name in safetensors_header(checkpoint.path)):
            settings = replace(base, lora=path)
            return Loaded(settings.load(self.device), settings=settings)
        return Loaded(_with_weights(base, path, self.device), settings=base)

    def _made(self, checkpoint: str) -> DiffusersSettings:
        """Return the settings of a pipeline; SettingError for one that cannot be."""
        settings = dict(self.settings)
        options = {}
        for argument, value in self.call.items():
            key = _OF_CALL.get(argument)
            if key is None:
                options[argument] = value
            elif key in settings:
                raise SettingError(f"settings.{key} and call.{argument} are the same; say it once")
            else:
                settings[key] = value
        for key in _TAKEN:
            if key in settings:
                raise SettingError(
                    f"settings.{key}: the watch sets it for each checkpoint; leave it out"
                )
        if options:
            given: Any = settings.get("options") or {}
            settings["options"] = {**given, **options}
        try:
            body = {"checkpoint": checkpoint, **settings}
            return from_plain(DiffusersSettings, body, source="settings").settled(self._kind)
        except DataError as error:
            raise SettingError(str(error)) from None

    @property
    def _kind(self) -> str:
        return self.device.partition(":")[0]


def _parts_of(checkpoint: Checkpoint) -> dict[str, str]:
    """Return where the parts lie. Raises DataError for weights that may hold code."""
    for part in checkpoint.parts:
        if not list((checkpoint.path / part).glob("*.safetensors")):
            raise DataError(f"{part} has no safetensors file, and others may hold code")
    return {part: str(checkpoint.path / part) for part in checkpoint.parts}


def _with_weights(settings: DiffusersSettings, path: str, device: str) -> DiffusersGenerator:
    """Load the base with the weights of its denoiser from a file."""
    from safetensors.torch import load_file

    if settings.quantise is not None or settings.offload is not None:
        raise SettingError("quantise and offload are for whole pipelines; leave them out here")
    generator = settings.load(device)
    network = denoiser_of(generator.loaded.pipeline)
    try:
        network.load_state_dict(load_file(path), strict=True)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"its weights do not fit the base's {type(network).__name__}: {reason}"
        ) from error
    return generator


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__qualname__", type(function).__name__))
