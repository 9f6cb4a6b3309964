"""Converting ImageReward's published weights to the names of transformers' BLIP models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flasheval.base.errors import DataError
from flasheval.base.models.stored import size

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["HEAD", "blip_configs", "to_blip"]

_VISION, _TEXT, HEAD = "blip.visual_encoder.", "blip.text_encoder.", "mlp.layers."

# Heads are this wide in BLIP's image and text tower; the weights do not tell.
_HEAD_WIDTH = 64
_NAMES = {
    "cls_token": "embeddings.class_embedding",
    "pos_embed": "embeddings.position_embedding",
    "patch_embed.proj.weight": "embeddings.patch_embedding.weight",
    "patch_embed.proj.bias": "embeddings.patch_embedding.bias",
    "norm.weight": "post_layernorm.weight",
    "norm.bias": "post_layernorm.bias",
}
_BLOCK = re.compile(r"blocks\.(\d+)\.(.+)\.(weight|bias)")
_PARTS = {
    "norm1": "layer_norm1",
    "norm2": "layer_norm2",
    "attn.qkv": "self_attn.qkv",
    "attn.proj": "self_attn.projection",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_LAYER = re.compile(r"encoder\.layer\.(\d+)\..+")
# A buffer of positions, and projections for a loss that scoring does not need.
_UNUSED = (f"{_TEXT}embeddings.position_ids", "blip.vision_proj.", "blip.text_proj.")


def to_blip(
    state: Mapping[str, Tensor], source: str
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the weights of BlipVisionModel and of BlipTextModel, each under its names.

    Args:
        state: The tensors by ImageReward's names.
        source: The checkpoint's name, for messages.

    Raises:
        DataError: A name is not one of ImageReward's weights.

    >>> state = {"blip.visual_encoder.norm.bias": "one", "blip.text_encoder.encoder.x": "two"}
    >>> vision, text = to_blip(state, "ImageReward.pt")
    >>> list(vision), list(text)
    (['post_layernorm.bias'], ['encoder.x'])

    """
    vision: dict[str, Tensor] = {}
    text: dict[str, Tensor] = {}
    for name, value in state.items():
        if name.startswith((*_UNUSED, HEAD)):
            continue
        if name.startswith(_VISION):
            vision[_vision_name(name, source)] = value
        elif name.startswith(_TEXT):
            text[name.removeprefix(_TEXT)] = value  # transformers kept these names
        else:
            raise DataError(f"checkpoint {source}: {name} is no weight of ImageReward; is it one?")
    return vision, text


def blip_configs(state: Mapping[str, Tensor], source: str) -> tuple[Any, Any]:
    """Return a BlipVisionConfig and a BlipTextConfig, from the weights' shapes.

    Raises:
        DataError: A weight whose shape is needed is missing.

    """
    from transformers import BlipTextConfig, BlipVisionConfig

    patch = size(state, f"{_VISION}patch_embed.proj.weight", 2, source)
    patches = size(state, f"{_VISION}pos_embed", 1, source) - 1
    width = size(state, f"{_VISION}cls_token", 2, source)
    words, read = (
        size(state, f"{_TEXT}embeddings.word_embeddings.weight", k, source) for k in (0, 1)
    )
    vision = BlipVisionConfig(
        hidden_size=width,
        intermediate_size=size(state, f"{_VISION}blocks.0.mlp.fc1.weight", 0, source),
        num_hidden_layers=_layers(state, _VISION, _BLOCK),
        num_attention_heads=max(1, width // _HEAD_WIDTH),
        image_size=patch * round(patches**0.5),
        patch_size=patch,
        layer_norm_eps=1e-6,  # BLIP's; the default here is another
    )
    text = BlipTextConfig(
        vocab_size=words,
        hidden_size=read,
        encoder_hidden_size=width,
        intermediate_size=size(
            state, f"{_TEXT}encoder.layer.0.intermediate.dense.weight", 0, source
        ),
        num_hidden_layers=_layers(state, _TEXT, _LAYER),
        num_attention_heads=max(1, read // _HEAD_WIDTH),
        max_position_embeddings=size(
            state, f"{_TEXT}embeddings.position_embeddings.weight", 0, source
        ),
        bos_token_id=words - 2,
        eos_token_id=None,
        sep_token_id=None,
    )
    return vision, text


def _vision_name(name: str, source: str) -> str:
    short = name.removeprefix(_VISION)
    match = _BLOCK.fullmatch(short)
    if short in _NAMES:
        return _NAMES[short]
    if match is None or match[2] not in _PARTS:
        raise DataError(f"checkpoint {source}: {name} is no weight of ImageReward; is it one?")
    return f"encoder.layers.{match[1]}.{_PARTS[match[2]]}.{match[3]}"


def _layers(state: Mapping[str, Tensor], prefix: str, pattern: re.Pattern[str]) -> int:
    names = (name.removeprefix(prefix) for name in state if name.startswith(prefix))
    return len({match[1] for name in names if (match := pattern.fullmatch(name))})
