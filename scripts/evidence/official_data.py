"""The official FlashEval scores as the scripts use them; the files are not in this repository."""

from __future__ import annotations

import json
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from flasheval.scores import ScoreTable, load_scores
from flasheval.scores.importers import import_scores
from flasheval.scores.importers.official_names import OFFICIAL_VARIANTS
from flasheval.selection.held_out.splits import Split, make_splits

__all__ = ["PROMPT_SETS", "arguments", "load_tables", "official_split"]


PROMPT_SETS = ("COCO", "DiffusionDB")


def load_tables(data: Path, prompt_sets: Sequence[str] = PROMPT_SETS) -> dict[str, ScoreTable]:
    """Read the official tables, complete variants only."""
    readers = {"COCO": _coco, "DiffusionDB": _diffusiondb}
    return {name: readers[name](data).complete()[0] for name in PROMPT_SETS if name in prompt_sets}


def _coco(data: Path) -> ScoreTable:
    files = {
        metric: data / f"coco-{metric.lower()}.npz"
        for metric in ("ImageReward", "Aesthetic", "CLIP")
    }
    return load_scores(files, prompts=data / "coco-prompts.jsonl.xz")


def _diffusiondb(data: Path) -> ScoreTable:
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(data / "flasheval-diffusiondb.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        return import_scores("flasheval-official", folder).table


def official_split(table: ScoreTable, data: Path) -> Split:
    """Make the authors' split, of the variants that are complete here."""
    positions = json.loads((data / "official-train-ids.json").read_text("utf-8"))
    names = {OFFICIAL_VARIANTS[position] for position in positions}
    seen = [row for row, name in enumerate(table.variant_names) if name in names]
    return make_splits({"name": "official", "search": seen}, table)[0]


def arguments() -> str:
    """Return the script's arguments as typed, without this machine's paths."""
    words = list(sys.argv[1:])
    for flag in ("--data", "--out", "--units"):
        if flag in words:
            at = words.index(flag)
            words[at + 1 : at + 2] = ["DIR" if flag != "--out" else "FILE"]
    return " ".join(words)
