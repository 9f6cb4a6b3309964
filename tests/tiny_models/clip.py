"""A tiny CLIP: the real architecture, tokenizer and image processor, with random weights."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import CLIPTokenizer

__all__ = ["make_clip", "make_clip_tokenizer", "word_tokenizer"]

START, END = "<|startoftext|>", "<|endoftext|>"
MAX_LENGTH = 77
_SIDE, _PATCH, _WIDTH, _EMBEDDING = 32, 8, 32, 24
# Each becomes one token; the letters of any other word are tokens of their own.
_WORDS = (
    *("a", "an", "the", "of", "on", "in", "and", "with", "photo", "picture", "painting"),
    *("cat", "dog", "bird", "horse", "man", "woman", "person", "people", "train", "bus", "car"),
    *("red", "green", "blue", "yellow", "black", "white", "circle", "square", "triangle"),
    *("table", "street", "tree", "water", "house", "small", "large", "sitting", "standing"),
)


def word_tokenizer(words: Iterable[str], max_length: int) -> CLIPTokenizer:
    """Return a CLIP tokenizer in which each of ``words`` is one token, at most so many to a text.

    Other words fall into letters.
    """
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    merges: dict[tuple[str, str], None] = {}
    for word in words:
        *first, last = word
        done = first[0] if first else ""
        for part in [*first[1:], f"{last}</w>"] if first else []:
            merges[done, part] = None
            done += part
    tokens += dict.fromkeys("".join(pair) for pair in merges)
    tokens += [START, END]
    return CLIPTokenizer(
        vocab={token: number for number, token in enumerate(tokens)},
        merges=list(merges),
        model_max_length=max_length,
    )


def make_clip_tokenizer(folder: Path) -> None:
    """Save a CLIP tokenizer of a few hundred tokens, at most 77 to a text, in ``folder``."""
    word_tokenizer(_WORDS, MAX_LENGTH).save_pretrained(folder)


def make_clip(folder: Path, seed: int = 0) -> Path:
    """Save a CLIPModel with its tokenizer and image processor in ``folder``; return it.

    Two layers of width 32 in either tower, images of 32 x 32, embeddings of 24: the same seed
    gives the same files. Its embeddings mean nothing, but vary with what they are of.
    """
    import torch
    from transformers import AutoTokenizer, CLIPConfig, CLIPImageProcessorPil, CLIPModel

    make_clip_tokenizer(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tower = {
        "hidden_size": _WIDTH,
        "intermediate_size": 2 * _WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "projection_dim": _EMBEDDING,
    }
    text = {
        "vocab_size": len(tokenizer),
        "max_position_embeddings": MAX_LENGTH,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    config = CLIPConfig(
        text_config=tower | text,
        vision_config=tower | {"image_size": _SIDE, "patch_size": _PATCH},
        projection_dim=_EMBEDDING,
    )
    with torch.random.fork_rng(devices=[]):  # transformers draws weights too, from the global state
        model = CLIPModel(config)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            _draw(name, weight, generator)
    model.save_pretrained(folder)
    CLIPImageProcessorPil(
        size={"shortest_edge": _SIDE}, crop_size={"height": _SIDE, "width": _SIDE}
    ).save_pretrained(folder)
    return folder


def _draw(name: str, weight: torch.Tensor, generator: torch.Generator) -> None:
    """Draw a parameter: layers pass on what they are given, and content outweighs place."""
    if weight.ndim == 0:  # the logit scale, at CLIP's own start
        return
    if "position_embedding" in name:
        spread = 0.3
    elif "token_embedding" in name or "class_embedding" in name:
        spread = 1.0
    elif weight.ndim == 1:
        spread = 0.1
    else:
        spread = (4.0 if "patch_embedding" in name else 1.0) * weight[0].numel() ** -0.5
    weight.normal_(0.0, spread, generator=generator)
    if "norm" in name and name.endswith("weight"):
        weight += 1.0
