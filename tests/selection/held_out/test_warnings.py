"""What is said beside measured numbers: each warning alone, its edge, and their order."""

import re
from dataclasses import asdict, replace

import numpy as np
import pytest

import flasheval
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.random_curve import RandomAgreement
from flasheval.selection.held_out.records import Gain, Grouped, Summary
from flasheval.selection.held_out.splits import Split
from flasheval.selection.held_out.warnings import (
    Result,
    few_variants,
    measurement_warnings,
    result_of_evidence,
    result_of_summary,
    table_warnings,
    too_few_groups_warnings,
)
from flasheval.subset.evidence import Agreement, Evidence, SplitSizes, Spread

CALM = Result("balanced at 50 (random:8)", gain=0.2, held_out=0.8, search=0.9)
SPLITS = tuple(Split(f"random:{k}", np.arange(20), np.arange(20, 40)) for k in range(8))
KIND = Kind("random:8", "random:8", SPLITS)
NEAR_TIES = {"clip": 0.05}


def measured(*kinds, tied=None):
    """A measurement of these kinds; with `tied` {kind: splits}, those where all tie in hps."""
    baseline = {}
    for kind in kinds:
        taus = {name: np.full((len(kind.splits), 3, 2), 0.5) for name in ("clip", "hps")}
        taus["hps"][list((tied or {}).get(kind.name, ()))] = np.nan
        baseline[kind.name] = RandomAgreement((5, 50), taus)
    return Measurement(tuple(kinds), ("clip", "hps"), ("m",), (50,), baseline, seed=0)


def said(result=CALM, *more, kinds=(KIND,), **rest):
    return measurement_warnings(measured(*kinds, **rest), [result, *more])


def kind_of(splits=SPLITS, name="random:8", **changes):
    return Kind(name, name, tuple(replace(split, **changes) for split in splits))


def test_nothing_is_said_where_there_is_nothing_to_say():
    assert said() == []
    assert said(replace(CALM, gain=1e-9, search=0.9799)) == []
    assert said(replace(CALM, gain=None, held_out=None, search=None)) == []
    assert measurement_warnings(measured(KIND), []) == []
    assert table_warnings((), {"clip": 0.1}) == []
    assert few_variants(20) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (said(kinds=[kind_of(search=np.arange(12))]), "random:8: 12 search variants: below 20"),
        (said(kinds=[kind_of(search=np.arange(19))]), "19 search variants: below 20"),
        (
            said(kinds=[kind_of(held_out=np.arange(20, 24))]),
            "4 held-out variants make 6 pairs to order",
        ),
        (
            said(kinds=[kind_of(held_out=np.arange(20, 22))]),
            "2 held-out variants make 1 pair to order",
        ),
        (said(kinds=[kind_of(SPLITS[:7])]), "random:8: 7 splits are too few for an interval"),
        (said(kinds=[kind_of(SPLITS[:1])]), "random:8: one split shows no spread"),
        (
            said(kinds=[kind_of(name="g", groups=("a", "b", "c"))]),
            "g: 3 groups are too few for an interval",
        ),
        (
            said(replace(CALM, gain=0.0, held_out=0.6)),
            r"not above that of random prompts \(0\.600 against 0\.600\)",
        ),
        (
            said(replace(CALM, gain=-0.05, held_out=0.6)),
            r"not above that of random prompts \(0\.600 against 0\.650\): take random prompts",
        ),
        (said(replace(CALM, search=0.98)), r"search tau is saturated \(0\.980\)"),
        (
            said(tied={"random:8": (1, 4)}),
            r"random:8: on 2 of 8 splits \(random:1, random:4\) all held-out variants tie in hps",
        ),
        (
            said(tied={"random:8": (0, 1, 2, 3)}),
            r"on 4 of 8 splits \(random:0, random:1, random:2, \.\.\.\) all",
        ),
        (few_variants(19), "19 search variants: below 20"),
        (
            table_warnings(("a", "b"), NEAR_TIES),
            "2 variants with missing scores were left out: a, b$",
        ),
        (table_warnings(("v3",), NEAR_TIES), "1 variants with missing scores were left out: v3$"),
        (table_warnings(("a", "b", "c", "d"), NEAR_TIES), "4 variants .*: a, b, c, ...$"),
        (
            table_warnings((), {"clip": 0.05, "hps": 0.25}),
            "near ties: 25% .hps. of variant pairs",
        ),
        (table_warnings((), {"clip": 0.2, "hps": 0.25}), "near ties: 20% .clip., 25% .hps. of"),
        (table_warnings((), NEAR_TIES, 1234), "^1,234 prompts without a score of every"),
    ],
)
def test_each_thing_is_said_alone(found, words):
    assert len(found) == 1
    assert re.search(words, found[0])
    assert "\n" not in found[0]


def test_the_smallest_split_of_a_kind_counts():
    small = Split("s", np.arange(12), np.arange(12, 14))
    pairs, variants = said(kinds=[kind_of((*SPLITS, small))])
    assert "2 held-out variants make 1 pair to order" in pairs
    assert "12 search variants: below 20" in variants


def test_every_kind_is_named():
    few = kind_of(SPLITS[:3], name="thirds")
    lines = said(kinds=[KIND, few, kind_of(SPLITS[:1], name="one")], tied={"thirds": (2,)})
    assert [line.split(":")[0] for line in lines] == ["thirds", "one", "thirds"]


def test_of_several_results_those_concerned_are_named():
    other = Result("shared at 10 (g)", gain=-0.1, held_out=0.5, search=0.99)
    worse, saturated = said(CALM, other)
    assert "(shared at 10 (g): 0.500 against 0.600): take random prompts" in worse
    assert "saturated (shared at 10 (g): 0.990): searching" in saturated
    many = [replace(other, name=f"m{k}") for k in range(5)]
    worse, saturated = said(*many)
    for line in (worse, saturated):
        assert "m2: " in line
        assert "m3: " not in line
        assert " and 2 more)" in line


def test_all_at_once_the_gravest_comes_first():
    kind = kind_of(SPLITS[:3], search=np.arange(5), held_out=np.arange(20, 23))
    found = said(
        replace(CALM, gain=-0.1, held_out=0.5, search=1.0), kinds=[kind], tied={"random:8": (0,)}
    )
    found += table_warnings(("x",), {"clip": 0.5}, 7)
    heads = (
        "random:8: 3 splits",
        "random:8: 3 held-out",
        "random:8: 5 search",
        "held-out agreement",
        "search tau",
        "random:8: on 1 of 3",
        "7 prompts",
        "1 variants",
        "near ties",
    )
    assert len(found) == len(heads)
    assert all(line.startswith(head) for line, head in zip(found, heads, strict=True))


# --- what results are made of --------------------------------------------------------------------


def test_a_subset_s_evidence_is_a_result():
    agreement = Agreement(Spread(0.8, 0.7, 0.9), Spread(0.6, 0.4, 0.8), search_tau=0.9)
    evidence = Evidence(50, "random:1", (SplitSizes("random:0", 20, 20),), agreement)
    found = result_of_evidence(evidence, "balanced")
    assert found == Result("balanced at 50 (random:1)", pytest.approx(0.2), 0.8, 0.9)
    unknown = replace(evidence, pooled=replace(agreement, search_tau=None))
    assert result_of_evidence(unknown, "balanced").search is None


def test_a_comparison_s_summary_is_a_result():
    summary = Summary(
        "halves",
        "balanced",
        50,
        measures={"held_out_tau": Spread(0.8, 0.7, 0.9), "search_tau": Spread(0.9, 0.8, 1.0)},
        over_random=Gain(0.2),
    )
    assert result_of_summary(summary) == Result("balanced at 50 (halves)", 0.2, 0.8, 0.9)
    nothing = result_of_summary(Summary("halves", "balanced", 50))
    assert nothing == Result("balanced at 50 (halves)", None, None, None)


def test_too_few_groups_are_told_of_each_kind_once():
    few = {"held_out_tau": Grouped(0.5, without={"a": 0.4, "b": 0.6})}
    enough = {"held_out_tau": Grouped(0.5, 0.4, 0.6)}
    summaries = [
        Summary("halves", "balanced", 50, clustered=enough),
        Summary("groups", "balanced", 50, clustered=few),
        Summary("groups", "shared", 50, clustered={"over_random": few["held_out_tau"]}),
    ]
    (line,) = too_few_groups_warnings(summaries, "scheduler")
    assert line.startswith(
        "cluster=scheduler: 2 groups among the held-out variants of groups are too few"
    )
    assert too_few_groups_warnings(summaries[:1], "scheduler") == []
    assert too_few_groups_warnings([], None) == []


# --- as comparisons and searches say them --------------------------------------------------------


def test_of_a_sound_comparison_or_search_only_the_table_is_warned_of():
    table = synthetic_scores(48, 60)
    kwargs = {"size": 6, "splits": "random:8", "draws": 5, "progress": False}
    for warnings in (
        flasheval.validate(table, methods="balanced", **kwargs).warnings,
        flasheval.search(table, method="balanced", **kwargs).warnings,
    ):
        assert [line.partition(":")[0] for line in warnings] == ["near ties"]


def test_what_the_scores_are_is_said_first():
    found = table_warnings(
        ("x",),
        {"m": 0.5},
        keepable="incomplete=prompts would keep all 3 on 9 of 10 prompts",
        twins=[("y", "z")],
        exact=["m"],
    )
    assert [line.split(":")[0] for line in found] == [
        "the same scores under several names, each counted once",
        "m",
        "1 variants with missing scores were left out",
        "near ties",
    ]
    assert found[2].endswith("left out: x; incomplete=prompts would keep all 3 on 9 of 10 prompts")


def test_a_comparison_counts_twins_once_and_names_them(with_twins):
    table = synthetic_scores(16, 60)
    settings = {"size": 6, "methods": "balanced", "splits": "random:8", "draws": 5}
    one, two = (
        flasheval.validate(scores, **settings, progress=False)
        for scores in (table, with_twins(table))
    )
    assert two.n_variants == 16
    every = ([replace(row, seconds=0) for row in report.summaries] for report in (one, two))
    found = [repr(list(map(asdict, rows))) for rows in every]
    assert found[0] == found[1]
    (line,) = set(two.warnings) - set(one.warnings)
    assert line.startswith("the same scores under several names")
