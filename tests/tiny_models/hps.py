"""A tiny HPS v2: the published file's layout, that of open_clip, with random weights."""

from __future__ import annotations

from pathlib import Path

from tiny_models.clip import MAX_LENGTH, make_clip_tokenizer
from tiny_models.stored import draw

__all__ = ["make_hps", "open_clip_shapes"]


def make_hps(folder: Path, seed: int = 0) -> Path:
    """Save HPS_v2_compressed.pt and a tokenizer in ``folder``; return it.

    Two layers in either tower, images of 28 x 28, embeddings of 24; heads as wide as published.
    """
    import torch
    from transformers import AutoTokenizer

    make_clip_tokenizer(folder)
    words = len(AutoTokenizer.from_pretrained(folder))
    shapes = open_clip_shapes(vision=(160, 2), side=28, text=(128, 2), words=words, embedding=24)
    torch.save({"epoch": 1, "state_dict": draw(shapes, seed)}, folder / "HPS_v2_compressed.pt")
    return folder


def open_clip_shapes(
    *, vision: tuple[int, int], side: int, text: tuple[int, int], words: int, embedding: int
) -> dict[str, tuple[int, ...]]:
    """Return every name of a CLIP of open_clip with its shape; towers are (width, layers)."""
    shapes: dict[str, tuple[int, ...]] = {
        "logit_scale": (),
        "positional_embedding": (MAX_LENGTH, text[0]),
        "token_embedding.weight": (words, text[0]),
        "text_projection": (text[0], embedding),
        "visual.class_embedding": (vision[0],),
        "visual.conv1.weight": (vision[0], 3, 14, 14),
        "visual.positional_embedding": ((side // 14) ** 2 + 1, vision[0]),
        "visual.proj": (vision[0], embedding),
    }
    for norm, width in (("visual.ln_pre", vision[0]), ("visual.ln_post", vision[0])):
        shapes |= {f"{norm}.weight": (width,), f"{norm}.bias": (width,)}
    shapes |= {"ln_final.weight": (text[0],), "ln_final.bias": (text[0],)}
    for tower, (width, layers) in (("visual.", vision), ("", text)):
        block = {
            "ln_1.weight": (width,),
            "ln_1.bias": (width,),
            "attn.in_proj_weight": (3 * width, width),
            "attn.in_proj_bias": (3 * width,),
            "attn.out_proj.weight": (width, width),
            "attn.out_proj.bias": (width,),
            "ln_2.weight": (width,),
            "ln_2.bias": (width,),
            "mlp.c_fc.weight": (4 * width, width),
            "mlp.c_fc.bias": (4 * width,),
            "mlp.c_proj.weight": (width, 4 * width),
            "mlp.c_proj.bias": (width,),
        }
        for number in range(layers):
            start = f"{tower}transformer.resblocks.{number}."
            shapes |= {start + name: shape for name, shape in block.items()}
    return shapes
