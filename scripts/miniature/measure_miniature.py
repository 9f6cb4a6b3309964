"""Measure the miniature's judges on freshly drawn pictures: what its scores are worth.

The autoencoder's loss, the CLIP's retrieval and its sense of near misses, the detector's accuracy
by level, and how well quality tells damage, two kinds of it never seen in training.

    python scripts/miniature/measure_miniature.py
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_library] = "1"
_ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(_ROOT), str(_ROOT / "tests")]

_GROUP = 100  # captions that one is to be told from

_HEAD = """\
# The miniature's judges

`python scripts/miniature/measure_miniature.py`, about two minutes. Pictures are drawn with seed
{seed}, which no training and no choice of settings has seen: {count:,} for the first table, 100 a
level for the second, 1,024 for the third.

## Autoencoder and CLIP
"""
_DETECTOR = """
## Detector

By level of prompts. *right*: every check that the caption makes comes out above 1/2. *false
alarms*: the same for a caption that is wrong in one thing. *not told*: such a caption scores no
less than the true one. Then the mean score and that of each kind of check; 1 would be without
error.
"""
_QUALITY = """
## Quality

Spearman's correlation of score and the damage that was done, and how often (area under the ROC
curve) a clean picture scores above one spoiled a little. Two ways of spoiling were kept out of
training.
"""


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=2026, help="of the fresh pictures")
    parser.add_argument("--count", type=int, default=2000, help="how many")
    options = parser.parse_args()

    from miniature_training import detector, quality

    from flasheval.base.models.weights import locate
    from flasheval.miniature.detector import load_detector
    from flasheval.miniature.quality import load_quality

    print(_HEAD.format(seed=options.seed, count=options.count))
    print(measure_towers(options.seed, options.count))
    print(_DETECTOR)
    detector.measure(load_detector(locate("miniature:detector")), options.seed)
    print(_QUALITY)
    network = load_quality(locate("miniature:quality"))
    print(quality.markdown(quality.measure(network, options.seed)))


def measure_towers(seed: int, count: int) -> str:
    """Return what the autoencoder loses, and how well CLIPScore tells captions apart."""
    import torch
    from diffusers import AutoencoderKL
    from miniature_training.data import draw_chunk
    from miniature_training.loop import as_images
    from miniature_training.negatives import near_miss
    from PIL import Image

    from flasheval.base.models.weights import locate
    from flasheval.miniature.world import parse_caption
    from flasheval.scorers.registry import make_scorer

    rng = np.random.default_rng(seed)
    data = draw_chunk(rng, count)
    vae = AutoencoderKL.from_pretrained(locate("miniature:vae").path, torch_dtype=torch.float32)
    with torch.inference_mode():
        pixels = as_images(data.images)
        made = torch.cat([vae(part).sample for part in pixels.split(100)]).clamp(-1, 1)
    clip = make_scorer({"name": "clip", "checkpoint": "miniature:clip"}).load("cpu")
    images = [Image.fromarray(picture) for picture in data.images]
    again = [
        Image.fromarray(picture)
        for picture in ((made.permute(0, 2, 3, 1) + 1) * 127.5).round().to(torch.uint8).numpy()
    ]
    missed = [near_miss(parse_caption(caption), rng).caption for caption in data.captions]
    right, wrong = clip.score(images, data.captions), clip.score(images, missed)
    rows = [
        ("autoencoder: mean absolute error, of 255", float((made - pixels).abs().mean() * 127.5)),
        ("CLIPScore of pictures with their captions", right.mean()),
        ("the same after the autoencoder", clip.score(again, data.captions).mean()),
        ("of pictures with captions that are wrong in one thing", wrong.mean()),
        ("of pictures with captions of others", clip.score(images, data.captions[::-1]).mean()),
        ("share that score higher with theirs than with the near miss", (right > wrong).mean()),
        (f"share told from {_GROUP - 1} other captions", _retrieved(clip, images, data.captions)),
    ]
    lines = ["| what | value |", "| --- | --- |"]
    return "\n".join(lines + [f"| {what} | {value:.3f} |" for what, value in rows])


def _retrieved(clip: Any, images: Sequence[Any], captions: Sequence[str]) -> float:
    """Return how often a picture's own words score highest in a group of 100."""
    hits = []
    for start in range(0, min(1000, len(images)), _GROUP):
        some, said = images[start : start + _GROUP], captions[start : start + _GROUP]
        scores = np.stack([clip.score(some, [caption] * len(some)) for caption in said], axis=1)
        best = [said[column] for column in scores.argmax(axis=1)]
        hits += [one == own for one, own in zip(best, said, strict=True)]
    return float(np.mean(hits))


if __name__ == "__main__":
    main()
