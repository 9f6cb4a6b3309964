"""A tiny Flux: flow matching with guidance inside the network; images of 32 x 32."""

from __future__ import annotations

from pathlib import Path

from tiny_models.autoencoder import autoencoder
from tiny_models.text import WIDTH, clip_text, clip_tokenizer, t5_text, t5_tokenizer
from tiny_models.weights import made_from

__all__ = ["make_flux"]

_CHANNELS = 4


def make_flux(folder: Path, seed: int = 0) -> Path:
    """Save a FluxPipeline in ``folder``; return it."""
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

    tokenizer, tokenizer_2 = clip_tokenizer(), t5_tokenizer()
    transformer = made_from(
        seed,
        lambda: FluxTransformer2DModel(
            patch_size=1,
            in_channels=4 * _CHANNELS,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=WIDTH // 2,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            pooled_projection_dim=WIDTH,
            guidance_embeds=True,
            axes_dims_rope=(4, 4, 8),
        ),
    )
    FluxPipeline(
        vae=autoencoder(seed + 1, _CHANNELS, quantised=False),
        text_encoder=clip_text(seed + 2, tokenizer),
        text_encoder_2=t5_text(seed + 3, tokenizer_2),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer_2,
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    ).save_pretrained(folder, safe_serialization=True)
    return folder
