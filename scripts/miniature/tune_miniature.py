"""Quality-tune a model of the miniature, too long: an ordinary loop of accelerate and diffusers.

A few hundred pictures, small batches, noise with an offset: as Emu was tuned (Dai et al. 2023,
arXiv 2309.15807, section 3.3), where stopping early mattered. The loss keeps falling; the score of
the images does not keep rising. The pictures are clean (drawn, so without any fault), or the best
of 20,000 by rule and judge, which do not show all that prompts ask for: quality rises, fidelity
falls. Checkpoints are kept as `OUT/checkpoint-STEP/unet`, the monitor's state in `OUT/monitor`.
Seeded; the same command starts again, with what the monitor has seen.

    python scripts/miniature/tune_miniature.py --out tuning --subset subset.json
    python scripts/miniature/tune_miniature.py --out best --pictures best --model large-final \
        --batch 16 --rate 1e-4
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_library] = "1"
os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

CALL = {"num_inference_steps": 10, "guidance_scale": 2.0}
_PICTURES = 40  # of each of ten levels
_POOL, _BEST = 20_000, 300
_AVERAGE, _OFFSET = 0.99, 0.1


def main() -> None:
    """Train, keep checkpoints, and let the monitor look at each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--model", default="base-middle", help="model of the miniature to tune")
    parser.add_argument(
        "--pictures", choices=PICTURES, default="clean", help="400 clean ones, or the best 300"
    )
    parser.add_argument("--batch", type=int, default=16, help="pictures a step")
    parser.add_argument("--rate", type=float, default=5e-4, help="learning rate")
    parser.add_argument("--subset", type=Path, help="manifest, for the monitor; none without")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--at", type=int, nargs="+", help="steps of checkpoints, for --every")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--metric", help="metric that decides; the first without")
    parser.add_argument("--fidelity", help="second metric, which must not be lost")
    parser.add_argument("--most-lost", type=float, help="the most that may be lost of it")
    parser.add_argument("--stop", action="store_true", help="end when the monitor says so")
    options = parser.parse_args()
    tune(options)


def tune(options: argparse.Namespace) -> None:
    """Run the loop; the monitor is three lines of it."""
    import torch
    from accelerate import Accelerator
    from accelerate.utils import set_seed
    from diffusers import DDIMScheduler
    from torch.nn import functional as F  # noqa: N812

    from flasheval import CheckpointMonitor, Subset, load_prompts
    from flasheval.miniature import SCORERS
    from flasheval.miniature.pipeline import load_pipeline

    torch.set_num_threads(1)
    accelerator = Accelerator(cpu=True, mixed_precision="bf16")
    set_seed(options.seed)
    pipe = load_pipeline(options.model)
    latents, states = encode(pipe, *PICTURES[options.pictures](options.seed))
    schedule = DDIMScheduler.from_config(pipe.scheduler.config)
    unet = copy.deepcopy(pipe.unet).train()  # the pipeline's own holds the running average
    optimizer = torch.optim.AdamW(unet.parameters(), lr=options.rate)
    unet, optimizer = accelerator.prepare(unet, optimizer)
    monitor = None
    if options.subset:
        subset = Subset.load(options.subset).with_texts(load_prompts("miniature"))
        monitor = CheckpointMonitor(
            subset,
            SCORERS,
            folder=options.out / "monitor",
            metric=options.metric,
            fidelity=options.fidelity,
            most_lost=options.most_lost,
            call=CALL,
            batch=25,
        )
    losses: list[float] = []
    kept = set(options.at or range(0, options.steps + 1, options.every))
    for step in range(max(kept) + 1):
        if step in kept:
            save(pipe.unet, options.out / f"checkpoint-{step}", losses)
            if monitor is not None:
                print(monitor.step(pipe, step), flush=True)
                if monitor.should_stop and options.stop:
                    break
        rows = torch.randint(len(latents), (options.batch,))
        clean, noise = latents[rows], torch.randn_like(latents[rows])
        noise = noise + _OFFSET * torch.randn(options.batch, clean.shape[1], 1, 1)
        times = torch.randint(len(schedule.alphas_cumprod), (options.batch,))
        noisy = schedule.add_noise(clean, noise, times)
        with accelerator.autocast():
            made = unet(noisy, times, states[rows]).sample
        loss = F.mse_loss(made.float(), schedule.get_velocity(clean, noise, times))
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(unet.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        follow(pipe.unet, accelerator.unwrap_model(unet))
        losses.append(float(loss.detach()))


def clean_pictures(seed: int) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Return 400 pictures, uint8 [n, 32, 32, 3], and their captions."""
    from flasheval.miniature.drawing import draw
    from flasheval.miniature.layout import lay_out
    from flasheval.miniature.prompts import LEVELS, draw_scene

    rng = np.random.default_rng([seed, 1])
    scenes = [draw_scene(level, rng) for level in LEVELS for _ in range(_PICTURES)]
    drawn = [np.asarray(draw(lay_out(scene, rng))) for scene in scenes]
    return np.stack(drawn), [scene.caption for scene in scenes]


def best_pictures(seed: int) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Return the best 300 pictures of 20,000, uint8 [n, 32, 32, 3], and their captions."""
    from miniature_training.best_pictures import best_pictures

    return best_pictures(_POOL, _BEST, np.random.default_rng([seed, 2]))


PICTURES = {"clean": clean_pictures, "best": best_pictures}


def encode(pipe: Any, pictures: np.ndarray[Any, Any], captions: list[str]) -> tuple[Any, Any]:
    """Return latents, float32 [n, 8, 8, 8], and what the text tower makes of the captions."""
    import torch

    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    words = pipe.tokenizer(captions, padding="max_length", return_tensors="pt").input_ids
    with torch.no_grad():
        latents = pipe.vae.encode(pixels).latent_dist.mean * pipe.vae.config.scaling_factor
        return latents, pipe.text_encoder(words).last_hidden_state


def follow(averaged: Any, model: Any) -> None:
    """Move the running average of the weights towards the model's."""
    import torch

    with torch.no_grad():
        torch._foreach_lerp_(list(averaged.parameters()), list(model.parameters()), 1 - _AVERAGE)


def save(unet: Any, folder: Path, losses: list[float]) -> None:
    """Save a checkpoint, and the mean loss since the one before."""
    unet.save_pretrained(folder / "unet")
    mean = float(np.mean(losses)) if losses else None
    (folder / "loss.json").write_text(json.dumps({"loss": mean}) + "\n", encoding="utf-8")
    losses.clear()


if __name__ == "__main__":
    main()
