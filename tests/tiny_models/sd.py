"""A tiny Stable Diffusion: the classes, files and scheduler of version 1.5; images of 32 x 32."""

from __future__ import annotations

from pathlib import Path

from tiny_models.autoencoder import autoencoder
from tiny_models.text import WIDTH, clip_text, clip_tokenizer
from tiny_models.weights import made_from

__all__ = ["make_sd"]


def make_sd(folder: Path, seed: int = 0) -> Path:
    """Save a StableDiffusionPipeline in ``folder``; return it."""
    from diffusers import PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    tokenizer = clip_tokenizer()
    unet = made_from(
        seed,
        lambda: UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(16, 32),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=WIDTH,
            attention_head_dim=2,
            norm_num_groups=4,
        ),
    )
    StableDiffusionPipeline(
        vae=autoencoder(seed + 1),
        text_encoder=clip_text(seed + 2, tokenizer),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            set_alpha_to_one=False,
            skip_prk_steps=True,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder, safe_serialization=True)
    return folder
