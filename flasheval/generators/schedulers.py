"""Schedulers by short name, swapped into a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flasheval.errors import SettingError
from flasheval.suggest import nearest

__all__ = ["SCHEDULERS", "swapped_scheduler"]

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


def swapped_scheduler(original: Any, name: str | None, settings: Mapping[str, object]) -> Any:
    """Return the scheduler of that name with the settings of the original one.

    Args:
        original: The scheduler the checkpoint came with.
        name: A key of `SCHEDULERS` or a class name of diffusers; None for the original's own.
        settings: Settings to change, by diffusers' own names.

    Raises:
        SettingError: No such scheduler, one the model was not made for, or no such setting.

    """
    chosen = type(original) if name is None else _class(name)
    if not _fits(original, chosen, settings):
        fitting = sorted({_short(one.__name__) for one in original.compatibles})
        raise SettingError(
            f"scheduler={name} does not fit this checkpoint, which was made for "
            f"{_short(type(original).__name__)}; these fit: {', '.join(fitting)}"
        )
    known = set(chosen._get_init_keys(chosen))
    for key in settings:
        if key not in known:
            raise SettingError(
                f"scheduler_settings.{key}: {chosen.__name__} has no such setting"
                f"{nearest(key, known)}"
            )
    return chosen.from_config(original.config, **settings)


def _class(name: str) -> Any:
    import diffusers

    found = getattr(diffusers, SCHEDULERS.get(name, name), None)
    if found is None or not hasattr(found, "from_config") or "Scheduler" not in found.__name__:
        raise SettingError(
            f"scheduler={name}: there is none; choose one of {', '.join(SCHEDULERS)}, or a class "
            f"of diffusers{nearest(name, SCHEDULERS)}"
        )
    return found


def _fits(original: Any, chosen: Any, settings: Mapping[str, object]) -> bool:
    flows = ["FlowMatch" in one.__name__ for one in (type(original), chosen)]
    if flows == [True, False]:  # solvers that learnt flow matching later are told to
        return bool(settings.get("use_flow_sigmas"))
    distilled = chosen.__name__ in _DISTILLED and bool(original.compatibles)
    return all(flows) or chosen in original.compatibles or distilled


def _short(class_name: str) -> str:
    return next((short for short, name in SCHEDULERS.items() if name == class_name), class_name)
