import numpy as np
import pytest

from flasheval import load_scores
from flasheval.base.errors import DataError
from flasheval.scores.importers import import_scores


def instance(number, clip, **more):
    stats = {"expected_clip_score": clip, "num_references": 1, "inference_runtime": 3.5}
    return {
        "instance_id": f"id{number}",
        "train_trial_index": 0,
        "stats": [
            {"name": {"name": name, "split": "test"}, "count": 1, "mean": mean}
            for name, mean in stats.items()
        ],
        **more,
    }


def test_models_texts_and_missing_means(write):
    file = "per_instance_stats.json"
    folder = write(
        {
            f"v0/mscoco:model=lab_a/{file}": [instance(7, 20.5), instance(8, None)],
            f"v0/mscoco:model=other_b,k=2/{file}": [instance(7, 21, train_trial_index=1)],
            "v0/mscoco:model=lab_a/instances.json": [
                {"id": "id7", "input": {"text": "A cat."}},
                {"id": "id8", "input": {"text": "A dog."}},
            ],
            "v0/mscoco:model=lab_a/stats.json": [],
            "v0/mscoco:model=lab_a/scenario.json": {"name": "mscoco"},
        }
    )
    table = import_scores("heim", folder).table
    assert table.variant_names == ("a", "b")
    assert table.metrics == ("expected_clip_score",)
    assert table.prompts.ids == ("mscoco/id7", "mscoco/id8", "mscoco,k=2/id7")
    assert table["expected_clip_score"].values[0, 0] == 20.5
    assert np.isnan(table["expected_clip_score"].values[0, 1])


def test_one_scenario_keeps_the_ids_and_the_texts(write):
    folder = write(
        {
            "mscoco:model=lab_a/per_instance_stats.json": [
                instance(7, 20),
                instance(7, 10, perturbation={"name": "typos"}),
            ],
            "mscoco:model=lab2_a/per_instance_stats.json": [instance(7, 21)],
            "mscoco:model=lab_a/instances.json": [{"id": "id7", "input": {"text": "A cat."}}],
        }
    )
    table = load_scores(folder)
    assert table.prompts.ids == ("id7", "id7~typos")
    assert set(table.variant_names) == {"lab_a", "lab2_a"}  # "a" would be both


def test_a_damaged_file_is_named(write):
    folder = write({"x:model=lab_a/per_instance_stats.json": '[{"instance_id": "id1"'})
    with pytest.raises(DataError, match=r"per_instance_stats\.json line 1, column 23 is not valid"):
        load_scores(folder)
    write({"x:model=lab_a/per_instance_stats.json": [instance(1, 2), {"stats": []}]})
    with pytest.raises(DataError, match="instance 2: expected an instance_id and stats"):
        load_scores(folder)
