"""A tiny Stable Diffusion XL: two text encoders, sizes as conditions; images of 32 x 32."""

from __future__ import annotations

from pathlib import Path

from tiny_models.autoencoder import autoencoder
from tiny_models.text import WIDTH, clip_text, clip_tokenizer
from tiny_models.weights import made_from

__all__ = ["make_sdxl"]

_TIME_WIDTH = 8
_SIZES = 6  # original size, crop and target size, two numbers each


def make_sdxl(folder: Path, seed: int = 0) -> Path:
    """Save a StableDiffusionXLPipeline in ``folder``; return it."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

    tokenizer = clip_tokenizer()
    unet = made_from(
        seed,
        lambda: UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(16, 32),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=2 * WIDTH,
            attention_head_dim=(2, 4),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=_TIME_WIDTH,
            projection_class_embeddings_input_dim=WIDTH + _SIZES * _TIME_WIDTH,
            norm_num_groups=4,
        ),
    )
    StableDiffusionXLPipeline(
        vae=autoencoder(seed + 1),
        text_encoder=clip_text(seed + 2, tokenizer),
        text_encoder_2=clip_text(seed + 3, tokenizer, projection=True),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
    ).save_pretrained(folder, safe_serialization=True)
    return folder
