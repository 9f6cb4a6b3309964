import pytest

from flasheval import load_scores
from flasheval.base.errors import DataError


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a/tifa.json",
            {"dataset_name": "t", "model_name": "a", "metrics": []},
            "an evalscope",
        ),
        ("a/results_1.json", {"results": {"task": {"acc,none": 1}}}, "lm-eval results"),
        ("a/stats.json", [{"name": {"name": "x"}, "count": 1, "sum": 2}], "HELM's stats"),
        ("a/1.json", {"schema_version": "0.2", "evaluation_results": []}, "Every Eval Ever's agg"),
    ],
)
def test_means_are_refused_with_the_place_of_the_scores(write, name, content, said):
    folder = write({name: content})
    for source in (folder, folder / name):
        with pytest.raises(DataError, match=f"holds {said}.*: means only, no score a prompt; "):
            load_scores(source)


def test_an_unknown_folder_is_refused_as_before(write):
    folder = write({"a/config.json": {"x": 1}, "a/broken.json": "{", "b/config.json": {"x": 1}})
    with pytest.raises(DataError, match="holds no scores: expected a folder written by"):
        load_scores(folder)


def test_a_json_file_alone_in_each_folder_may_be_anything(write):
    folder = write({"a/config.json": {"x": 1}, "b/broken.json": "{"})
    with pytest.raises(DataError, match="holds no scores: expected a folder written by"):
        load_scores(folder)
