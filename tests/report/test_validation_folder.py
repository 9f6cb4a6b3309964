from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from flasheval.cli.configs import ValidateConfig
from flasheval.report.validation_folder import markdown_report, validation_name, write_validation
from flasheval.selection.held_out.answer import answer
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


def test_it_holds_every_table(compared: ValidationReport) -> None:
    text = markdown_report(compared, "flasheval validate size=[10,20]", image="agreement.png")
    assert f"**{answer(compared)}**" in text
    assert "![Held-out agreement and equivalent random size](agreement.png)" in text
    for kind in compared.kinds:
        for name in ("mean over 2 metrics", "quality", "alignment"):
            assert f"### {kind.name}: {name}\n" in text
    for title in ("full-score error", "weighted tau", "on significant pairs", "seconds"):
        assert f"| {title} |" in text
    assert "### group:scheduler: held-out tau-b split by split, mean over metrics" in text
    assert "### random:8: held-out tau-b split by split" not in text
    assert "| scheduler=DDIM |" in text
    assert "## random:8, 20 prompts: held-out tau-b by variants searched" in text
    assert "## Whole groups of base_model" in text
    assert "flasheval validate size=[10,20]" in text
    assert "numpy" in text
    for warning in compared.warnings:
        assert f"- {warning}" in text


def test_numbers_are_those_of_the_report(compared: ValidationReport) -> None:
    lines = markdown_report(compared).splitlines()
    one = compared.summary(method="balanced", size=10, metric="quality")
    start = lines.index("### random:8: quality")
    rows = [line for line in lines[start:] if line.startswith("| 10 | balanced |")]
    assert f"{one.held_out_tau.mean:.3f} (" in rows[0]  # type: ignore[union-attr]
    assert str(one.equivalent_random_size) in rows[0]
    assert f"| {one.measures['full_score_error'].mean:.3f} |" in rows[1]


def test_every_table_has_rows_of_one_width(compared: ValidationReport) -> None:
    lines = markdown_report(replace(compared, reference=None)).splitlines()
    for before, line in pairwise(lines):
        if before.startswith("|") and line.startswith("|"):
            assert before.count("|") == line.count("|"), (before, line)
