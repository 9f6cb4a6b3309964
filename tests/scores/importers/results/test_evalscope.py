import json

import numpy as np
import pytest

from flasheval import load_scores
from flasheval.base.errors import DataError
from flasheval.scores.importers import import_scores


def review(index, score, group=None, text=None):
    return {
        "index": index,
        "input": text or f"A thing numbered {index}.",
        "sample_score": {
            "score": {"value": {"VQAScore": score, "why": "so"}},
            "sample_id": index,
            "group_id": group,
        },
    }


def test_reviews_are_read_and_reports_are_not(write):
    folder = write(
        {
            "out/reviews/a/tifa_default.jsonl": [review(0, 0.5), review(1, 1)],
            "out/reviews/b/tifa_default.jsonl": [review(1, 0.25)],
            "out/reports/a/tifa.json": {"dataset_name": "tifa", "metrics": []},
        }
    )
    result = import_scores("evalscope", folder)
    assert result.table.metrics == ("VQAScore",)
    assert result.table.prompts.texts == ("A thing numbered 0.", "A thing numbered 1.")
    np.testing.assert_array_equal(result.table["VQAScore"].values, [[0.5, 1], [np.nan, 0.25]])
    assert result.how.endswith("2 models, 2 prompts; 1 of 4 scores are missing")


def test_repeats_of_a_prompt_are_one_and_data_sets_are_apart(write):
    twice = [review(i, i % 2, group=i // 2, text=f"Text {i // 2}.") for i in range(4)]
    one_group = [review(i, 1, group=0) for i in range(2)]
    folder = write({"reviews/a/x.jsonl": twice, "reviews/a/y.jsonl": one_group})
    table = load_scores(folder)
    assert table.prompts.ids == ("x/0", "x/1", "y/0", "y/1")
    assert table["VQAScore"].values.tolist() == [[0.5, 0.5, 1, 1]]


def test_a_damaged_line_is_named(write):
    lines = [json.dumps(review(0, 1)), '{"index": 1, "sample_score": {"score": 0.5}}', "{"]
    folder = write({"reviews/a/x.jsonl": "\n".join(lines[:2])})
    with pytest.raises(DataError, match=r"a/x\.jsonl line 2: expected sample_score\.score\.value"):
        load_scores(folder)
    write({"reviews/a/x.jsonl": "\n".join(lines)})
    with pytest.raises(DataError, match=r"a/x\.jsonl line 3 is not valid JSON"):
        load_scores(folder)
