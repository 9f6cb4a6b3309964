"""Choosing the device that models are loaded on."""

from __future__ import annotations

import platform
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from flasheval.base.errors import SettingError

__all__ = ["choose_device", "device_count", "device_elsewhere", "device_kind", "hardware_name"]


def choose_device(asked: str = "auto") -> str:
    """Return the device asked for; for ``auto`` the first GPU, else the CPU.

    Raises SettingError for a device that this machine does not have.

    >>> choose_device("cpu")
    'cpu'
    """
    kind, _, number = asked.partition(":")
    if kind == "cpu" and not number:
        return "cpu"
    if kind not in ("auto", "cuda", "mps") or (number and not number.isdigit()):
        raise SettingError(f"device={asked}: expected auto, cpu, cuda, cuda:1, ... or mps")
    count = device_count("cuda") if find_spec("torch") is not None else 0
    if asked == "auto":
        return "cuda:0" if count else "cpu"
    if kind == "cuda":
        if int(number or 0) >= count:
            raise SettingError(f"device={asked}: torch finds {count} GPUs here; device=cpu works")
        return f"cuda:{number or 0}"
    return _mps()


def device_kind(device: str) -> str:
    """Return the kind of a device, without its number; only the kind may change scores.

    >>> device_kind("cuda:1")
    'cuda'
    """
    return device.partition(":")[0]


def device_count(device: str) -> int:
    """Return how many GPUs there are, 0 for a device that is not a CUDA GPU.

    >>> device_count("cpu")
    0
    """
    if device_kind(device) != "cuda":
        return 0
    import torch

    return int(torch.cuda.device_count())


def device_elsewhere(asked: str, gpus: float | None) -> str:
    """Return the device of workers on other machines, whose GPUs cannot be counted from here.

    Args:
        asked: The device asked for, as in `choose_device`.
        gpus: GPUs of each worker; None when that follows from the device.

    >>> device_elsewhere("auto", 1), device_elsewhere("cuda", None), device_elsewhere("auto", 0)
    ('cuda', 'cuda', 'cpu')

    """
    if asked == "auto" and gpus is not None:
        return "cuda" if gpus else "cpu"
    return "cuda" if device_kind(asked) == "cuda" else choose_device(asked)


@cache
def hardware_name(device: str) -> str:
    """Return the name of the hardware behind a device, for who compares seconds.

    >>> hardware_name("cpu") != ""
    True
    """
    if device_kind(device) == "cuda":
        import torch

        try:
            return str(torch.cuda.get_device_name(device))
        except (RuntimeError, AssertionError):  # no such GPU here: its name is worth no failure
            return device
    return _processor()


def _processor() -> str:
    """Return the processor's name; the kind of machine where the system does not tell it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:  # not Linux
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine() or "a processor"


def _mps() -> str:
    import torch

    if not torch.backends.mps.is_available():
        raise SettingError("device=mps: torch finds no Apple GPU here; device=cpu works")
    return "mps"
