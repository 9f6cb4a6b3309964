"""Schedulers by short name, swapped into a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flasheval.base.errors import SettingError
from flasheval.base.suggest import nearest

__all__ = ["SCHEDULERS", "scheduler_class", "swapped_scheduler"]

SCHEDULERS: Mapping[str, str] = {
    "DDIM": "DDIMScheduler",
    "DDPM": "DDPMScheduler",
    "DEIS": "DEISMultistepScheduler",
    "DPM": "DPMSolverMultistepScheduler",
    "DPMSingle": "DPMSolverSinglestepScheduler",
    "Euler": "EulerDiscreteScheduler",
    "EulerA": "EulerAncestralDiscreteScheduler",
    "FlowMatchEuler": "FlowMatchEulerDiscreteScheduler",
    "FlowMatchHeun": "FlowMatchHeunDiscreteScheduler",
    "Heun": "HeunDiscreteScheduler",
    "KDPM2": "KDPM2DiscreteScheduler",
    "LCM": "LCMScheduler",
    "LMS": "LMSDiscreteScheduler",
    "PNDM": "PNDMScheduler",
    "UniPC": "UniPCMultistepScheduler",
}
"""Class names in diffusers by the names papers use; any other class name of diffusers works too."""

# Used with distilled diffusion models and LoRAs, though not listed among the compatible ones.
_DISTILLED = ("LCMScheduler", "TCDScheduler")
# Their noise comes from a tree of their own, the same for a whole batch and no prompt's seed.
_OWN_NOISE = ("DPMSolverSDEScheduler", "CosineDPMSolverMultistepScheduler")
_SHIFTS = {"shift": "flow_shift", "flow_shift": "shift"}


def swapped_scheduler(original: Any, name: str | None, settings: Mapping[str, object]) -> Any:
    """Return a scheduler of another class with the settings of the original one.

    The shift of flow matching, which diffusers calls by two names, is kept too.

    Args:
        original: The scheduler the checkpoint came with.
        name: A key of `SCHEDULERS` or a class name of diffusers; None for the original's own.
        settings: Settings to change, by diffusers' own names.

    Raises:
        SettingError: An unknown scheduler or setting, a bad value, a scheduler for another kind of
            model, or one that ignores the image seeds.

    """
    chosen = type(original) if name is None else scheduler_class(name)
    if chosen.__name__ in _OWN_NOISE:
        raise SettingError(
            f"scheduler={chosen.__name__} ignores the image seeds; use another scheduler"
        )
    known = set(chosen._get_init_keys(chosen))
    for key in settings:
        if key not in known:
            raise SettingError(
                f"scheduler_settings.{key}: {chosen.__name__} has no such setting"
                f"{nearest(key, known)}"
            )
    kept = {
        key: original.config[other]
        for key, other in _SHIFTS.items()
        if key in known and key not in original.config and other in original.config
    }
    changed = {**kept, **settings}
    taken = {key: value for key, value in original.config.items() if key in known}
    if _kind(chosen, {**taken, **changed}) != _kind(type(original), original.config):
        raise SettingError(_unfit(original, chosen))
    try:
        return chosen.from_config(original.config, **changed)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise SettingError(f"scheduler={_short(chosen.__name__)}: {error}") from error


def scheduler_class(name: str) -> Any:
    """Return the class of a key of `SCHEDULERS` or a class name. Raises SettingError for none."""
    import diffusers

    found = getattr(diffusers, SCHEDULERS.get(name, name), None)
    if found is None or not hasattr(found, "from_config") or "Scheduler" not in found.__name__:
        raise SettingError(
            f"scheduler={name}: there is no such scheduler; choose one of "
            f"{', '.join(SCHEDULERS)}, or a class of diffusers{nearest(name, SCHEDULERS)}"
        )
    return found


def _kind(scheduler: Any, config: Mapping[str, Any]) -> str:
    """Return what kind of model a scheduler class with these settings is for."""
    name = scheduler.__name__
    told = config.get("use_flow_sigmas") and config.get("prediction_type") == "flow_prediction"
    if "FlowMatch" in name or told:  # solvers that learnt flow matching later are told to
        return "flow matching"
    diffusion = "DDIMScheduler" in getattr(scheduler, "_compatibles", ()) or name in _DISTILLED
    return "diffusion" if diffusion else str(name)


def _unfit(original: Any, chosen: Any) -> str:
    """Return the message for a scheduler of another kind, with those that would fit."""
    kind = _kind(type(original), original.config)
    advice = {
        "diffusion": "these fit: "
        + ", ".join(name for name in SCHEDULERS if not name.startswith("FlowMatch")),
        "flow matching": "FlowMatchEuler and FlowMatchHeun fit, and DPM and UniPC with "
        "scheduler_settings {use_flow_sigmas: true, prediction_type: flow_prediction}",
    }.get(kind, "leave scheduler= out")
    return (
        f"scheduler={_short(chosen.__name__)} does not fit this checkpoint, which was made for "
        f"{_short(type(original).__name__)}: {advice}"
    )


def _short(class_name: str) -> str:
    return next((short for short, name in SCHEDULERS.items() if name == class_name), class_name)
