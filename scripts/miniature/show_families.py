"""Draw the miniature's families side by side, and a GAN's way from one prompt to another.

Images are kept in a run folder, so that the same command draws again what is there.

    python scripts/miniature/show_families.py --run runs/show \
        --sheet docs/images/families.png --way docs/images/interpolation.png
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_library] = "1"
sys.path[:0] = [str(Path(__file__).resolve().parents[2])]

VARIANTS = {
    "miniature": (
        "large-final/DPM10/guidance2.0/fp32",
        "base-final/DPM5/guidance2.0/fp32",
        "small-final/DPM5/guidance2.0/fp32",
        "small-middle/DDIM3/guidance2.0/fp32",
    ),
    "miniature-families": (
        "masked-final/steps12",
        "masked-final/steps4",
        "masked-middle/steps8",
        "gan-final",
        "gan-final/truncation0.4",
        "gan-middle",
    ),
}
PROMPTS = 8
_MADE = 100  # prompts, in batches of 50: the first of a model is warm-up, and is not timed
WAYS = (
    ("a large red circle", "a large blue square"),
    ("a green heart", "a green heart on a beige background"),
    ("a purple circle", "three purple circles"),
    ("a white moon", "a large yellow diamond"),
)
_STEPS, _SIZE, _GAP = 9, 64, 4


def main() -> None:
    """Draw both pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument("--sheet", type=Path, required=True, help="PNG file")
    parser.add_argument("--way", type=Path, required=True, help="PNG file")
    options = parser.parse_args()
    draw_families(options.run, options.sheet)
    draw_way(options.way)


def draw_families(run: Path, path: Path) -> None:
    """Make the first prompts' images by ten variants, and draw them with scores and seconds."""
    import flasheval
    from flasheval.generators.populations.sources import read_population
    from flasheval.miniature.prompts import miniature_prompts
    from flasheval.report.contact_sheet import save_contact_sheet

    entries = [
        entry
        for name, chosen in VARIANTS.items()
        for entry in read_population(name).entries
        if entry["name"] in chosen
    ]
    flasheval.run(
        {"name": "families", "variants": entries},
        miniature_prompts(),
        ["miniature-detector"],
        out=run,
        limit=_MADE,
        batch=50,
        chunk=_MADE,
        keep_images=True,
        device="cpu",
    )
    save_contact_sheet(run, path, variants=len(entries), prompts=PROMPTS)


def draw_way(path: Path) -> None:
    """Draw a row of pictures for each pair of prompts."""
    import torch

    from flasheval.miniature.gan import NOISE, load

    gan: Any = load("cpu")
    noise = torch.randn(1, *NOISE, generator=torch.Generator().manual_seed(3))
    shares = [k / (_STEPS - 1) for k in range(_STEPS)]
    with torch.inference_mode():
        rows = [gan.between(noise, *way, shares) for way in WAYS]
    _sheet(rows).save(path, optimize=True)


def _sheet(rows: Any) -> Any:
    from PIL import Image

    step = _SIZE + _GAP
    whole = Image.new("RGB", (_STEPS * step - _GAP, len(rows) * step - _GAP), "white")
    for row, pictures in enumerate(rows):
        levels = ((pictures.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        for column, picture in enumerate(levels):
            large = Image.fromarray(picture).resize((_SIZE, _SIZE), Image.Resampling.NEAREST)
            whole.paste(large, (column * step, row * step))
    return whole


if __name__ == "__main__":
    main()
