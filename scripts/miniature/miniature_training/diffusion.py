"""The diffusion models: small UNets on the autoencoder's latents, led by the CLIP's text tower."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .clip import WIDTH
from .data import Data
from .loop import Stage, as_images, train

if TYPE_CHECKING:
    import torch

__all__ = ["MODELS", "Size", "encode", "make_scheduler", "train_unet"]

_BATCH = 96
_NO_CAPTION = 0.1  # share of captions left out, for guidance


@dataclass(frozen=True)
class Size:
    """A size of UNet, how long it is trained, and the steps at which a checkpoint is kept."""

    channels: tuple[int, int]
    steps: int
    kept: Mapping[str, int]


MODELS = {
    "large": Size((64, 80), 12_000, {"final": 12_000}),
    "base": Size((40, 64), 5000, {"middle": 1500, "final": 5000}),
    "small": Size((24, 40), 4000, {"middle": 1200, "final": 4000}),
}


def encode(vae: torch.nn.Module, data: Data, path: Path) -> None:
    """Write the scaled latents of all pictures, float16 [n, 8, 8, 8], to `path`."""
    import torch

    made = np.empty((len(data.images), 8, 8, 8), dtype=np.float16)
    scale = vae.config.scaling_factor
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(made), 256):
            images = as_images(data.images[start : start + 256])
            latents = vae.encode(images).latent_dist.mean.float() * scale
            made[start : start + 256] = latents.numpy()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.save(file, made)
    os.replace(part, path)


def make_scheduler() -> Any:
    """Return the noise schedule, as a DDIM scheduler that other schedulers are made from.

    The linear schedule leaves no trace of the picture at the last step; with Stable Diffusion's
    own, 8 x 8 latents keep their mean, and black grounds come out grey.
    """
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        beta_start=1e-4,
        beta_end=0.02,
        beta_schedule="linear",
        prediction_type="v_prediction",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def train_unet(
    name: str,
    data: Data,
    latents: Path,
    clip: Path,
    folder: Path,
    out: Path,
    seed: int,
    *,
    compiled: bool = False,
) -> None:
    """Train the UNet of size `name`; save its checkpoints as `out`/NAME-middle and so on.

    With `compiled`, operations are fused by torch.compile, which takes a C++ compiler.
    """
    import torch
    from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
    from torch.nn import functional as F  # noqa: N812
    from transformers import AutoTokenizer, CLIPTextModel

    torch.manual_seed(seed)
    size = MODELS[name]
    unet = make_unet(size.channels)
    # Plain attention: the fused one's backward pass is several times slower on a CPU at this size.
    unet.set_attn_processor(AttnProcessor())
    called = torch.compile(unet) if compiled else unet
    tokenizer = AutoTokenizer.from_pretrained(clip)
    tower = CLIPTextModel.from_pretrained(clip).eval()
    tokens = tokenizer(list(data.captions), padding="max_length", return_tensors="np").input_ids
    empty = tokenizer("", padding="max_length", return_tensors="np").input_ids[0]
    drawn = np.load(latents, mmap_mode="r")
    scheduler = make_scheduler()

    def loss(rng: np.random.Generator) -> torch.Tensor:
        chosen = rng.integers(len(drawn), size=_BATCH)
        said = tokens[chosen]
        said[rng.random(_BATCH) < _NO_CAPTION] = empty
        clean = torch.from_numpy(drawn[chosen].astype(np.float32))
        noise = torch.randn_like(clean)
        times = torch.from_numpy(_times(rng))
        noisy = scheduler.add_noise(clean, noise, times)
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                states = tower(torch.from_numpy(said)).last_hidden_state
            noisy = noisy.contiguous(memory_format=torch.channels_last)
            made = called(noisy, times, states).sample
        return F.mse_loss(made.float(), scheduler.get_velocity(clean, noise, times))

    def keep(word: str) -> Any:
        def save(averaged: Any) -> None:
            averaged.set_attn_processor(AttnProcessor2_0())
            averaged.save_pretrained(out / f"{name}-{word}" / "unet")

        return save

    kept = {step: keep(word) for word, step in size.kept.items()}
    stage = Stage(name, unet, loss, size.steps, rate=2.5e-3, average=0.998, milestones=kept)
    train(stage, folder, seed)


def _times(rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Draw steps of the noise schedule, most of them from its middle, where shapes are decided.

    The logistic of a normal number, as in Esser et al. 2024 (arXiv 2403.03206, section 3.1).
    """
    shares = 1 / (1 + np.exp(-rng.normal(-0.3, 1.0, _BATCH)))
    return (1000 * shares).astype(np.int64)


def make_unet(channels: tuple[int, int]) -> Any:
    """Return a UNet of two resolutions with cross-attention at both, and nothing between them."""
    import torch
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8,
        in_channels=8,
        out_channels=8,
        block_out_channels=channels,
        layers_per_block=1,
        mid_block_type=None,
        down_block_types=("CrossAttnDownBlock2D",) * 2,
        up_block_types=("CrossAttnUpBlock2D",) * 2,
        cross_attention_dim=WIDTH,
        norm_num_groups=8,
        attention_head_dim=4,  # the number of heads, by diffusers' old name
    ).to(memory_format=torch.channels_last)
