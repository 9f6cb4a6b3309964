import numpy as np
import pytest

from flasheval import load_scores
from flasheval.base.errors import ConflictError, DataError


def sample(number, acc, **more):
    return {
        "doc_id": number,
        "doc": {"prompt": f"Thing {number}."},
        "filtered_resps": ["yes"],
        "filter": "none",
        "metrics": ["acc"],
        "acc": acc,
        **more,
    }


FILE = "samples_made_task_2026-01-0{}T10-00-00.000000.jsonl"


def test_a_folder_a_model(write):
    folder = write(
        {
            f"lab__a/{FILE.format(1)}": [sample(0, 1), sample(1, 0)],
            f"lab__b/{FILE.format(2)}": [sample(0, 0.5)],
            "lab__a/results_2026-01-01.json": {"results": {"made_task": {"acc,none": 0.5}}},
        }
    )
    table = load_scores(folder)
    assert table.variant_names == ("lab__a", "lab__b")
    assert table.prompts.texts == ("Thing 0.", "Thing 1.")
    np.testing.assert_array_equal(table["acc"].values, [[1, 0], [0.5, np.nan]])
    assert load_scores(folder / "lab__a").variant_names == ("lab__a",)


def test_filters_and_tasks_are_kept_apart(write):
    lines = [sample(0, i, filter=name) for i, name in enumerate(("strict", "flexible"))]
    old = sample(0, 1)
    del old["metrics"]
    folder = write({"a/samples_x.jsonl": lines, "a/samples_y.jsonl": [old]})
    table = load_scores(folder)
    assert table.metrics == ("acc-strict", "acc-flexible", "acc")
    assert table.prompts.ids == ("x/0", "y/0")


def test_two_runs_of_one_model_are_refused_where_they_differ(write):
    folder = write({f"a/{FILE.format(1)}": [sample(0, 1)], f"a/{FILE.format(2)}": [sample(0, 0)]})
    with pytest.raises(ConflictError, match=r"-02T.* model 'a' .* 0 here but 1 in .*-01T.*; keep"):
        load_scores(folder)


def test_a_damaged_line_is_named(write):
    folder = write({f"a/{FILE.format(1)}": [sample(0, 1), [1]]})
    with pytest.raises(DataError, match=r"jsonl line 2: expected an object, found a list"):
        load_scores(folder)
