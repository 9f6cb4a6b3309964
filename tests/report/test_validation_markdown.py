from dataclasses import replace
from itertools import pairwise

from flasheval.report.validation_markdown import markdown_report
from flasheval.selection.held_out.answer import answer
from flasheval.selection.held_out.report import ValidationReport


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
