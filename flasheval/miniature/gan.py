"""The miniature's GAN: one pass from noise and a caption to a picture's latents.

What let GANs follow a text at scale (Kang et al. 2023, arXiv 2303.05511), at this size: filters
mixed by the text from a bank, attention to the caption's words, and outputs at two scales.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from flasheval.base.errors import SettingError
from flasheval.base.models.loading import load_model, load_part, put, quiet
from flasheval.base.models.weights import locate
from flasheval.miniature.networks import load_state, read_widths, save_network

__all__ = ["NOISE", "Gan", "SynthesisNetwork", "evened", "load", "save_gan"]

NOISE = (2, 64)
"""The shape of one image's noise: what styles the layers of 4 x 4, and those of 8 x 8."""

_TEXT = 128  # width of the text tower
_STYLE = 128
_BANK = 2  # filters to mix
_PLANES = 8  # maps of 4 x 4 by which a style says where things are
_HEADS = 4
_LATENTS = 8  # channels of the autoencoder's latents
_KIND = "miniature-gan"
_MEAN_OF = 64  # noises that the mean style of a caption is taken over


class SynthesisNetwork(nn.Module):
    """Noise and a caption's states to latents.

    Args:
        wide: Channels at 4 x 4.
        narrow: Channels at 8 x 8.

    """

    def __init__(self, wide: int, narrow: int) -> None:
        super().__init__()
        self.words = TextLayer()
        self.mapping = nn.Sequential(
            nn.Linear(NOISE[1] + _TEXT, _STYLE),
            nn.LeakyReLU(0.2),
            nn.Linear(_STYLE, _STYLE),
            nn.LeakyReLU(0.2),
            nn.Linear(_STYLE, _STYLE),
        )
        self.start = nn.Parameter(torch.randn(wide, 4, 4))
        self.layout = nn.Linear(_STYLE, _PLANES * 16)
        self.lift = nn.Conv2d(_PLANES, wide, 1)
        self.coarse = nn.ModuleList([StyledBlock(wide, wide), StyledBlock(wide, wide)])
        self.fine = nn.ModuleList([StyledBlock(wide, narrow), StyledBlock(narrow, narrow)])
        self.small = nn.Conv2d(wide, _LATENTS, 1)
        self.full = nn.Conv2d(narrow, _LATENTS, 1)

    def style(self, noise: Tensor, text: Tensor) -> Tensor:
        """Return styles [n, 128] of noise [n, 64] and pooled texts [n, 128]."""
        style: Tensor = self.mapping(torch.cat([evened(noise), evened(text)], 1))
        return style

    def synthesise(
        self, coarse: Tensor, fine: Tensor, words: Tensor, said: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return latents at 8 x 8 and at 4 x 4 of two styles a picture, words and their mask."""
        x = self.start + self.lift(self.layout(coarse).unflatten(1, (_PLANES, 4, 4)))
        for block in self.coarse:
            x = block(x, coarse, words, said)
        small = self.small(x)
        x = F.interpolate(x, scale_factor=2.0, mode="bilinear")
        for block in self.fine:
            x = block(x, fine, words, said)
        return self.full(x) + F.interpolate(small, scale_factor=2.0, mode="bilinear"), small

    def forward(
        self, noise: Tensor, states: Tensor, pooled: Tensor, said: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return latents [n, 8, 8, 8] and small ones [n, 8, 4, 4].

        Args:
            noise: [n, 2, 64], standard normal.
            states: The text tower's states of each word, [n, words, 128].
            pooled: Its summary of the caption, [n, 128].
            said: Which words are of the caption, bool [n, words].

        """
        coarse, fine = self.style(noise[:, 0], pooled), self.style(noise[:, 1], pooled)
        return self.synthesise(coarse, fine, self.words(states, said), said)


def evened(rows: Tensor) -> Tensor:
    """Return rows [n, width] scaled to a mean square of 1."""
    return rows * (rows.square().mean(1, keepdim=True) + 1e-6).rsqrt()


class TextLayer(nn.Module):
    """One layer of attention over the words of a caption, trained with the network it serves."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = Attention(_TEXT, _TEXT)
        self.feed = FeedForward(_TEXT)

    def forward(self, states: Tensor, said: Tensor) -> Tensor:
        states = F.layer_norm(states, states.shape[-1:])
        read: Tensor = self.feed(self.attention(states, states, said))
        return read


class StyledBlock(nn.Module):
    """Two styled convolutions, attention to the picture itself and to the words, a layer on each.

    Args:
        inside: Channels that come in.
        outside: Channels that go out.

    """

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.first = MixedConvolution(inside, outside)
        self.second = MixedConvolution(outside, outside)
        self.itself = Attention(outside, outside)
        self.words = Attention(outside, _TEXT)
        self.feed = FeedForward(outside)

    def forward(self, x: Tensor, style: Tensor, words: Tensor, said: Tensor) -> Tensor:
        y = self.second(self.first(x, style), style)
        x = y + x if x.shape == y.shape else y
        rows = x.flatten(2).transpose(1, 2)
        rows = self.feed(self.words(self.itself(rows, rows, None), words, said))
        made: Tensor = rows.transpose(1, 2).unflatten(2, x.shape[2:])
        return made


class MixedConvolution(nn.Module):
    """A convolution of 3 x 3 whose filters are mixed from a bank, then scaled, by the style.

    A mean of filters is the mean of what they make, so each picture's own filter is never built:
    the bank is one convolution of the input, repeated and scaled by the mix.
    """

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.bank = nn.Parameter(torch.randn(_BANK, outside, inside, 3, 3))
        self.mix = nn.Linear(_STYLE, _BANK)
        self.scale = nn.Linear(_STYLE, inside)
        self.shift = nn.Parameter(torch.zeros(outside))
        nn.init.ones_(self.scale.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        mix, scale = self.mix(style).softmax(1), self.scale(style)
        both = torch.einsum("nb,ni->nbi", mix, scale)
        # The length of each picture's mixed and scaled filters, to divide by.
        flat = self.bank.flatten(3)
        products = torch.einsum("boik,coik->bcoi", flat, flat)
        length = torch.einsum("nbi,nci,bcoi->no", both, both, products)
        x = (x[:, None] * both[..., None, None]).flatten(1, 2)
        x = F.conv2d(x, self.bank.transpose(0, 1).flatten(1, 2), padding=1)
        x = x * (length + 1e-6).rsqrt()[..., None, None] + self.shift[:, None, None]
        return F.leaky_relu(x, 0.2) * 2**0.5


class Attention(nn.Module):
    """Attention of rows to others, added to them; nothing at first."""

    def __init__(self, width: int, other: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width, bias=False)
        self.pair = nn.Linear(other, 2 * width, bias=False)
        self.out = nn.Linear(width, width)
        nn.init.normal_(self.out.weight, std=0.02)

    def forward(self, x: Tensor, other: Tensor, said: Tensor | None) -> Tensor:
        """Return [n, rows, width]; `said`, bool [n, others], leaves others out."""
        own = F.layer_norm(x, x.shape[-1:])
        query = self.query(own).unflatten(2, (_HEADS, -1)).transpose(1, 2)
        key, value = (
            part.unflatten(2, (_HEADS, -1)).transpose(1, 2)
            for part in self.pair(own if other is x else other).chunk(2, 2)
        )
        weight = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
        if said is not None:
            weight = weight.masked_fill(~said[:, None, None], -1e4)
        found = (weight.softmax(-1) @ value).transpose(1, 2).flatten(2)
        added: Tensor = x + self.out(found)
        return added


class FeedForward(nn.Module):
    """Two layers on each row, added to it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(width, 2 * width)
        self.outer = nn.Linear(2 * width, width)
        nn.init.normal_(self.outer.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        inner = F.gelu(self.inner(F.layer_norm(x, x.shape[-1:])))
        added: Tensor = x + self.outer(inner)
        return added


@dataclass(frozen=True)
class Gan:
    """A loaded network with what it reads captions and draws pictures with.

    Attributes:
        network: The synthesis network.
        tower: A CLIP's text tower.
        tokenizer: Its tokenizer.
        vae: The autoencoder whose latents the network makes.
        truncation: How far a style keeps from the mean of its caption's: 1 is as it is, 0 is the
            mean. Less is more typical, and less varied.
        mixing: Whether the layers of 8 x 8 take their style from a noise of their own.

    """

    network: SynthesisNetwork
    tower: Any
    tokenizer: Any
    vae: Any
    truncation: float = 1.0
    mixing: bool = False

    def __call__(self, noise: Tensor, prompts: Sequence[str]) -> Tensor:
        """Return pictures [n, 3, 32, 32], black at -1, of noise [n, 2, 64] and n prompts."""
        states, pooled, said = self.read(prompts)
        coarse, fine = self.styles(noise, pooled)
        return self.draw(coarse, fine, states, said)

    def read(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the states of each word [n, 40, 128], the summary [n, 128], and which are said."""
        words = self.tokenizer(
            list(prompts), padding="max_length", truncation=True, return_tensors="pt"
        ).to(next(self.network.parameters()).device)
        found = self.tower(**words)
        return found.last_hidden_state, found.text_embeds, words.attention_mask.bool()

    def styles(self, noise: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Return the styles of the coarse and of the fine layers, [n, 128] each."""
        style = self.network.style
        coarse = self._truncated(style(noise[:, 0], pooled), pooled)
        if not self.mixing:
            return coarse, coarse
        return coarse, self._truncated(style(noise[:, 1], pooled), pooled)

    def draw(self, coarse: Tensor, fine: Tensor, states: Tensor, said: Tensor) -> Tensor:
        """Return the pictures of styles and of what `read` gave."""
        network = self.network
        return self._picture(*network.synthesise(coarse, fine, network.words(states, said), said))

    def between(self, noise: Tensor, first: str, second: str, shares: Sequence[float]) -> Tensor:
        """Return pictures on the way from one prompt to another, [shares, 3, 32, 32].

        Styles and words' states are mixed, the noise stays.

        Args:
            noise: Of one picture, [1, 2, 64].
            first: The prompt at share 0.
            second: The prompt at share 1.
            shares: How far each picture is on the way.

        """
        states, pooled, said = self.read([first, second])
        ends = self.styles(noise.repeat(2, 1, 1), pooled)
        words = self.network.words(states, said)
        share = torch.tensor(list(shares), dtype=words.dtype, device=words.device)[:, None]
        coarse, fine, mixed = (
            torch.lerp(part[:1].flatten(1), part[1:].flatten(1), share).reshape(-1, *part.shape[1:])
            for part in (*ends, words)
        )
        # A word counts as far as its caption does: it is left out where its share is nothing.
        either = (said[:1] & (share < 1)) | (said[1:] & (share > 0))
        return self._picture(*self.network.synthesise(coarse, fine, mixed, either))

    def _picture(self, latents: Tensor, _small: Tensor) -> Tensor:
        picture: Tensor = self.vae.decode(latents / self.vae.config.scaling_factor).sample
        return picture

    def _truncated(self, style: Tensor, pooled: Tensor) -> Tensor:
        if self.truncation == 1:
            return style
        noise = torch.randn(
            _MEAN_OF, NOISE[1], generator=torch.Generator().manual_seed(0), dtype=torch.float32
        ).to(style)
        every = self.network.style(
            noise.repeat(len(pooled), 1), pooled.repeat_interleave(_MEAN_OF, 0)
        )
        mean = every.reshape(len(pooled), _MEAN_OF, -1).mean(1)
        return torch.lerp(mean, style, self.truncation)


def save_gan(network: SynthesisNetwork, folder: Path) -> None:
    """Save a synthesis network in `folder`: config.json and model.safetensors, fp16."""
    save_network(network, (network.start.shape[0], network.full.in_channels), folder)


def load(
    device: str,
    weights: str = "miniature:gan-final",
    *,
    truncation: float = 1.0,
    mixing: bool = False,
) -> Callable[[Tensor, Sequence[str]], Tensor]:
    """Load what `save_gan` saved, in float32, as the `function` of a `GanSettings`.

    Args:
        device: Where it runs.
        weights: A folder of `save_gan`, or `miniature:gan-final` and so on.
        truncation: See `Gan`.
        mixing: See `Gan`.

    Raises:
        DataError: A file is missing, damaged or of another network.
        SettingError: `truncation` is no number from 0 to 2.

    >>> network = load("cpu")
    >>> with torch.inference_mode():
    ...     network(torch.zeros(3, *NOISE), ["a red star"] * 3).shape
    torch.Size([3, 3, 32, 32])

    """
    from diffusers import AutoencoderKL
    from transformers import AutoTokenizer, CLIPTextModelWithProjection

    if not 0 <= truncation <= 2:
        raise SettingError(f"truncation={truncation}: expected a number from 0 to 2; 1 is none")
    where, clip, vae = locate(weights), locate("miniature:clip"), locate("miniature:vae")
    wide, narrow = read_widths(where, 2, _HEADS, _KIND)
    network = SynthesisNetwork(wide, narrow)
    load_state(network, where, _KIND)
    with quiet():
        tokenizer = load_part(clip, "tokenizer", AutoTokenizer.from_pretrained, of="a CLIP")
        tower = load_model(clip, CLIPTextModelWithProjection, "fp32", of="a CLIP")
        decoder = load_part(vae, "decoder", AutoencoderKL.from_pretrained, of="a VAE")
    return Gan(
        put(network, where, device),
        put(tower, clip, device),
        tokenizer,
        put(decoder.float(), vae, device),
        truncation,
        mixing,
    )
