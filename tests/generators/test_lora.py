"""LoRAs that fit a pipeline, fit in part and fit nothing."""

from pathlib import Path

import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.generators.diffusers_settings import DiffusersSettings
from flasheval.generators.generator import Batch
from flasheval.generators.lora import module_of

pytest.importorskip("peft", reason="diffusers loads LoRAs with peft")

CASES = Path(__file__).parents[3] / "shared" / "cases"
BATCH = Batch(("1",), ("a red cat",), (7,))
SHAPES = {
    "unet": (".attn1.to_q", ".attn2.to_v"),
    "text_encoder": (".self_attn.q_proj", ".self_attn.out_proj"),
}


def _settings(tiny_models, name="sd", **settings):
    return DiffusersSettings(str(tiny_models[name]), steps=2, guidance=4.0, **settings)


def _image(settings):
    return np.asarray(settings.load("cpu").generate(BATCH)[0])


@pytest.fixture
def weights(tiny_models):
    """The modules of the tiny Stable Diffusion's parts, with the weights of a LoRA for each."""
    import torch

    pipeline = _settings(tiny_models).load("cpu").loaded.pipeline
    random = torch.Generator().manual_seed(0)
    found = {}
    for part, ends in SHAPES.items():
        for name, layer in getattr(pipeline, part).named_modules():
            if name.endswith(ends):
                up, down = layer.weight.shape
                found[f"{part}.{name}"] = (
                    torch.randn(2, down, generator=random),
                    torch.randn(up, 2, generator=random),
                )
    return found


def _save(path, weights, names="lora_A lora_B"):
    from safetensors.torch import save_file

    first, second = names.split()
    state = {}
    for module, (down, up) in weights.items():
        state |= {f"{module}.{first}.weight": down, f"{module}.{second}.weight": up}
    save_file(state, path)
    return str(path)


def _kohya(module):
    part, _, rest = module.partition(".")
    return {"unet": "lora_unet_", "text_encoder": "lora_te_"}[part] + rest.replace(".", "_")


@pytest.mark.parametrize("form", ["diffusers", "kohya"])
@pytest.mark.parametrize("parts", [("unet",), ("text_encoder",), ("unet", "text_encoder")])
def test_a_lora_that_fits_is_taken_in_each_form(tiny_models, tmp_path, weights, form, parts):
    kept = {name: one for name, one in weights.items() if name.startswith(parts)}
    assert kept
    path = tmp_path / "style.safetensors"
    if form == "diffusers":
        _save(path, kept)
    else:
        renamed = {}
        for name, one in kept.items():
            whole = name if ".text_model." in name else name.replace("text_encoder.", "&", 1)
            renamed[_kohya(whole.replace("&", "text_encoder.text_model."))] = one
        _save(path, renamed, "lora_down lora_up")
    plain = _image(_settings(tiny_models))
    assert np.abs(_image(_settings(tiny_models, lora=str(path))) - plain).max() > 1e-4


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize(
    "module",
    [
        "transformer.single_transformer_blocks.0.attn.to_k",
        "text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj",
        "unet.up_blocks.9.attentions.0.transformer_blocks.0.attn1.to_q",
    ],
)
def test_a_lora_that_fits_nothing_is_refused(tiny_models, tmp_path, weights, module, partial):
    path = _save(tmp_path / "other.safetensors", {module: next(iter(weights.values()))})
    wrong = _settings(tiny_models, lora=path, lora_partial=partial)
    # peft itself refuses one that fits nothing in a part that the pipeline has.
    with pytest.raises(DataError, match=r"none of its 1 modules fit|not found in the base") as told:
        wrong.load("cpu")
    assert module.partition(".")[2] in str(told.value)
    assert "\n" not in str(told.value)


def test_a_lora_of_which_one_text_encoder_does_not_fit_is_refused_unless_asked_for(
    tiny_models, tmp_path, weights
):
    fitting = next(name for name in weights if name.startswith("unet."))
    foreign = "text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj"
    text = next(one for name, one in weights.items() if name.startswith("text_encoder."))
    path = _save(tmp_path / "half.safetensors", {fitting: weights[fitting], foreign: text})
    with pytest.raises(DataError, match=rf"1 of its 2 modules .*{foreign}; lora_partial=true"):
        _settings(tiny_models, lora=path).load("cpu")
    alone = _save(tmp_path / "alone.safetensors", {fitting: weights[fitting]})
    taken = _image(_settings(tiny_models, lora=path, lora_partial=True))
    assert np.array_equal(taken, _image(_settings(tiny_models, lora=alone)))


def test_taking_a_part_is_no_other_model(tiny_models, tmp_path, weights):
    path = _save(tmp_path / "a.safetensors", weights)
    either = [_settings(tiny_models, lora=path, lora_partial=one) for one in (False, True)]
    assert either[0].identity("cpu") == either[1].identity("cpu")


@pytest.mark.parametrize(
    ("key", "module"),
    [
        ("unet.a.to_q.lora_B.bias", "unet.a.to_q"),
        ("unet.a.to_q.lora.up.weight", "unet.a.to_q"),
        ("unet.a.to_q.lora_magnitude_vector", "unet.a.to_q"),
        ("unet.a.attn1.processor.to_k_lora.up.weight", "unet.a.attn1.to_k"),
        ("text_encoder.l.0.self_attn.to_out_lora.up.weight", "text_encoder.l.0.self_attn.out_proj"),
        ("lora_unet_double_blocks_0_img_mod.alpha", "lora_unet_double_blocks_0_img_mod"),
    ],
)
def test_the_module_of_a_key(key, module):
    assert module_of(key) == module


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("l01_lora_other_model/flux_lora.safetensors", "none of its 9 modules fit"),
        ("l02_lora_partly_fits/one_of_ten.safetensors", "9 of its 10 modules fit no part"),
        ("l03_lora_fits/fits.safetensors", None),
    ],
)
def test_the_shared_cases(tiny_models, file, words):
    if not CASES.is_dir():
        pytest.skip("the cases are absent: ../shared/cases beside the repository root")
    settings = _settings(tiny_models, lora=str(CASES / file))
    if words is None:
        plain = _image(_settings(tiny_models))
        assert np.abs(_image(settings) - plain).max() > 1e-4
    else:
        with pytest.raises(DataError, match=words):
            settings.load("cpu")
