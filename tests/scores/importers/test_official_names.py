import json

from flasheval.scores.importers.official_names import (
    OFFICIAL_VARIANTS,
    official_factors,
    official_variant,
)


def test_there_are_78_in_the_stated_order():
    assert len(set(OFFICIAL_VARIANTS)) == 78
    assert OFFICIAL_VARIANTS[0] == "dreamlike-photoreal/DDIM10/fp"
    assert OFFICIAL_VARIANTS[8] == "small-stablediffusion/DDIM10/fp"
    assert OFFICIAL_VARIANTS[47] == "stablediffusion2.1/DPM20/fp"
    assert OFFICIAL_VARIANTS[48:50] == (
        "stablediffusion1.2/DDIM10/_6",
        "stablediffusion1.2/DDIM10/_8",
    )
    assert OFFICIAL_VARIANTS[77] == "stablediffusion1.5/DPM20/_8"


def test_a_name_tells_its_factors():
    assert official_factors("stablediffusion1.5/PNDM50/fp") == {
        "base_model": "stablediffusion1.5",
        "scheduler": "PNDM",
        "steps": 50,
        "precision": "fp",
        "family": "stable-diffusion",
    }
    assert all(len(official_variant(name).factors) == 5 for name in OFFICIAL_VARIANTS)
    assert "family" not in official_factors("mine/DDIM10/fp")


def test_other_names_tell_nothing():
    for name in ("mine", "a/b", "a/b10", "org/model2/v1", "a/b10/fp/x", "a/10/fp"):
        assert official_factors(name) == {}


def test_the_authors_split_counts_in_this_order(shared_data, coco_table):
    train = json.loads((shared_data / "official-train-ids.json").read_text())
    searched = {OFFICIAL_VARIANTS[position] for position in train}
    assert len(searched) == 39
    # 31 of the 64 complete COCO variants are searched and 33 held out.
    assert len(searched & set(coco_table.variant_names)) == 31
    complete = [name for name in OFFICIAL_VARIANTS if name in coco_table.variant_names]
    assert tuple(complete) == coco_table.variant_names
