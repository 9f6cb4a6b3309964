"""wandb, offline: the artifact is read back from the run's own file."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flasheval.base.errors import SettingError
from flasheval.subset.upload import publish, wandb_artifact
from flasheval.subset.upload.wandb_artifact import artifact_metadata, check_artifact

_LOG = """
import sys
from pathlib import Path
from flasheval.subset.upload import publish
from flasheval.subset.upload.wandb_artifact import log_artifact
from flasheval.subset import Subset

subsets = [Subset.load(path) for path in sys.argv[3:]]
logged = log_artifact(publish(subsets, sys.argv[1]), "few", project="p")
assert logged.offline
print(logged.where)
"""


def test_names_and_modes_that_cannot_be(monkeypatch):
    for name in ("", "a b", "a/b", "x" * 129):
        with pytest.raises(SettingError, match="expected at most 128 letters"):
            check_artifact(name)
    monkeypatch.setattr(wandb_artifact, "find_spec", lambda _: None)
    with pytest.raises(SettingError, match=r'pip install "flasheval\[wandb\]"'):
        check_artifact("few")
    monkeypatch.undo()
    monkeypatch.setattr(wandb_artifact, "find_spec", lambda _: object())
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with pytest.raises(SettingError, match="WANDB_MODE=disabled; use online or offline"):
        check_artifact("few")


@pytest.mark.slow  # wandb's own process starts
def test_offline_it_is_staged_whole(make_subset, logged_records, tmp_path):
    pytest.importorskip("wandb", reason="wandb is not installed")
    made = publish([make_subset(), make_subset("both-50", 50, ("clip", "hps"))], tmp_path / "up")
    environment = {
        **os.environ,
        **{f"WANDB_{key}_DIR": str(tmp_path / "home") for key in ("CONFIG", "CACHE", "DATA")},
        "WANDB_DIR": str(tmp_path),
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "WANDB_ERROR_REPORTING": "false",
    }
    manifests = [str(made.folder / "manifests" / f"{name}.json") for name in made.configs]
    command = [sys.executable, "-c", _LOG, str(made.folder), "", *manifests]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    (folder,) = tmp_path.glob("wandb/offline-run-*")
    assert Path(out.stdout.strip().splitlines()[-1]).resolve() == folder.resolve()
    (artifact,) = _artifacts(folder, logged_records)
    assert (artifact.name, artifact.type) == ("few", "flasheval-subset")

    assert json.loads(artifact.metadata) == artifact_metadata(made)
    entries = {entry.path: entry for entry in artifact.manifest.contents}
    assert set(entries) == set(made.files)
    for name, entry in entries.items():
        assert Path(entry.local_path).read_bytes() == (made.folder / name).read_bytes()


def _artifacts(folder: Path, logged_records: Callable[[bytes], Iterator[bytes]]) -> list:
    from wandb.proto.wandb_internal_pb2 import Record

    (path,) = folder.glob("*.wandb")
    found = []
    for data in logged_records(path.read_bytes()):
        record = Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") == "artifact":
            found.append(record.artifact)
        elif record.request.WhichOneof("request_type") == "log_artifact":
            found.append(record.request.log_artifact.artifact)
    return found
