"""Train the miniature: an autoencoder, a CLIP, two judges and diffusion models of two sizes.

Seeded and resumable: kill it at any moment and type the same command again. Stages that do not
wait for each other run side by side, each on one thread of a CPU.

    python scripts/miniature/train_miniature.py --out training --models flasheval/miniature/models
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_library] = "1"
os.environ.setdefault("HF_HUB_OFFLINE", "1")
_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(_ROOT), str(_ROOT / "tests")]

CHUNKS = 20  # of 4,096 training pictures
# What each stage waits for, the longest way first.
STAGES: dict[str, tuple[str, ...]] = {
    "data": (),
    "vae": ("data",),
    "clip": ("data",),
    "latents": ("vae",),
    "large": ("latents", "clip"),
    "base": ("latents", "clip"),
    "small": ("latents", "clip"),
    "detector": ("data",),
    "quality": ("data",),
    "export": ("large", "base", "small", "detector", "quality"),
}
STEPS = {"vae": 2500, "clip": 2000, "detector": 2400, "quality": 3000}


def main() -> None:
    """Run all stages, or one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of data, states and models")
    parser.add_argument("--models", type=Path, help="where the models for use go; OUT/models")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="stages at a time")
    parser.add_argument("--compile", action="store_true", help="faster, with a C++ compiler")
    parser.add_argument("--stage", choices=STAGES, help="do this one only, in this process")
    options = parser.parse_args()

    from miniature_training import stages

    if options.stage:
        stages.do_one(options.stage, options.out, lambda: _do(options.stage, options))
    else:
        stages.do_all(STAGES, options.workers)


def _do(name: str, options: argparse.Namespace) -> None:
    from miniature_training import clip, data, detector, diffusion, export, quality, vae

    out, seed = options.out, options.seed
    states, latents = out / "states", out / "latents.npy"
    if name == "data":
        data.make_data(out / "data", CHUNKS, seed)
        return
    if name == "export":
        models = options.models or out / "models"
        print(f"{export.export(out, models) / 1e6:.2f} MB in {models}")
        return
    drawn, steps = data.load_data(out / "data", CHUNKS), STEPS.get(name, 0)
    if name == "vae":
        vae.train_vae(drawn, states, seed, steps).save_pretrained(out / name)
    elif name == "clip":
        clip.save_clip(*clip.train_clip(drawn, states, seed, steps), out / name)
    elif name == "detector":
        detector.save_detector(detector.train_detector(drawn, states, seed, steps), out / name)
    elif name == "quality":
        quality.save_quality(quality.train_quality(drawn, states, seed, steps), out / name)
    elif name == "latents":
        diffusion.encode(vae.load_vae(out / "vae"), drawn, latents)
    else:
        folders = latents, out / "clip", states, out / "unets"
        diffusion.train_unet(name, drawn, *folders, seed, compiled=options.compile)


if __name__ == "__main__":
    main()
