"""A tiny aMUSEd: masked image tokens, unmasked step by step; images of 32 x 32."""

from __future__ import annotations

from pathlib import Path

from tiny_models.text import WIDTH, clip_text, clip_tokenizer
from tiny_models.weights import made_from

__all__ = ["make_amused"]

_CODES = 32
_SIZES = 5  # width, height, crop and aesthetic score
_SIZE_WIDTH = 8


def make_amused(folder: Path, seed: int = 0) -> Path:
    """Save an AmusedPipeline in ``folder``; return it."""
    from diffusers import AmusedPipeline, AmusedScheduler, UVit2DModel, VQModel

    tokenizer = clip_tokenizer()
    transformer = made_from(
        seed,
        lambda: UVit2DModel(
            hidden_size=WIDTH,
            cond_embed_dim=WIDTH,
            micro_cond_encode_dim=_SIZE_WIDTH,
            micro_cond_embed_dim=_SIZES * _SIZE_WIDTH,
            encoder_hidden_size=WIDTH,
            vocab_size=_CODES + 1,
            codebook_size=_CODES,
            in_channels=WIDTH,
            block_out_channels=WIDTH,
            num_res_blocks=1,
            block_num_heads=2,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=2 * WIDTH,
            sample_size=8,
        ),
    )
    vqvae = made_from(
        seed + 1,
        lambda: VQModel(
            block_out_channels=(16, 16, 16),
            down_block_types=("DownEncoderBlock2D",) * 3,
            up_block_types=("UpDecoderBlock2D",) * 3,
            latent_channels=8,
            norm_num_groups=4,
            num_vq_embeddings=_CODES,
            lookup_from_codebook=True,
        ),
        out=0.5,
    )
    vqvae.decoder.conv_out.bias.data.add_(0.5)  # pixels are in [0, 1], not in [-1, 1]
    AmusedPipeline(
        vqvae=vqvae,
        tokenizer=tokenizer,
        text_encoder=clip_text(seed + 2, tokenizer, projection=True),
        transformer=transformer,
        scheduler=AmusedScheduler(mask_token_id=_CODES),
    ).save_pretrained(folder, safe_serialization=True)
    return folder
