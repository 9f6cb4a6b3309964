"""A sweep of searches as submitit jobs comes to what it comes to in one process."""

import csv
from pathlib import Path

import pytest

from flasheval.cli import main

pytest.importorskip(
    "hydra_plugins.hydra_submitit_launcher",
    reason='the submitit launcher is not installed: pip install -e ".[slurm]"',
)


@pytest.mark.slow
def test_a_sweep_through_submitit_has_the_same_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["size=10,20", "method=pooled", "splits=random:2", "curve=null", "calibrate=false"]
    tables = {}
    for launcher in ("basic", "submitit_local"):
        assert main(["search", "-m", *words, f"hydra/launcher={launcher}", f"out={launcher}"]) == 0
        with open(f"{launcher}/sweep.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        differ = ("seconds", "folder", "overrides")
        tables[launcher] = [{k: v for k, v in row.items() if k not in differ} for row in rows]
    assert len(tables["basic"]) == 2
    assert tables["submitit_local"] == tables["basic"]
