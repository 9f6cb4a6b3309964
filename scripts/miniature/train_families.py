"""Train the miniature's other families: a masked-token model, and a GAN of one pass.

They stand on the autoencoder and the CLIP that come with the package, and are added to the models
there. Seeded and resumable: kill it at any moment and type the same command again, another day too.

    python scripts/miniature/train_families.py --out families
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
STAGES: dict[str, tuple[str, ...]] = {
    "data": (),
    "latents": ("data",),
    "twins": ("data",),
    "gan": ("latents", "twins"),
    "vq": ("data",),
    "tokens": ("vq",),
    "masked": ("tokens",),
    "export": ("gan", "masked"),
}
STEPS = {"vq": 800, "masked": 5000, "gan": 4500}
# The steps at which a checkpoint is kept.
KEPT = {
    "masked": {"middle": 1500, "final": 5000},
    "gan": {"middle": 1500, "final": 4500},
}


def main() -> None:
    """Run all stages, or one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of data, states and models")
    parser.add_argument(
        "--models",
        type=Path,
        default=_ROOT / "flasheval" / "miniature" / "models",
        help="where the autoencoder and the CLIP are, and where the new models go",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="stages at a time")
    parser.add_argument("--stage", choices=STAGES, help="do this one only, in this process")
    options = parser.parse_args()

    from miniature_training import stages

    if options.stage:
        stages.do_one(options.stage, options.out, lambda: do_stage(options.stage, options))
    else:
        stages.do_all(STAGES, options.workers)


def do_stage(name: str, options: argparse.Namespace) -> None:
    """Do one stage."""
    from miniature_training import data, diffusion, export, gan, masked, tokens, vae

    out, seed = options.out, options.seed
    clip, states, steps = options.models / "clip", out / "states", STEPS.get(name, 0)
    if name == "data":
        data.make_data(out / "data", CHUNKS, seed)
        return
    if name == "export":
        print(f"{export.export_families(out, options.models) / 1e6:.2f} MB in {options.models}")
        return
    drawn = data.load_data(out / "data", CHUNKS)
    if name == "latents":
        diffusion.encode(vae.load_vae(options.models / "vae"), drawn, out / "latents.npy")
    elif name == "twins":
        autoencoder = vae.load_vae(options.models / "vae")
        diffusion.encode(autoencoder, data.draw_again(drawn, seed), out / "twins.npy")
    elif name == "vq":
        autoencoder = vae.load_vae(options.models / "vae")
        tokens.train_vq(autoencoder, drawn, states, seed, steps).save_pretrained(out / "vq")
    elif name == "tokens":
        tokens.read_tokens(tokens.load_vq(out / "vq"), drawn, out / "tokens.npy")
    elif name == "masked":
        made = out / "tokens.npy"
        masked.train_masked(drawn, made, clip, states, out, seed, steps, KEPT[name])
    else:
        made = out / "latents.npy", out / "twins.npy"
        gan.train_gan(drawn, made, clip, states, out, seed, steps, KEPT[name])


if __name__ == "__main__":
    main()
