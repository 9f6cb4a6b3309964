r"""Make tiny text-to-image models with random weights, to try the whole road without a download.

Stable Diffusion, SDXL, PixArt, Stable Diffusion 3 and Flux (flow matching), aMUSEd (masked
tokens), a GAN, and a CLIP to score with: the real classes and folder layouts of diffusers and
transformers, a few megabytes in all, the same files for the same seed. What they draw means
nothing.

Writes a population of them beside them, so that this works next:

    flasheval run population=FOLDER/population.yaml prompts=PROMPTS \
        'scorers=[{name: clip, checkpoint: FOLDER/clip}]' out=runs/tiny
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

__all__ = ["MODELS", "make_tiny_models"]

_POPULATION = """\
# Tiny models with random weights: every kind of generator, in seconds on a CPU.
base_models:
  sd: {{checkpoint: {folder}/sd}}
  sdxl: {{checkpoint: {folder}/sdxl}}
  pixart: {{checkpoint: {folder}/pixart, options: {{use_resolution_binning: false}}}}
  sd3: {{checkpoint: {folder}/sd3}}
  flux: {{checkpoint: {folder}/flux, width: 32, height: 32}}
  amused: {{checkpoint: {folder}/amused}}
grid:
  - {{base_model: [sd, sdxl], scheduler: [DDIM, DPM], steps: [2, 4], guidance: 5.0}}
  - {{base_model: [pixart, sd3, flux, amused], steps: [2, 4], guidance: 5.0}}
  - {{base_model: sd, scheduler: DDIM, steps: 4, guidance: 5.0, quantise: fake-int4}}
variants:
  - name: gan
    generator: gan
    function: {folder}/gan/gan.py:load
    latent: [32]
    weights: {folder}/gan/gan.safetensors
"""


def _makers() -> dict[str, Callable[[Path, int], Path]]:
    from tiny_models.amused import make_amused
    from tiny_models.clip import make_clip
    from tiny_models.flux import make_flux
    from tiny_models.gan import make_gan
    from tiny_models.pixart import make_pixart
    from tiny_models.sd import make_sd
    from tiny_models.sd3 import make_sd3
    from tiny_models.sdxl import make_sdxl

    return {
        "sd": make_sd,
        "sdxl": make_sdxl,
        "pixart": make_pixart,
        "sd3": make_sd3,
        "flux": make_flux,
        "amused": make_amused,
        "gan": make_gan,
        "clip": make_clip,
    }


MODELS = ("sd", "sdxl", "pixart", "sd3", "flux", "amused", "gan", "clip")


def make_tiny_models(
    folder: Path, seed: int = 0, only: Sequence[str] | None = None
) -> dict[str, Path]:
    """Make the models in a folder; return where each is (the GAN: the file of its code)."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for one in (diffusers_logging, transformers_logging):  # bars and notes help nobody here
        one.set_verbosity_error()
        one.disable_progress_bar()
    folder.mkdir(parents=True, exist_ok=True)
    makers = _makers()
    made = {name: makers[name](folder / name, seed) for name in only or MODELS}
    if only is None:
        text = _POPULATION.format(folder=folder.resolve().as_posix())
        (folder / "population.yaml").write_text(text, "utf-8")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where to write the models")
    parser.add_argument("--seed", type=int, default=0, help="decides the weights (default 0)")
    parser.add_argument("--only", nargs="+", choices=MODELS, help="make these models only")
    arguments = parser.parse_args(argv)
    for name, path in make_tiny_models(arguments.folder, arguments.seed, arguments.only).items():
        print(f"{name}: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
