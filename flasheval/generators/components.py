"""Replacement parts of a pipeline, such as another VAE or a shared text encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flasheval.base.errors import DataError, SettingError
from flasheval.base.models.weights import Weights, locate
from flasheval.base.suggest import nearest

__all__ = ["find_components", "load_components"]

# Pipelines are made of parts of these libraries; no other is imported because a file names it.
_LIBRARIES = ("diffusers", "transformers")
_MARKERS = {
    "tokenizer": "tokenizer_config.json",
    "scheduler": "scheduler_config.json",
    "feature_extractor": "preprocessor_config.json",
}


def find_components(components: Mapping[str, str]) -> dict[str, Weights]:
    """Find the checkpoint of each part, by the pipeline's name for it.

    Raises DataError when one is neither a local folder nor on the Hub.

    >>> find_components({})
    {}
    """
    return {part: locate(name, marker=_marker(part)) for part, name in components.items()}


def load_components(found: Mapping[str, Weights], index: Mapping[str, Any], dtype: Any) -> Any:
    """Load parts as the classes that a pipeline's ``model_index.json`` says they are.

    Args:
        found: The checkpoint of each part, by the pipeline's name for it.
        index: The content of ``model_index.json``.
        dtype: The torch type of the weights.

    Raises:
        SettingError: The pipeline has no such part.
        DataError: A part is of another library than diffusers and transformers.

    """
    return {part: _load(part, where, index, dtype) for part, where in found.items()}


def _load(part: str, where: Weights, index: Mapping[str, Any], dtype: Any) -> Any:
    import diffusers
    import torch
    import transformers

    parts = [key for key, value in index.items() if isinstance(value, list) and value[0]]
    if part not in parts:
        raise SettingError(
            f"components.{part}: the pipeline has no such part{nearest(part, parts)}; "
            f"it has {', '.join(parts)}"
        )
    library, name = index[part]
    if library not in _LIBRARIES:
        raise DataError(
            f"components.{part}: {library}.{name} is neither of diffusers nor of transformers"
        )
    loader = getattr(diffusers if library == "diffusers" else transformers, name)
    loaded = loader.from_pretrained(where.path, revision=where.commit or "main")
    return loaded.to(dtype) if isinstance(loaded, torch.nn.Module) else loaded


def _marker(part: str) -> str:
    return next((file for key, file in _MARKERS.items() if part.startswith(key)), "config.json")
