"""A tiny PixArt: a diffusion transformer reading T5; images of 32 x 32.

Its pipeline knows the aspect ratios of real sizes only: call it with
``use_resolution_binning=False``.
"""

from __future__ import annotations

from pathlib import Path

from tiny_models.autoencoder import autoencoder
from tiny_models.text import WIDTH, t5_text, t5_tokenizer
from tiny_models.weights import made_from

__all__ = ["make_pixart"]


def make_pixart(folder: Path, seed: int = 0) -> Path:
    """Save a PixArtAlphaPipeline in ``folder``; return it."""
    from diffusers import (
        DPMSolverMultistepScheduler,
        PixArtAlphaPipeline,
        PixArtTransformer2DModel,
    )

    tokenizer = t5_tokenizer()
    transformer = made_from(
        seed,
        lambda: PixArtTransformer2DModel(
            sample_size=8,
            num_layers=2,
            patch_size=2,
            num_attention_heads=2,
            attention_head_dim=WIDTH // 2,
            cross_attention_dim=WIDTH,
            caption_channels=WIDTH,
            in_channels=4,
            out_channels=8,
            use_additional_conditions=False,
        ),
    )
    PixArtAlphaPipeline(
        vae=autoencoder(seed + 1),
        text_encoder=t5_text(seed + 2, tokenizer),
        tokenizer=tokenizer,
        transformer=transformer,
        scheduler=DPMSolverMultistepScheduler(),
    ).save_pretrained(folder, safe_serialization=True)
    return folder
