import numpy as np
import pytest

from flasheval import load_scores
from flasheval.base.errors import DataError


def line(number, *scores):
    names = ("consistency", "realism", "aesthetic_quality")
    return {"prompt_id": number, "Subcategory": "Festival", **dict(zip(names, scores, strict=True))}


def test_three_metrics_and_missing_prompts(write):
    folder = write(
        {
            "a/scores_results.jsonl": [line(1, 0, 1, 2), line(2, 2, 2, 2)],
            "b/scores_results.jsonl": [line(2, 1, None, 1)],
        }
    )
    table = load_scores(folder)
    assert table.metrics == ("consistency", "realism", "aesthetic_quality")
    assert table.prompts.ids == ("1", "2")
    assert table.prompts.extras == {"category": ("Festival", "Festival")}
    np.testing.assert_array_equal(table["consistency"].values, [[0, 2], [np.nan, 1]])


def test_a_file_a_category_is_no_model(write):
    parts = ("cultural_common_sense_scores", "spatio-temporal_reasoning")
    folder = write(
        {
            f"{model}/Results/{part}_results.jsonl": [line(number, 1, 1, 1)]
            for model in ("a", "b")
            for number, part in enumerate(parts, start=1)
        }
    )
    table = load_scores(folder)
    assert table.variant_names == ("a", "b")
    assert not np.isnan(table["realism"].values).any()
    assert load_scores(folder / "a").variant_names == ("a",)


def test_a_damaged_line_is_named(write):
    folder = write({"a/scores_results.jsonl": [line(1, 0, 1, 2), line(None, 0, 1, 2)]})
    with pytest.raises(DataError, match=r"jsonl line 2: a prompt id must be a non-empty string"):
        load_scores(folder)
