"""ImageReward from its published layout, against that layout computed in NumPy."""

import shutil

import numpy as np
import pytest
from scipy.special import erf

from flasheval.base.errors import DataError, SettingError
from flasheval.scorers.image_reward import ImageRewardSettings
from flasheval.scorers.image_reward_layout import blip_configs, to_blip

FILE = "ImageReward.pt"
MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
STD = np.array([0.26862954, 0.26130258, 0.27577711])


@pytest.fixture(scope="module")
def settings(tiny_image_reward):
    return ImageRewardSettings(str(tiny_image_reward), tokenizer=str(tiny_image_reward / "bert"))


@pytest.fixture(scope="module")
def scorer(settings):
    return settings.load("cpu")


@pytest.fixture(scope="module")
def expected(tiny_image_reward, images, prompts):
    reference = NumpyImageReward(tiny_image_reward)
    return np.array([reference.score(*pair) for pair in zip(images, prompts, strict=True)])


def test_the_score_is_that_of_the_original_layout(scorer, images, prompts, expected):
    scores = scorer.score(images, prompts)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert np.ptp(expected) > 0.5


def test_both_image_and_prompt_matter(scorer, images, prompts, expected):
    others = scorer.score(images[::-1], prompts)
    assert (abs(others - expected)[[0, 1, 2, 4, 5, 6]] > 1e-4).all()
    others = scorer.score(images, ["a red bird on the street"] * len(images))
    assert (abs(others - expected) > 1e-4).all()


def test_an_image_alone_scores_as_in_any_batch(settings, scorer, images, prompts):
    whole = scorer.score(images, prompts)
    parts = ImageRewardSettings(settings.checkpoint, tokenizer=settings.tokenizer, batch=3)
    np.testing.assert_allclose(parts.load("cpu").score(images, prompts), whole, atol=1e-5)
    alone = [scorer.score([i], [p])[0] for i, p in zip(images, prompts, strict=True)]
    np.testing.assert_allclose(alone, whole, atol=1e-5)
    assert scorer.score([], []).shape == (0,)


def test_a_prompt_is_cut_at_35_tokens(scorer, images):
    words = "a cat and a dog on the street " * 5
    long, other_end, other_start = scorer.score(
        [images[0]] * 3, [words, words + "red bird", "red bird " + words]
    )
    assert abs(long - other_end) < 1e-6
    assert abs(long - other_start) > 1e-4


def test_case_does_not_matter(scorer, images):
    lower, upper = scorer.score([images[0]] * 2, ["a red cat", "A Red CAT"])
    assert abs(lower - upper) < 1e-6


def test_a_file_a_folder_and_safetensors_are_the_same(settings, scorer, tmp_path, images):
    import torch
    from safetensors.torch import save_file

    file = f"{settings.checkpoint}/{FILE}"
    save_file(torch.load(file, weights_only=True), tmp_path / "reward.safetensors")
    texts = ["a cat"] * len(images)
    for checkpoint in (file, str(tmp_path / "reward.safetensors")):
        made = ImageRewardSettings(checkpoint, tokenizer=settings.tokenizer)
        np.testing.assert_array_equal(
            made.load("cpu").score(images, texts), scorer.score(images, texts)
        )


def test_half_precision_is_near_and_told_apart(settings, images, prompts, expected):
    half = ImageRewardSettings(
        settings.checkpoint, tokenizer=settings.tokenizer, dtype="bf16", metric_name="half"
    )
    np.testing.assert_allclose(half.load("cpu").score(images, prompts), expected, atol=0.2)
    assert half.identity() == {**settings.identity(), "dtype": "bf16"}
    assert (half.metric, half.version) == ("half", f"{settings.version} bf16")


def test_what_it_says_of_itself(settings, scorer):
    identity = settings.identity()
    assert list(identity) == ["kind", "checkpoint", "tokenizer", "dtype"]
    assert identity["checkpoint"].startswith("sha256:")
    assert settings.version == f"{FILE}@{identity['checkpoint'][7:15]}"
    assert (scorer.name, scorer.version, scorer.higher_is_better) == (
        "ImageReward",
        settings.version,
        True,
    )
    assert not settings.embeds
    with pytest.raises(SettingError, match="scorer image-reward: batch=0"):
        ImageRewardSettings(batch=0)


def test_published_checkpoints_are_pinned(monkeypatch):
    def locate(name, *rest, tested=None, marker=None):
        from flasheval.base.models.weights import Weights

        return Weights(name, name, tested[name])

    monkeypatch.setattr("flasheval.scorers.checkpoint.locate", locate)
    monkeypatch.setattr("flasheval.scorers.image_reward.locate_file", locate)
    former = ImageRewardSettings("THUDM/ImageReward")
    assert former.identity() == ImageRewardSettings().identity()
    assert ImageRewardSettings().version == "zai-org/ImageReward@5736be03"
    assert former.identity()["tokenizer"] == "86b5e0934494bd15c9632b12f734a8a67f723594"


def test_every_weight_has_its_place_at_the_real_size(tiny):
    import torch
    from transformers import BlipTextModel, BlipVisionModel

    shapes = tiny("image_reward").image_reward_shapes(
        vision=(1024, 24), side=224, text=(768, 12), words=30524, places=512
    )
    # As in the published code: BLIP's ViT-L/16 at 224, and a BERT base with cross attention.
    sample = {
        "blip.visual_encoder.pos_embed": (1, 197, 1024),
        "blip.visual_encoder.blocks.23.attn.qkv.weight": (3072, 1024),
        "blip.visual_encoder.blocks.23.mlp.fc2.weight": (1024, 4096),
        "blip.text_encoder.embeddings.word_embeddings.weight": (30524, 768),
        "blip.text_encoder.encoder.layer.11.crossattention.self.key.weight": (768, 1024),
        "mlp.layers.0.weight": (1024, 768),
    }
    assert {name: shapes[name] for name in sample} == sample
    with torch.device("meta"):
        state = {name: torch.empty(shape) for name, shape in shapes.items()}
        sees, reads = blip_configs(state, "x")
        models = BlipVisionModel(sees), BlipTextModel(reads, add_pooling_layer=False)
    for made, model in zip(to_blip(state, "x"), models, strict=True):
        wanted = {name: value.shape for name, value in model.state_dict().items()}
        assert {name: value.shape for name, value in made.items()} == wanted
    for config, layers, heads, eps in ((sees, 24, 16, 1e-6), (reads, 12, 12, 1e-12)):
        assert (config.num_hidden_layers, config.num_attention_heads) == (layers, heads)
        assert (config.layer_norm_eps, config.hidden_act) == (eps, "gelu")
    assert (sees.image_size, sees.patch_size, reads.encoder_hidden_size) == (224, 16, 1024)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("blip.visual_encoder.blocks.1.norm2.bias", None, "1 weights of an ImageReward model are"),
        ("blip.visual_encoder.norm.bias", (7,), "another shape, such as post_layernorm.bias"),
        ("blip.text_encoder.encoder.layer.1.output.dense.bias", None, "encoder.layer.1.output"),
        ("mlp.layers.7.weight", None, r"mlp.layers.7.weight is missing; .* \[1, 16\] here"),
        ("blip.visual_encoder.cls_token", None, "it has no blip.visual_encoder.cls_token"),
        (
            "blip.visual_encoder.blocks.1.gamma.weight",
            (7,),
            "gamma.weight is not a weight of Image",
        ),
        ("blip.text_decoder.bias", (7,), "blip.text_decoder.bias is not a weight of ImageReward"),
        (
            "blip.text_encoder.pooler.dense.bias",
            (7,),
            "pooler.dense.bias is not a weight of an Image",
        ),
    ],
)
def test_a_damaged_file_is_one_line(settings, tmp_path, name, shape, message):
    import torch

    state = torch.load(f"{settings.checkpoint}/{FILE}", weights_only=True)
    if shape is None:
        del state[name]
    else:
        state[name] = torch.zeros(shape)
    torch.save(state, tmp_path / FILE)
    with pytest.raises(DataError, match=message) as caught:
        ImageRewardSettings(str(tmp_path), tokenizer=settings.tokenizer).load("cpu")
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_tokenizer_is_one_line(settings, tiny_clip, tmp_path):
    other = ImageRewardSettings(settings.checkpoint, tokenizer=str(tiny_clip))
    with pytest.raises(DataError, match=r"tokenizer"):
        other.load("cpu")
    bert = shutil.copytree(settings.tokenizer, tmp_path / "bert")
    (bert / "tokenizer.json").unlink()
    with pytest.raises(DataError, match=r"BLIP's two its tokenizer has 7 tokens, and the model"):
        ImageRewardSettings(settings.checkpoint, tokenizer=str(bert)).load("cpu")


class NumpyImageReward:
    """The published model from its own stored weights, in float64, one pair at a time, unpadded.

    A pre-norm ViT, and a post-norm BERT whose layers look at the image between attention to the
    text and the two linear maps; heads of 64.
    """

    def __init__(self, folder):
        import torch
        from tokenizers import Tokenizer

        state = torch.load(folder / FILE, weights_only=True)
        self.w = {name: value.double().numpy() for name, value in state.items()}
        self.tokenizer = Tokenizer.from_file(str(folder / "bert" / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(35)

    def linear(self, x, name):
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def norm(self, x, name, eps):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps)
        return x * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def see(self, image):
        patches = cropped(image, 32).reshape(2, 16, 2, 16, 3).transpose(0, 2, 4, 1, 3)
        kernel = self.w["blip.visual_encoder.patch_embed.proj.weight"].reshape(128, -1)
        x = patches.reshape(4, -1) @ kernel.T
        x = x + self.w["blip.visual_encoder.patch_embed.proj.bias"]
        x = np.vstack([self.w["blip.visual_encoder.cls_token"][0], x])
        x = x + self.w["blip.visual_encoder.pos_embed"][0]
        for number in range(2):
            start = f"blip.visual_encoder.blocks.{number}"
            y = self.linear(self.norm(x, f"{start}.norm1", 1e-6), f"{start}.attn.qkv")
            x = x + self.linear(attention(*np.split(y, 3, axis=1)), f"{start}.attn.proj")
            y = self.linear(self.norm(x, f"{start}.norm2", 1e-6), f"{start}.mlp.fc1")
            x = x + self.linear(gelu(y), f"{start}.mlp.fc2")
        return self.norm(x, "blip.visual_encoder.norm", 1e-6)

    def read(self, text, seen):
        start = "blip.text_encoder.embeddings"
        ids = self.tokenizer.encode(text).ids
        x = self.w[f"{start}.word_embeddings.weight"][ids]
        x = x + self.w[f"{start}.position_embeddings.weight"][: len(ids)]
        x = self.norm(x, f"{start}.LayerNorm", 1e-12)
        for number in range(2):
            start = f"blip.text_encoder.encoder.layer.{number}"
            for kind in ("attention", "crossattention"):
                of = x if kind == "attention" else seen
                q, k, v = (
                    self.linear(y, f"{start}.{kind}.self.{part}")
                    for y, part in ((x, "query"), (of, "key"), (of, "value"))
                )
                y = self.linear(attention(q, k, v), f"{start}.{kind}.output.dense")
                x = self.norm(x + y, f"{start}.{kind}.output.LayerNorm", 1e-12)
            y = gelu(self.linear(x, f"{start}.intermediate.dense"))
            y = self.linear(y, f"{start}.output.dense")
            x = self.norm(x + y, f"{start}.output.LayerNorm", 1e-12)
        return x[0]

    def score(self, image, text):
        x = self.read(text, self.see(image))
        for place in (0, 2, 4, 6, 7):
            x = self.linear(x, f"mlp.layers.{place}")
        return (x[0] - 0.16717362830052426) / 1.0333394966054072


def attention(q, k, v):
    q, k, v = (x.reshape(len(x), -1, 64).swapaxes(0, 1) for x in (q, k, v))
    share = np.exp(q @ k.swapaxes(1, 2) / 8)
    mixed = (share / share.sum(-1, keepdims=True)) @ v
    return mixed.swapaxes(0, 1).reshape(q.shape[1], -1)


def gelu(x):
    return x * (1 + erf(x / np.sqrt(2))) / 2


def cropped(image, side):
    shorter = min(image.size)
    pixels = np.asarray(image.resize([int(side * n / shorter) for n in image.size], 3))
    top, left = ((n - side) // 2 for n in pixels.shape[:2])
    return (pixels[top : top + side, left : left + side] / 255.0 - MEAN) / STD
