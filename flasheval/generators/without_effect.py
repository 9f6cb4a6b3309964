"""Settings of a pipeline that change nothing, told from signatures and configurations alone."""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from flasheval.generators.library_logs import quiet_libraries

__all__ = [
    "PipelineFacts",
    "facts_of_files",
    "facts_of_pipeline",
    "is_warning",
    "mentioned",
    "read_config",
    "warned",
    "without_effect",
]

# What a setting of a scheduler needs of another one: {setting: (other setting, its value)}.
_NEEDS: Mapping[str, tuple[str, bool]] = {
    "dynamic_thresholding_ratio": ("thresholding", True),
    "sample_max_value": ("thresholding", True),
    "clip_sample_range": ("clip_sample", True),
    "flow_shift": ("use_flow_sigmas", True),
    "base_shift": ("use_dynamic_shifting", True),
    "max_shift": ("use_dynamic_shifting", True),
    "base_image_seq_len": ("use_dynamic_shifting", True),
    "max_image_seq_len": ("use_dynamic_shifting", True),
    "time_shift_type": ("use_dynamic_shifting", True),
    "shift": ("use_dynamic_shifting", False),
}
_BETAS = ("beta_start", "beta_end", "beta_schedule")
_WARNS = " warns: "
_DENOISERS = ("unet", "transformer", "prior", "decoder")


@dataclass(frozen=True)
class PipelineFacts:
    """What the rules need to know of a pipeline.

    Attributes:
        pipeline: Its class.
        config: Its own configuration, as ``model_index.json`` has it.
        denoiser: The configuration of its denoising network.
        scheduler: The class of its scheduler; None where unknown.
        schedule: The scheduler's configuration.

    """

    pipeline: type
    config: Mapping[str, Any] = field(default_factory=dict)
    denoiser: Mapping[str, Any] = field(default_factory=dict)
    scheduler: type | None = None
    schedule: Mapping[str, Any] = field(default_factory=dict)


def facts_of_pipeline(pipeline: Any, scheduler: Any) -> PipelineFacts:
    """Return the facts of a loaded pipeline with a scheduler.

    >>> class Echo:
    ...     def __call__(self, prompt): ...
    >>> facts_of_pipeline(Echo(), None).pipeline.__name__
    'Echo'
    """
    network = next((one for key in _DENOISERS if (one := getattr(pipeline, key, None))), None)
    return PipelineFacts(
        type(pipeline),
        _config(pipeline),
        _config(network),
        None if scheduler is None else type(scheduler),
        _config(scheduler),
    )


def facts_of_files(folder: Path) -> PipelineFacts | None:
    """Return the facts of a checkpoint's folder without loading it; None where it tells too little.

    >>> facts_of_files(Path("no-such-folder")) is None
    True
    """
    index = read_config(folder / "model_index.json")
    parts = [key for key in _DENOISERS if isinstance(index.get(key), list)]
    if not index:
        return None
    schedule = read_config(folder / "scheduler" / "scheduler_config.json")
    kind, scheduler = (_class(one.get("_class_name")) for one in (index, schedule))
    if kind is None:
        return None
    denoiser = read_config(folder / parts[0] / "config.json") if parts else {}
    return PipelineFacts(kind, index, denoiser, scheduler, schedule)


def without_effect(
    facts: PipelineFacts,
    given: Mapping[str, tuple[str, Any]],
    scheduler_settings: Mapping[str, object],
) -> dict[str, str]:
    """Return the settings that cannot change an image, each with the reason.

    Only what is certain is told: where a class does not say at which guidance it reads a negative
    prompt, nothing is.

    Args:
        facts: The pipeline.
        given: The user's settings of the call: ``{setting: (argument, value)}``.
        scheduler_settings: The scheduler's settings that the user changed.

    >>> class Flux:
    ...     def __call__(self, prompt, negative_prompt=None, true_cfg_scale=1.0): ...
    >>> facts = PipelineFacts(Flux)
    >>> without_effect(facts, {"negative_prompt": ("negative_prompt", "blurry")}, {})
    {'negative_prompt': 'Flux reads it only at true_cfg_scale above 1, here 1.0'}
    >>> without_effect(facts, {"options.true_cfg_scale": ("true_cfg_scale", 4.0)}, {})
    {'options.true_cfg_scale': 'Flux uses it only with a negative_prompt'}

    """
    found = _of_guidance(facts, given)
    values = dict(given.values())
    for setting, (argument, value) in given.items():
        scheduler = facts.scheduler
        if argument == "eta" and value and scheduler and not _takes(scheduler, "step", "eta"):
            found[setting] = f"{scheduler.__name__} takes none"
        if argument == "num_inference_steps":
            for other in ("timesteps", "sigmas"):
                if values.get(other) is not None:
                    found[setting] = f"options.{other} sets the steps"
    return found | _of_scheduler(facts, scheduler_settings)


def mentioned(line: str, given: Mapping[str, tuple[str, Any]]) -> list[str]:
    """Return the settings whose arguments a line of a library's log names.

    >>> given = {"guidance": ("guidance_scale", 3.0), "steps": ("num_inference_steps", 4)}
    >>> mentioned("Guidance scale 3.0 is ignored for step-wise distilled models.", given)
    ['guidance']
    """
    if "truncated" in line:  # quotes the prompt, whose words are no settings
        return []
    return [
        setting
        for setting, (argument, _) in given.items()
        if re.search(rf"(?<!\w){argument.replace('_', '[_ ]')}(?!\w)", line, re.IGNORECASE)
    ]


def warned(pipeline: type, line: str) -> str:
    """Return the reason that quotes what a pipeline warned of.

    >>> warned(dict, "it is ignored")
    'dict warns: it is ignored'
    """
    return f"{pipeline.__name__}{_WARNS}{line}"


def is_warning(reason: str) -> bool:
    """Tell whether a reason quotes a pipeline, which need not mean that nothing was done.

    >>> is_warning(warned(dict, "it is ignored")), is_warning("there is no lora")
    (True, False)
    """
    return _WARNS in reason


def _of_guidance(facts: PipelineFacts, given: Mapping[str, tuple[str, Any]]) -> dict[str, str]:
    """Return what guidance makes idle, or what makes guidance idle."""
    name, found = facts.pipeline.__name__, {}
    values = dict(given.values())
    negative = [key for key, (argument, _) in given.items() if argument.startswith("negative_")]
    scale = "true_cfg_scale" if _takes(facts.pipeline, "__call__", "true_cfg_scale") else ""
    limit, source = _threshold(facts.pipeline)
    if scale:
        limit = 1.0
    elif limit is not None:
        scale = "guidance_scale"
    setting = {"guidance_scale": "guidance"}.get(scale, scale)
    value = values.get(scale, _default(facts.pipeline, scale)) if scale else None
    off = limit is not None and isinstance(value, int | float) and value <= limit
    reason = f"{name} reads it only at {setting} above {limit or 0:g}, here {value}"
    if "time_cond_proj_dim" in source and facts.denoiser.get("time_cond_proj_dim") is not None:
        off, reason = True, "the model has its guidance built in and reads none"
    distilled = "is_distilled" in source and bool(facts.config.get("is_distilled"))
    if distilled:
        off, reason = True, "the model is distilled, without guidance"
    for key, (argument, one) in given.items():
        if key in negative and off:
            found[key] = reason
        elif argument == "guidance_rescale" and one and off:
            found[key] = reason.replace("reads", "uses")
        elif argument == "true_cfg_scale" and not negative and _above(one, 1.0):
            found[key] = f"{name} uses it only with a negative_prompt"
        elif argument == "guidance_scale" and distilled:
            found[key] = reason
        elif argument == "guidance_scale" and _no_embedding(facts, scale):
            found[key] = "the model takes none (guidance_embeds is false)"
    return found


def _no_embedding(facts: PipelineFacts, scale: str) -> bool:
    """Tell whether guidance goes into the network alone, and the network takes none."""
    return scale != "guidance_scale" and facts.denoiser.get("guidance_embeds") is False


def _of_scheduler(facts: PipelineFacts, settings: Mapping[str, object]) -> dict[str, str]:
    if facts.scheduler is None:
        return {}
    name, found = facts.scheduler.__name__, {}
    parameters = inspect.signature(facts.scheduler).parameters
    config = {key: one.default for key, one in parameters.items()} | dict(facts.schedule)
    config |= settings
    for key in settings:
        other, wanted = _NEEDS.get(key, ("", True))
        if other in config and bool(config[other]) is not wanted:
            found[f"scheduler_settings.{key}"] = f"{name} uses it only with {other}={wanted}"
        if key in _BETAS and config.get("trained_betas") is not None:
            found[f"scheduler_settings.{key}"] = f"{name} has trained_betas in its place"
    return found


@cache
def _threshold(kind: type) -> tuple[float | None, str]:
    """Return the guidance above which a pipeline guides, as its code says, and that code.

    No documentation and no attribute tells it: it is 1 for most and 0 for some.
    """
    told = getattr(kind, "do_classifier_free_guidance", None)
    try:
        source = inspect.getsource(told.fget if isinstance(told, property) else kind.__call__)  # type: ignore[arg-type]
    except (OSError, TypeError, AttributeError):  # no source text
        return None, ""
    values = {
        float(right.value)
        for node in ast.walk(ast.parse(textwrap.dedent(source)))
        if isinstance(node, ast.Compare)
        and isinstance(node.ops[0], ast.Gt)
        and _name(node.left) in ("guidance_scale", "_guidance_scale")
        and isinstance(right := node.comparators[0], ast.Constant)
        and isinstance(right.value, int | float)
    }
    return (values.pop() if len(values) == 1 else None), source


def _name(node: ast.expr) -> str:
    return str(getattr(node, "attr", None) or getattr(node, "id", ""))


def _class(name: object) -> type | None:
    """Return a class of diffusers; what it says on import is kept off the terminal."""
    import diffusers

    with quiet_libraries():
        found = getattr(diffusers, str(name), None)
    return found if isinstance(found, type) else None


def _takes(kind: type | None, method: str, argument: str) -> bool:
    call = getattr(kind, method, None)
    return call is not None and argument in inspect.signature(call).parameters


def _default(kind: type, argument: str) -> Any:
    found = inspect.signature(kind.__call__).parameters.get(argument)
    return None if found is None else found.default


def _above(value: object, limit: float) -> bool:
    return isinstance(value, int | float) and value > limit


def _config(one: Any) -> Mapping[str, Any]:
    found = getattr(one, "config", None)
    return dict(found) if isinstance(found, Mapping) else {}


def read_config(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; nothing where there is none that can be read.

    >>> read_config(Path("no-such-file.json"))
    {}
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
