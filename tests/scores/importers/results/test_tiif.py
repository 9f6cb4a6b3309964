import numpy as np
import pytest

from flasheval import load_scores
from flasheval.base.errors import DataError
from flasheval.scores.importers import import_scores


def verdicts(*given):
    return {"gt_answers": ["yes", "no"], "model_pred": list(given), "attribute": "2d"}


def tree(models, judge="GPT-4o", whole="mini"):
    return {
        f"{whole}/{whole}_{judge}/{model}/2d+color/{length}/{number}.json": verdicts(*given)
        for model, rows in models.items()
        for length, row in rows.items()
        for number, given in enumerate(row)
    }


def test_a_judge_is_a_metric(write):
    rows = {"short": [("yes", "No "), ("yes", "yes")], "long": [("no", "yes"), ()]}
    folder = write(tree({"a": rows, "b": {"short": [("yes", "no")]}}))
    write(tree({"a": {"short": [("no", "no")]}}, judge="Qwen_VL"))
    write({"mini/mini_GPT-4o/result_summary.json": {"a": 0.5}, "mini/log.txt": "x"})
    result = import_scores("tiif", folder)
    table = result.table
    assert table.variant_names == ("a", "b")
    assert table.metrics == ("GPT-4o", "Qwen_VL")
    ids = [f"2d+color/{length}/{n}" for length in ("long", "short") for n in (0, 1)]
    assert list(table.prompts.ids) == ids
    np.testing.assert_array_equal(
        table["GPT-4o"].values, [[0, np.nan, 1, 0.5], [np.nan, np.nan, 1, np.nan]]
    )
    assert table["Qwen_VL"].values[0, 2] == 0.5
    for part in ("mini", "mini/mini_GPT-4o", "mini/mini_GPT-4o/a"):
        assert load_scores(folder / part)["GPT-4o"].values[0, 2] == 1


def test_a_damaged_file_is_named(write):
    folder = write(tree({"a": {"short": [("yes", "no"), ("yes", "no")]}}))
    write({"mini/mini_GPT-4o/a/2d+color/short/1.json": '{"gt_answers": ["yes"'})
    with pytest.raises(DataError, match=r"a/2d\+color/short/1\.json line 1, column 22 is not"):
        load_scores(folder)
    write({"mini/mini_GPT-4o/a/2d+color/short/1.json": {"gt_answers": "yes", "model_pred": 1}})
    with pytest.raises(DataError, match=r"short/1\.json: gt_answers and model_pred must be lists"):
        load_scores(folder)
