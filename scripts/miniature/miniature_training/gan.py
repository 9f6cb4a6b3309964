"""The GAN: a one-pass generator of latents against a discriminator that knows the caption.

The loss is relativistic, with penalties on slopes at real and at made pictures (Huang et al. 2024,
arXiv 2501.05441), which keeps a GAN of plain networks from collapsing. The slopes are those between
a picture and itself with a little noise (Lin et al. 2025, arXiv 2501.08316, section 3.4). The
discriminator sees latents of two sizes, and real pictures with wrong captions as if they were made.
It also sees two pictures of a caption side by side, so that a caption must not always give the same
one (Lin et al. 2018, arXiv 1712.04086).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from flasheval.miniature.gan import (
    NOISE,
    Attention,
    FeedForward,
    SynthesisNetwork,
    TextLayer,
    evened,
    save_gan,
)
from flasheval.miniature.world import parse_caption

from .clip import WIDTH
from .data import Data
from .loop import Stage, train
from .negatives import near_miss

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GAN_WIDTHS", "Discriminator", "train_gan"]

GAN_WIDTHS = (64, 48)  # channels at 4 x 4 and at 8 x 8, of the generator
_SEEN = (48, 64)  # channels at 8 x 8 and at 4 x 4, of the discriminator
_BATCH = 32  # captions, with two pictures each
_SLOPES = 8  # captions that slopes are taken of
_WRONGS = 16  # captions whose pictures are shown with wrong ones
_PENALTY, _NEAR = 0.5, 0.1  # weight of slopes; the noise they are taken over
_MIXED = 0.5  # share of pictures with two styles
_WRONG = 0.5  # weight of real pictures with wrong captions


class Discriminator(nn.Module):
    """Two pictures' latents, of two sizes, with a caption to judgements: the more, the more real.

    Args:
        fine: Channels at 8 x 8.
        coarse: Channels at 4 x 4.

    """

    def __init__(self, fine: int = _SEEN[0], coarse: int = _SEEN[1]) -> None:
        super().__init__()
        self.words = TextLayer()
        self.full = nn.Conv2d(8, fine, 3, padding=1)
        self.small = nn.Conv2d(8, coarse, 3, padding=1)
        self.first = nn.ModuleList([_Block(fine), _Block(fine)])
        self.down = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)
        self.second = nn.ModuleList([_Block(coarse), _Block(coarse)])
        self.heads = nn.ModuleList([_Head(fine), _Head(coarse)])
        self.pairs = nn.ModuleList([_Head(2 * fine), _Head(2 * coarse)])

    def forward(
        self, full: Tensor, small: Tensor, states: Tensor, pooled: Tensor, said: Tensor
    ) -> Tensor:
        """Return judgements [n, 8].

        Of each picture: at 8 x 8, at 4 x 4, and of its small latents alone; of both together: at
        8 x 8 and at 4 x 4.

        Args:
            full: Latents of n pairs, [n, 2, 8, 8, 8].
            small: Small ones, [n, 2, 8, 4, 4].
            states: Of the words of n captions, [n, words, 128].
            pooled: Their summaries, [n, 128].
            said: Which words are of the caption, bool [n, words].

        """
        words = self.words(states, said)
        words, pooled, said = (
            part.repeat_interleave(2, 0) for part in (words, evened(pooled), said)
        )
        x = self.full(full.flatten(0, 1))
        for block in self.first:
            x = block(x, words, said)
        judged = [self.heads[0](x, pooled), self.pairs[0](_paired(x), pooled[::2])]
        x = torch.cat([self.down(F.leaky_relu(x, 0.2)), self.small(small.flatten(0, 1))])
        twice = words.repeat(2, 1, 1), said.repeat(2, 1)
        for block in self.second:
            x = block(x, *twice)
        judged += self.heads[1](x, pooled.repeat(2, 1)).chunk(2)
        judged.append(self.pairs[1](_paired(x.chunk(2)[0]), pooled[::2]))
        return torch.cat([one.reshape(len(full), -1) for one in judged], 1)


def _paired(x: Tensor) -> Tensor:
    """Return the maps of two pictures in a row as those of one with twice the channels."""
    return x.unflatten(0, (-1, 2)).flatten(1, 2)


class _Block(nn.Module):
    """Two convolutions, attention to the picture and to the words, a layer on each cell."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(width, width, 3, padding=1)
        self.two = nn.Conv2d(width, width, 3, padding=1)
        self.itself = Attention(width, width)
        self.words = Attention(width, WIDTH)
        self.feed = FeedForward(width)

    def forward(self, x: Tensor, words: Tensor, said: Tensor) -> Tensor:
        y = self.one(F.leaky_relu(x, 0.2))
        x = x + self.two(F.leaky_relu(y, 0.2))
        rows = x.flatten(2).transpose(1, 2)
        rows = self.feed(self.words(self.itself(rows, rows, None), words, said))
        return rows.transpose(1, 2).unflatten(2, x.shape[2:])


class _Head(nn.Module):
    """What is seen, by itself and with the caption, to one judgement a picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.seen = nn.Conv2d(width, WIDTH, 1)
        self.alone = nn.Linear(WIDTH, 1)
        self.said = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor, pooled: Tensor) -> Tensor:
        seen = F.leaky_relu(self.seen(x), 0.2).mean((2, 3))
        together = (seen * self.said(pooled)).sum(1) / WIDTH**0.5
        return self.alone(seen)[:, 0] + together


class Both(nn.Module):
    """The two networks, as the one model that a stage trains."""

    def __init__(self) -> None:
        super().__init__()
        self.made = SynthesisNetwork(*GAN_WIDTHS)
        self.judge = Discriminator()


def train_gan(
    data: Data,
    latents: tuple[Path, Path],
    clip: Path,
    folder: Path,
    out: Path,
    seed: int,
    steps: int,
    kept: Mapping[str, int],
) -> nn.Module:
    """Train both networks side by side; save the generator as `out`/gan-NAME at `kept`'s steps.

    `latents` are the files of the pictures' and of other pictures of the same captions.
    """
    from transformers import AutoTokenizer, CLIPTextModelWithProjection

    torch.manual_seed(seed)
    both = Both()
    tokenizer = AutoTokenizer.from_pretrained(clip)
    tower = CLIPTextModelWithProjection.from_pretrained(clip, dtype=torch.float32).eval()
    drawn = [np.load(path, mmap_mode="r") for path in latents]

    def loss(rng: np.random.Generator) -> Tensor:
        chosen = rng.integers(len(data.captions), size=_BATCH)
        captions = [data.captions[k] for k in chosen]
        missed = [near_miss(parse_caption(caption), rng).caption for caption in captions[-_WRONGS:]]
        said = _read(tower, tokenizer, captions + missed)
        real = np.stack([part[chosen] for part in drawn], axis=1).astype(np.float32)
        noise = torch.randn(2 * _BATCH, *NOISE)
        one_style = (torch.rand(2 * _BATCH, 1) > _MIXED).float()
        noise[:, 1] = torch.lerp(noise[:, 1], noise[:, 0], one_style)
        return losses(both, torch.from_numpy(real), noise, said)

    def keep(word: str) -> Callable[[Any], None]:
        return lambda averaged: save_gan(averaged.made, out / f"gan-{word}")

    milestones = {step: keep(word) for word, step in kept.items()}
    stage = Stage(
        "gan", both, loss, steps, rate=8e-4, average=0.998, milestones=milestones, betas=(0.0, 0.99)
    )
    return train(stage, folder, seed)


def losses(both: Both, real: Tensor, noise: Tensor, said: list[Tensor]) -> Tensor:
    """Return the sum of both networks' losses; each one's gradient is of its own alone.

    Args:
        both: The networks.
        real: Latents of two pictures of each of n captions, [n, 2, 8, 8, 8].
        noise: Of the generator, [n x 2, 2, 64].
        said: States, summaries and masks of the captions, and of wrong ones for the last of them.

    """
    count = len(real)
    right = [part[:count] for part in said]
    wrong = [part[count:] for part in said]
    some, last = slice(_SLOPES), slice(count - len(wrong[0]), count)
    with torch.autocast("cpu", torch.bfloat16):
        of_two = [part.repeat_interleave(2, 0) for part in right]
        made = [part.float().unflatten(0, (-1, 2)) for part in both.made(noise, *of_two)]
        both.judge.requires_grad_(False)
        of_made = both.judge(*made, *right).float()
        both.judge.requires_grad_(True)
        shown = [part.detach() for part in made]
        shaken = [part[some] + _NEAR * torch.randn_like(part[some]) for part in (real, *shown)]
        # One call for all that is judged: real, made, both a little shaken, wrongly named.
        full = torch.cat([real, shown[0], shaken[0], shaken[1], real[last]])
        less = [_small(real), shown[1], _small(shaken[0]), shaken[2], _small(real[last])]
        captions = [
            torch.cat([part, part, part[some], part[some], other])
            for part, other in zip(right, wrong, strict=True)
        ]
        judged = both.judge(full, torch.cat(less), *captions).float()
    is_real, is_made, shaken_real, shaken_made, misnamed = judged.split(
        [count, count, _SLOPES, _SLOPES, len(wrong[0])]
    )
    slopes = (is_real[some] - shaken_real).square() + (is_made[some] - shaken_made).square()
    judge = F.softplus(is_made - is_real).mean() + _PENALTY * slopes.mean() / _NEAR**2
    maker = F.softplus(is_real.detach() - of_made).mean()
    return judge + _WRONG * F.softplus(misnamed - is_real[last]).mean() + maker


def _small(latents: Tensor) -> Tensor:
    return F.avg_pool2d(latents.flatten(0, 1), 2).unflatten(0, (-1, 2))


def _read(tower: Any, tokenizer: Any, captions: list[str]) -> list[Tensor]:
    """Return states, summary and mask of captions."""
    words = tokenizer(captions, padding="longest", return_tensors="pt")
    with torch.no_grad():
        found = tower(**words)
    return [found.last_hidden_state, found.text_embeds, words.attention_mask.bool()]
