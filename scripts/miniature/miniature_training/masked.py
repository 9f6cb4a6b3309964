"""The masked-token model: a transformer that fills in the VQ model's tokens, as aMUSEd does.

Training hides a share of a picture's tokens and asks for them (Chang et al. 2023, arXiv 2301.00704,
section 2.4): the cosine of a uniform number, so that mostly hidden pictures come most often.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .clip import WIDTH
from .data import Data
from .loop import Stage, train
from .tokens import CODES, GRID

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

__all__ = ["make_transformer", "train_masked"]

_BATCH = 64
_NO_CAPTION = 0.1  # share of captions left out, for guidance
_WIDTH = 80
_CONDITIONS = (32, 32, 0, 0, 6)  # what aMUSEd's pipeline says: width, height, crop, aesthetic score
_CONDITION_WIDTH = 8


def make_transformer() -> Any:
    """Return the transformer, untrained: tokens and a caption to logits [n, 1024, 8, 8]."""
    from diffusers import UVit2DModel

    return UVit2DModel(
        hidden_size=_WIDTH,
        cond_embed_dim=WIDTH,
        micro_cond_encode_dim=_CONDITION_WIDTH,
        micro_cond_embed_dim=_CONDITION_WIDTH * len(_CONDITIONS),
        encoder_hidden_size=WIDTH,
        vocab_size=CODES + 1,
        codebook_size=CODES,
        in_channels=_WIDTH,
        block_out_channels=_WIDTH,
        num_res_blocks=1,
        block_num_heads=4,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=2 * _WIDTH,
        sample_size=GRID,
    )


def train_masked(
    data: Data,
    tokens: Path,
    clip: Path,
    folder: Path,
    out: Path,
    seed: int,
    steps: int,
    kept: Mapping[str, int],
) -> None:
    """Train it; save it as `out`/masked-NAME at the steps of `kept`."""
    import torch
    from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
    from torch.nn import functional as F  # noqa: N812
    from transformers import AutoTokenizer, CLIPTextModelWithProjection

    torch.manual_seed(seed)
    transformer = make_transformer()
    # Plain attention: the fused one's backward pass is several times slower on a CPU at this size.
    transformer.set_attn_processor(AttnProcessor())
    tokenizer = AutoTokenizer.from_pretrained(clip)
    tower = CLIPTextModelWithProjection.from_pretrained(clip, dtype=torch.float32).eval()
    words = tokenizer(list(data.captions), padding="max_length", return_tensors="np").input_ids
    empty = tokenizer("", padding="max_length", return_tensors="np").input_ids[0]
    drawn = np.load(tokens, mmap_mode="r")
    conditions = torch.tensor(_CONDITIONS, dtype=torch.float32).expand(_BATCH, -1)

    def loss(rng: np.random.Generator) -> torch.Tensor:
        chosen = rng.integers(len(drawn), size=_BATCH)
        said = words[chosen]
        said[rng.random(_BATCH) < _NO_CAPTION] = empty
        right = torch.from_numpy(drawn[chosen].astype(np.int64))
        hidden = torch.from_numpy(_hidden(rng))
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                found = tower(torch.from_numpy(said), output_hidden_states=True)
            logits = transformer(
                right.masked_fill(hidden, CODES),
                found.hidden_states[-2],
                found.text_embeds,
                conditions,
            )
        asked = logits.float().permute(0, 2, 3, 1)[hidden]
        return F.cross_entropy(asked, right[hidden])

    def keep(word: str) -> Callable[[Any], None]:
        def save(averaged: Any) -> None:
            averaged.set_attn_processor(AttnProcessor2_0())
            averaged.save_pretrained(out / f"masked-{word}" / "transformer")
            averaged.set_attn_processor(AttnProcessor())

        return save

    milestones = {step: keep(word) for word, step in kept.items()}
    stage = Stage("masked", transformer, loss, steps, 2e-3, average=0.998, milestones=milestones)
    train(stage, folder, seed)


def _hidden(rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Draw which tokens are hidden, bool [n, 8, 8]: at least one of each picture."""
    cells = GRID * GRID
    count = np.ceil(cells * np.cos(rng.random(_BATCH) * np.pi / 2)).clip(1)
    order = rng.random((_BATCH, cells)).argsort(axis=1).argsort(axis=1)
    return (order < count[:, None]).reshape(_BATCH, GRID, GRID)
