"""What was trained as it travels with the package: fp16 safetensors, shared parts once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from .diffusion import MODELS, make_scheduler
from .tokens import CODES

__all__ = ["export", "export_families"]

# Parts that the checkpoints share are named in the population and given at loading.
_PIPELINE = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "image_encoder": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}

_MASKED = {
    "_class_name": "AmusedPipeline",
    "scheduler": ["diffusers", "AmusedScheduler"],
    "text_encoder": ["transformers", "CLIPTextModelWithProjection"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "transformer": ["diffusers", "UVit2DModel"],
    "vqvae": ["diffusers", "VQModel"],
}
# What `export` makes anew; the other families' models stay.
_OWN = ("clip", "vae", "detector", "quality", *(f"{size}-*" for size in MODELS))


def export(trained: Path, models: Path) -> int:
    """Write every model of `trained` into `models` in half precision; return the bytes in all."""
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPModel

    for old in [folder for name in _OWN for folder in models.glob(name)]:
        shutil.rmtree(old)
    shutil.copytree(trained / "clip", models / "clip")
    CLIPModel.from_pretrained(trained / "clip").to(torch.float16).save_pretrained(models / "clip")
    _save(AutoencoderKL.from_pretrained(trained / "vae").to(torch.float16), models / "vae")
    for judge in ("detector", "quality"):
        shutil.copytree(trained / judge, models / judge)
    for size, kept in ((size, word) for size, one in MODELS.items() for word in one.kept):
        folder = models / f"{size}-{kept}"
        unet = UNet2DConditionModel.from_pretrained(trained / "unets" / folder.name / "unet")
        _save(unet.to(torch.float16), folder / "unet")
        make_scheduler().save_pretrained(folder / "scheduler")
        (folder / "model_index.json").write_text(json.dumps(_PIPELINE, indent=2) + "\n", "utf-8")
    return sum(path.stat().st_size for path in models.rglob("*") if path.is_file())


def export_families(trained: Path, models: Path) -> int:
    """Write the VQ model, the masked-token models and the GANs beside the others; return bytes."""
    import torch
    from diffusers import AmusedScheduler, UVit2DModel, VQModel

    made = [models / "vq"]
    _save(VQModel.from_pretrained(trained / "vq").to(torch.float16), made[0])
    for folder in sorted(trained.glob("masked-*")):
        made.append(models / folder.name)
        transformer = UVit2DModel.from_pretrained(folder / "transformer").to(torch.float16)
        _save(transformer, made[-1] / "transformer")
        AmusedScheduler(mask_token_id=CODES).save_pretrained(made[-1] / "scheduler")
        index = json.dumps(_MASKED, indent=2) + "\n"
        (made[-1] / "model_index.json").write_text(index, "utf-8")
    for folder in sorted(trained.glob("gan-*")):
        made.append(models / folder.name)
        shutil.copytree(folder, made[-1], dirs_exist_ok=True)
    files = [path for folder in made for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files)


def _save(model: Any, folder: Path) -> None:
    """Save a model of diffusers without the path that it was loaded from."""
    model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config.pop("_name_or_path", None)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
