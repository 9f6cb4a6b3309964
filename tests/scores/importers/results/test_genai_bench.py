import numpy as np
import pytest

from flasheval import load_scores
from flasheval.base.errors import DataError
from flasheval.scores.importers import import_scores


def entry(number, text, **models):
    return {"id": number, "prompt": text, "models": models}


def test_the_mean_over_the_raters(write):
    folder = write(
        {
            "genai_image.json": {
                "0": entry("00000", "A cat.", a=[1, 2, 3], b=[5, None, 5]),
                "1": entry("00001", "A dog.", a=[4]),
            },
            "genai_skills.json": {"basic": ["00000"]},
        }
    )
    for source in (folder, folder / "genai_image.json"):
        table = load_scores(source)
        assert table.prompts.texts == ("A cat.", "A dog.")
        np.testing.assert_array_equal(table["alignment"].values, [[2, 4], [5, np.nan]])
    how = import_scores("genai-bench", folder).how
    assert "2 models, 2 prompts, 1 to 3 ratings a prompt; 1 of 4 scores are missing" in how
    assert load_scores(folder, metric="rating", higher_is_better=False).metrics == ("rating",)


def test_a_damaged_entry_is_named(write):
    good = entry("0", "A cat.", a=[1])
    folder = write({"r.json": {"0": good, "1": {"id": "1", "prompt": "A dog."}}})
    with pytest.raises(DataError, match=r"r\.json entry '1': expected an object with prompt and"):
        load_scores(folder)
    write({"r.json": {"0": good, "1": entry("1", "A dog.", a=["good"])}})
    with pytest.raises(DataError, match=r"r\.json entry '1', a: alignment is 'good'; expected a"):
        load_scores(folder / "r.json")
