import json

import numpy as np
import pytest

from flasheval import load_scores
from flasheval.base.errors import ConflictError, DataError
from flasheval.scores.importers import import_scores


def images(verdicts, model="m", texts=("A cat.", "A dog.")):
    """Lines of GenEval: a row of verdicts a prompt."""
    return [
        {
            "filename": f"out/{model}/{prompt:05d}/samples/{image:04d}.png",
            "tag": ("single_object", "colors")[prompt % 2],
            "prompt": texts[prompt],
            "correct": verdict,
            "reason": "",
        }
        for prompt, row in enumerate(verdicts)
        for image, verdict in enumerate(row)
    ]


def test_a_folder_of_one_a_model(write):
    folder = write(
        {
            "a/results.jsonl": images([[True, False], [True, True]]),
            "b/results.jsonl": images([[False, False], [False, True]]),
            "b/00000/samples/0000.png": "an image",
            "README.md": "notes",
            "summary.json": {"overall": 0.5},
            ".hidden.jsonl": "{",
        }
    )
    result = import_scores("geneval", folder)
    table = result.table
    assert table.variant_names == ("a", "b")
    assert table.prompts.ids == ("00000", "00001")
    assert table.prompts.texts == ("A cat.", "A dog.")
    assert table.prompts.extras == {"tag": ("single_object", "colors")}
    np.testing.assert_array_equal(table["correct"].values, [[0.5, 1], [0, 0.5]])
    assert result.how == "read as GenEval results: 2 models, 2 prompts, 2 images a prompt"
    assert result.faults == ()
    assert load_scores(folder).content_hash == table.content_hash


def test_flat_files_and_one_file_name_their_model(write):
    one = images([[True], [False]])
    folder = write({"flat/sdxl_results.jsonl": one, "flat/sd 1.5 [ü].jsonl": one})
    assert load_scores(folder / "flat").variant_names == ("sd 1.5 [ü]", "sdxl")
    assert load_scores(folder / "flat" / "sdxl_results.jsonl").variant_names == ("sdxl",)


def test_what_is_missing_is_nan_and_said(write):
    folder = write(
        {
            "a/results.jsonl": images([[True, False], [True, True]]),
            "b/results.jsonl": images([[True]]),
        }
    )
    result = import_scores("geneval", folder)
    np.testing.assert_array_equal(result.table["correct"].values, [[0.5, 1], [1, np.nan]])
    assert result.how.endswith("2 prompts, 1 to 2 images a prompt; 1 of 4 scores are missing")
    assert [(f.variant, f.problem) for f in result.faults] == [("b", "incomplete")]
    assert result.faults[0].path == "b/results.jsonl"


def test_a_damaged_line_is_named(write):
    good = "\n".join(map(json.dumps, images([[True], [True]])))
    folder = write({"a/results.jsonl": good, "b/results.jsonl": good[:-20]})
    with pytest.raises(DataError, match=r"b/results\.jsonl line 2 is not valid JSON"):
        load_scores(folder)
    write({"b/results.jsonl": good[5:]})
    with pytest.raises(DataError, match=r"b/results\.jsonl line 1 is not valid JSON"):
        load_scores(folder)
    write({"b/results.jsonl": ""})
    with pytest.raises(DataError, match=r"b/results\.jsonl is empty"):
        load_scores(folder)
    write({"b/results.jsonl": images([["maybe"]])})
    with pytest.raises(DataError, match=r"b/results\.jsonl line 1: correct is 'maybe'; expected"):
        load_scores(folder)


def test_two_files_of_one_model_agree_or_are_refused(write):
    folder = write(
        {
            "a/results.jsonl": images([[True], [True]]),
            "b_results.jsonl": images([[True], [True]]),
            "b.jsonl": images([[True], [True]]),
        }
    )
    assert load_scores(folder)["correct"].values.tolist() == [[1, 1], [1, 1]]
    write({"b.jsonl": images([[True], [False]])})
    with pytest.raises(ConflictError, match=r"model 'b' on prompt '00001' .* keep one of the two"):
        load_scores(folder)


def test_seeds_are_images_and_no_models(write):
    folder = write(
        {
            f"{model}/seed{seed}/results.jsonl": images([[bool(seed)], [True]])
            for model in ("a", "b")
            for seed in (0, 1)
        }
    )
    result = import_scores("geneval", folder)
    assert result.table.variant_names == ("a", "b")
    assert result.table["correct"].values.tolist() == [[0.5, 1], [0.5, 1]]
    assert result.how.endswith("2 images a prompt")


def test_one_number_with_two_texts_is_refused(write):
    folder = write(
        {
            "a/results.jsonl": images([[True]]),
            "b/results.jsonl": images([[True]], texts=("A hen.",)),
        }
    )
    with pytest.raises(ConflictError, match=r"b/results\.jsonl line 1: prompt '00000' has another"):
        load_scores(folder)


def test_without_numbers_the_text_tells_the_prompt(write):
    lines = [{"filename": "x.png", "prompt": "A cat.", "correct": verdict} for verdict in (1, 0)]
    table = load_scores(write({"a/results.jsonl": lines}))
    assert table.prompts.ids == ("A cat.",)
    assert table["correct"].values.tolist() == [[0.5]]
