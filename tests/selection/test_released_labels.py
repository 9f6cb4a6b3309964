from pathlib import Path

import numpy as np
import pytest

from flasheval.selection.held_out.audit import Fit
from flasheval.selection.released_labels import Label, fitted, label_of


def test_a_fit_leaves_at_most_half_of_the_random_disagreement():
    assert fitted([]) is None
    assert fitted([Fit("a", "a", tau=0.8, percentile=100, random_tau=0.6)]) is not None
    assert fitted([Fit("a", "a", tau=0.79, percentile=100, random_tau=0.6)]) is None
    assert fitted([Fit("a", "a", tau=np.nan, percentile=np.nan, random_tau=0.6)]) is None


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("COCO_CLIP_searched_subset_50prompts.json", Label("COCO", "CLIP")),
        ("diffusionDB_HPS_searched_subset_5prompts.json.xz", Label("DiffusionDB", "HPS")),
        ("COCO_CLIP_searched_subset.json", None),
        ("mine.json", None),
    ],
)
def test_a_name_is_read_as_the_authors_write_it(name, label):
    assert label_of(Path("folder", name)) == label
