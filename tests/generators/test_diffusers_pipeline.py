"""Real diffusers pipelines of every family, tiny and with random weights."""

import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.generators.diffusers_settings import DiffusersSettings
from flasheval.generators.generator import Batch
from flasheval.generators.seeds import image_seed

FAMILIES = {
    "sd": "diffusion-unet",
    "sdxl": "diffusion-unet",
    "pixart": "diffusion-transformer",
    "sd3": "flow-matching",
    "amused": "masked-token",
}
TEXTS = (
    "a photo of a red cat",
    "a blue dog on a table",
    "",
    "three birds in a green tree, a painting with a lot of words in it",
    "a train",
)
IDS = tuple(f"p{number}" for number in range(len(TEXTS)))
BATCH = Batch(IDS, TEXTS, tuple(image_seed(0, one) for one in IDS))


def _settings(tiny_models, name="sd", **settings):
    options = {"use_resolution_binning": False} if name == "pixart" else {}
    settings = {"steps": 3, "guidance": 4.0, **settings}
    return DiffusersSettings(str(tiny_models[name]), options=options, **settings)


def _images(settings, batch=BATCH, size=8):
    """The images as float32 [n, height, width, 3], made so many at a time."""
    generator = settings.load("cpu")
    parts = [generator.generate(batch[i : i + size]) for i in range(0, len(batch), size)]
    return np.stack([np.asarray(image) for part in parts for image in part])


def _distance(one, other):
    return float(np.abs(one.astype(np.float64) - other).max())


@pytest.mark.parametrize("name", FAMILIES)
def test_an_image_does_not_depend_on_the_batch_the_order_or_the_other_prompts(tiny_models, name):
    settings = _settings(tiny_models, name)
    whole = _images(settings)
    assert whole.shape == (5, 32, 32, 3)
    assert np.isfinite(whole).all()
    for size in (1, 2, 3):
        assert _distance(_images(settings, size=size), whole) <= 1e-5
    order = [3, 0, 4]
    shuffled = Batch(*(tuple(column[i] for i in order) for column in (IDS, TEXTS, BATCH.seeds)))
    assert _distance(_images(settings, shuffled), whole[order]) <= 1e-5


@pytest.mark.parametrize("name", FAMILIES)
def test_several_images_of_a_prompt_in_one_call_are_those_of_single_calls(tiny_models, name):
    wanted = [(one, number) for one in (0, 3) for number in range(4)]
    batch = Batch(
        tuple(IDS[one] for one, _ in wanted),
        tuple(TEXTS[one] for one, _ in wanted),
        tuple(image_seed(0, IDS[one], number) for one, number in wanted),
        tuple(number for _, number in wanted),
    )
    settings = _settings(tiny_models, name)
    together, alone = (_images(settings, batch, size) for size in (8, 1))
    assert _distance(together, alone) <= 1 / 255
    assert _distance(together[0], together[1]) > 0.01  # another seed, another image
    assert _distance(together[0], _images(settings, BATCH[:1])[0]) <= 1e-5  # the first as ever


@pytest.mark.parametrize("name", FAMILIES)
def test_an_image_depends_on_its_prompt_its_seed_and_the_steps(tiny_models, name):
    settings = _settings(tiny_models, name)
    first = _images(settings, BATCH[:1])
    other_seed = Batch(IDS[:1], TEXTS[:1], (1,))
    other_text = Batch(IDS[:1], ("a black square",), BATCH.seeds[:1])
    assert _distance(_images(settings, other_seed), first) > 0.05
    assert _distance(_images(settings, other_text), first) > 0.01
    assert _distance(_images(replace(settings, steps=5), BATCH[:1]), first) > 0.01
    assert _distance(_images(settings, BATCH[:1]), first) == 0


@pytest.mark.parametrize(("name", "family"), FAMILIES.items())
def test_the_family_is_known_without_loading(tiny_models, name, family):
    settings = _settings(tiny_models, name)
    assert settings.factors()["family"] == family
    assert settings.load("cpu").family == family


@pytest.mark.parametrize(
    ("name", "scheduler", "steps", "expected"),
    [
        ("sd", "DDIM", 8, 8),
        ("sd", "PNDM", 8, 9),  # the first step is made twice
        ("sd", "Heun", 8, 15),
        ("sd", "DPM", 8, 8),
        ("sd3", None, 4, 4),
        ("amused", None, 4, 4),
        ("pixart", None, 4, 4),
    ],
)
@pytest.mark.parametrize("size", [1, 3])
def test_the_evaluations_really_made_are_counted(
    tiny_models, name, scheduler, steps, expected, size
):
    generator = _settings(tiny_models, name, scheduler=scheduler, steps=steps).load("cpu")
    assert generator.evaluations is None
    generator.generate(BATCH[:size])
    assert generator.evaluations == expected


def test_pndm_with_its_first_steps_by_runge_kutta_makes_17_at_8_steps(tiny_models):
    settings = _settings(
        tiny_models, scheduler="PNDM", steps=8, scheduler_settings={"skip_prk_steps": False}
    )
    generator = settings.load("cpu")
    generator.generate(BATCH[:1])
    assert generator.evaluations == 17


@pytest.mark.parametrize("scheduler", ["DDIM", "PNDM", "DPM", "EulerA", "Heun", "UniPC", "LCM"])
def test_schedulers_differ_and_keep_prompts_apart(tiny_models, scheduler):
    settings = _settings(tiny_models, scheduler=scheduler, steps=4)
    whole = _images(settings)
    assert _distance(_images(settings, size=1), whole) <= 1e-5
    assert _distance(_images(_settings(tiny_models, scheduler="Euler", steps=4)), whole) > 1e-3


def test_variants_that_share_a_model_do_not_touch_each_other(tiny_models):
    one = _settings(tiny_models, scheduler="DDIM")
    other = _settings(tiny_models, scheduler="EulerA", steps=5, scheduler_settings={})
    assert one.model_key("cpu") == other.model_key("cpu")
    alone = [_images(one), _images(other)]
    first = one.load("cpu")
    second = other.load("cpu", first)
    assert second.loaded is first.loaded
    again = one.load("cpu", second)
    made = [first.generate(BATCH), second.generate(BATCH), again.generate(BATCH)]
    for images, expected in zip(made, [alone[0], alone[1], alone[0]], strict=True):
        assert _distance(np.asarray(images), expected) == 0
    assert _distance(np.asarray(first.generate(BATCH)), alone[0]) == 0  # after the others


def test_a_negative_prompt_counts(tiny_models):
    plain = _images(_settings(tiny_models))
    assert _distance(_images(_settings(tiny_models, negative_prompt="red")), plain) > 1e-3


def test_captions_are_as_they_are_whatever_is_installed(tiny_models):
    assert _settings(tiny_models, "pixart").load("cpu").call.arguments["clean_caption"] is False
    assert "clean_caption" not in _settings(tiny_models, "sd").load("cpu").call.arguments


def test_a_size_counts(tiny_models):
    assert _images(_settings(tiny_models, width=48, height=32), BATCH[:1]).shape[1:3] == (32, 48)


def test_fewer_bits_change_more(tiny_models):
    exact = _images(_settings(tiny_models)).astype(np.float64)

    def error(how):
        return float(np.abs(_images(_settings(tiny_models, quantise=how)) - exact).mean())

    errors = [error(how) for how in ("fake-int8", "fake-int6", "fake-int4")]
    assert 0 < errors[0] < errors[1] < errors[2]
    assert errors[0] < 0.02
    assert 0 < error("quanto-int8") < 0.05
    assert _distance(_images(_settings(tiny_models)), exact) == 0


def test_half_precision_is_another_model(tiny_models):
    half = _settings(tiny_models, dtype="bf16")
    assert half.model_key("cpu") != _settings(tiny_models).model_key("cpu")
    images = _images(half, BATCH[:2])
    assert 0 < _distance(images, _images(_settings(tiny_models), BATCH[:2])) < 0.5


@pytest.fixture
def lora(tiny_models, tmp_path):
    """A LoRA of the tiny Stable Diffusion's attention, as diffusers saves it."""
    import torch
    from diffusers import StableDiffusionPipeline, UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(tiny_models["sd"], subfolder="unet")
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, layer in unet.named_modules():
        if name.endswith(("to_q", "to_v")):
            up, down = layer.weight.shape
            state[f"{name}.lora_A.weight"] = torch.randn(2, down, generator=generator)
            state[f"{name}.lora_B.weight"] = torch.randn(up, 2, generator=generator)
    StableDiffusionPipeline.save_lora_weights(tmp_path / "lora", unet_lora_layers=state)
    return tmp_path / "lora" / "pytorch_lora_weights.safetensors"


def test_a_lora_changes_its_own_variant_only(tiny_models, lora):
    pytest.importorskip("peft", reason="diffusers loads LoRAs with peft")
    plain = _settings(tiny_models)
    styled = _settings(tiny_models, lora=str(lora))
    assert styled.model_key("cpu") != plain.model_key("cpu")
    assert styled.factors()["lora"] == "pytorch_lora_weights"
    before = _images(plain)
    full, weak = _images(styled), _images(replace(styled, lora_scale=0.1))
    assert _distance(full, before) > _distance(weak, before) > 1e-4
    assert _distance(_images(plain), before) == 0


def test_what_determines_the_images_is_the_identity(tiny_models):
    base = _settings(tiny_models)
    changes = {
        "scheduler": "DPM",
        "steps": 4,
        "guidance": 5.0,
        "width": 64,
        "negative_prompt": "x",
        "dtype": "bf16",
        "quantise": "fake-int8",
        "safety_checker": True,
        "options": {"eta": 1.0},
        "scheduler_settings": {"timestep_spacing": "trailing"},
    }
    seen = [base.identity("cpu")]
    for key, value in changes.items():
        found = replace(base, **{key: value}).identity("cpu")
        assert found not in seen, key
        seen.append(found)
    assert replace(base, offload="model").identity("cpu") == seen[0]
    assert replace(base, dtype="fp32").identity("cpu") == seen[0]
    assert base.identity("cuda") != seen[0]  # auto is half precision there


def test_weights_overwritten_in_place_are_new_ones(tiny_models, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(tiny_models["sd"], folder)
    assert DiffusersSettings(str(folder)).identity("cpu") == DiffusersSettings(
        str(tiny_models["sd"])
    ).identity("cpu")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert DiffusersSettings(str(folder)).identity("cpu") != DiffusersSettings(
        str(tiny_models["sd"])
    ).identity("cpu")


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        (
            "sd",
            {"scheduler": "DIM"},
            r"scheduler=DIM: there is no such scheduler.*did you mean 'DDIM'",
        ),
        ("sd3", {"scheduler": "DDIM"}, r"scheduler=DDIM does not fit.*FlowMatchEuler"),
        ("sd", {"scheduler": "FlowMatchEuler"}, "scheduler=FlowMatchEuler does not fit"),
        ("sd", {"scheduler_settings": {"beta_strat": 1}}, r"no such setting.*did you mean"),
        ("sd", {"offload": "model"}, "offload=model is for GPUs"),
        ("sd", {"lora": "/no/such.safetensors"}, "lora=/no/such.safetensors: there is no such"),
    ],
)
def test_what_cannot_be_loaded_is_one_line(tiny_models, name, settings, words):
    wrong = _settings(tiny_models, name, **settings)
    with pytest.raises(FlashevalError, match=words):
        _ = wrong.identity("cpu"), wrong.load("cpu")


def test_an_argument_the_pipeline_does_not_take_is_one_line(tiny_models):
    settings = DiffusersSettings(str(tiny_models["amused"]), options={"eta": 1.0})
    with pytest.raises(SettingError, match=r"options.eta=1.0: AmusedPipeline takes no such"):
        settings.load("cpu")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"steps": 0}, "steps=0: expected at least 1"),
        ({"dtype": "fp8"}, "dtype=fp8: choose one of auto"),
        ({"quantise": "int3"}, "quantise=int3: choose one of fake-int8"),
        ({"guidance": float("nan")}, "guidance is nan"),
        ({"options": {"eta": float("inf")}}, "options.eta is inf"),
        ({"options": {"num_inference_steps": 3}}, "options.num_inference_steps: set steps instead"),
        ({"options": {"num_images_per_prompt": 2}}, "it is set for every batch; leave it out"),
    ],
)
def test_a_value_that_cannot_be_is_one_line(settings, words):
    with pytest.raises(SettingError, match=words):
        DiffusersSettings("a/b", **settings)


def test_a_checkpoint_that_is_damaged_or_none_is_one_line(tiny_models, tmp_path):
    with pytest.raises(DataError, match=r"the folder has no model_index.json"):
        DiffusersSettings(str(tmp_path)).identity("cpu")
    folder = tmp_path / "cut"
    shutil.copytree(tiny_models["sd"], folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(DataError, match="cut cannot be loaded"):
        DiffusersSettings(str(folder)).load("cpu")
    for path in folder.rglob("*.safetensors"):
        path.rename(path.with_suffix(".bin"))
    with pytest.raises(DataError, match=r"its weights are .bin files, which may hold code"):
        DiffusersSettings(str(folder)).load("cpu")


def test_settings_are_made_without_torch():
    code = (
        "import sys; from flasheval.generators.registry import make_generator\n"
        "make_generator('diffusers', {'checkpoint': 'a/b', 'steps': 3}, 'x').factors()\n"
        "print({'torch', 'diffusers', 'transformers'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("name", "base", "settings", "idle"),
    [
        ("sd", {"guidance": 1.0}, {"negative_prompt": "blurry"}, "negative_prompt"),
        ("sdxl", {"guidance": 1.0}, {"negative_prompt": "blurry"}, "negative_prompt"),
        ("pixart", {"guidance": 1.0}, {"negative_prompt": "blurry"}, "negative_prompt"),
        ("sd3", {"guidance": 0.0}, {"negative_prompt": "blurry"}, "negative_prompt"),
        ("flux", {}, {"negative_prompt": "blurry"}, "negative_prompt"),
        ("flux", {}, {"options": {"true_cfg_scale": 4.0}}, "options.true_cfg_scale"),
        ("sd", {}, {"options": {"eta": 1.0}}, "options.eta"),  # of DDIM alone
        (
            "sd",
            {"scheduler": "DDIM"},
            {"scheduler_settings": {"clip_sample": False, "clip_sample_range": 0.1}},
            "scheduler_settings.clip_sample_range",
        ),
        (
            "sd3",
            {},
            {"scheduler_settings": {"max_shift": 9.0}},
            "scheduler_settings.max_shift",
        ),
    ],
)
def test_a_setting_told_to_have_no_effect_has_none(tiny_models, name, base, settings, idle):
    given = {"guidance": 4.0, "steps": 2, "options": {}, **base}
    if name == "pixart":
        given["options"] = {"use_resolution_binning": False}
    size = {"width": 32, "height": 32} if name == "flux" else {}  # it is 512 unless set
    plain = DiffusersSettings(str(tiny_models[name]), **given, **size)
    if "scheduler_settings" in settings and "clip_sample" in settings["scheduler_settings"]:
        plain = replace(plain, scheduler_settings={"clip_sample": False})
    other = replace(plain, **settings)
    assert set(other.without_effect()) == set(other.load("cpu").remarks) == {idle}
    assert not plain.without_effect()
    assert np.array_equal(_images(plain, BATCH[:1]), _images(other, BATCH[:1]))


@pytest.mark.parametrize(
    ("name", "base", "settings"),
    [
        ("sd", {"guidance": 5.0}, {"negative_prompt": "blurry"}),
        ("sd", {"scheduler": "DDIM"}, {"options": {"eta": 1.0}}),
        ("flux", {}, {"guidance": 1.0}),
        ("flux", {}, {"negative_prompt": "blurry", "options": {"true_cfg_scale": 4.0}}),
        ("amused", {"guidance": 5.0}, {"negative_prompt": "blurry"}),
    ],
)
def test_a_setting_with_an_effect_is_not_told(tiny_models, name, base, settings):
    given = {"guidance": 4.0, "steps": 2, "width": 32, "height": 32, **base}
    plain = DiffusersSettings(str(tiny_models[name]), **given)
    other = replace(plain, **settings)
    assert other.without_effect() == other.load("cpu").remarks == {}
    assert not np.array_equal(_images(plain, BATCH[:1]), _images(other, BATCH[:1]))


def test_a_warning_of_the_pipeline_about_a_setting_is_kept_and_not_printed(tiny_models, capfd):
    generator = DiffusersSettings(
        str(tiny_models["flux"]), steps=1, width=34, height=30, guidance=4.0
    ).load("cpu")
    generator.generate(BATCH[:1])
    assert set(generator.remarks) == {"width", "height"}
    assert generator.remarks["width"].startswith(
        "FluxPipeline warns: `height` and `width` have to be"
    )
    assert "divisible" not in "".join(capfd.readouterr())
