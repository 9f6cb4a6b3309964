import re
from dataclasses import replace

import numpy as np
import pytest

from flasheval.selection.held_out.splits import Split
from flasheval.selection.held_out.warnings import search_warnings
from flasheval.subset.evidence import Agreement, Evidence, SplitSizes, Spread

AGREEMENT = Agreement(Spread(0.8, 0.7, 0.9), Spread(0.6, 0.4, 0.8), search_tau=0.9)
EVIDENCE = Evidence(50, "random:1", (SplitSizes("random:0", 20, 20),), AGREEMENT)
SPLIT = Split("random:0", np.arange(20), np.arange(20, 40))
CALM = {
    "evidence": EVIDENCE,
    "splits": [SPLIT],
    "n_variants": 40,
    "dropped": (),
    "near_ties": {"clip": 0.05},
    "interrupted": False,
}


def _pooled(**changes):
    return {"evidence": replace(EVIDENCE, pooled=replace(AGREEMENT, **changes))}


def test_nothing_is_said_where_there_is_nothing_to_say():
    assert search_warnings(**CALM) == []
    edges = {"near_ties": {"clip": 0.1}} | _pooled(search_tau=0.9799)
    assert search_warnings(**CALM | edges) == []
    assert search_warnings(**CALM | _pooled(search_tau=None)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"interrupted": True}, "interrupted: this is the best so far"),
        ({"splits": [], "evidence": None}, "nothing was held out"),
        ({"evidence": None}, "no split gave a held-out ranking"),
        ({"n_variants": 19}, "19 search variants: below 20"),
        ({"splits": [SPLIT, replace(SPLIT, search=np.arange(12))]}, "12 search variants: below 20"),
        (_pooled(held_out_tau=Spread(0.6, 0.5, 0.7)), "0.600. is not above that of random"),
        (_pooled(search_tau=0.98), "search tau is saturated .0.980."),
        ({"dropped": ("a", "b")}, "2 variants with missing scores were left out: a, b$"),
        ({"dropped": ("a", "b", "c", "d")}, "4 variants .*: a, b, c, ...$"),
        ({"near_ties": {"clip": 0.05, "hps": 0.25}}, "near ties: 25% .hps. of variant pairs"),
        ({"near_ties": {"clip": 0.2, "hps": 0.25}}, "near ties: 20% .clip., 25% .hps. of"),
        ({"warm_start": True}, "warm start: .* the held-out numbers flatter"),
    ],
)
def test_each_thing_is_said_alone(change, words):
    found = search_warnings(**CALM | change)
    assert len(found) == 1
    assert re.search(words, found[0])
    assert "\n" not in found[0]


def test_a_warm_start_cannot_flatter_what_was_not_measured():
    assert len(search_warnings(**CALM | {"evidence": None, "splits": [], "warm_start": True})) == 1


def test_an_interruption_explains_missing_evidence():
    found = search_warnings(**CALM | {"evidence": None, "interrupted": True})
    assert len(found) == 1


def test_all_at_once_the_gravest_comes_first():
    found = search_warnings(
        **CALM
        | _pooled(held_out_tau=Spread(0.5, 0.4, 0.6), search_tau=1.0)
        | {
            "interrupted": True,
            "n_variants": 5,
            "dropped": ("x",),
            "near_ties": {"clip": 0.5},
        }
    )
    heads = (
        "interrupted",
        "5 search",
        "held-out agreement",
        "search tau",
        "1 variants",
        "near ties",
    )
    assert len(found) == len(heads)
    assert all(line.startswith(head) for line, head in zip(found, heads, strict=True))
