"""The card: metadata that the Hub's own classes read, and what a person must be told."""

from dataclasses import replace

import pytest

from flasheval.subset.upload.card import card, default_title, metadata


@pytest.fixture
def subsets(make_subset):
    return [make_subset(), make_subset("both-50", 50, ("clip", "hps"))]


def test_the_hub_s_own_card_reads_the_metadata(subsets):
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    read = hub.DatasetCard(card(subsets, title="Things: few", license="cc0-1.0"))
    data = read.data
    assert isinstance(data, hub.DatasetCardData)
    assert (data.pretty_name, data.license) == ("Things: few", "cc0-1.0")
    assert data.task_categories == ["text-to-image"]
    assert data.size_categories == ["n<1K"]
    assert data.to_dict()["configs"] == [
        {
            "config_name": "things-clip-5",
            "data_files": "data/things-clip-5.parquet",
            "default": True,
        },
        {"config_name": "both-50", "data_files": "data/both-50.parquet"},
    ]
    assert read.text.strip().startswith("# Things: few")


def test_no_licence_and_no_language_are_made_up(subsets):
    assert metadata(subsets)["license"] == "unknown"
    assert "language" not in metadata(subsets)


def test_evidence_on_every_kind_of_splits_is_shown_and_whose_it_is(subsets):
    text = card(subsets)
    assert (
        "| things-clip-5 | random:2 (2 splits) | **0.800** (0.70 to 0.90) | 0.500 | "
        "248 (230 to >5000) | 5.0x |".replace("5.0x", "49.6x")
        in text
    )
    assert "| both-50 | group:base_model (2 splits) | **0.700** (0.60 to 0.80, min-max) |" in text
    assert "Evidence of the procedure, not of these exact sets" in text
    assert 'The licence of the prompts of "things" is not known' in text


def test_warnings_come_before_notes_on_one_line_and_as_text(subsets):
    text = card(subsets)
    warning = text.index("- **warning:** only 12 search variants \\| fewer than 20\n")
    note = text.index("- a note of &lt;b>two&lt;/b> lines\n")
    assert warning < note
    assert text.count("only 12 search variants") == 1  # of both: said once


def test_a_remark_of_some_names_them(subsets, make_subset):
    bare = make_subset("bare", evidence=False)
    text = card([*subsets, replace(bare, record=replace(bare.record, interrupted=True))])
    assert "fewer than 20 (things-clip-5, both-50)\n" in text
    assert "the search was stopped early; this is the best it had (bare)\n" in text
    assert "| bare | none: nothing was held out | - |" in text


def test_nothing_held_out_claims_nothing(make_subset):
    text = card([make_subset(evidence=False)])
    assert "None: nothing was held out, so nothing is claimed." in text
    assert "Evidence of the procedure" not in text


def test_how_to_load_and_to_look_texts_up(subsets, make_subset):
    text = card(subsets, repo="me/few")
    assert 'load_dataset("me/few", "things-clip-5", split="train")' in text
    assert 'flasheval.load_subset("hf://me/few@COMMIT/things-clip-5")' in text
    assert 'prompts="YOUR-COPY")' in text
    assert "YOUR-COPY" not in card([make_subset(texts=True)])
    assert "- `text`: the prompt" in card([make_subset(texts=True)])
    some = card([*subsets, make_subset("full", texts=True)])
    assert "Texts are not included in things-clip-5, both-50;" in some


def test_titles(subsets):
    assert default_title(subsets[:1]) == "things-clip-5"
    assert default_title(subsets) == "things: 2 prompt subsets"
