"""A tiny CLIP with random weights, CLIP in NumPy to check it by, and images with prompts."""

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def tiny():
    """A function: tiny("clip") -> the module of tests/tiny_models that makes it."""
    pytest.importorskip("transformers")

    def module(name):
        sys.path.insert(0, str(TESTS))
        try:
            return import_module(f"tiny_models.{name}")
        finally:
            sys.path.remove(str(TESTS))

    return module


@pytest.fixture(scope="session")
def tiny_clip(tiny, tmp_path_factory):
    """The folder of a tiny CLIPModel."""
    return tiny("clip").make_clip(tmp_path_factory.mktemp("tiny") / "clip")


@pytest.fixture(scope="session")
def tiny_hps(tiny, tmp_path_factory):
    """The folder of a tiny HPS v2 in open_clip's layout, with a tokenizer."""
    return tiny("hps").make_hps(tmp_path_factory.mktemp("tiny") / "hps")


@pytest.fixture(scope="session")
def tiny_aesthetic(tiny, tmp_path_factory):
    """The file of an aesthetic predictor for the tiny CLIP."""
    return tiny("aesthetic").make_aesthetic(tmp_path_factory.mktemp("tiny") / "aesthetic")


@pytest.fixture(scope="session")
def tiny_image_reward(tiny, tmp_path_factory):
    """The folder of a tiny ImageReward, its tokenizer in bert/."""
    return tiny("image_reward").make_image_reward(tmp_path_factory.mktemp("tiny") / "reward")


@pytest.fixture(scope="session")
def images():
    """Seven RGB images, noise and plain colours, no two of one size."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (40 + 9 * k, 64 - 5 * k, 3), dtype=np.uint8) for k in range(4)]
    plain = [
        image.new("RGB", (32 + k, 50), name) for k, name in enumerate(("red", "navy", "white"))
    ]
    return [*map(image.fromarray, noise), *plain]


@pytest.fixture(scope="session")
def prompts():
    """A prompt an image: short, long, empty, beyond 77 tokens, and not of the alphabet."""
    return [
        "a photo of a cat",
        "A red circle on a blue square, with 3 trees.",
        "",
        "a man and a woman sitting on the street " * 12,
        "naïve café — 猫",
        "bird",
        "a bird",
    ]


@pytest.fixture(scope="session")
def numpy_clip(tiny_clip):
    """The tiny CLIP computed in NumPy: embed_text, embed_image, cosine."""
    return NumpyClip(tiny_clip)


MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
STD = np.array([0.26862954, 0.26130258, 0.27577711])


class NumpyClip:
    """CLIP from the stored weights alone, in float64.

    Radford et al. 2021: two pre-norm transformers with quick GELU, and a projection
    each.
    """

    def __init__(self, folder):
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        loaded = load_file(Path(folder) / "model.safetensors")
        self.w = {name: value.astype(np.float64) for name, value in loaded.items()}
        config = json.loads((Path(folder) / "config.json").read_text("utf-8"))
        self.text, self.vision = config["text_config"], config["vision_config"]
        self.tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(self.text["max_position_embeddings"])

    def norm(self, x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        return x * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def linear(self, x, name):
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def attention(self, x, name, heads, mask):
        q, k, v = (
            self.linear(x, f"{name}.{part}_proj").reshape(len(x), heads, -1).swapaxes(0, 1)
            for part in "qkv"
        )
        logits = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1]) + mask
        share = np.exp(logits - logits.max(-1, keepdims=True))
        mixed = (share / share.sum(-1, keepdims=True)) @ v
        return self.linear(mixed.swapaxes(0, 1).reshape(len(x), -1), f"{name}.out_proj")

    def layers(self, x, tower, config, mask):
        for number in range(config["num_hidden_layers"]):
            name = f"{tower}.encoder.layers.{number}"
            y = self.norm(x, f"{name}.layer_norm1")
            x = x + self.attention(y, f"{name}.self_attn", config["num_attention_heads"], mask)
            y = self.linear(self.norm(x, f"{name}.layer_norm2"), f"{name}.mlp.fc1")
            x = x + self.linear(y / (1 + np.exp(-1.702 * y)), f"{name}.mlp.fc2")
        return x

    def embed_text(self, text):
        ids = self.tokenizer.encode(text).ids
        x = self.w["text_model.embeddings.token_embedding.weight"][ids]
        x = x + self.w["text_model.embeddings.position_embedding.weight"][: len(ids)]
        mask = np.triu(np.full((len(ids), len(ids)), -np.inf), 1)
        x = self.layers(x, "text_model", self.text, mask)
        return self.norm(x[-1], "text_model.final_layer_norm") @ self.w["text_projection.weight"].T

    def embed_image(self, image):
        side, patch = self.vision["image_size"], self.vision["patch_size"]
        count = side // patch
        pixels = (preprocess(image, side) - MEAN) / STD
        patches = pixels.reshape(count, patch, count, patch, 3).transpose(0, 2, 4, 1, 3)
        kernel = self.w["vision_model.embeddings.patch_embedding.weight"]
        x = patches.reshape(count * count, -1) @ kernel.reshape(len(kernel), -1).T
        x = np.vstack([self.w["vision_model.embeddings.class_embedding"], x])
        x = x + self.w["vision_model.embeddings.position_embedding.weight"]
        x = self.layers(self.norm(x, "vision_model.pre_layrnorm"), "vision_model", self.vision, 0.0)
        first = self.norm(x[0], "vision_model.post_layernorm")
        return first @ self.w["visual_projection.weight"].T

    def cosine(self, image, text):
        a, b = self.embed_image(image), self.embed_text(text)
        return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


def preprocess(image, side):
    """Return the image resized (bicubic) to a shorter side of `side`, its middle, over 255."""
    width, height = image.size
    shorter = min(width, height)
    size = (int(side * width / shorter), int(side * height / shorter))
    pixels = np.asarray(image.resize(size, 3))
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    return pixels[top : top + side, left : left + side] / 255.0
