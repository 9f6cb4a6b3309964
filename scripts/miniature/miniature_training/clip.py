"""The CLIP: what scores images against captions, and the diffusion models' text encoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flasheval.miniature.world import (
    BACKGROUNDS,
    COLOURS,
    COUNTS,
    PLACES,
    RELATIONS,
    SHAPES,
    SIZES,
    STYLES,
    parse_caption,
)

from .data import Data
from .loop import Stage, as_images, train
from .negatives import near_miss

if TYPE_CHECKING:
    import torch

__all__ = ["MAX_TOKENS", "MEAN", "STD", "WIDTH", "make_tokenizer", "save_clip", "train_clip"]

WIDTH = 128
MAX_TOKENS = 40
MEAN, STD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
_BATCH = 192


def make_tokenizer() -> Any:
    """Return a CLIP tokenizer in which every word of the drawn world is one token.

    Other words fall into letters, so that any prompt is read.
    """
    from tiny_models.clip import word_tokenizer

    return word_tokenizer(_words(), MAX_TOKENS)


def train_clip(data: Data, folder: Path, seed: int, steps: int) -> tuple[torch.nn.Module, Any]:
    """Train on pictures with their captions against the batch's others and one near miss each."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    torch.manual_seed(seed)
    tokenizer = make_tokenizer()
    model = _model(tokenizer)

    def loss(rng: np.random.Generator) -> torch.Tensor:
        chosen = rng.integers(len(data.images), size=_BATCH)
        said = [data.captions[k] for k in chosen]
        missed = [near_miss(parse_caption(caption), rng).caption for caption in said]
        tokens = tokenizer(said + missed, padding="max_length", return_tensors="pt")
        images = as_images(data.images[chosen])
        with torch.autocast("cpu", torch.bfloat16):
            of_text = model.get_text_features(**tokens).pooler_output.float()
            of_image = model.get_image_features(pixel_values=images).pooler_output.float()
        logits = F.normalize(of_image, dim=1) @ F.normalize(of_text, dim=1).T
        logits = logits * model.logit_scale.exp().clamp(max=100)
        same = torch.tensor([[a == b for b in said + missed] for a in said])
        same[:, :_BATCH].fill_diagonal_(False)  # the same words for another picture are no mistake
        logits = logits.masked_fill(same, -1e4)
        right = torch.arange(_BATCH)
        to_text = F.cross_entropy(logits, right)
        to_image = F.cross_entropy(logits[:, :_BATCH].T, right)
        return (to_text + to_image) / 2

    return train(
        Stage("clip", model, loss, steps, rate=1e-3, average=0.998), folder, seed
    ), tokenizer


def _model(tokenizer: Any) -> torch.nn.Module:
    from transformers import CLIPConfig, CLIPModel

    tower = {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "projection_dim": WIDTH,
        "hidden_act": "gelu",
    }
    text = {
        "vocab_size": len(tokenizer),
        "max_position_embeddings": MAX_TOKENS,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    config = CLIPConfig(
        text_config=tower | text,
        vision_config=tower | {"image_size": 32, "patch_size": 4},
        projection_dim=WIDTH,
    )
    # Plain attention: the fused one's backward pass is several times slower on a CPU at this size.
    config._attn_implementation = "eager"
    return CLIPModel(config)


def _words() -> list[str]:
    plural = [f"{shape}es" if shape == "cross" else f"{shape}s" for shape in SHAPES]
    phrases = [*PLACES.values(), *RELATIONS.values(), "a an and on background ,"]
    words = [*SHAPES, *plural, *COLOURS, *SIZES, *COUNTS, *BACKGROUNDS, *STYLES]
    return list(dict.fromkeys(words + " ".join(phrases).split()))


def save_clip(model: torch.nn.Module, tokenizer: Any, folder: Path) -> None:
    """Save the model with its tokenizer and image processor, as transformers reads them."""
    from transformers import CLIPImageProcessorPil

    model.config._attn_implementation = "sdpa"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CLIPImageProcessorPil(
        do_resize=True,
        size={"height": 32, "width": 32},
        do_center_crop=False,
        do_rescale=True,
        do_normalize=True,
        image_mean=list(MEAN),
        image_std=list(STD),
    ).save_pretrained(folder)
