"""Parts of a pipeline from elsewhere, beside the pipeline put together by hand."""

import json
import shutil

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.base.models.weights import shipped_parts
from flasheval.generators.components import find_components
from flasheval.generators.diffusers_settings import DiffusersSettings
from flasheval.generators.generator import Batch

BATCH = Batch(("a",), ("a photo of a red cat",), (7,))


def _image(checkpoint, **settings):
    settings = DiffusersSettings(str(checkpoint), steps=2, guidance=3.0, **settings)
    return settings.load("cpu").generate(BATCH)[0]


def _bare(tiny_models, tmp_path):
    """The Stable Diffusion without the parts that will be given."""
    folder = tmp_path / "bare"
    parts = shutil.ignore_patterns("vae", "text_encoder", "tokenizer")
    shutil.copytree(tiny_models["sd"], folder, ignore=parts)
    return folder


def test_parts_from_elsewhere_give_the_image_of_the_whole_pipeline(tiny_models, tmp_path):
    sd = tiny_models["sd"]
    given = {part: str(sd / part) for part in ("vae", "text_encoder", "tokenizer")}
    whole, bare = _image(sd), _image(_bare(tiny_models, tmp_path), components=given)
    assert np.array_equal(whole, bare)


def _other_vae(tiny_models, tmp_path):
    """A copy of the VAE that scales its latents otherwise."""
    vae = tmp_path / "vae"
    shutil.copytree(tiny_models["sd"] / "vae", vae)
    config = json.loads((vae / "config.json").read_text())
    (vae / "config.json").write_text(json.dumps(config | {"scaling_factor": 0.5}))
    return vae


def test_another_vae_gives_the_image_of_a_pipeline_with_that_vae(tiny_models, tmp_path):
    import torch
    from diffusers import AutoencoderKL, DiffusionPipeline

    sd, other = tiny_models["sd"], _other_vae(tiny_models, tmp_path)
    swapped = _image(sd, components={"vae": str(other)})
    pipeline = DiffusionPipeline.from_pretrained(
        sd, vae=AutoencoderKL.from_pretrained(other), safety_checker=None
    )
    by_hand = pipeline(
        prompt=list(BATCH.prompts),
        generator=[torch.Generator().manual_seed(7)],
        num_inference_steps=2,
        guidance_scale=3.0,
        output_type="np",
    ).images[0]
    assert np.abs(swapped - by_hand).max() < 1e-6
    assert np.abs(swapped - _image(sd)).max() > 1e-3


def test_another_part_is_another_model_and_no_part_changes_nothing(tiny_models, tmp_path):
    sd = str(tiny_models["sd"])
    same, other = str(tiny_models["sd"] / "vae"), str(_other_vae(tiny_models, tmp_path))
    keys = [
        DiffusersSettings(sd, components={"vae": vae}).model_key("cpu") for vae in (same, other)
    ]
    assert keys[0] != keys[1]
    assert "components" not in DiffusersSettings(sd).identity("cpu")


def test_a_part_the_pipeline_lacks_is_named(tiny_models):
    vae = str(tiny_models["sd"] / "vae")
    with pytest.raises(SettingError, match=r"components\.vea: .*did you mean 'vae'"):
        _image(tiny_models["sd"], components={"vea": vae})


def test_a_missing_part_and_an_unknown_shipped_one_are_named(tmp_path):
    with pytest.raises(DataError, match=r"has no config\.json"):
        find_components({"vae": str(tmp_path)})
    with pytest.raises(DataError, match="miniature:nothing: shipped are"):
        find_components({"vae": "miniature:nothing"})


def test_a_library_that_a_file_names_is_not_imported(tiny_models, tmp_path):
    folder = _bare(tiny_models, tmp_path)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"vae": ["antigravity", "Vae"]}))
    with pytest.raises(DataError, match="belongs to neither diffusers nor transformers"):
        _image(folder, components={"vae": str(tiny_models["sd"] / "vae")})


def test_a_shipped_checkpoint_brings_its_parts_and_given_ones_win(tiny_models):
    bare = DiffusersSettings("miniature:large-final")
    parts = {
        "vae": "miniature:vae",
        "text_encoder": "miniature:clip",
        "tokenizer": "miniature:clip",
    }
    assert {part: one.name for part, one in bare.found_components.items()} == parts
    told = DiffusersSettings("miniature:large-final", components=parts)
    assert told.identity("cpu") == bare.identity("cpu")  # a run goes on
    vae = str(tiny_models["sd"] / "vae")
    own = DiffusersSettings("miniature:large-final", components={"vae": vae})
    assert {part: one.name for part, one in own.found_components.items()} == {**parts, "vae": vae}
    assert shipped_parts("miniature:clip") == {}  # no pipeline
    clip, masked = parts["tokenizer"], shipped_parts("miniature:masked-final")
    assert masked == {"vqvae": "miniature:vq", "text_encoder": clip, "tokenizer": clip}
    assert shipped_parts(str(tiny_models["sd"])) == {}
