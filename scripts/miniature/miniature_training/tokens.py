"""The VQ model: 32 x 32 pixels to 8 x 8 tokens, each one of 1,024 learnt codes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .data import Data
from .loop import Stage, as_images, train
from .vae import reconstruction_error

if TYPE_CHECKING:
    import torch

__all__ = ["CODES", "GRID", "load_vq", "read_tokens", "train_vq"]

CODES = 1024
GRID = 8
_BATCH = 64
_SAMPLE = 2048  # pictures that the first codes are chosen from
_COMMIT = 0.25  # weight of the encoder's distance to its codes


def train_vq(vae: Any, data: Data, folder: Path, seed: int, steps: int) -> torch.nn.Module:
    """Train it from the autoencoder `vae`, whose latents are rounded to their nearest code.

    The first codes are the centres of k-means of latents. aMUSEd's pipeline reads and writes
    pixels from 0 to 1, so the networks are led to that range.
    """
    import torch

    torch.manual_seed(seed)
    vq = _from_vae(vae)
    with torch.no_grad():
        sample = as_images(data.images[:_SAMPLE]) / 2 + 0.5
        latents = vq.encode(sample).latents.permute(0, 2, 3, 1).flatten(0, 2)
        vq.quantize.embedding.weight.copy_(_centres(latents, seed))

    def loss(rng: np.random.Generator) -> torch.Tensor:
        images = as_images(data.images[rng.integers(len(data.images), size=_BATCH)])
        with torch.autocast("cpu", torch.bfloat16):
            latents = vq.encode(images / 2 + 0.5).latents
        latents = latents.float()
        codes = vq.quantize(latents)[0]  # the gradient goes through to the latents
        with torch.autocast("cpu", torch.bfloat16):
            made = vq.decoder(vq.post_quant_conv(codes)).float()
        nearest = codes.detach()
        commit = (latents - nearest).square().mean()
        chosen = vq.quantize.get_codebook_entry(_nearest(vq, latents), None)
        fit = (chosen - latents.detach().permute(0, 2, 3, 1).flatten(0, 2)).square().mean()
        return reconstruction_error(2 * made - 1, images) + _COMMIT * commit + fit

    return train(Stage("vq", vq, loss, steps, rate=8e-4, average=0.998), folder, seed)


def read_tokens(vq: Any, data: Data, path: Path) -> None:
    """Write the tokens of all pictures, int16 [n, 8, 8], to `path`."""
    import torch

    made = np.empty((len(data.images), GRID, GRID), dtype=np.int16)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(made), 256):
            images = as_images(data.images[start : start + 256])
            latents = vq.encode(images / 2 + 0.5).latents.float()
            made[start : start + 256] = _nearest(vq, latents).reshape(-1, GRID, GRID).numpy()
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.save(file, made)
    os.replace(part, path)


def load_vq(folder: Path) -> torch.nn.Module:
    """Return the trained one, for use."""
    import torch
    from diffusers import VQModel

    vq = VQModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
    return vq.to(memory_format=torch.channels_last)


def _nearest(vq: Any, latents: torch.Tensor) -> torch.Tensor:
    """Return the index of each latent's nearest code, [n x 8 x 8]."""
    import torch

    flat = latents.detach().permute(0, 2, 3, 1).flatten(0, 2)
    return torch.cdist(flat, vq.quantize.embedding.weight).argmin(dim=1)


def _from_vae(vae: Any) -> Any:
    """Return a VQ model with the weights of an autoencoder, for pixels from 0 to 1."""
    import torch
    from diffusers import VQModel

    same = "in_channels", "out_channels", "down_block_types", "up_block_types"
    more = "block_out_channels", "layers_per_block", "latent_channels", "norm_num_groups"
    vq = VQModel(
        **{key: vae.config[key] for key in (*same, *more, "sample_size")},
        num_vq_embeddings=CODES,
        mid_block_add_attention=False,
        lookup_from_codebook=True,
    )
    state = dict(vae.state_dict())
    channels = vae.config.latent_channels
    for name in ("encoder.conv_out.weight", "encoder.conv_out.bias"):
        state[name] = state[name][:channels]  # the means; the rest are variances
    # A rough start is enough: what the other channels add to the means is left out.
    state["quant_conv.weight"] = state["quant_conv.weight"][:channels, :channels]
    state["quant_conv.bias"] = state["quant_conv.bias"][:channels]
    state["encoder.conv_in.bias"] = state["encoder.conv_in.bias"] - state[
        "encoder.conv_in.weight"
    ].sum((1, 2, 3))
    state["encoder.conv_in.weight"] = 2 * state["encoder.conv_in.weight"]
    state["decoder.conv_out.weight"] = state["decoder.conv_out.weight"] / 2
    state["decoder.conv_out.bias"] = state["decoder.conv_out.bias"] / 2 + 0.5
    state["quantize.embedding.weight"] = vq.quantize.embedding.weight.detach()
    vq.load_state_dict(state)
    return vq.to(memory_format=torch.channels_last)


def _centres(latents: torch.Tensor, seed: int) -> torch.Tensor:
    """Return 1,024 centres of k-means, the first of them chosen far apart."""
    import torch
    from scipy.cluster.vq import kmeans2

    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(latents))[:30_000]
    centres, _ = kmeans2(latents[rows].double().numpy(), CODES, iter=12, minit="++", rng=rng)
    return torch.from_numpy(centres).float()
