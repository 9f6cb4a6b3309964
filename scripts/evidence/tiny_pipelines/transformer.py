"""Tiny pipelines around a transformer."""

from __future__ import annotations

import importlib
import inspect
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tiny_models.autoencoder import autoencoder
from tiny_models.text import WIDTH, clip_text, clip_tokenizer, t5_text, t5_tokenizer
from tiny_models.weights import made_from

from tiny_pipelines.parts import autoencoder_of_8, byte_tokenizer, causal_lm, part

__all__ = ["TRANSFORMERS"]

_HEAD = WIDTH // 2


def _saved(make: str) -> Callable[[], Any]:
    """Return a maker of a pipeline that `tests/tiny_models` has."""

    def made() -> Any:
        import diffusers

        function = getattr(importlib.import_module(f"tiny_models.{make}"), f"make_{make}")
        with tempfile.TemporaryDirectory() as folder:
            return diffusers.DiffusionPipeline.from_pretrained(function(Path(folder)))

    return made


def _flow(**settings: Any) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(shift=3.0, **settings)


def _of(name: str, make: str) -> Callable[[], Any]:
    """Return a maker of a pipeline with the parts of another."""

    def made() -> Any:
        import diffusers

        kind, parts = getattr(diffusers, name), _saved(make)().components
        taken = inspect.signature(kind.__init__).parameters
        return kind(**{key: one for key, one in parts.items() if key in taken})

    return made


def _chroma() -> Any:
    from diffusers import ChromaPipeline, ChromaTransformer2DModel

    tokenizer = t5_tokenizer()
    network = part(
        ChromaTransformer2DModel,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=_HEAD,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
        approximator_num_channels=64,
        approximator_hidden_dim=32,
        approximator_layers=1,
    )
    return ChromaPipeline(
        scheduler=_flow(),
        vae=autoencoder(1, quantised=False),
        text_encoder=t5_text(2, tokenizer),
        tokenizer=tokenizer,
        transformer=network,
    )


def _bria() -> Any:
    from diffusers import BriaPipeline, BriaTransformer2DModel

    tokenizer = t5_tokenizer()
    network = part(
        BriaTransformer2DModel,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=_HEAD,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=[0, 8, 8],
    )
    return BriaPipeline(
        transformer=network,
        scheduler=_flow(),
        vae=autoencoder(1, quantised=False),
        text_encoder=t5_text(2, tokenizer),
        tokenizer=tokenizer,
    )


def _auraflow() -> Any:
    from diffusers import AuraFlowPipeline, AuraFlowTransformer2DModel
    from transformers import UMT5Config, UMT5EncoderModel

    tokenizer = t5_tokenizer()
    config = UMT5Config(
        vocab_size=len(tokenizer),
        d_model=WIDTH,
        d_kv=_HEAD,
        d_ff=2 * WIDTH,
        num_layers=2,
        num_heads=2,
    )
    network = part(
        AuraFlowTransformer2DModel,
        sample_size=8,
        num_mmdit_layers=1,
        num_single_dit_layers=1,
        attention_head_dim=_HEAD,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        caption_projection_dim=WIDTH,
        pos_embed_max_size=256,
    )
    return AuraFlowPipeline(
        tokenizer=tokenizer,
        text_encoder=made_from(2, lambda: UMT5EncoderModel(config)),
        vae=autoencoder(1),
        transformer=network,
        scheduler=_flow(),
    )


def _bert_tokenizer() -> Any:
    from transformers import BertTokenizer

    letters = [chr(code) for code in range(33, 127)]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{x}" for x in letters)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "vocab.txt")
        file.write_text("\n".join(words), "utf-8")
        return BertTokenizer(str(file), model_max_length=77)


def _hunyuan(name: str) -> Callable[[], Any]:
    def made() -> Any:
        import diffusers
        from transformers import BertConfig, BertModel

        tokenizer, tokenizer_2 = _bert_tokenizer(), t5_tokenizer()
        config = BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=2 * WIDTH,
        )
        network = part(
            diffusers.HunyuanDiT2DModel,
            sample_size=16,
            num_layers=2,
            patch_size=2,
            attention_head_dim=8,
            num_attention_heads=4,
            in_channels=4,
            cross_attention_dim=WIDTH,
            cross_attention_dim_t5=WIDTH,
            pooled_projection_dim=16,
            hidden_size=WIDTH,
            text_len=77,
            text_len_t5=256,
            activation_fn="gelu-approximate",
        )
        return getattr(diffusers, name)(
            vae=autoencoder_of_8(1),
            text_encoder=made_from(2, lambda: BertModel(config)),
            tokenizer=tokenizer,
            text_encoder_2=t5_text(3, tokenizer_2),
            tokenizer_2=tokenizer_2,
            transformer=network,
            scheduler=diffusers.DDPMScheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )

    return made


def _cogview_3() -> Any:
    from diffusers import (
        CogVideoXDPMScheduler,
        CogView3PlusPipeline,
        CogView3PlusTransformer2DModel,
    )

    tokenizer = t5_tokenizer()
    network = part(
        CogView3PlusTransformer2DModel,
        in_channels=4,
        out_channels=4,
        num_layers=2,
        attention_head_dim=4,
        num_attention_heads=2,
        text_embed_dim=WIDTH,
        time_embed_dim=8,
        condition_dim=2,
        pos_embed_max_size=16,
        sample_size=8,
    )
    return CogView3PlusPipeline(
        tokenizer=tokenizer,
        text_encoder=t5_text(2, tokenizer),
        vae=autoencoder(1),
        transformer=network,
        scheduler=CogVideoXDPMScheduler(),
    )


def _cogview_4() -> Any:
    from diffusers import CogView4Pipeline, CogView4Transformer2DModel
    from transformers import GlmConfig, GlmModel

    network = part(
        CogView4Transformer2DModel,
        in_channels=4,
        out_channels=4,
        num_layers=2,
        attention_head_dim=4,
        num_attention_heads=2,
        text_embed_dim=WIDTH,
        time_embed_dim=8,
        condition_dim=4,
        rope_axes_dim=(2, 2),
    )
    return CogView4Pipeline(
        tokenizer=byte_tokenizer(),
        text_encoder=causal_lm(GlmModel, GlmConfig, 2),
        vae=autoencoder(1),
        transformer=network,
        scheduler=_flow(base_shift=0.25, max_shift=0.75, use_dynamic_shifting=True),
    )


def _lumina() -> Any:
    from diffusers import LuminaNextDiT2DModel, LuminaPipeline
    from transformers import GemmaConfig, GemmaModel

    network = part(
        LuminaNextDiT2DModel,
        sample_size=4,
        hidden_size=24,
        num_layers=2,
        num_attention_heads=3,
        num_kv_heads=1,
        multiple_of=16,
        learn_sigma=True,
        cross_attention_dim=WIDTH,
    )
    return LuminaPipeline(
        transformer=network,
        scheduler=_flow(),
        vae=autoencoder_of_8(1),
        text_encoder=causal_lm(GemmaModel, GemmaConfig, 2),
        tokenizer=byte_tokenizer(),
    )


def _lumina_2() -> Any:
    from diffusers import Lumina2Pipeline, Lumina2Transformer2DModel
    from transformers import Gemma2Config, Gemma2Model

    network = part(
        Lumina2Transformer2DModel,
        sample_size=8,
        in_channels=4,
        hidden_size=WIDTH,
        num_layers=2,
        num_refiner_layers=1,
        num_attention_heads=2,
        num_kv_heads=1,
        multiple_of=2,
        axes_dim_rope=(4, 4, 8),
        axes_lens=(300, 64, 64),
        cap_feat_dim=WIDTH,
    )
    return Lumina2Pipeline(
        transformer=network,
        scheduler=_flow(),
        vae=autoencoder_of_8(1),
        text_encoder=causal_lm(Gemma2Model, Gemma2Config, 2),
        tokenizer=byte_tokenizer(),
    )


def _dc_autoencoder(channels: int = 4) -> Any:
    from diffusers import AutoencoderDC

    return part(
        AutoencoderDC,
        1,
        latent_channels=channels,
        encoder_block_types=("ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        encoder_qkv_multiscales=((), (5,)),
        decoder_qkv_multiscales=((), (5,)),
        encoder_layers_per_block=(1, 1),
        decoder_layers_per_block=(1, 1),
        attention_head_dim=2,
        downsample_block_type="conv",
        upsample_block_type="interpolate",
    )


def _sana(name: str) -> Callable[[], Any]:
    def made() -> Any:
        import diffusers
        from transformers import Gemma2Config, Gemma2Model

        sprint = name == "SanaSprintPipeline"
        network = part(
            diffusers.SanaTransformer2DModel,
            in_channels=4,
            out_channels=4,
            num_layers=1,
            num_attention_heads=2,
            attention_head_dim=4,
            num_cross_attention_heads=2,
            cross_attention_head_dim=4,
            cross_attention_dim=8,
            caption_channels=WIDTH,
            sample_size=32,
            guidance_embeds=sprint,
            qk_norm="rms_norm_across_heads" if sprint else None,
        )
        return getattr(diffusers, name)(
            tokenizer=byte_tokenizer(),
            text_encoder=causal_lm(Gemma2Model, Gemma2Config, 2),
            vae=_dc_autoencoder(),
            transformer=network,
            scheduler=diffusers.SCMScheduler() if sprint else _flow(),
        )

    return made


def _z_image() -> Any:
    from diffusers import ZImagePipeline, ZImageTransformer2DModel
    from transformers import Qwen3Config, Qwen3Model

    network = part(
        ZImageTransformer2DModel,
        in_channels=16,
        dim=WIDTH,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=WIDTH,
        axes_dims=[8, 4, 4],
        axes_lens=[512, 32, 32],
    )
    return ZImagePipeline(
        scheduler=_flow(),
        vae=autoencoder(1, 16, quantised=False),
        text_encoder=causal_lm(Qwen3Model, Qwen3Config, 2),
        tokenizer=byte_tokenizer(),
        transformer=network,
    )


def _flux_2_autoencoder() -> Any:
    from diffusers import AutoencoderKLFlux2

    return part(
        AutoencoderKLFlux2,
        1,
        down_block_types=("DownEncoderBlock2D",),
        up_block_types=("UpDecoderBlock2D",),
        block_out_channels=(4,),
        layers_per_block=1,
        latent_channels=1,
        norm_num_groups=1,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def _flux_2_network(width: int, guidance: bool) -> Any:
    from diffusers import Flux2Transformer2DModel

    return part(
        Flux2Transformer2DModel,
        in_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=_HEAD,
        num_attention_heads=2,
        joint_attention_dim=width,
        timestep_guidance_channels=256,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=guidance,
    )


def _flux_2_klein() -> Any:
    from diffusers import Flux2KleinPipeline
    from transformers import Qwen3Config, Qwen3ForCausalLM

    return Flux2KleinPipeline(
        scheduler=_flow(),
        vae=_flux_2_autoencoder(),
        text_encoder=causal_lm(Qwen3ForCausalLM, Qwen3Config, 2, num_hidden_layers=28),
        tokenizer=byte_tokenizer(),
        transformer=_flux_2_network(3 * WIDTH, guidance=False),
    )


def _ovis() -> Any:
    from diffusers import OvisImagePipeline, OvisImageTransformer2DModel
    from transformers import Qwen3Config, Qwen3Model

    network = part(
        OvisImageTransformer2DModel,
        in_channels=16,
        out_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=_HEAD,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
    )
    return OvisImagePipeline(
        scheduler=_flow(),
        vae=autoencoder(1, quantised=False),
        text_encoder=causal_lm(Qwen3Model, Qwen3Config, 2),
        tokenizer=byte_tokenizer(),
        transformer=network,
    )


def _qwen_autoencoder() -> Any:
    from diffusers import AutoencoderKLQwenImage

    return part(
        AutoencoderKLQwenImage,
        1,
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 2, 4],
        num_res_blocks=1,
        temperal_downsample=[False, True],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )


def _qwen_vl() -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": 320,
            "hidden_size": WIDTH,
            "intermediate_size": WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "rope_parameters": {
                "mrope_section": [2, 2, 4],
                "rope_type": "default",
                "rope_theta": 1e6,
            },
        },
        vision_config={
            "depth": 1,
            "hidden_size": WIDTH,
            "intermediate_size": WIDTH,
            "num_heads": 2,
            "out_hidden_size": WIDTH,
        },
    )
    return made_from(2, lambda: Qwen2_5_VLForConditionalGeneration(config))


def _qwen() -> Any:
    from diffusers import QwenImagePipeline, QwenImageTransformer2DModel

    network = part(
        QwenImageTransformer2DModel,
        in_channels=16,
        out_channels=4,
        num_layers=2,
        attention_head_dim=_HEAD,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(8, 4, 4),
    )
    return QwenImagePipeline(
        scheduler=_flow(),
        vae=_qwen_autoencoder(),
        text_encoder=_qwen_vl(),
        tokenizer=byte_tokenizer(),
        transformer=network,
    )


def _hidream() -> Any:
    from diffusers import HiDreamImagePipeline, HiDreamImageTransformer2DModel
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer, tokenizer_3 = clip_tokenizer(), t5_tokenizer()
    tokenizer.model_max_length = 248  # of its CLIP models, longer than the usual ones
    network = part(
        HiDreamImageTransformer2DModel,
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        caption_channels=[WIDTH, WIDTH],
        text_emb_dim=2 * WIDTH,
        num_routed_experts=2,
        num_activated_experts=2,
        axes_dims_rope=(4, 2, 2),
        max_resolution=(32, 32),
        llama_layers=(0, 1),
    )
    return HiDreamImagePipeline(
        scheduler=_flow(),
        vae=autoencoder(1, quantised=False),
        text_encoder=clip_text(2, tokenizer, projection=True),
        tokenizer=tokenizer,
        text_encoder_2=clip_text(3, tokenizer, projection=True),
        tokenizer_2=tokenizer,
        text_encoder_3=t5_text(4, tokenizer_3),
        tokenizer_3=tokenizer_3,
        text_encoder_4=causal_lm(LlamaForCausalLM, LlamaConfig, 5),
        tokenizer_4=byte_tokenizer(),
        transformer=network,
    )


TRANSFORMERS: Mapping[str, Callable[[], Any]] = {
    "AmusedPipeline": _saved("amused"),
    "PixArtAlphaPipeline": _saved("pixart"),
    "PixArtSigmaPipeline": _of("PixArtSigmaPipeline", "pixart"),
    "PixArtSigmaPAGPipeline": _of("PixArtSigmaPAGPipeline", "pixart"),
    "StableDiffusion3Pipeline": _saved("sd3"),
    "StableDiffusion3PAGPipeline": _of("StableDiffusion3PAGPipeline", "sd3"),
    "FluxPipeline": _saved("flux"),
    "FluxKontextPipeline": _of("FluxKontextPipeline", "flux"),
    "ChromaPipeline": _chroma,
    "BriaPipeline": _bria,
    "AuraFlowPipeline": _auraflow,
    "HunyuanDiTPipeline": _hunyuan("HunyuanDiTPipeline"),
    "HunyuanDiTPAGPipeline": _hunyuan("HunyuanDiTPAGPipeline"),
    "CogView3PlusPipeline": _cogview_3,
    "CogView4Pipeline": _cogview_4,
    "LuminaPipeline": _lumina,
    "Lumina2Pipeline": _lumina_2,
    "SanaPipeline": _sana("SanaPipeline"),
    "SanaPAGPipeline": _sana("SanaPAGPipeline"),
    "SanaSprintPipeline": _sana("SanaSprintPipeline"),
    "ZImagePipeline": _z_image,
    "Flux2KleinPipeline": _flux_2_klein,
    "OvisImagePipeline": _ovis,
    "QwenImagePipeline": _qwen,
    "HiDreamImagePipeline": _hidream,
}
