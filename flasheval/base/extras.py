"""The optional libraries, and the pip command that brings each: what messages name."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EXTRAS", "LAUNCHERS", "LIBRARIES", "missing_library", "pip_command"]

EXTRAS: Mapping[str, str] = {
    "torch": "generate",
    "diffusers": "generate",
    "transformers": "generate",
    "tokenizers": "generate",
    "accelerate": "generate",
    "PIL": "generate",
    "safetensors": "generate",
    "peft": "generate",
    "wandb": "wandb",
    "tensorboard": "tensorboard",
    "huggingface_hub": "hub",
    "datasets": "hub",
    "submitit": "slurm",
    "ray": "ray",
    "openpyxl": "excel",
    "optimum": "quantise",
    "hydra_plugins.hydra_joblib_launcher": "sweep",
    "hydra_plugins.hydra_submitit_launcher": "slurm",
    "hydra_plugins.hydra_optuna_sweeper": "optuna",
}
"""The extra of flasheval that brings a module."""

LIBRARIES = ("pandas", "polars")
"""Modules that are used where they are installed, and belong to no extra."""

LAUNCHERS: Mapping[str, str] = {
    "joblib": "hydra_plugins.hydra_joblib_launcher",
    "submitit_local": "hydra_plugins.hydra_submitit_launcher",
    "submitit_slurm": "hydra_plugins.hydra_submitit_launcher",
}
"""The module of each of Hydra's launchers that an extra brings."""


def pip_command(module: str) -> str:
    """Return the command that installs an optional module.

    >>> pip_command("transformers.models"), pip_command("pandas")
    ('pip install "flasheval[generate]"', 'pip install pandas')
    """
    extra = _extra(module)
    return f"pip install {module.partition('.')[0]}" if extra is None else f'pip install "{extra}"'


def missing_library(error: ModuleNotFoundError) -> str | None:
    """Return the line that says what to install; None where the module is no optional one.

    >>> missing_library(ModuleNotFoundError(name="torch"))
    'torch is not installed; it comes with: pip install "flasheval[generate]"'
    >>> missing_library(ModuleNotFoundError(name="my_module")) is None
    True
    """
    name = error.name or ""
    if _extra(name) is None and name.partition(".")[0] not in LIBRARIES:
        return None
    return f"{name} is not installed; it comes with: {pip_command(name)}"


def _extra(module: str) -> str | None:
    """Return ``flasheval[EXTRA]`` of the extra that brings a module or the one it is part of."""
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((f"flasheval[{EXTRAS[name]}]" for name in names if name in EXTRAS), None)
