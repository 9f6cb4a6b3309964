"""The autoencoder: 32 x 32 pixels to 8 x 8 latents of eight channels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .data import Data
from .loop import Stage, as_images, train

if TYPE_CHECKING:
    import torch

__all__ = ["load_vae", "reconstruction_error", "train_vae"]

_BATCH = 64


def train_vae(data: Data, folder: Path, seed: int, steps: int) -> torch.nn.Module:
    """Train it, and set its scaling factor so that latents have unit variance."""
    import torch
    from diffusers import AutoencoderKL

    torch.manual_seed(seed)
    vae = AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(24, 48, 48),
        layers_per_block=1,
        latent_channels=8,
        norm_num_groups=8,
        sample_size=32,
        mid_block_add_attention=False,
    ).to(memory_format=torch.channels_last)

    def loss(rng: np.random.Generator) -> torch.Tensor:
        images = as_images(data.images[rng.integers(len(data.images), size=_BATCH)])
        with torch.autocast("cpu", torch.bfloat16):
            latents = vae.encode(images).latent_dist
            made = vae.decode(latents.sample()).sample.float()
        return (
            reconstruction_error(made, images)
            + 1e-4 * latents.kl().mean() / latents.mean[0].numel()
        )

    trained = train(Stage("vae", vae, loss, steps, rate=1.5e-3, average=0.998), folder, seed)
    with torch.no_grad():
        latents = trained.encode(as_images(data.images[:2048])).latent_dist.mean
    trained.register_to_config(scaling_factor=round(1 / float(latents.std()), 4))
    return trained


def reconstruction_error(made: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Absolute and squared error; pixels unlike their picture's ground count more.

    Small things are few pixels: a plain mean lets them fade, green on grey first.
    """
    ground = images.flatten(2).median(dim=2).values[:, :, None, None]
    unlike = (images - ground).abs().amax(dim=1, keepdim=True)
    weight = 1 + 4 * unlike
    error = made - images
    return (weight * (error.abs() + error.square())).mean()


def load_vae(folder: Path) -> torch.nn.Module:
    """Return the trained one, for use."""
    import torch
    from diffusers import AutoencoderKL

    vae = AutoencoderKL.from_pretrained(folder, torch_dtype=torch.float32).eval()
    return vae.to(memory_format=torch.channels_last)
