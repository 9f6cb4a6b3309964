"""The published sizes of the families, without weights: shapes on torch's meta device."""

import pytest

from flasheval.scorers.judges.local_model import _bytes, _joined, _needed

ROPE = {"rope_type": "default", "rope_theta": 1e6}
SIGLIP = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27}

# Family, classes, text, vision, the rest; the model's published number of weights in billions.
SIZES = {
    "Qwen2.5-VL-7B": (
        "Qwen2_5_VL",
        {"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28}
        | {"num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064}
        | {"rope_parameters": {**ROPE, "mrope_section": [16, 24, 24]}},
        {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "out_hidden_size": 3584},
        {},
        8.29,
    ),
    "Qwen3-VL-8B": (
        "Qwen3VL",
        {"hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36}
        | {"num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128}
        | {"vocab_size": 151936, "rope_parameters": {**ROPE, "mrope_section": [24, 20, 20]}},
        {"depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "out_hidden_size": 4096}
        | {"patch_size": 16, "deepstack_visual_indexes": [8, 16, 24]},
        {},
        8.77,
    ),
    "SmolVLM-Instruct": (
        "SmolVLM",
        {"model_type": "llama", "hidden_size": 2048, "intermediate_size": 8192}
        | {"num_hidden_layers": 24, "num_attention_heads": 32, "vocab_size": 49280},
        {**SIGLIP, "num_attention_heads": 16, "image_size": 384, "patch_size": 14},
        {"scale_factor": 3},
        2.25,
    ),
    "paligemma-3b": (
        "PaliGemma",
        {"model_type": "gemma", "hidden_size": 2048, "intermediate_size": 16384}
        | {"num_hidden_layers": 18, "num_attention_heads": 8, "num_key_value_heads": 1}
        | {"head_dim": 256, "vocab_size": 257216},
        {**SIGLIP, "num_attention_heads": 16, "model_type": "siglip_vision_model"}
        | {"image_size": 224, "patch_size": 14, "vision_use_head": False, "projection_dim": 2048},
        {"projection_dim": 2048, "image_token_id": 257152},
        2.92,
    ),
}


@pytest.mark.parametrize("name", SIZES)
def test_a_published_size_takes_the_features_of_several_questions(name):
    torch = pytest.importorskip("torch")
    import transformers
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    family, text, vision, more, billions = SIZES[name]
    config = getattr(transformers, f"{family}Config")(
        text_config=text, vision_config=vision, **more
    )
    with torch.device("meta"):
        model = getattr(transformers, f"{family}ForConditionalGeneration")(config)
    count = sum(weight.numel() for weight in model.parameters())
    assert count / 1e9 == pytest.approx(billions, rel=0.005)
    width, tokens = text["hidden_size"], 64
    seen = BaseModelOutputWithPooling(
        last_hidden_state=torch.empty(1, 9, 9, device="meta"),
        pooler_output=[torch.empty(tokens, width, device="meta", dtype=torch.bfloat16)],
    )
    kept = _needed(seen)
    assert kept.last_hidden_state is None
    assert _bytes(kept) == tokens * width * 2
    both = _joined([kept, kept]).pooler_output
    assert torch.cat(both).shape == (2 * tokens, width)
    embedded = model.get_input_embeddings()(torch.zeros(2, 78, device="meta", dtype=torch.long))
    places = torch.zeros(3, 2, 78, device="meta", dtype=torch.long)
    mask = torch.zeros(2, 1, 78, 78, device="meta")  # with four axes it is taken as it is
    own = {"position_ids": places} if family.startswith("Qwen") else {"attention_mask": mask}
    out = model.model(inputs_embeds=embedded, use_cache=False, **own).last_hidden_state
    logits = model.get_output_embeddings()(out[:, -1])
    assert logits.shape == (2, text["vocab_size"])
