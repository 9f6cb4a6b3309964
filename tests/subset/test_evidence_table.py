from dataclasses import replace

from flasheval.base.drawing.terminal import as_text
from flasheval.base.drawing.view import View
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.search import search
from flasheval.subset.evidence import (
    Agreement,
    EquivalentSize,
    Evidence,
    RandomSize,
    Record,
    SplitSizes,
    Spread,
)
from flasheval.subset.evidence_table import (
    agreement_table,
    answer,
    fewer,
    other_seeds_answer,
    record_view,
)


def agreement(value: float, relation: str = "=", low: float | None = None) -> Agreement:
    bounds = (None, None) if low is None else (RandomSize(low), RandomSize(value * 1.2))
    return Agreement(
        Spread(0.8327, 0.7712, 0.8901),
        Spread(0.6, -0.05, 0.7),
        search_tau=0.98,
        equivalent_random_size=EquivalentSize(RandomSize(value, relation), *bounds),  # type: ignore[arg-type]
    )


def evidence(pooled: Agreement, **metrics: Agreement) -> Evidence:
    return Evidence(50, "random:10", (SplitSizes("random:0", 12, 12),), pooled, metrics)


def _shown(found: Evidence) -> str:
    return as_text(View((agreement_table(found),)), width=80)


def test_the_answer_says_what_was_gained_and_no_more() -> None:
    gain = answer(evidence(agreement(248, low=230)))
    assert gain == (
        "These prompts rank unseen variants as well as 248 random prompts would: "
        "5.0x fewer prompts."
    )
    assert "more than 5,000 random" in answer(evidence(agreement(5000, ">")))
    assert "No gain" in answer(evidence(agreement(5, "<")))
    assert "No gain" in answer(evidence(agreement(40)))
    assert "No clear gain" in answer(evidence(agreement(60, low=45)))
    unknown = replace(agreement(60), equivalent_random_size=None)
    assert "tau 0.833; 50 random prompts with 0.600" in answer(evidence(unknown))


def test_fewer_keeps_the_relation() -> None:
    assert fewer(RandomSize(5000, ">"), 50) == ">100.0x"


def test_one_metric_is_one_row_and_several_have_their_mean_first() -> None:
    one = _shown(evidence(agreement(248, low=230), clip=agreement(248)))
    assert [line.split()[0] for line in one.splitlines()[2:]] == ["clip"]
    two = {"ImageReward": agreement(248), "a_very_long_metric_name": agreement(300)}
    lines = _shown(evidence(agreement(248, low=230), **two)).splitlines()
    assert {line.split()[0] for line in lines} >= {"mean", "ImageReward", "a_very_long_metric_name"}
    two["long_metric"] = two.pop("a_very_long_metric_name")
    lines = _shown(evidence(agreement(248, low=230), **two)).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["mean", "ImageReward", "long_metric"]
    assert max(map(len, lines)) <= 80
    row = " ".join(lines[2].split())
    assert row == "mean 0.980 0.833 (.77\u2013.89) 0.600 (-.05\u2013.70) 248 (230\u2013298) 5.0x"


def test_few_splits_are_said_to_be_few() -> None:
    few = agreement(248, low=None)
    few = replace(few, held_out_tau=replace(few.held_out_tau, kind="min-max"))
    assert answer(evidence(few)).startswith("On one split these prompts rank unseen variants")
    two = replace(evidence(few), splits=(SplitSizes("a", 12, 12), SplitSizes("b", 12, 12)))
    assert answer(two).startswith("On average over 2 splits these prompts rank")


def test_a_report_says_how_well_full_scores_are_predicted() -> None:
    result = search(synthetic_scores(24, 100), size=5, splits=None)
    text = as_text(result.subset.view())
    calibration = result.subset.record.calibration
    assert " ".join(text.split()).count(calibration.summary(["quality", "alignment"])) == 1
    record = replace(result.subset.record, calibration=None)
    assert "predicted" not in as_text(replace(result.subset, record=record).view())


def test_other_seeds_are_one_short_sentence_beside_the_answer() -> None:
    main = evidence(agreement(248, low=230))
    other = replace(evidence(agreement(31)), split_spec="random:10+seeds", seeds="other")
    record = Record(main, further_evidence=(other, replace(other, size=10)))
    shown = as_text(record_view("about", record, ["clip"]))
    assert " ".join(shown.split()).count("random prompts 0.600; as good as 31.") == 1
    assert "as good as more than 31" in other_seeds_answer(evidence(agreement(31, ">")))
    bare = replace(other, pooled=replace(other.pooled, equivalent_random_size=None))
    assert other_seeds_answer(bare).endswith("of the images: tau 0.833, random prompts 0.600.")


def test_the_answer_says_on_which_seeds() -> None:
    other = replace(evidence(agreement(248, low=230)), seeds="other")
    assert answer(other).startswith("These prompts rank unseen variants on other seeds as well as")
    same = replace(other, split_spec="seeds")
    assert answer(same).startswith("These prompts rank the variants searched on other seeds as")
    assert "by images of other seeds" in str(other)
    assert "other seeds" not in str(evidence(agreement(248)))
