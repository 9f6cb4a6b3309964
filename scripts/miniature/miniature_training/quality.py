"""The judge of quality: how clean a picture is, learnt from pictures spoiled on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from flasheval.miniature.quality import QualityNetwork, save_quality

from .data import Data, draw_chunk
from .loop import Stage, as_images, train
from .spoiling import LEFT_OUT, TRAINED, spoil

if TYPE_CHECKING:
    import torch

__all__ = ["markdown", "measure", "save_quality", "settle", "train_quality"]

_BATCH = 128
_SETTLING = 32  # batches
_LIGHT = 0.25  # the greatest amount of what counts as lightly spoiled
_SEEN = 0.02  # and the least damage: a warp of an empty ground does none


def train_quality(data: Data, folder: Path, seed: int, steps: int) -> QualityNetwork:
    """Train it to tell the damage of spoiled pictures, and of each of their cells.

    Damage is a number in [0, 1), learnt as a probability is: by cross-entropy.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

    torch.manual_seed(seed)
    network = QualityNetwork().to(memory_format=torch.channels_last)

    def loss(rng: np.random.Generator) -> torch.Tensor:
        clean = as_images(data.images[rng.integers(len(data.images), size=_BATCH)])
        spoiled = spoil(clean, rng)
        with torch.autocast("cpu", torch.bfloat16):
            images = spoiled.images.contiguous(memory_format=torch.channels_last)
            whole, cells = network.damage(images)
        return cross_entropy(whole.float(), spoiled.damage) + cross_entropy(
            cells.float(), spoiled.cells
        )

    stage = Stage("quality", network, loss, steps, rate=4e-3, average=0.998)
    trained = cast(QualityNetwork, train(stage, folder, seed))
    settle(trained, data, np.random.default_rng([seed, steps]))
    return trained


def settle(network: QualityNetwork, data: Data, rng: np.random.Generator) -> None:
    """Take the statistics of batch norms anew: those of averaged weights are none yet."""
    import torch

    norms = [layer for layer in network.layers if isinstance(layer, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
    network.train()
    with torch.inference_mode():
        for _ in range(_SETTLING):
            clean = as_images(data.images[rng.integers(len(data.images), size=_BATCH)])
            network.layers(spoil(clean, rng).images)
    network.eval()


def measure(network: QualityNetwork, seed: int, count: int = 1024) -> dict[str, dict[str, float]]:
    """Return how well scores tell damage on fresh pictures, by way of spoiling.

    Returns:
        By way, those left out of training too: ``correlation``, Spearman's of score and 1 -
        damage, and ``light``, the share of pairs of a clean and a lightly spoiled picture that
        the scores order rightly (the area under the ROC curve).

    """
    import torch
    from scipy.stats import mannwhitneyu, spearmanr

    rng = np.random.default_rng(seed)
    clean = as_images(draw_chunk(rng, count).images)
    ways = {"all that are trained on": tuple(TRAINED), "all left out": tuple(LEFT_OUT)}
    ways |= {way: (way,) for way in (*TRAINED, *LEFT_OUT)}
    with torch.inference_mode():
        best = network(clean).numpy()
        found = {}
        for name, chosen in ways.items():
            spoiled = spoil(clean, rng, chosen)
            light = spoil(clean, rng, chosen, most=_LIGHT, clean=0.0)
            worse = network(light.images[light.damage > _SEEN]).numpy()
            found[name] = {
                "correlation": float(
                    spearmanr(network(spoiled.images).numpy(), 1 - spoiled.damage).statistic
                ),
                "light": float(mannwhitneyu(best, worse).statistic / (len(best) * len(worse))),
            }
    return found


def markdown(measured: dict[str, dict[str, float]]) -> str:
    """Return what `measure` found as a table."""
    lines = ["| spoiled | rank correlation | clean above lightly spoiled |", "| --- | --- | --- |"]
    lines += [
        f"| {name}{' (left out)' * (name in LEFT_OUT)} | {row['correlation']:.3f} "
        f"| {row['light']:.3f} |"
        for name, row in measured.items()
    ]
    return "\n".join(lines)
