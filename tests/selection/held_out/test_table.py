from dataclasses import replace

from flasheval.base.drawing.terminal import as_text
from flasheval.selection.held_out.answer import answer
from flasheval.selection.held_out.records import Gain
from flasheval.selection.held_out.report import ValidationReport
from flasheval.selection.held_out.table import FOOTNOTE, signed


def lines_of(report: ValidationReport) -> list[str]:
    return as_text(report.view()).splitlines()


def test_the_answer_comes_first_and_the_lines_fit(compared: ValidationReport) -> None:
    noted = replace(compared, notes=("made up",), warnings=("be careful",))
    lines = lines_of(noted)
    assert lines[0] == "made up"
    assert " ".join(lines[1:6]).startswith(answer(compared))
    assert max(map(len, as_text(noted.view(), width=80).splitlines())) <= 80
    assert lines[-1] == "warning: be careful"
    assert " ".join(FOOTNOTE.split()) in " ".join(lines)
    assert str(compared) == "\n".join(lines_of(compared))


def test_every_method_and_size_has_its_row(compared: ValidationReport) -> None:
    lines = lines_of(compared)
    start = lines.index("random:8: 8 splits, 12 variants searched, 12 held out")
    rows = lines[start + 1 : lines.index("", start)]
    assert [row[:2] for row in rows if row[:1].isdigit()] == ["10", "20"]
    assert sum(row[6:].startswith("random ") for row in rows) == 2
    one = compared.summary(method="discrimination", size=20)
    (row,) = [row for row in rows if f"{one.held_out_tau.mean:.3f}" in row and "discrim" in row]  # type: ignore[union-attr]
    assert f"{one.equivalent_random_size.estimate}" in row  # type: ignore[union-attr]
    assert signed(one.over_reference) in row
    assert any("passes=0" in row for row in rows)


def test_ranges_have_square_brackets(compared: ValidationReport) -> None:
    lines = lines_of(compared)
    start = lines.index("group:scheduler: 3 splits, 16 variants searched, 8 held out")
    (row,) = [row for row in lines[start:] if row.startswith("10    random ")]
    assert "[" in row
    assert "(" not in row
    assert signed(Gain(0.5)) == "+.500"
    assert signed(None) == ""


def test_the_learning_curve_and_the_groups_are_shown(compared: ValidationReport) -> None:
    text = "\n".join(lines_of(compared))
    assert "random:8, 10 prompts: held-out tau by the number of variants searched" in text
    assert (
        "Clearly above random (*: 90%), by number of variants searched: discrimination"
        in " ".join(text.split())
    )
    assert "random:8: 90% with held-out variants drawn in whole groups of base_model" in text
    plain = replace(compared, learning=(), cluster=None)
    assert "variants searched:" not in str(plain)
    assert "whole groups" not in str(plain)


def test_without_a_reference_there_is_no_such_column(compared: ValidationReport) -> None:
    assert "over balanced" in str(compared)
    text = "\n".join(lines_of(replace(compared, reference=None)))
    assert "over balanced" not in text
    long = replace(compared, reference="balanced(passes=0)")
    assert "over reference" in str(long)
    assert "reference: balanced(passes=0)" in " ".join(str(long).split())
