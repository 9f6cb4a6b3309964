"""A tiny Stable Diffusion 3: flow matching, three text encoders; images of 32 x 32."""

from __future__ import annotations

from pathlib import Path

from tiny_models.autoencoder import autoencoder
from tiny_models.text import WIDTH, clip_text, clip_tokenizer, t5_text, t5_tokenizer
from tiny_models.weights import made_from

__all__ = ["make_sd3"]

_CHANNELS = 8


def make_sd3(folder: Path, seed: int = 0) -> Path:
    """Save a StableDiffusion3Pipeline in ``folder``; return it."""
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        SD3Transformer2DModel,
        StableDiffusion3Pipeline,
    )

    tokenizer, tokenizer_3 = clip_tokenizer(), t5_tokenizer()
    transformer = made_from(
        seed,
        lambda: SD3Transformer2DModel(
            sample_size=8,
            patch_size=2,
            in_channels=_CHANNELS,
            out_channels=_CHANNELS,
            num_layers=2,
            num_attention_heads=2,
            attention_head_dim=WIDTH // 2,
            caption_projection_dim=WIDTH,
            joint_attention_dim=2 * WIDTH,
            pooled_projection_dim=2 * WIDTH,
            pos_embed_max_size=16,
        ),
    )
    StableDiffusion3Pipeline(
        vae=autoencoder(seed + 1, _CHANNELS, quantised=False),
        text_encoder=clip_text(seed + 2, tokenizer, projection=True),
        text_encoder_2=clip_text(seed + 3, tokenizer, projection=True),
        text_encoder_3=t5_text(seed + 4, tokenizer_3, 2 * WIDTH),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        tokenizer_3=tokenizer_3,
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    ).save_pretrained(folder, safe_serialization=True)
    return folder
