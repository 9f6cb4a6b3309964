"""A tiny GAN: one pass from noise and a text to an image of 32 x 32."""

from __future__ import annotations

from pathlib import Path

from tiny_models.weights import made_from

__all__ = ["make_gan"]

_CODE = '''\
"""A generator of one pass: `load(device, weights)` gives G(z, prompts) -> images in [-1, 1]."""

import zlib

import torch
from safetensors.torch import load_file

WIDTH, WORDS = 32, 256


class G(torch.nn.Module):
    """Adds the embeddings of the words to the noise, and grows an image from the sum."""

    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(WORDS, WIDTH)
        self.first = torch.nn.Linear(WIDTH, WIDTH * 16)
        self.middle = torch.nn.ConvTranspose2d(WIDTH, 16, 4, 4)
        self.last = torch.nn.ConvTranspose2d(16, 3, 2, 2)

    def forward(self, z, prompts):
        rows = [self._text(prompt) for prompt in prompts]
        x = self.first(z + torch.stack(rows)).reshape(-1, WIDTH, 4, 4)
        return torch.tanh(self.last(torch.relu(self.middle(x))))

    def _text(self, prompt):
        ids = [zlib.crc32(word.encode()) % WORDS for word in prompt.split()] or [0]
        return self.words(torch.tensor(ids, device=self.words.weight.device)).mean(0)


def load(device, weights):
    model = G()
    model.load_state_dict(load_file(weights))
    return model.to(device)
'''


def make_gan(folder: Path, seed: int = 0) -> Path:
    """Save the generator's code and weights in ``folder``; return the file of its code."""
    from runpy import run_path

    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    code = folder / "gan.py"
    code.write_text(_CODE, "utf-8")
    model = made_from(seed, run_path(str(code))["G"])
    save_file(model.state_dict(), folder / "gan.safetensors")
    return code
