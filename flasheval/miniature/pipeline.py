"""A diffusion model of the miniature as a diffusers pipeline, to train and to try things on."""

from __future__ import annotations

from typing import Any

from flasheval.base.errors import DataError
from flasheval.generators.schedulers import swapped_scheduler

__all__ = ["PIPELINES", "load_pipeline"]

PIPELINES = ("large-final", "base-final", "base-middle", "small-final", "small-middle")
"""The diffusion models that come with the package."""


def load_pipeline(name: str = "large-final") -> Any:
    """Return a `StableDiffusionPipeline` in float32 on the CPU, with a DPM-Solver scheduler.

    Args:
        name: One of `PIPELINES`.

    Raises:
        DataError: Another name.
        SettingError: torch or diffusers is not installed.

    >>> load_pipeline("huge")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: there is no pipeline 'huge'; there are: large-final, ...

    """
    from flasheval.generators.diffusers_pipeline import load_generator
    from flasheval.generators.diffusers_settings import DiffusersSettings

    if name not in PIPELINES:
        raise DataError(f"there is no pipeline {name!r}; there are: {', '.join(PIPELINES)}")
    settings = DiffusersSettings(checkpoint=f"miniature:{name}", dtype="fp32")
    pipe = load_generator(settings, "cpu").loaded.pipeline
    pipe.scheduler = swapped_scheduler(pipe.scheduler, "DPM", {})
    return pipe
