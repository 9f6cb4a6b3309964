"""Tiny pipelines around a UNet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tiny_models.autoencoder import autoencoder
from tiny_models.text import WIDTH, clip_text, clip_tokenizer, t5_text, t5_tokenizer

from tiny_pipelines.parts import part, unet, vq_model

__all__ = ["UNETS"]


def _stable_diffusion(name: str, scheduler: str = "DDIMScheduler", **more: Any) -> Any:
    import diffusers

    tokenizer, parts = clip_tokenizer(), dict(more)
    network = parts.pop("unet", None) or unet()
    return getattr(diffusers, name)(
        vae=parts.pop("vae", None) or autoencoder(1),
        text_encoder=clip_text(2, tokenizer),
        tokenizer=tokenizer,
        unet=network,
        scheduler=getattr(diffusers, scheduler)(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
        **parts,
    )


def _sdxl(name: str) -> Any:
    import diffusers

    tokenizer = clip_tokenizer()
    network = unet(
        cross_attention_dim=2 * WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + WIDTH,
    )
    return getattr(diffusers, name)(
        vae=autoencoder(1),
        text_encoder=clip_text(2, tokenizer),
        text_encoder_2=clip_text(3, tokenizer, projection=True),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=network,
        scheduler=diffusers.EulerDiscreteScheduler(),
        add_watermarker=False,
    )


def _deepfloyd() -> Any:
    from diffusers import DDPMScheduler, IFPipeline

    tokenizer = t5_tokenizer()
    network = unet(
        sample_size=32,
        out_channels=6,
        in_channels=3,
        encoder_hid_dim=WIDTH,
        addition_embed_type="text",
        addition_embed_type_num_heads=2,
        cross_attention_dim=WIDTH,
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        resnet_time_scale_shift="scale_shift",
        act_fn="gelu",
        attention_head_dim=8,
    )
    return IFPipeline(
        tokenizer=tokenizer,
        text_encoder=t5_text(2, tokenizer),
        unet=network,
        scheduler=DDPMScheduler(variance_type="learned_range", thresholding=True),
        safety_checker=None,
        feature_extractor=None,
        watermarker=None,
        requires_safety_checker=False,
    )


def _kandinsky_3() -> Any:
    from diffusers import DDPMScheduler, Kandinsky3Pipeline, Kandinsky3UNet

    tokenizer = t5_tokenizer()
    network = part(
        Kandinsky3UNet,
        in_channels=4,
        time_embedding_dim=4,
        groups=2,
        attention_head_dim=4,
        layers_per_block=3,
        block_out_channels=(32, 64),
        cross_attention_dim=4,
        encoder_hid_dim=WIDTH,
    )
    return Kandinsky3Pipeline(
        tokenizer=tokenizer,
        text_encoder=t5_text(2, tokenizer),
        unet=network,
        scheduler=DDPMScheduler(),
        movq=vq_model(1),
    )


def _kandinsky_22() -> Any:
    from diffusers import (
        DDPMScheduler,
        KandinskyV22CombinedPipeline,
        PriorTransformer,
        UnCLIPScheduler,
    )
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        CLIPVisionModelWithProjection,
    )

    tokenizer = clip_tokenizer()
    prior = part(
        PriorTransformer,
        4,
        num_attention_heads=2,
        attention_head_dim=12,
        embedding_dim=WIDTH,
        num_layers=1,
        num_embeddings=tokenizer.model_max_length,
    )
    prior.clip_std.data.fill_(1.0)
    vision = CLIPVisionConfig(
        hidden_size=WIDTH,
        projection_dim=WIDTH,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        image_size=32,
        patch_size=8,
    )
    network = unet(
        in_channels=4,
        out_channels=8,
        addition_embed_type="image",
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        block_out_channels=(32, 64),
        encoder_hid_dim=WIDTH,
        encoder_hid_dim_type="image_proj",
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
        resnet_time_scale_shift="scale_shift",
        class_embed_type=None,
    )
    return KandinskyV22CombinedPipeline(
        unet=network,
        scheduler=DDPMScheduler(variance_type="learned_range"),
        movq=vq_model(1),
        prior_prior=prior,
        prior_image_encoder=part(lambda: CLIPVisionModelWithProjection(vision), 3),
        prior_text_encoder=clip_text(2, tokenizer, projection=True),
        prior_tokenizer=tokenizer,
        prior_scheduler=UnCLIPScheduler(
            variance_type="fixed_small_log", prediction_type="sample", num_train_timesteps=1000
        ),
        prior_image_processor=CLIPImageProcessor(size=32, crop_size=32),
    )


def _named(name: str, **more: Any) -> Callable[[], Any]:
    return lambda: _stable_diffusion(name, **more)


UNETS: Mapping[str, Callable[[], Any]] = {
    "StableDiffusionPipeline": _named("StableDiffusionPipeline"),
    "StableDiffusionPAGPipeline": _named("StableDiffusionPAGPipeline"),
    "StableDiffusionSAGPipeline": _named("StableDiffusionSAGPipeline"),
    "StableDiffusionPanoramaPipeline": _named("StableDiffusionPanoramaPipeline"),
    "StableDiffusionParadigmsPipeline": _named(
        "StableDiffusionParadigmsPipeline", scheduler="DDIMParallelScheduler"
    ),
    "StableDiffusionModelEditingPipeline": _named("StableDiffusionModelEditingPipeline"),
    "SemanticStableDiffusionPipeline": _named("SemanticStableDiffusionPipeline"),
    "LatentConsistencyModelPipeline": lambda: _stable_diffusion(
        "LatentConsistencyModelPipeline", "LCMScheduler", unet=unet(time_cond_proj_dim=8)
    ),
    "StableDiffusionXLPipeline": lambda: _sdxl("StableDiffusionXLPipeline"),
    "StableDiffusionXLPAGPipeline": lambda: _sdxl("StableDiffusionXLPAGPipeline"),
    "IFPipeline": _deepfloyd,
    "Kandinsky3Pipeline": _kandinsky_3,
    "KandinskyV22CombinedPipeline": _kandinsky_22,
}
