"""Evaluating inside a training process without changing its modes, random states or scheduler."""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from flasheval.evaluation.autocast import AUTOCAST_DEVICES

__all__ = ["undisturbed"]


@contextmanager
def undisturbed(generator: object, modules: Iterable[object] = ()) -> Iterator[None]:
    """Run a block of evaluation so that training continues as if nothing had happened.

    Inside, the modules are in evaluation mode, no gradient is recorded, autocast is off (for
    scorers; `flasheval.evaluation.autocast` is for the images), and a pipeline has a copy of its
    scheduler and no progress bar. Afterwards every module's mode, the random states of Python,
    NumPy and torch (on the CPU, and on CUDA and XPU devices) and the pipeline's own scheduler are
    restored, and unused memory of accelerators is released.

    Args:
        generator: A diffusers pipeline, a torch module or a method of one, or anything else.
        modules: Further torch modules that make images and are not parts of a pipeline.

    >>> random.seed(7)
    >>> with undisturbed(None):
    ...     _ = random.random()
    >>> after = random.random()
    >>> random.seed(7)
    >>> random.random() == after
    True

    """
    with ExitStack() as stack:
        stack.enter_context(_random_states())
        if "torch" in sys.modules:
            components = getattr(generator, "components", None)
            named = components.values() if isinstance(components, dict) else ()
            owner = getattr(generator, "__self__", None)
            stack.enter_context(_evaluating([*named, *modules, generator, owner]))
            stack.enter_context(_quiet_pipeline(generator))
        yield


@contextmanager
def _random_states() -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the user's own
    torch: Any = sys.modules.get("torch")
    states: Any = None if torch is None else torch.get_rng_state()
    device_states = {name: module.get_rng_state_all() for name, module in _accelerators(torch)}
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        if torch is not None:
            torch.set_rng_state(states)
        for name, module in _accelerators(torch):
            if name in device_states:
                module.set_rng_state_all(device_states[name])
            else:  # started meanwhile: as when it starts with the seed of torch.manual_seed
                module.manual_seed_all(torch.initial_seed())
            module.empty_cache()


def _accelerators(torch: Any) -> list[tuple[str, Any]]:
    """Return the modules of accelerators in use; one that is not yet is not started by looking."""
    found = ((name, getattr(torch, name, None)) for name in ("cuda", "xpu"))
    return [(name, module) for name, module in found if module and module.is_initialized()]


@contextmanager
def _evaluating(objects: Iterable[object]) -> Iterator[None]:
    import torch

    roots = [one for one in objects if isinstance(one, torch.nn.Module)]
    modes = [(module, module.training) for root in roots for module in root.modules()]
    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        for kind in AUTOCAST_DEVICES:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        try:
            for module, _ in modes:
                module.training = False
            yield
        finally:
            for module, training in modes:
                module.training = training


@contextmanager
def _quiet_pipeline(generator: Any) -> Iterator[None]:
    """Give a pipeline a scheduler of its own, for a call sets its steps, and no progress bar."""
    scheduler = getattr(generator, "scheduler", None)
    if not hasattr(scheduler, "set_timesteps"):  # none, or that of a learning rate
        scheduler = None
    shows = hasattr(generator, "set_progress_bar_config")
    bar = vars(generator).get("_progress_bar_config") if shows else None
    try:
        if scheduler is not None:
            generator.scheduler = copy.deepcopy(scheduler)
        if shows:
            generator.set_progress_bar_config(**{**(bar or {}), "disable": True})
        yield
    finally:
        if scheduler is not None:
            generator.scheduler = scheduler
        if shows:
            vars(generator)["_progress_bar_config"] = bar if bar is not None else {}
