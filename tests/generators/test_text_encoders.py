"""How far pipelines read: stored and loaded, with one text encoder and with several."""

import pytest

from flasheval.generators.diffusers_settings import DiffusersSettings
from flasheval.generators.text_encoders import pipeline_readers, text_encoders
from flasheval.runs.text_readers import readers_of
from flasheval.scorers.clip import ClipSettings

diffusers = pytest.importorskip("diffusers")


def _tokens(settings):
    return {one.name.rpartition(" ")[2]: one.tokens for one in settings.readers()}


def test_an_encoder_and_several(tiny_models):
    (one,) = DiffusersSettings(str(tiny_models["sd"])).readers()
    assert one.tokens == 77
    assert one.tokenizer is not None
    third = DiffusersSettings(str(tiny_models["sd3"]))
    default = 256  # of StableDiffusion3Pipeline's call, for its T5
    assert [one.tokens for one in third.readers()] == [77, 77, default]
    longer = DiffusersSettings(str(tiny_models["sd3"]), options={"max_sequence_length": 64})
    assert [one.tokens for one in longer.readers()] == [77, 77, 64]


def test_a_loaded_pipeline_reads_as_far_as_its_files_say(tiny_models):
    for name in ("sd", "sd3"):
        pipe = diffusers.DiffusionPipeline.from_pretrained(tiny_models[name])
        stored = DiffusersSettings(str(tiny_models[name])).readers()
        assert [one.tokens for one in pipeline_readers(pipe)] == [one.tokens for one in stored]


def test_what_cannot_be_looked_at_is_left_out(tmp_path):
    missing = [DiffusersSettings(str(tmp_path / "no-such-folder"))]
    assert readers_of(missing, [ClipSettings(str(tmp_path / "none"))]) == []
    (tmp_path / "model_index.json").write_text("[]")
    assert text_encoders("mine", tmp_path, {}) == ()
