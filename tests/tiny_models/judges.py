"""Tiny vision-language models: the real classes and file layouts, with random weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tiny_models.weights import made_from

__all__ = ["JUDGES", "make_judge"]

_WIDTH, _LAYERS, _HEADS = 32, 2, 2
# Each becomes one token, as do these with a blank before; other words fall into letters.
_WORDS = ("yes", "Yes", "YES", "no", "No", "NO", "Does", "this", "image", "show", "the", "score")
_TEXT = {
    "hidden_size": _WIDTH,
    "intermediate_size": 2 * _WIDTH,
    "num_hidden_layers": _LAYERS,
    "num_attention_heads": _HEADS,
    "num_key_value_heads": 1,
    "head_dim": _WIDTH // _HEADS,
    "max_position_embeddings": 2048,
}
_CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}IMAGE{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SMOL = (
    "<|im_start|>{% for m in messages %}{{ m['role'] | capitalize }}: {% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}<image>{% else %}{{ c['text'] }}{% endif %}{% endfor %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)


def _tokenizer(
    special: tuple[str, ...], *, eos: str = "<eos>", named: dict[str, str] | None = None
) -> Any:
    """Return a byte-level tokenizer of letters, some words, and special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    blank = "Ġ"
    tokens = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges: dict[tuple[str, str], None] = {}
    for word in _WORDS:
        for end in range(1, len(word)):
            merges[word[:end], word[end]] = None
    merges |= {(blank, word): None for word in _WORDS}
    tokens += [token for token in dict.fromkeys(map("".join, merges)) if token not in tokens]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, model_max_length=2048, extra_special_tokens=named or {}
    )
    names = {"bos_token": "<bos>", "eos_token": eos, "pad_token": "<pad>"}
    if special:
        fast.add_special_tokens({"extra_special_tokens": list(special)})
    fast.add_special_tokens(names)
    return fast


def _text(tokenizer: Any, kind: str | None = None) -> dict[str, Any]:
    """Return the settings of a language model of two layers."""
    more = {} if kind is None else {"model_type": kind}
    ids = {
        f"{one}_token_id": getattr(tokenizer, f"{one}_token_id") for one in ("bos", "eos", "pad")
    }
    return {**_TEXT, **more, **ids, "vocab_size": len(tokenizer)}


def _qwen(kind: str) -> Callable[[], tuple[Any, Any, Any, dict[str, Any]]]:
    def make() -> tuple[Any, Any, Any, dict[str, Any]]:
        import transformers
        from transformers import Qwen2VLImageProcessorPil

        new = kind == "qwen3_vl"
        tokenizer = _tokenizer(
            (
                "<|im_start|>",
                "<|vision_start|>",
                "<|vision_end|>",
                "<|image_pad|>",
                "<|video_pad|>",
            ),
            eos="<|im_end|>",
        )
        ids = tokenizer.convert_tokens_to_ids
        vision = {
            "depth": 2,
            "num_heads": _HEADS,
            "patch_size": 8,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "out_hidden_size": _WIDTH,
            "hidden_size": _WIDTH,
            "intermediate_size": 2 * _WIDTH,
        }
        vision |= (
            {"num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1]}
            if new
            else {"window_size": 32, "fullatt_block_indexes": [1]}
        )
        rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}
        named = "Qwen3VL" if new else "Qwen2_5_VL"
        config = getattr(transformers, f"{named}Config")(
            text_config={**_text(tokenizer), "rope_parameters": rope},
            vision_config=vision,
            image_token_id=ids("<|image_pad|>"),
            video_token_id=ids("<|video_pad|>"),
            vision_start_token_id=ids("<|vision_start|>"),
            vision_end_token_id=ids("<|vision_end|>"),
        )
        image = "<|vision_start|><|image_pad|><|vision_end|>"
        tokenizer.chat_template = _CHATML.replace("IMAGE", image)
        processor = Qwen2VLImageProcessorPil(
            patch_size=8, min_pixels=16 * 16, max_pixels=64 * 64, temporal_patch_size=2
        )
        model = getattr(transformers, f"{named}ForConditionalGeneration")
        return config, model, (tokenizer, processor), {"processor_class": f"{named}Processor"}

    return make


def _smolvlm() -> tuple[Any, Any, Any, dict[str, Any]]:
    from transformers import (
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessorPil,
    )

    tiles = tuple(f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2))
    tokenizer = _tokenizer(
        ("<|im_start|>", "<image>", "<fake_token_around_image>", "<global-img>", *tiles),
        eos="<end_of_utterance>",
    )
    config = SmolVLMConfig(
        text_config=_text(tokenizer, "llama"),
        vision_config={
            **{"hidden_size": _WIDTH, "intermediate_size": 2 * _WIDTH, "num_hidden_layers": 2},
            **{"num_attention_heads": _HEADS, "image_size": 32, "patch_size": 8},
        },
        scale_factor=2,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
    )
    processor = SmolVLMImageProcessorPil(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 32}
    )
    tokenizer.chat_template = _SMOL
    more = {"image_seq_len": 4, "processor_class": "SmolVLMProcessor"}
    return config, SmolVLMForConditionalGeneration, (tokenizer, processor), more


def _paligemma() -> tuple[Any, Any, Any, dict[str, Any]]:
    from transformers import (
        PaliGemmaConfig,
        PaliGemmaForConditionalGeneration,
        SiglipImageProcessorPil,
    )

    tokenizer = _tokenizer(("<image>",))
    # The processor gives the tokenizer 1,152 tokens for places and segments, as published.
    vocabulary = len(tokenizer) + 1024 + 128
    config = PaliGemmaConfig(
        text_config={**_text(tokenizer, "gemma"), "vocab_size": vocabulary},
        vision_config={
            **{"hidden_size": _WIDTH, "intermediate_size": 2 * _WIDTH, "num_hidden_layers": 2},
            **{"num_attention_heads": _HEADS, "image_size": 32, "patch_size": 8},
            **{"projection_dim": _WIDTH, "model_type": "siglip_vision_model"},
        },
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        projection_dim=_WIDTH,
        hidden_size=_WIDTH,
    )
    processor = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    processor.image_seq_length = 16
    more = {"processor_class": "PaliGemmaProcessor"}
    return config, PaliGemmaForConditionalGeneration, (tokenizer, processor), more


def _internvl() -> tuple[Any, Any, Any, dict[str, Any]]:
    from transformers import (
        GotOcr2ImageProcessorPil,
        InternVLConfig,
        InternVLForConditionalGeneration,
    )

    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = _tokenizer((), eos="<|im_end|>", named=named)
    config = InternVLConfig(
        text_config=_text(tokenizer, "qwen2"),
        vision_config={
            **{"hidden_size": _WIDTH, "intermediate_size": 2 * _WIDTH, "num_hidden_layers": 2},
            **{"num_attention_heads": _HEADS, "image_size": [32, 32], "patch_size": [8, 8]},
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    tokenizer.chat_template = _CHATML.replace("IMAGE", "<IMG_CONTEXT>")
    processor = GotOcr2ImageProcessorPil(
        size={"height": 32, "width": 32}, crop_to_patches=True, max_patches=4
    )
    more = {"image_seq_length": 4, "processor_class": "InternVLProcessor"}
    return config, InternVLForConditionalGeneration, (tokenizer, processor), more


def _llava() -> tuple[Any, Any, Any, dict[str, Any]]:
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        LlavaOnevisionImageProcessorPil,
    )

    tokenizer = _tokenizer(("<|im_start|>", "<image>", "<video>"), eos="<|im_end|>")
    places = [[32, 32], [32, 64], [64, 32], [64, 64]]
    config = LlavaOnevisionConfig(
        text_config=_text(tokenizer, "qwen2"),
        vision_config={
            **{"hidden_size": _WIDTH, "intermediate_size": 2 * _WIDTH, "num_hidden_layers": 2},
            **{"num_attention_heads": _HEADS, "image_size": 32, "patch_size": 8},
            **{"model_type": "siglip_vision_model", "vision_use_head": False},
        },
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=places,
    )
    tokenizer.chat_template = _CHATML.replace("IMAGE", "<image>\n")
    processor = LlavaOnevisionImageProcessorPil(
        size={"height": 32, "width": 32}, image_grid_pinpoints=places
    )
    more = {
        "num_image_tokens": 16,
        "vision_feature_select_strategy": "full",
        "processor_class": "LlavaOnevisionProcessor",
    }
    return config, LlavaOnevisionForConditionalGeneration, (tokenizer, processor), more


_MAKERS = {
    "qwen2_5_vl": _qwen("qwen2_5_vl"),
    "qwen3_vl": _qwen("qwen3_vl"),
    "smolvlm": _smolvlm,
    "paligemma": _paligemma,
    "internvl": _internvl,
    "llava_onevision": _llava,
}
JUDGES = tuple(_MAKERS)


def _soften(model: Any) -> None:
    """Make logits small where the table of embeddings is the last layer too: all words count."""
    import torch

    table, head = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    if table is head:
        with torch.no_grad():
            table *= _WIDTH**-0.5


def make_judge(folder: Path, kind: str, seed: int = 0) -> Path:
    """Save a model of a kind in ``JUDGES`` with its tokenizer, processor and chat template."""
    config, cls, (tokenizer, processor), more = _MAKERS[kind]()
    model = made_from(seed, lambda: cls(config))
    _soften(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    processor.save_pretrained(folder)
    (Path(folder) / "processor_config.json").write_text(json.dumps(more), "utf-8")
    return Path(folder)
