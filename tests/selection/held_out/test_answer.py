from dataclasses import replace

import pytest

from flasheval import validate
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.answer import answer, kind_heading, ranked, short_number
from flasheval.selection.held_out.records import Gain
from flasheval.selection.held_out.report import ValidationReport


def test_it_names_the_best_method_its_gains_and_the_splits(compared: ValidationReport) -> None:
    best = ranked(compared, compared.kinds[0])[0]
    assert best.held_out_tau is not None
    assert best.over_random is not None
    assert best.equivalent_random_size is not None
    text = answer(compared)
    assert text.startswith(f"{best.method} ranks unseen variants best (random:8, 10 prompts): ")
    assert f"tau {best.held_out_tau.mean:.3f}" in text
    assert f"+{best.over_random.mean:.3f} over random".replace("0.", ".") in text
    assert "over balanced" in text
    assert f"as well as {best.equivalent_random_size.estimate} random prompts" in text
    assert "; on group:scheduler " in text
    taus = [one.held_out_tau.mean for one in ranked(compared, compared.kinds[0])]  # type: ignore[union-attr]
    assert taus == sorted(taus, reverse=True)
    assert "random" not in {one.method for one in ranked(compared, compared.kinds[0])}


def with_gain(report: ValidationReport, gain: Gain) -> str:
    summaries = tuple(
        replace(one, over_random=gain) if one.method != "random" else one
        for one in report.summaries
    )
    return answer(replace(report, summaries=summaries))


def test_it_claims_no_more_than_was_measured(compared: ValidationReport) -> None:
    assert with_gain(compared, Gain(-0.1)).startswith("No method ranks unseen variants better")
    unclear = with_gain(compared, Gain(0.1, -0.01, 0.2))
    assert unclear.startswith("No method clearly beats random prompts on unseen variants")
    alone = with_gain(compared, Gain(0.1, by_split=(0.1,)))
    assert alone.startswith("On average over 8 splits ")
    assert "though not clearly ahead of " in alone  # without an interval nothing is clear
    nothing = replace(compared, summaries=())
    assert answer(nothing).startswith("Nothing could be ranked")


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.25, 2, ".25"),
        (-0.25, 2, "-.25"),
        (1.0, 2, "1.00"),
        (-0.001, 2, ".00"),
        (0.996, 2, "1.00"),
    ],
)
def test_short_numbers(value: float, digits: int, text: str) -> None:
    assert short_number(value, digits) == text


def test_other_images_are_named_and_no_variant_called_unseen_that_was_searched() -> None:
    table = synthetic_scores(24, 60, images=2)
    settings = {"size": 10, "methods": "balanced", "metric": "quality", "draws": 20}
    report = validate(table, splits=["seeds", "random:8+seeds"], progress=False, **settings)
    assert [kind.seeds for kind in report.kinds] == ["other", "other"]
    assert "unseen" not in answer(report)
    headings = [kind_heading(kind) for kind in report.kinds]
    assert headings == [
        "seeds: 1 split, 24 variants searched, judged by their other images",
        "random:8+seeds: 8 splits, 12 variants searched, 12 held out, judged by other images",
    ]
    assert headings[1] in str(report).replace("\n", " ")
    assert any(one.startswith("seeds: every variant was searched") for one in report.warnings)
