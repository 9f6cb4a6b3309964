from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from flasheval.cli.configs import ValidateConfig
from flasheval.report.validation_folder import validation_name, write_validation
from flasheval.selection.held_out.report import ValidationReport

DEFAULTS = asdict(ValidateConfig())


def name_of(**changes: Any) -> str:
    return validation_name({**DEFAULTS, **changes}, DEFAULTS)


def test_what_was_compared_can_be_read_off_the_name() -> None:
    assert name_of() == "miniature-all-frequency+anneal+balanced+pooled-50-seed0"
    assert name_of(scores="coco", metric="CLIP", methods="balanced", size=[10, 50], seed=3) == (
        "coco-CLIP-balanced-10+50-seed3"
    )


def test_only_what_changes_numbers_changes_the_name() -> None:
    assert name_of(workers=7, out="mine") == name_of()
    names = {
        name_of(),
        name_of(splits="random:20"),
        name_of(reference="balanced"),
        name_of(draws=100),
        name_of(cluster="base_model"),
        name_of(search_variants=[8]),
        name_of(methods=["frequency", "anneal", "balanced", {"name": "shared", "passes": 2}]),
        name_of(methods=["frequency", "anneal", "balanced", {"name": "shared", "passes": 3}]),
        name_of(scores="elsewhere/miniature"),
    }
    assert len(names) == 9


@pytest.mark.parametrize("methods", [7, [7], [{"passes": 2}], None])
def test_a_mistake_has_a_name_too(methods: object) -> None:
    assert name_of(methods=methods).endswith("seed0") or "-seed0-" in name_of(methods=methods)


def test_a_folder_holds_the_report(compared: ValidationReport, tmp_path: Path) -> None:
    write_validation(compared, tmp_path, "the command")
    assert {path.name for path in tmp_path.iterdir()} == {
        "validation.json",
        "cells.parquet",
        "random.parquet",
        "learning.parquet",
        "report.md",
        "agreement.png",
    }
    assert "the command" in (tmp_path / "report.md").read_text()
    assert ValidationReport.load(tmp_path).summaries == compared.summaries
