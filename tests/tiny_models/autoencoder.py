"""The autoencoder that turns latents into pixels, four times as large either way."""

from __future__ import annotations

from typing import Any

from tiny_models.weights import made_from

__all__ = ["autoencoder"]


def autoencoder(seed: int, channels: int = 4, *, quantised: bool = True) -> Any:
    """Return an AutoencoderKL; SD3's, for one, has no layers around the latents."""
    from diffusers import AutoencoderKL

    return made_from(
        seed,
        lambda: AutoencoderKL(
            block_out_channels=(16, 16, 16),
            down_block_types=("DownEncoderBlock2D",) * 3,
            up_block_types=("UpDecoderBlock2D",) * 3,
            latent_channels=channels,
            norm_num_groups=4,
            sample_size=32,
            scaling_factor=1.0,
            shift_factor=None if quantised else 0.0,
            use_quant_conv=quantised,
            use_post_quant_conv=quantised,
        ),
        out=0.5,
    )
