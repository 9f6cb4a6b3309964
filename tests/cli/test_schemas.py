"""The committed schemas say what stands in a result, and no more than that fits them."""

import json
import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from flasheval.evaluation.comparison import Comparison, PairedDifference
from flasheval.evaluation.report import MetricScores, Report
from flasheval.evaluation.watching.leaderboard import Leaderboard, Standing
from flasheval.selection.held_out.contenders import Contender
from flasheval.selection.held_out.records import SplitKind, Summary
from flasheval.selection.held_out.report import ValidationReport
from flasheval.set_metrics.comparison import SetComparison, VariantDistance
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.evidence import SplitSizes, Spread
from flasheval.subset.predictions import Difference
from flasheval.subset.subset import SubsetPrompt

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "release" / "write_schemas.py"
CHOSEN = Subset("one", "pets", None, (SubsetPrompt("1"),), (MetricInfo("m"),), Method("random"))
RESULTS = (
    Comparison(
        *("a", "b", 1),
        paired={"m": PairedDifference(0.5, np.nan)},
        full={"m": Difference("m", 0.5, 0.25, 0.75, 0.9, probability=0.99)},
    ),
    Report(CHOSEN, 0, {"m": MetricScores("1", True, (0.5,))}),
    Leaderboard("m", 0.9, (Standing(1, "a", None, {"m": 0.5}, None, None, None, "2026"),)),
    SetComparison("Frechet CLIP", "r", (VariantDistance("a", 9, 0.5, None, None, None),), ()),
)


def test_the_committed_parts_are_what_the_records_say() -> None:
    script = runpy.run_path(str(SCRIPT))
    assert script["written"]() == json.loads(script["RESULT"].read_text("utf-8"))


@pytest.mark.parametrize("result", RESULTS, ids=lambda one: str(one.kind))
def test_a_key_that_is_missing_or_of_another_type_is_refused(
    result: Any, validator: Callable[[str], Any]
) -> None:
    document = json.loads(json.dumps(result.to_dict()))
    validator("result").validate(document)
    for key in document:
        if key not in ("kind", "schema"):
            with pytest.raises(jsonschema.ValidationError):
                validator("result").validate({**document, key: {"odd": {"odd": 1}}})
        if key not in ("kind", "schema") and not _sparse(result, key):
            with pytest.raises(jsonschema.ValidationError, match=f"'{key}' is a required"):
                validator("result").validate({k: v for k, v in document.items() if k != key})


def _sparse(result: Any, key: str) -> bool:
    """Whether a report leaves a key out where it holds the default."""
    return isinstance(result, Report) and key not in ("headline", "subset", "seed", "metrics")


def test_what_a_record_holds_is_told_to_its_leaves(validator: Callable[[str], Any]) -> None:
    paired = {"m": PairedDifference(0.5, 0.1)}
    document = replace(RESULTS[0], paired=paired).to_dict()  # type: ignore[type-var]
    document["paired"]["m"]["error"] = "small"
    with pytest.raises(jsonschema.ValidationError, match="'small' is not of type"):
        validator("result").validate(document)
    del document["paired"]["m"]["error"]
    with pytest.raises(jsonschema.ValidationError, match="'error' is a required property"):
        validator("result").validate(document)


def test_a_validation_is_told_to_its_leaves(validator: Callable[[str], Any]) -> None:
    summary = Summary("r", "random", 5, measures={"held_out_tau": Spread(0.5, 0.25, 0.75)})
    kinds = (SplitKind("r", "random:1", (SplitSizes("1", 2, 2),)),)
    about = ("pets", 9, 4, ("m",), kinds, (Contender("random", "random"),), (5,), 5)
    document = ValidationReport(*about, summaries=(summary,)).to_dict()
    validator("result").validate(document)
    document["summaries"][0]["measures"]["held_out_tau"]["mean"] = "high"
    with pytest.raises(jsonschema.ValidationError, match="'high' is not of type"):
        validator("result").validate(document)
