from dataclasses import replace

import numpy as np
import pytest

from flasheval import load_scores, search
from flasheval.base.errors import DataError
from flasheval.scores import ScoreTable
from flasheval.scores.importers import import_scores


def answers(*scores):
    return [{"question_id": i, "answer": str(score)} for i, score in enumerate(scores)]


def test_models_metrics_and_missing_answers(write):
    folder = write(
        {
            "a/annotation_blip/vqa_result.json": answers(0.25, 0.5),
            "a/annotation_clip/vqa_result.json": answers(0.75, 1),
            "b/annotation_blip/vqa_result.json": answers(0.5),
            "b/annotation_blip/blip_vqa_score.txt": "BLIP-VQA score:0.5",
            "b/annotation1_blip/vqa_result.json": answers(9),
        }
    )
    result = import_scores("t2i-compbench", folder)
    table = result.table
    assert (table.variant_names, table.metrics) == (("a", "b"), ("blip", "clip"))
    np.testing.assert_array_equal(table["blip"].values, [[0.25, 0.5], [0.5, np.nan]])
    assert [(f.metric, f.problem) for f in result.faults] == [
        ("blip", "incomplete"),
        ("clip", "missing"),
    ]
    assert load_scores(folder / "a").variant_names == ("a",)
    assert load_scores(folder / "a" / "annotation_clip").metrics == ("clip",)


def test_categories_are_no_models(write):
    folder = write(
        {
            f"{model}/{category}/annotation_blip/vqa_result.json": answers(0.5)
            for model in ("a", "b")
            for category in ("color", "texture_val")
        }
    )
    table = load_scores(folder)
    assert table.variant_names == ("a", "b")
    assert table.prompts.ids == ("color/0", "texture_val/0")


def test_a_damaged_file_is_named(write):
    folder = write(
        {
            "a/annotation_blip/vqa_result.json": answers(0.5),
            "b/annotation_blip/vqa_result.json": '[{"question_id": 0, "answer": "0.',
        }
    )
    with pytest.raises(DataError, match=r"b/annotation_blip/vqa_result\.json is not valid JSON"):
        load_scores(folder)
    write({"b/annotation_blip/vqa_result.json": answers("yes")})
    with pytest.raises(DataError, match=r"vqa_result\.json item 1: blip is 'yes'; expected a num"):
        load_scores(folder)


def test_a_search_for_one_metric_takes_its_categories(write):
    rng = np.random.default_rng(0)
    folder = write(
        {
            f"m{v}/{category}/annotation_{metric}/vqa_result.json": answers(
                *(v / 10 + rng.normal(size=8))
            )
            for v in range(8)
            for category, metric in (
                ("color", "blip"),
                ("shape", "blip"),
                ("spatial", "obj_detection"),
            )
        }
    )
    result = import_scores("t2i-compbench", folder)
    assert result.faults == ()
    for metric, count in (("blip", 16), ("obj_detection", 8)):
        found = search(folder, metric=metric, size=3, method="pooled", draws=10, progress=False)
        told = f"{24 - count} prompts without a score of every variant were left out"
        assert told in found.warnings
        assert len(found.subset.record.known_variants) == 8
    broken = result.table["blip"].values.copy()
    assert np.isnan(broken).any(axis=0).sum() == 8
    broken[0, 0] = np.nan  # one variant of eight lacks one of its prompts
    table = ScoreTable(
        result.table.prompts,
        result.table.variants,
        {"blip": replace(result.table["blip"], values=broken)},
    )
    kept, dropped = table.complete()
    assert (kept.n_prompts, dropped) == (16, ("m0",))
    assert table.keepable() == "incomplete=prompts would keep all 8 on 15 of 24 prompts"
    nearly, _ = table.complete(incomplete="prompts")
    assert (len(nearly), nearly.n_prompts) == (8, 15)
    with pytest.raises(DataError, match="8 of 8 variants are not measured on every prompt"):
        table.complete(incomplete="error")
