from pathlib import Path

import numpy as np
import pytest

from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.scores.importers.results.cells import Cells


def filled(scores, **texts):
    cells = Cells(Path("out"), "made results", "images")
    for (model, prompt, image), score in scores.items():
        cells.start(Path("out") / model, model)
        cells.add("x", cells.prompt(prompt, "line 1", text=texts.get(prompt)), score, "", image)
    return cells


def test_images_stand_at_their_number_and_the_mean_counts_what_there_is():
    cells = filled({("a", "p", 1): 3, ("a", "p", 0): "1", ("b", "p", 1): float("nan")})
    result = cells.result(None, None, {"x": False})
    images = result.table["x"].images
    np.testing.assert_array_equal(images, [[[1, 3]], [[np.nan, np.nan]]])
    np.testing.assert_array_equal(result.table["x"].values, [[2], [np.nan]])
    assert not result.table["x"].higher_is_better
    assert result.how == (
        "read as made results: 2 models, 1 prompt, 2 images a prompt; 1 of 2 scores are missing"
    )


def test_numbers_that_no_two_prompts_share_are_counted_a_prompt():
    cells = filled({("a", f"p{i}", 100 * i + k): k for i in range(3) for k in range(2)})
    table = cells.result(None, None, None).table
    assert table["x"].images.tolist() == [[[0, 1]] * 3]


def test_what_cannot_be_is_refused():
    with pytest.raises(DataError, match="made results, but holds no score"):
        filled({("a", "p", 0): None}).result(None, None, None)
    with pytest.raises(DataError, match="x is inf; expected a number"):
        filled({("a", "p", 0): float("inf")})
    with pytest.raises(DataError, match=r"x is \[1\]; expected a number"):
        filled({("a", "p", 0): [1]})
    cells = filled({("a", "p", 0): 1})
    with pytest.raises(ConflictError, match="x score 2 here but 1 earlier in the file; keep one"):
        cells.add("x", 0, 2, "line 2", 0)
    cells.add("y", 0, 1, "line 2", 0)
    with pytest.raises(SettingError, match=r"metric='z' cannot name 2 metrics; .* theirs: x, y"):
        cells.result(None, "z", None)


def test_texts_are_kept_where_every_prompt_has_one():
    scores = {("a", "p", 0): 1, ("a", "q", 0): 2}
    assert filled(scores, p="A cat.").result(None, None, None).table.prompts.texts is None
    table = filled(scores, p="A cat.", q="A dog.").result(None, "named", None).table
    assert table.prompts.texts == ("A cat.", "A dog.")
    assert table["named"].prompt_set_hash == table.prompts.hash
