"""What is known of the prompt sets that subsets come from."""

from dataclasses import replace

import pytest

from flasheval.generators.seeds import ImageSeeds
from flasheval.subset.library import find_subset
from flasheval.subset.prompt_sources import seeds_note, source_of
from flasheval.subset.upload.card import card


@pytest.mark.parametrize("name", ["coco-shared-50", "diffusiondb-shared-50"])
def test_scores_that_name_no_seed_are_told_in_note_and_card(name):
    subset = find_subset(name)
    assert source_of(subset).seedless
    assert "name no image seed" in seeds_note(subset)
    assert card([subset, find_subset(name.replace("50", "10"))]).count("name no image seed") == 1


def test_where_seeds_are_known_nothing_is_said():
    subset = find_subset("coco-shared-50")
    known = replace(subset, record=replace(subset.record, seeds=ImageSeeds(0)))
    for one in (known, find_subset("miniature-shared-50"), replace(subset, prompt_set_hash=None)):
        assert seeds_note(one) == ""
