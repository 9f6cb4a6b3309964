"""What is said of licences: of known prompt sets by their hash, of others that it is unknown."""

from dataclasses import replace

import pytest

import flasheval
from flasheval.prompts import load_prompts
from flasheval.subset.prompt_sources import source_of
from flasheval.subset.upload.licences import card_licences, licence_notes, licence_warnings

COCO = "54671f8b71060748d1a095b2323645df2df40128b7dbbb189e6e2a4528f659fc"
DIFFUSIONDB = "11d65a890a16449ba82bb2cb72c31d8a822e88cbc91228b7f61a892e68f062cb"


def test_known_prompt_sets_by_hash_and_never_by_name(make_subset):
    plain = make_subset()
    coco, ddb = replace(plain, prompt_set_hash=COCO), replace(plain, prompt_set_hash=DIFFUSIONDB)
    assert card_licences([coco, coco]) == ["cc-by-4.0"]
    assert card_licences([ddb, coco, plain]) == ["cc0-1.0", "cc-by-4.0", "unknown"]
    assert source_of(replace(plain, prompt_set_name="coco")) is None
    assert licence_warnings([coco, ddb]) == []
    (note,) = licence_notes([coco])
    assert "COCO Consortium" in note
    assert "states no licence" in note
    assert len(licence_notes([coco, ddb, coco])) == 2


def test_the_miniature_is_known():
    prompts = load_prompts("miniature")
    assert prompts.hash == flasheval.load_scores("miniature").prompts.hash
    assert "6f836e93b4e2" in prompts.hash


@pytest.mark.parametrize(("key", "known"), [("coco", COCO), ("diffusiondb", DIFFUSIONDB)])
def test_the_hashes_are_those_of_the_real_prompts(shared_data, request, key, known):
    if key == "coco":
        prompts = load_prompts(shared_data / "coco-prompts.jsonl.xz")
    else:
        tree = request.getfixturevalue("diffusiondb_tree")
        prompts = load_prompts(next(tree.rglob("diffusionDB_5000.json")))
    assert prompts.hash == known


def test_an_unknown_licence_is_warned_of_until_it_is_said(make_subset):
    plain, texts = make_subset(), make_subset("other", texts=True)
    (warning,) = licence_warnings([plain])
    assert warning.startswith('the licence of the prompts of "things" is not known: say it before')
    (warning,) = licence_warnings([plain, texts])
    assert "their texts are included" in warning
    assert licence_warnings([plain], "mit") == []
    assert licence_notes([plain], "mit") == [
        'The licence of the prompts of "things" is said to be `mit`.'
    ]
    assert card_licences([plain], "mit") == ["mit"]
