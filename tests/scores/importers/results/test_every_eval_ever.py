import numpy as np
import pytest

from flasheval import load_scores
from flasheval.base.errors import DataError


def sample(model, number, score, name="steps", bench="made"):
    return {
        "schema_version": "instance_level_eval_0.2.1",
        "evaluation_id": f"{bench}/{model}/17",
        "model_id": model,
        "evaluation_name": name,
        "sample_id": f"{bench}{number}",
        "input": {"raw": f"Thing {number} of {bench}."},
        "evaluation": {"score": score, "is_correct": True},
    }


def test_scores_directions_and_missing_samples(write):
    folder = write(
        {
            "made/lab/a/1.jsonl": [sample("lab/a", 0, 0.5), sample("lab/a", 1, None)],
            "made/lab/b/2_samples.jsonl": [
                sample("lab/b", 0, 0.75),
                sample("lab/b", 0, 3, name="cost/run"),
            ],
            "made/lab/b/2.json": {
                "evaluation_results": [
                    {"evaluation_name": "cost/run", "metric_config": {"lower_is_better": True}}
                ]
            },
        }
    )
    table = load_scores(folder)
    assert table.variant_names == ("lab/a", "lab/b")
    assert table.prompts.texts == ("Thing 0 of made.", "Thing 1 of made.")
    np.testing.assert_array_equal(table["steps"].values, [[0.5, np.nan], [0.75, np.nan]])
    assert [m.higher_is_better for m in table.matrices.values()] == [True, False]
    assert table.metrics == ("steps", "cost-run")  # a metric names a file


def test_a_damaged_line_is_named(write):
    bad = {**sample("a", 1, 1), "evaluation": 0.5}
    folder = write({"x.jsonl": [sample("a", 0, 1), bad]})
    with pytest.raises(DataError, match=r"x\.jsonl line 2: expected model_id, evaluation_name, ev"):
        load_scores(folder)
