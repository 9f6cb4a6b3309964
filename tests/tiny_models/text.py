"""The text encoders and tokenizers that several families share."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tiny_models.clip import make_clip_tokenizer
from tiny_models.weights import made_from

__all__ = ["WIDTH", "clip_text", "clip_tokenizer", "t5_text", "t5_tokenizer"]

WIDTH = 32
_LAYERS = 2
_HEADS = 2


def clip_tokenizer() -> Any:
    """Return a CLIP tokenizer of a few hundred tokens."""
    from transformers import CLIPTokenizer

    with TemporaryDirectory() as folder:
        make_clip_tokenizer(Path(folder))
        return CLIPTokenizer.from_pretrained(folder)


def clip_text(seed: int, tokenizer: Any, *, projection: bool = False) -> Any:
    """Return a CLIP text model of two layers, with its projection where asked for."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=_LAYERS,
        num_attention_heads=_HEADS,
        max_position_embeddings=tokenizer.model_max_length,
        projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    kind = CLIPTextModelWithProjection if projection else CLIPTextModel
    return made_from(seed, lambda: kind(config))


def t5_tokenizer() -> Any:
    """Return a T5 tokenizer whose tokens are single characters."""
    from transformers import T5Tokenizer

    letters = [chr(code) for code in range(33, 127)]
    pieces = ["<pad>", "</s>", "<unk>", "\N{LOWER ONE EIGHTH BLOCK}", *letters]
    vocabulary = [(piece, 0.0 if place < 3 else -1.0) for place, piece in enumerate(pieces)]
    return T5Tokenizer(vocab=vocabulary, extra_ids=0, model_max_length=128)


def t5_text(seed: int, tokenizer: Any, width: int = WIDTH) -> Any:
    """Return a T5 encoder of two layers."""
    from transformers import T5Config, T5EncoderModel

    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=width,
        d_kv=width // _HEADS,
        d_ff=2 * width,
        num_layers=_LAYERS,
        num_heads=_HEADS,
        feed_forward_proj="gated-gelu",
    )
    return made_from(seed, lambda: T5EncoderModel(config))
