"""HPS v2 from a file in open_clip's layout, against that layout computed in NumPy."""

import shutil

import numpy as np
import pytest
from scipy.special import erf

from flasheval.base.errors import DataError
from flasheval.scorers.hps import HpsSettings
from flasheval.scorers.open_clip_layout import clip_config, to_clip_model
from flasheval.scorers.scorer import Embedder

FILE = "HPS_v2_compressed.pt"
MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
STD = np.array([0.26862954, 0.26130258, 0.27577711])


@pytest.fixture(scope="module")
def settings(tiny_hps):
    return HpsSettings(str(tiny_hps / FILE), tokenizer=str(tiny_hps))


@pytest.fixture(scope="module")
def hps(settings):
    return settings.load("cpu")


@pytest.fixture(scope="module")
def expected(tiny_hps, images, prompts):
    reference = NumpyOpenClip(tiny_hps)
    return np.array([reference.score(*pair) for pair in zip(images, prompts, strict=True)])


def test_the_score_is_the_cosine_of_the_original_layout(hps, images, prompts, expected):
    scores = hps.score(images, prompts)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=2e-6)
    assert np.ptp(expected) > 0.1  # the tiny model tells the pairs apart


def test_an_image_alone_scores_as_in_any_batch(settings, images, prompts, expected):
    one_by_one = HpsSettings(settings.checkpoint, tokenizer=settings.tokenizer, batch=1)
    np.testing.assert_allclose(one_by_one.load("cpu").score(images, prompts), expected, atol=1e-5)
    alone = settings.load("cpu")
    scores = [alone.score([i], [p])[0] for i, p in zip(images, prompts, strict=True)]
    np.testing.assert_allclose(scores, alone.score(images, prompts), atol=1e-5)


def test_it_embeds(hps, images, prompts):
    assert HpsSettings.embeds
    assert isinstance(hps, Embedder)
    kept = hps.embed(images)
    assert kept.shape == (7, 24)
    np.testing.assert_array_equal(hps.score_embeddings(kept, prompts), hps.score(images, prompts))


def test_a_file_a_folder_and_safetensors_are_the_same(settings, hps, tiny_hps, tmp_path, images):
    import torch
    from safetensors.torch import save_file

    state = torch.load(tiny_hps / FILE, weights_only=True)["state_dict"]
    save_file(state, tmp_path / "hps.safetensors")
    texts = ["a cat"] * len(images)
    scores = hps.score(images, texts)
    folder = HpsSettings(str(tiny_hps), file=FILE, tokenizer=str(tiny_hps))
    other = HpsSettings(str(tmp_path / "hps.safetensors"), tokenizer=str(tiny_hps))
    for made in (folder, other):
        np.testing.assert_array_equal(made.load("cpu").score(images, texts), scores)
    assert folder.identity() == settings.identity()
    assert other.identity()["checkpoint"] != settings.identity()["checkpoint"]


def test_a_clip_model_of_transformers_gives_the_same_scores(hps, tiny_hps, tmp_path, images):
    folder = shutil.copytree(tiny_hps, tmp_path / "hf", ignore=shutil.ignore_patterns("*.pt"))
    hps.model.model.save_pretrained(folder)
    texts = ["a red bird"] * len(images)
    made = HpsSettings(str(folder))
    assert made.tokenizer_weights.name == str(folder)
    np.testing.assert_allclose(
        made.load("cpu").score(images, texts), hps.score(images, texts), atol=1e-6
    )


def test_half_precision_is_near_and_told_apart(settings, images, prompts, expected):
    half = HpsSettings(settings.checkpoint, tokenizer=settings.tokenizer, dtype="bf16")
    np.testing.assert_allclose(half.load("cpu").score(images, prompts), expected, atol=5e-2)
    assert half.identity() != settings.identity()
    assert half.version == f"{settings.version} bf16"


# The published configuration of a ViT-H/14 on the Hub, as transformers converted it.
VISION_H = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 16,
    "image_size": 224,
    "patch_size": 14,
    "hidden_act": "gelu",
}
TEXT_H = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "vocab_size": 49408,
    "max_position_embeddings": 77,
    "hidden_act": "gelu",
}


def test_every_weight_has_its_place_at_the_real_size(tiny):
    import torch
    from transformers import CLIPConfig, CLIPModel

    shapes = tiny("hps").open_clip_shapes(
        vision=(1280, 32), side=224, text=(1024, 24), words=49408, embedding=1024
    )
    assert shapes["visual.transformer.resblocks.31.attn.in_proj_weight"] == (3840, 1280)
    assert shapes["visual.positional_embedding"] == (257, 1280)
    assert len(shapes) == 8 + 6 + 12 * (32 + 24)
    published = CLIPConfig(vision_config=VISION_H, text_config=TEXT_H, projection_dim=1024)
    with torch.device("meta"):
        state = {name: torch.empty(shape) for name, shape in shapes.items()}
        model = CLIPModel(published)
    made = to_clip_model(state, "x")
    wanted = {name: value.shape for name, value in model.state_dict().items()}
    assert {name: value.shape for name, value in made.items()} == wanted
    config = clip_config(state, "x")
    assert config.projection_dim == 1024
    assert {name: getattr(config.vision_config, name) for name in VISION_H} == VISION_H
    assert {name: getattr(config.text_config, name) for name in TEXT_H} == TEXT_H
    assert config.text_config.eos_token_id == 49407


def _broken(tiny_hps, file, mistake):
    import torch

    state = torch.load(tiny_hps / FILE, weights_only=True)["state_dict"]
    block = "visual.transformer.resblocks.1."
    if mistake == "missing":
        del state[f"{block}ln_2.bias"]
    elif mistake == "shape":
        state[f"{block}mlp.c_proj.bias"] = torch.zeros(7)
    elif mistake == "not three":
        state[f"{block}attn.in_proj_bias"] = torch.zeros(7)
    elif mistake == "unknown":
        state["visual.attn_pool.query"] = torch.zeros(7)
    elif mistake == "in a block":
        state[f"{block}ls_1.gamma.weight"] = torch.zeros(160)
    elif mistake == "another model":
        state = {"layers.0.weight": torch.zeros(2, 2)}
    torch.save("text" if mistake == "no tensors" else state, file)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ("missing", "1 weights of a CLIP model are missing .*encoder.layers.1.layer_norm2.bias"),
        ("shape", "another shape, such as vision_model.encoder.layers.1.mlp.fc2.bias"),
        ("not three", "attn.in_proj_bias has 7 rows; expected three equal parts"),
        ("unknown", "visual.attn_pool.query is not a weight of an open_clip ViT"),
        ("in a block", "resblocks.1.ls_1.gamma.weight is not a weight of an open_clip ViT"),
        ("another model", "it has no token_embedding.weight; is it the right file?"),
        ("no tensors", "it holds a str, not tensors by name"),
    ],
)
def test_a_damaged_file_is_one_line(tiny_hps, tmp_path, mistake, message):
    file = tmp_path / "bad.pt"
    _broken(tiny_hps, file, mistake)
    with pytest.raises(DataError, match=message) as caught:
        HpsSettings(str(file), tokenizer=str(tiny_hps)).load("cpu")
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there_are_one_line(tiny_hps, tmp_path):
    with pytest.raises(DataError, match=r"checkpoint my/hps.pt: there is no such file"):
        HpsSettings("my/hps.pt").identity()
    with pytest.raises(DataError, match=r"the folder has no HPS_v2.1_compressed.pt"):
        HpsSettings(str(tiny_hps), file="HPS_v2.1_compressed.pt").identity()
    with pytest.raises(DataError, match="is local and has no revision; leave it out"):
        HpsSettings(str(tiny_hps / FILE), revision="main").identity()
    (tmp_path / "text.pt").write_text("hello", "utf-8")
    with pytest.raises(DataError, match=r"text.pt: it cannot be read \("):
        HpsSettings(str(tmp_path / "text.pt"), tokenizer=str(tiny_hps)).load("cpu")


def test_the_published_files_are_pinned_and_told_apart(monkeypatch):
    asked = []

    def locate(name, *rest, tested=None, **marker):
        from flasheval.base.models.weights import Weights

        asked.append((name, *(rest or marker.values())))
        return Weights(name, name, tested[name])

    monkeypatch.setattr("flasheval.scorers.hps.locate", locate)
    monkeypatch.setattr("flasheval.scorers.checkpoint.locate", locate)
    monkeypatch.setattr("flasheval.scorers.hps.locate_file", locate)
    first, second = HpsSettings(), HpsSettings(file="HPS_v2.1_compressed.pt")
    assert first.identity() == {
        "kind": "hps",
        "checkpoint": "697403c78157020a1ae59d23f111aa58ced35b0a",
        "dtype": "fp32",
        "file": FILE,
        "tokenizer": "1c2b8495b28150b8a4922ee1c8edee224c284c0c",
    }
    assert first.identity() != second.identity()
    assert first.version == f"xswu/HPSv2@697403c7 {FILE}"
    assert asked[:2] == [
        ("xswu/HPSv2", FILE, None),
        ("laion/CLIP-ViT-H-14-laion2B-s32B-b79K", None),
    ]


class NumpyOpenClip:
    """open_clip's ViT from its own stored weights, in float64; heads of 80 and 64."""

    def __init__(self, folder):
        import torch
        from tokenizers import Tokenizer

        state = torch.load(folder / FILE, weights_only=True)["state_dict"]
        self.w = {name: value.double().numpy() for name, value in state.items()}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(77)

    def norm(self, x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def blocks(self, x, tower, wide, mask):
        for number in range(2):
            w = {
                name.removeprefix(f"{tower}transformer.resblocks.{number}."): value
                for name, value in self.w.items()
            }
            start = f"{tower}transformer.resblocks.{number}"
            y = self.norm(x, f"{start}.ln_1") @ w["attn.in_proj_weight"].T + w["attn.in_proj_bias"]
            q, k, v = (
                part.reshape(len(x), -1, wide).swapaxes(0, 1) for part in np.split(y, 3, axis=1)
            )
            logits = q @ k.swapaxes(1, 2) / np.sqrt(wide) + mask
            share = np.exp(logits - logits.max(-1, keepdims=True))
            mixed = ((share / share.sum(-1, keepdims=True)) @ v).swapaxes(0, 1).reshape(len(x), -1)
            x = x + mixed @ w["attn.out_proj.weight"].T + w["attn.out_proj.bias"]
            y = self.norm(x, f"{start}.ln_2") @ w["mlp.c_fc.weight"].T + w["mlp.c_fc.bias"]
            y = y * (1 + erf(y / np.sqrt(2))) / 2
            x = x + y @ w["mlp.c_proj.weight"].T + w["mlp.c_proj.bias"]
        return x

    def embed_text(self, text):
        ids = self.tokenizer.encode(text).ids
        x = self.w["token_embedding.weight"][ids] + self.w["positional_embedding"][: len(ids)]
        x = self.blocks(x, "", 64, np.triu(np.full((len(ids), len(ids)), -np.inf), 1))
        return self.norm(x, "ln_final")[np.argmax(ids)] @ self.w["text_projection"]

    def embed_image(self, image):
        patches = fitted(image, 28).reshape(3, 2, 14, 2, 14).transpose(1, 3, 0, 2, 4)
        x = patches.reshape(4, -1) @ self.w["visual.conv1.weight"].reshape(160, -1).T
        x = np.vstack([self.w["visual.class_embedding"], x]) + self.w["visual.positional_embedding"]
        x = self.blocks(self.norm(x, "visual.ln_pre"), "visual.", 80, 0.0)
        return self.norm(x[0], "visual.ln_post") @ self.w["visual.proj"]

    def score(self, image, text):
        a, b = self.embed_image(image), self.embed_text(text)
        return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


def fitted(image, side):
    """Return the image as hpsv2 sees it, by Pillow's resizing of 32-bit channels."""
    from PIL import Image

    scale = side / max(image.size)
    wide, high = (round(length * scale) for length in image.size)
    square = np.zeros((3, side, side))
    left, top = (side - wide) // 2, (side - high) // 2
    for number, channel in enumerate(np.asarray(image, dtype=np.float32).transpose(2, 0, 1)):
        resized = Image.fromarray(channel / 255).resize((wide, high), Image.Resampling.BICUBIC)
        square[number, top : top + high, left : left + wide] = np.asarray(resized)
    return (square - MEAN[:, None, None]) / STD[:, None, None]
