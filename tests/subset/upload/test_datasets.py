"""The folder as `datasets` loads it, without a network: every configuration."""

import pytest

from flasheval.subset.upload import publish


@pytest.mark.slow  # importing datasets takes a second or two
def test_every_configuration_is_loaded(make_subset, things, tmp_path):
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    subsets = [
        make_subset("things-clip-5"),
        make_subset("things-all-50", 50, ("clip", "hps")),
        make_subset("things_x.y+z-5", texts=True),
    ]
    folder = str(publish(subsets, tmp_path / "up").folder)
    cache = str(tmp_path / "cache")
    names = datasets.get_dataset_config_names(folder)
    assert names == [subset.name for subset in subsets]
    assert datasets.get_dataset_default_config_name(folder) == "things-clip-5"
    for subset in subsets:
        loaded = datasets.load_dataset(folder, subset.name, split="train", cache_dir=cache)
        assert loaded["prompt_id"][:] == list(subset.ids)
        assert loaded["text_sha256"][:] == [prompt.text_hash for prompt in subset.prompts]
        assert loaded["weight"][:] == subset.weights.tolist()
    assert loaded["text"][:] == list(things.texts[:5])
    default = datasets.load_dataset(folder, cache_dir=cache)
    assert default["train"].num_rows == 5
