"""Parts that several tiny pipelines share, beside those of `tests/tiny_models`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tiny_models.text import WIDTH
from tiny_models.weights import made_from

__all__ = ["autoencoder_of_8", "byte_tokenizer", "causal_lm", "part", "unet", "vq_model"]

_CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] if message['content'] is string else message['content'][0]['text'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SPECIAL = ("<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>")


def part(kind: Callable[..., Any], seed: int = 0, **config: Any) -> Any:
    """Return a module of a class of diffusers with random weights."""
    return made_from(seed, lambda: kind(**config))


def autoencoder_of_8(seed: int, channels: int = 4) -> Any:
    """Return an AutoencoderKL of eight pixels a latent, which some pipelines take for granted."""
    from diffusers import AutoencoderKL

    return part(
        AutoencoderKL,
        seed,
        block_out_channels=(16, 16, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=channels,
        norm_num_groups=4,
        sample_size=32,
        shift_factor=0.0,
    )


def byte_tokenizer(longest: int = 512) -> Any:
    """Return a tokenizer whose tokens are bytes, with a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: place for place, token in enumerate([*_SPECIAL, *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", vocabulary["<s>"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **dict(zip(("pad_token", "bos_token", "eos_token"), _SPECIAL[:3], strict=True)),
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        model_max_length=longest,
        chat_template=_CHAT,
    )


def causal_lm(kind: Any, config: Any, seed: int = 0, **more: Any) -> Any:
    """Return a small decoder of transformers, such as Gemma 2 or Qwen 3."""
    settings = {
        "vocab_size": 320,
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": WIDTH // 2,
        "max_position_embeddings": 1024,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        **more,
    }
    return made_from(seed, lambda: kind(config(**settings)))


def unet(seed: int = 0, **more: Any) -> Any:
    """Return the UNet of a latent diffusion model."""
    from diffusers import UNet2DConditionModel

    settings = {
        "sample_size": 8,
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": WIDTH,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
        **more,
    }
    return part(UNet2DConditionModel, seed, **settings)


def vq_model(seed: int = 0) -> Any:
    """Return the MoVQ autoencoder of Kandinsky."""
    from diffusers import VQModel

    return part(
        VQModel,
        seed,
        block_out_channels=(32, 64),
        down_block_types=("DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
        up_block_types=("AttnUpDecoderBlock2D", "UpDecoderBlock2D"),
        latent_channels=4,
        num_vq_embeddings=12,
        norm_num_groups=32,
        norm_type="spatial",
        vq_embed_dim=4,
        layers_per_block=1,
    )
