"""Converting a ViT-H/14 CLIP stored by open_clip to the names of transformers' CLIPModel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flasheval.base.errors import DataError
from flasheval.base.models.stored import size

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["clip_config", "to_clip_model"]

# Heads are this wide in every ViT-H/14 of open_clip; the weights do not tell.
_VISION_HEAD, _TEXT_HEAD = 80, 64

_NAMES = {
    "logit_scale": "logit_scale",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_pre.weight": "vision_model.pre_layrnorm.weight",
    "visual.ln_pre.bias": "vision_model.pre_layrnorm.bias",
    "visual.ln_post.weight": "vision_model.post_layernorm.weight",
    "visual.ln_post.bias": "vision_model.post_layernorm.bias",
}
# Applied as x @ P there, and as a linear layer's x @ W.T here.
_PROJECTIONS = {
    "text_projection": "text_projection.weight",
    "visual.proj": "visual_projection.weight",
}
_BLOCK = re.compile(r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+)[._](weight|bias)")
_PARTS = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}


def to_clip_model(state: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """Return the weights under the names of CLIPModel.

    open_clip keeps queries, keys and values of a layer in one matrix, one below the other, and
    its two projections transposed.

    Args:
        state: The tensors by open_clip's names.
        source: The checkpoint's name, for messages.

    Raises:
        DataError: A name is not one of open_clip's weights.

    >>> to_clip_model({"ln_final.weight": "the tensor"}, "hps.pt")
    {'text_model.final_layer_norm.weight': 'the tensor'}
    >>> to_clip_model({"visual.attn_pool.query": None}, "hps.pt")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: checkpoint hps.pt: visual.attn_pool.query is no weight of ...

    """
    made: dict[str, Tensor] = {}
    for name, value in state.items():
        if name in _NAMES:
            made[_NAMES[name]] = value
        elif name in _PROJECTIONS:
            made[_PROJECTIONS[name]] = value.T.contiguous()
        else:
            made |= _of_block(state, name, source)
    return made


def clip_config(state: Mapping[str, Tensor], source: str) -> Any:
    """Return a CLIPConfig made from the weights' shapes. Raises DataError for a missing weight."""
    from transformers import CLIPConfig

    words = size(state, "token_embedding.weight", 0, source)
    patch = size(state, "visual.conv1.weight", 2, source)
    patches = size(state, "visual.positional_embedding", 0, source) - 1
    embedding = size(state, "text_projection", 1, source)
    text = {
        "vocab_size": words,
        "max_position_embeddings": size(state, "positional_embedding", 0, source),
        "bos_token_id": words - 2,
        "eos_token_id": words - 1,
        "pad_token_id": words - 1,
    }
    vision = {"patch_size": patch, "image_size": patch * round(patches**0.5)}
    return CLIPConfig(
        text_config=_tower(state, "", _TEXT_HEAD, source) | text,
        vision_config=_tower(state, "visual.", _VISION_HEAD, source) | vision,
        projection_dim=embedding,
    )


def _of_block(state: Mapping[str, Tensor], name: str, source: str) -> dict[str, Tensor]:
    value = state[name]
    match = _BLOCK.fullmatch(name)
    part = match[3] if match else ""
    if match is None or (part not in _PARTS and part != "attn.in_proj"):
        raise DataError(f"checkpoint {source}: {name} is no weight of an open_clip ViT; is it one?")
    tower = "vision_model" if match[1] else "text_model"
    start, kind = f"{tower}.encoder.layers.{match[2]}", match[4]
    if part in _PARTS:
        return {f"{start}.{_PARTS[part]}.{kind}": value}
    if size(state, name, 0, source) % 3:
        raise DataError(
            f"checkpoint {source}: {name} has {len(value)} rows; expected three equal parts"
        )
    split = zip("qkv", value.chunk(3), strict=True)
    return {f"{start}.self_attn.{letter}_proj.{kind}": third for letter, third in split}


def _tower(
    state: Mapping[str, Tensor], prefix: str, head: int, source: str
) -> dict[str, int | str]:
    blocks = {
        match[2]
        for name in state
        if (match := _BLOCK.fullmatch(name))
        if (match[1] or "") == prefix
    }
    first = f"{prefix}transformer.resblocks.0.mlp.c_fc.weight"
    width = size(state, first, 1, source)
    return {
        "hidden_size": width,
        "intermediate_size": size(state, first, 0, source),
        "num_hidden_layers": len(blocks),
        "num_attention_heads": max(1, width // head),
        "hidden_act": "gelu",  # the exact one; OpenAI's CLIP has the quick one
        "projection_dim": size(state, "text_projection", 1, source),
    }
