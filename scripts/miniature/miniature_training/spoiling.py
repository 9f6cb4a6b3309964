"""Ways to spoil clean pictures, as weak image models do, and how much damage that did.

Each way takes a batch and an amount in (0, 1] a picture and gives what the picture turns into;
`spoil` applies several one after the other, each everywhere, in one region, or to the things only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

__all__ = ["LEFT_OUT", "TRAINED", "Spoiled", "damage", "spoil"]

_CLEAN = 0.2  # the share of pictures that stay as they are
_SCALE, _CELL_SCALE = 0.16, 0.25  # errors that count as a damage of 1 - 1/e


@dataclass(frozen=True)
class Spoiled:
    """Spoiled pictures.

    Attributes:
        images: float32 [n, 3, 32, 32] from -1 to 1, at 8-bit levels.
        damage: float32 [n], in [0, 1); see `damage`.
        cells: float32 [n, 8, 8]: the same of every 4 x 4 pixels.

    """

    images: Tensor
    damage: Tensor
    cells: Tensor


def spoil(
    images: Tensor,
    rng: np.random.Generator,
    ways: Sequence[str] | None = None,
    most: float = 1.0,
    clean: float = _CLEAN,
) -> Spoiled:
    """Spoil each picture in none to three of `ways` by amounts at random, up to `most`.

    Args:
        images: Clean pictures, float32 [n, 3, 32, 32] from -1 to 1.
        rng: All that is drawn comes from it.
        ways: Keys of `TRAINED` and `LEFT_OUT`; None is the former.
        most: The greatest amount.
        clean: The share that stays clean.

    """
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    ways = tuple(TRAINED) if ways is None else tuple(ways)
    amounts = torch.from_numpy(_amounts(rng, len(images), len(ways), most, clean))
    batch = _Batch(images, images.roll(1, 0), generator)
    made = images
    for way, amount in zip(ways, amounts.T, strict=True):
        (hit,) = torch.nonzero(amount, as_tuple=True)
        if len(hit):
            part = batch.part(hit)
            turned = (TRAINED | LEFT_OUT)[way](made[hit], amount[hit][:, None, None, None], part)
            where = 1.0 if way in _IN_PLACE else part.where()
            made = made.index_copy(0, hit, torch.lerp(made[hit], turned, torch.as_tensor(where)))
    made = ((made.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
    others = {"others": ("ghosted", "patched"), "ground": ("faded", "erased")}
    references = [(images, torch.ones(len(images), dtype=torch.bool))]
    for name, kinds in others.items():
        used = [amounts[:, k] > 0 for k, way in enumerate(ways) if way in kinds]
        if used:
            references.append((getattr(batch, name).expand_as(images), torch.stack(used).any(0)))
    return Spoiled(made, *damage(made, references))


def damage(made: Tensor, references: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Return how far pictures are from clean ones, of the whole and of each cell.

    With ``d = made - clean`` (levels from -1 to 1), a pixel's error is ``max |d| + (max |dx d| +
    max |dy d|) / 2``, maxima over the channels and dx, dy the steps to the next pixel: what is
    smooth counts less than what is not. Its mean over 5 x 5 pixels is ``e``, taken to the nearest
    of the references there: a clean part of another picture, or of empty ground, is clean, and
    the seams are not. Damage is ``1 - exp(-sqrt(mean(e^2)) / 0.16)`` of a picture, and
    ``1 - exp(-mean(e) / 0.25)`` of a cell: the root mean square lets one molten thing count.

    Args:
        made: [n, 3, 32, 32].
        references: Clean pictures [n, 3, 32, 32], and of which of the n they are one, bool [n].

    Returns:
        Both in [0, 1): [n] and [n, 8, 8].

    """
    errors = []
    for clean, valid in references:
        d = made - clean
        x = F.pad((d[..., 1:] - d[..., :-1]).abs().amax(1), (0, 1))
        y = F.pad((d[..., 1:, :] - d[..., :-1, :]).abs().amax(1), (0, 0, 0, 1))
        error = d.abs().amax(1) + (x + y) / 2
        error = F.avg_pool2d(error[:, None], 5, 1, 2, count_include_pad=False)[:, 0]
        errors.append(error.masked_fill(~valid[:, None, None], torch.inf))
    e = torch.stack(errors).amin(0)
    whole = 1 - torch.exp(-e.square().mean((1, 2)).sqrt() / _SCALE)
    return whole, 1 - torch.exp(-F.avg_pool2d(e[:, None], 4)[:, 0] / _CELL_SCALE)


def _amounts(
    rng: np.random.Generator, count: int, ways: int, most: float, clean: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return how much of each way, [count, ways]: up to three of a picture above 0."""
    many = np.where(rng.random(count) < clean, 0, rng.choice([1, 2, 3], count, p=[0.4, 0.35, 0.25]))
    chosen = rng.permuted(np.tile(np.arange(ways), (count, 1)), axis=1) < many[:, None]
    much = most * rng.uniform(0.1, 1, (count, ways)) ** 1.5  # mostly light
    return np.where(chosen, much, 0).astype(np.float32)


class _Batch:
    """The clean pictures being spoiled, others to mix in, and the generator of what is drawn."""

    def __init__(self, clean: Tensor, others: Tensor, generator: torch.Generator) -> None:
        self.clean, self.others, self.generator = clean, others, generator
        # The pixel of middling brightness: a colour that is there, on grounds of two colours too.
        middle = clean.mean(1).flatten(1).median(dim=1).indices
        self.ground = clean.flatten(2)[torch.arange(len(clean)), :, middle][:, :, None, None]

    def part(self, hit: Tensor) -> _Batch:
        return _Batch(self.clean[hit], self.others[hit], self.generator)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(len(self.clean), *shape, generator=self.generator)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return one number a picture, [n, 1, 1, 1]."""
        drawn = torch.rand(len(self.clean), 1, 1, 1, generator=self.generator)
        return low + (high - low) * drawn

    def field(self, channels: int, grid: int) -> Tensor:
        """Return noise, drawn at `grid` x `grid` points, smooth between: [n, channels, 32, 32]."""
        drawn = self.normal(channels, grid, grid)
        return F.interpolate(drawn, size=32, mode="bilinear", align_corners=True)

    def region(self, hardness: float) -> Tensor:
        """Return blobs, from 0 to 1, with soft or hard borders, [n, 1, 32, 32]."""
        return torch.sigmoid(hardness * (self.field(1, 4) - self.uniform(-0.5, 0.7)))

    def things(self) -> Tensor:
        """Return where a picture is unlike its ground, grown by a pixel, [n, 1, 32, 32]."""
        unlike = (self.clean - self.ground).abs().amax(1, keepdim=True)
        return F.max_pool2d((4 * unlike).clamp(max=1), 3, 1, 1)

    def where(self) -> Tensor:
        """Return everywhere, a region, or the things only: a third of the pictures each."""
        choice = self.uniform()
        mask = torch.where(choice < 1 / 3, self.region(6.0), self.things())
        return torch.where(choice > 2 / 3, torch.ones(()), mask)


def _blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Blur by a Gaussian of its own a picture, pixels beyond the edges left out."""
    steps = torch.arange(32.0)
    apart = (steps[:, None] - steps[None]).square()
    kernel = torch.softmax(-apart / (2 * sigma.clamp(min=0.1).square()), dim=-1)
    return kernel @ images @ kernel.mT


def _blurred(images: Tensor, amount: Tensor, batch: _Batch) -> Tensor:
    return _blur(images, 0.3 + 2.2 * amount)


def _noised(images: Tensor, amount: Tensor, batch: _Batch) -> Tensor:
    """Noise, of single pixels or of some together, in brightness or in colours."""
    noise = _blur(batch.normal(3, 32, 32), batch.uniform(0.1, 1.5))
    noise = torch.lerp(noise, noise.mean(1, keepdim=True), batch.uniform())
    noise = noise / noise.std((1, 2, 3), keepdim=True)
    return images + 0.3 * amount * noise


def _faded(images: Tensor, amount: Tensor, batch: _Batch) -> Tensor:
    return torch.lerp(images, batch.ground, 0.9 * amount)


def _erased(images: Tensor, amount: Tensor, batch: _Batch) -> Tensor:
    """Parts of things gone, or half gone."""
    mask = amount * batch.region(12.0) * batch.things()
    return torch.lerp(images, batch.ground, mask)


def _tinted(images: Tensor, amount: Tensor, batch: _Batch) -> Tensor:
    """Another colour that runs into things."""
    colour = 2 * torch.rand(len(images), 3, 1, 1, generator=batch.generator) - 1
    return torch.lerp(images, colour, amount * batch.region(3.0))


def _bled(images: Tensor, amount: Tensor, batch: _Batch) -> Tensor:
    """Colours blurred over the outlines, which stay."""
    grey = images.mean(1, keepdim=True)
    return grey + _blur(images - grey, 0.5 + 4 * amount)


def _uneven(images: Tensor, amount: Tensor, batch: _Batch) -> Tensor:
    """Clouds of colour or brightness."""
    clouds = torch.where(batch.uniform() < 0.5, batch.field(3, 3), batch.field(3, 7))
    clouds = torch.lerp(clouds, clouds.mean(1, keepdim=True), batch.uniform())
    return images + 0.4 * amount * clouds


def _warped(images: Tensor, amount: Tensor, batch: _Batch) -> Tensor:
    """Outlines moved, by neighbouring points of a grid in ways of their own."""
    coarse = torch.where(batch.uniform() < 0.5, batch.field(2, 7), batch.field(2, 11))
    return _moved(images, 2.5 * amount * coarse, "bilinear")


def _ghosted(images: Tensor, amount: Tensor, batch: _Batch) -> Tensor:
    return torch.lerp(images, batch.others, 0.6 * amount)


def _patched(images: Tensor, amount: Tensor, batch: _Batch) -> Tensor:
    """Parts of another picture, cut out in blocks or blobs."""
    blocks = (F.interpolate(batch.normal(1, 5, 5), size=32) > 0.6).float()
    mask = torch.where(batch.uniform() < 0.5, blocks, batch.region(20.0))
    return torch.lerp(images, batch.others, mask * amount)


def _coded(images: Tensor, amount: Tensor, batch: _Batch) -> Tensor:
    """Blocks of 4 x 4 pixels with coarsely rounded frequencies, as of a strong compression."""
    steps = torch.arange(4.0)
    basis = torch.cos(torch.pi * (steps[None] + 0.5) * steps[:, None] / 4) / 2**0.5
    basis[0] = 0.5
    blocks = images.unflatten(3, (8, 4)).unflatten(2, (8, 4)).transpose(3, 4)
    found = basis @ blocks @ basis.T
    coarse = (0.1 + 1.2 * amount)[..., None, None]
    found = (found / coarse).round() * coarse
    return (basis.T @ found @ basis).transpose(3, 4).flatten(4, 5).flatten(2, 3)


def _scattered(images: Tensor, amount: Tensor, batch: _Batch) -> Tensor:
    """Every pixel taken from somewhere near its place."""
    return _moved(images, 2.0 * amount * batch.normal(2, 32, 32), "nearest")


def _moved(images: Tensor, pixels: Tensor, mode: str) -> Tensor:
    """Return images read off `pixels` [n, 2, 32, 32] away, in x and y."""
    line = (torch.arange(32.0) + 0.5) / 16 - 1
    at = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1)
    at = at + pixels.permute(0, 2, 3, 1) / 16
    return F.grid_sample(images, at, mode=mode, padding_mode="border", align_corners=False)


_Way = Callable[[Tensor, Tensor, _Batch], Tensor]
# In the order they are applied: what is in the picture first, its outlines, its grain last.
TRAINED: dict[str, _Way] = {
    "patched": _patched,
    "ghosted": _ghosted,
    "erased": _erased,
    "faded": _faded,
    "tinted": _tinted,
    "bled": _bled,
    "uneven": _uneven,
    "warped": _warped,
    "blurred": _blurred,
    "noised": _noised,
}
# Never trained on: what the network makes of flaws it has not seen.
LEFT_OUT: dict[str, _Way] = {"coded": _coded, "scattered": _scattered}
_IN_PLACE = ("patched", "erased")  # have a region of their own
