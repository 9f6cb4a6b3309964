import numpy as np
import pytest

from flasheval import load_scores, search, validate
from flasheval.base.errors import DataError
from flasheval.scores.importers import import_scores


def videos(*scores, text="A cat.", model="m"):
    return [
        sum(scores) / len(scores),
        [
            {"video_path": f"videos/{model}/{text}-{k}.mp4", "video_results": score}
            for k, score in enumerate(scores)
        ],
    ]


def test_a_dimension_is_a_metric_and_its_videos_count(write):
    folder = write(
        {
            "a_eval_results.json": {
                "imaging_quality": [0.5, videos(40, 60)[1] + videos(70, text="A dog-like cat")[1]],
                "human_action": videos(True, False),
            },
            "b_eval_results.json": {"imaging_quality": videos(10, 30)},
            "a_full_info.json": [{"prompt_en": "A cat.", "dimension": ["x"]}],
        }
    )
    table = import_scores("vbench", folder).table
    assert table.variant_names == ("a", "b")
    assert table.metrics == ("imaging_quality", "human_action")
    assert table.prompts.texts == ("A cat.", "A dog-like cat")
    np.testing.assert_array_equal(table["imaging_quality"].values, [[50, 70], [20, np.nan]])
    assert table["human_action"].values[0, 0] == 0.5


def test_files_without_a_model_s_name_go_by_their_folder(write):
    stamped = "results_2024-05-01-10:00:00_eval_results.json"
    folder = write(
        {
            f"a/{stamped}": {"color": videos(1)},
            "a/motion_eval_results.json": {"motion": videos(0)},
            f"b/{stamped}": {"color": videos(0), "motion": videos(1)},
        }
    )
    table = load_scores(folder)
    assert table.variant_names == ("a", "b")
    assert table["motion"].values.tolist() == [[0], [1]]


def test_a_damaged_file_is_named(write):
    folder = write({"a_eval_results.json": {"color": videos(1), "motion": 3}})
    with pytest.raises(DataError, match=r"a_eval_results\.json: motion must be \[average, \[vid"):
        load_scores(folder)
    write({"a_eval_results.json": {"color": [1, [*videos(1)[1], {"video_results": 1}]]}})
    with pytest.raises(DataError, match="color, video 2: expected an object with video_path"):
        load_scores(folder)


def test_a_search_for_one_dimension_takes_its_prompts(write):
    rng = np.random.default_rng(0)
    texts = {
        "imaging_quality": [f"A cat number {i}." for i in range(12)],
        "human_action": [f"A person number {i}." for i in range(9)],
    }
    folder = write(
        {
            f"m{v}_eval_results.json": {
                dimension: [
                    0.5,
                    [
                        one
                        for text in names
                        for one in videos(*(v / 10 + rng.normal(size=3)), text=text)[1]
                    ],
                ]
                for dimension, names in texts.items()
            }
            for v in range(8)
        }
    )
    result = import_scores("vbench", folder)
    assert result.faults == ()
    assert result.how == (
        "read as VBench results: 8 models, 21 prompts, 2 metrics, 3 videos a prompt"
    )
    for dimension, names in texts.items():
        found = search(
            result.table, metric=dimension, size=3, method="pooled", draws=10, progress=False
        )
        assert set(found.subset.texts) <= set(names)
        told = f"{21 - len(names)} prompts without a score of every variant were left out"
        assert told in found.warnings
        assert not any("variants with missing scores" in line for line in found.warnings)
        report = validate(
            result.table, metric=dimension, size=3, methods=["pooled"], draws=10, progress=False
        )
        assert (report.n_prompts, report.n_variants) == (len(names), 8)
    with pytest.raises(DataError, match="no prompt is measured in all of the metrics"):
        search(result.table, size=3, method="pooled", progress=False)
