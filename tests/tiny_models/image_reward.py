"""A tiny ImageReward: the published file's layout, with random weights, and a BERT tokenizer."""

from __future__ import annotations

import string
from pathlib import Path

from tiny_models.aesthetic import head_shapes
from tiny_models.stored import draw

__all__ = ["image_reward_shapes", "make_bert_tokenizer", "make_image_reward"]

_WORDS = ("a", "the", "of", "on", "and", "photo", "cat", "dog", "bird", "red", "blue", "street")
_PATCH = 16


def make_image_reward(folder: Path, seed: int = 0) -> Path:
    """Save ImageReward.pt in ``folder`` and a BERT tokenizer in ``folder/bert``; return it.

    Two layers of width 128 in either tower, images of 32 x 32; heads as wide as published.
    """
    import torch

    words = make_bert_tokenizer(folder / "bert") + 2  # BLIP adds two
    shapes = image_reward_shapes(vision=(128, 2), side=32, text=(128, 2), words=words, places=40)
    state = draw(shapes, seed)
    state["blip.text_encoder.embeddings.position_ids"] = torch.arange(40)[None]
    torch.save(state, folder / "ImageReward.pt")
    return folder


def make_bert_tokenizer(folder: Path) -> int:
    """Save a BERT tokenizer without case in ``folder``; return how many tokens it has."""
    from transformers import BertTokenizer

    letters = [*string.ascii_lowercase, *string.digits, ",", ".", "-"]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_WORDS]
    tokens += [*(letter for letter in letters if letter not in _WORDS)]
    tokens += [f"##{letter}" for letter in letters]
    tokenizer = BertTokenizer(vocab={token: number for number, token in enumerate(tokens)})
    tokenizer.save_pretrained(folder)
    return len(tokens)


def image_reward_shapes(
    *, vision: tuple[int, int], side: int, text: tuple[int, int], words: int, places: int
) -> dict[str, tuple[int, ...]]:
    """Return every name of ImageReward.pt with its shape; towers are (width, layers)."""
    see, read = vision[0], text[0]
    shapes: dict[str, tuple[int, ...]] = {
        "blip.visual_encoder.cls_token": (1, 1, see),
        "blip.visual_encoder.pos_embed": (1, (side // _PATCH) ** 2 + 1, see),
        "blip.visual_encoder.patch_embed.proj.weight": (see, 3, _PATCH, _PATCH),
        "blip.visual_encoder.patch_embed.proj.bias": (see,),
        "blip.text_encoder.embeddings.position_ids": (1, places),
        "blip.text_encoder.embeddings.word_embeddings.weight": (words, read),
        "blip.text_encoder.embeddings.position_embeddings.weight": (places, read),
        **_norm("blip.text_encoder.embeddings.LayerNorm", read),
        **_norm("blip.visual_encoder.norm", see),
        **_linear("blip.vision_proj", see, 256),
        **_linear("blip.text_proj", read, 256),
        **head_shapes(read, "mlp.layers."),
    }
    for number in range(vision[1]):
        start = f"blip.visual_encoder.blocks.{number}."
        shapes |= _norm(f"{start}norm1", see) | _norm(f"{start}norm2", see)
        shapes |= _linear(f"{start}attn.qkv", see, 3 * see)
        shapes |= _linear(f"{start}attn.proj", see, see)
        shapes |= _linear(f"{start}mlp.fc1", see, 4 * see)
        shapes |= _linear(f"{start}mlp.fc2", 4 * see, see)
    for number in range(text[1]):
        start = f"blip.text_encoder.encoder.layer.{number}."
        for kind, width in (("attention", read), ("crossattention", see)):
            shapes |= _linear(f"{start}{kind}.self.query", read, read)
            shapes |= _linear(f"{start}{kind}.self.key", width, read)
            shapes |= _linear(f"{start}{kind}.self.value", width, read)
            shapes |= _linear(f"{start}{kind}.output.dense", read, read)
            shapes |= _norm(f"{start}{kind}.output.LayerNorm", read)
        shapes |= _linear(f"{start}intermediate.dense", read, 4 * read)
        shapes |= _linear(f"{start}output.dense", 4 * read, read)
        shapes |= _norm(f"{start}output.LayerNorm", read)
    return shapes


def _linear(name: str, into: int, out: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}
