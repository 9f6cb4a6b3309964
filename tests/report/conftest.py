"""A comparison to show: two kinds of splits, two sizes, three methods, everything there is."""

import pytest

import flasheval
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.held_out.report import ValidationReport


@pytest.fixture(scope="session")
def compared() -> ValidationReport:
    return flasheval.validate(
        synthetic_scores(24, 200),
        size=[10, 20],
        methods=["discrimination", "balanced", {"name": "balanced", "passes": 0}],
        splits=["random:8", "group:scheduler"],
        reference="balanced",
        cluster="base_model",
        search_variants=[4, 8],
        draws=20,
        progress=False,
    )
