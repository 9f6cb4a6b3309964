import numpy as np
import pytest

from flasheval import load_scores
from flasheval.base.errors import DataError


def entry(own, text, **scores):
    return {"text_id": own, "text": text, "human_scores": [3, 4], **scores}


def test_every_number_is_a_metric(write):
    folder = write(
        {
            "human_annotations_with_scores.json": {
                "coco_1_mini-dalle": entry("coco_1", "A cat.", human_avg=3.5, tifa=0.5),
                "coco_1_sd_v2": entry("coco_1", "A cat.", human_avg=4, tifa=0.75),
                "coco_2_sd_v2": entry("coco_2", "A dog.", human_avg=1, tifa=None),
            }
        }
    )
    table = load_scores(folder)
    assert table.variant_names == ("mini-dalle", "sd_v2")
    assert table.metrics == ("human_avg", "tifa")
    assert table.prompts.texts == ("A cat.", "A dog.")
    np.testing.assert_array_equal(table["human_avg"].values, [[3.5, np.nan], [4, 1]])


def test_a_damaged_entry_is_named(write):
    good = entry("t", "A cat.", human_avg=3)
    path = write({"x.json": {"t_a": good, "u_a": good}}) / "x.json"
    with pytest.raises(DataError, match=r"x\.json entry 'u_a': expected a text_id, and a key of"):
        load_scores(path)
