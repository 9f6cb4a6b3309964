"""Logging a publication as an artifact of Weights & Biases, online or for `wandb sync` later."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.extras import pip_command
from flasheval.subset.upload.publication import Publication

__all__ = ["LoggedArtifact", "artifact_metadata", "check_artifact", "log_artifact"]

_TYPE = "flasheval-subset"


@dataclass(frozen=True)
class LoggedArtifact:
    """A logged artifact: its name, and the run's URL, or the folder to sync when offline."""

    name: str
    offline: bool
    where: str


def artifact_metadata(publication: Publication) -> dict[str, dict[str, object]]:
    """Return content hash, prompt set, size and metrics of each configuration."""
    return {
        subset.name: {
            "content_hash": subset.content_hash,
            "prompt_set": subset.prompt_set_name,
            "prompts": subset.size,
            "metrics": [metric.name for metric in subset.metrics],
        }
        for subset in publication.subsets
    }


def check_artifact(name: str) -> None:
    """Raise SettingError for a name that wandb refuses, and when wandb is not installed."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,128}", name):
        raise SettingError(
            f"artifact={name}: expected at most 128 letters, digits, '-', '_' and '.'"
        )
    if find_spec("wandb") is None:
        raise SettingError(f"artifact needs: {pip_command('wandb')}")
    if os.environ.get("WANDB_MODE") == "disabled":
        raise SettingError("artifact is given, but WANDB_MODE=disabled; use online or offline")


def log_artifact(
    publication: Publication, name: str, *, project: str | None = None
) -> LoggedArtifact:
    """Log a publication's files as an artifact of type ``flasheval-subset``, in a run of its own.

    wandb's environment variables apply: ``WANDB_MODE=offline`` writes files only, ``WANDB_DIR``
    names their folder. An existing name gets a new version, unless nothing changed.

    Raises:
        SettingError: As :func:`check_artifact` does.
        FlashevalError: wandb cannot be reached or refuses.

    """
    check_artifact(name)
    import wandb

    try:
        artifact = wandb.Artifact(name, type=_TYPE, metadata=artifact_metadata(publication))
        for file in publication.files:
            artifact.add_file(str(publication.folder / file), name=file)
        run = wandb.init(
            project=project,
            job_type="publish",
            reinit="create_new",  # a run that is active is nobody's to end
            settings=wandb.Settings(console="off"),
        )
        with run:
            logged = run.log_artifact(artifact)
            if not run.offline:
                logged.wait()
            where = str(run.dir).removesuffix("/files") if run.offline else str(run.url)
            return LoggedArtifact(name, run.offline, where)
    except (wandb.Error, TimeoutError, ValueError) as error:
        reason = str(error).rstrip(". ")
        raise FlashevalError(
            f"wandb: {reason}; WANDB_MODE=offline needs neither login nor network"
        ) from error
