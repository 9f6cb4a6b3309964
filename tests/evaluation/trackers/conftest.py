"""Reports made up by hand, and wandb kept offline, quiet and within the test's folder."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from flasheval.evaluation.report import MetricScores, Report
from flasheval.generators.images import ImageFault
from flasheval.prompts import PromptSet
from flasheval.subset import Method, MetricInfo, Subset

IDS = tuple(f"p{i}" for i in range(6))
TEXTS = ("a red | square", "two\nblue cats", "grün, \\ and more", "nothing", "a dog", "a hat")


@pytest.fixture
def report() -> Callable[..., Report]:
    """A function: report(CLIP score, ..., images=, metric=) -> a report on the first prompts."""

    def make(*clip: float | None, images: bool = False, metric: str = "Quality") -> Report:
        prompts = PromptSet("things", IDS, TEXTS)
        metrics = (MetricInfo("CLIP"), MetricInfo(metric))
        subset = Subset.choose(
            prompts,
            range(len(clip)),
            name="few things",
            metrics=metrics,
            method=Method("random", seed=0),
            with_texts=True,
        )
        scores = {
            "CLIP": MetricScores("1", True, clip),
            metric: MetricScores("2", True, tuple(float(i) for i in range(len(clip)))),
        }
        pictures = tuple(
            ImageFault("the image is black") if one is None else Image.new("RGB", (8, 6), "red")
            for one in clip
        )
        faults = {IDS[i]: "the image is black" for i, one in enumerate(clip) if one is None}
        return Report(subset, 0, scores, faults=faults, images=pictures if images else ())

    return make


@pytest.fixture
def offline_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module wandb, that reaches nothing; its process and threads end with the test."""
    wandb = pytest.importorskip("wandb", reason="wandb is not installed")
    settings = {"MODE": "offline", "SILENT": "true", "ERROR_REPORTING": "false"}
    folders = {f"{key}_DIR": str(tmp_path / "home") for key in ("CONFIG", "CACHE", "DATA")}
    for key, value in {**settings, **folders, "DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"WANDB_{key}", value)
    for key in ("RUN_ID", "PROJECT", "NAME", "RESUME", "API_KEY"):
        monkeypatch.delenv(f"WANDB_{key}", raising=False)
    yield wandb
    wandb.teardown()
    assert not [one.name for one in threading.enumerate() if one.name.startswith("wandb")]
    assert not _children_named("wandb")


def _children_named(name: str) -> list[int]:
    """The process's own children of such a name, where the system tells."""
    listed = [one.read_text().split() for one in Path("/proc/self/task").glob("*/children")]
    found = []
    for child in [int(pid) for pids in listed for pid in pids]:
        line = Path(f"/proc/{child}/cmdline")
        if line.exists() and name.encode() in line.read_bytes():
            found.append(child)
    return found


@pytest.fixture
def history(
    offline_wandb: Any, logged_records: Callable[[bytes], Iterator[bytes]]
) -> Callable[[Path], list[dict[str, Any]]]:
    """A function: history(folder) -> the rows of all runs in it, oldest run first, as dicts."""

    def read(folder: Path) -> list[dict[str, Any]]:
        from wandb.proto.wandb_internal_pb2 import Record

        offline_wandb.teardown()  # the file may be written after run.finish() has returned
        rows = []
        for path in sorted(folder.glob("wandb/*run-*/*.wandb"), key=lambda p: p.stat().st_mtime_ns):
            for data in logged_records(path.read_bytes()):
                record = Record()
                record.ParseFromString(data)
                if record.WhichOneof("record_type") == "history":
                    items = record.history.item
                    rows.append({_key(one): json.loads(one.value_json) for one in items})
        return rows

    return read


def _key(item: Any) -> str:
    return ".".join(item.nested_key) or item.key
