"""Settings of feature extractors, by name; nothing is loaded before `load`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from flasheval.base.errors import SettingError
from flasheval.base.models.loading import Dtype
from flasheval.base.registry import Registry
from flasheval.scorers.registry import make_scorer
from flasheval.set_metrics.extractors import load_vision_model

if TYPE_CHECKING:
    from flasheval.set_metrics.features import FeatureExtractor

__all__ = [
    "EXTRACTORS",
    "ExtractorSettings",
    "InceptionSettings",
    "ScorerExtractorSettings",
    "VisionSettings",
    "make_extractor",
]


class ExtractorSettings(Protocol):
    """The settings of an extractor: a frozen dataclass of plain values."""

    @property
    def label(self) -> str:
        """The name of the features, which follows "Frechet" in the metric's name."""
        ...

    def load(self, device: str) -> FeatureExtractor:
        """Load the model onto a device. Raises FlashevalError when that fails."""
        ...


@dataclass(frozen=True)
class VisionSettings:
    """Settings of any vision model of transformers; see `flasheval.set_metrics.extractors`."""

    name: ClassVar[str] = "vision"
    checkpoint: str = "facebook/dinov2-base"
    revision: str | None = None
    dtype: Dtype = "fp32"
    batch: int = 32

    @property
    def label(self) -> str:
        """The checkpoint's name, without its folder or owner.

        >>> VisionSettings("facebook/dinov2-base").label
        'dinov2-base'
        """
        return Path(self.checkpoint).name

    def load(self, device: str) -> FeatureExtractor:
        """Load the model; see `load_vision_model`."""
        return load_vision_model(
            self.checkpoint, self.revision, device=device, dtype=self.dtype, batch=self.batch
        )


@dataclass(frozen=True)
class InceptionSettings:
    """Settings of the original FID's Inception (Heusel et al. 2017)."""

    name: ClassVar[str] = "inception"
    path: str | None = None
    batch: int = 32

    @property
    def label(self) -> str:
        """The model's name."""
        return "Inception"

    def load(self, device: str) -> FeatureExtractor:
        """Load the weights. Raises SettingError when no file is given.

        >>> InceptionSettings().load("cpu")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: extractor.path is missing: your copy of ...
        """
        if not self.path:
            raise SettingError(
                "extractor.path is missing: your copy of weights-inception-2015-12-05-6726825d.pth "
                "(torch-fidelity) or pt_inception-2015-12-05-6726825d.pth (pytorch-fid)"
            )
        from flasheval.set_metrics.inception_fid_torch import load_inception

        return load_inception(self.path, device=device, batch=self.batch)


@dataclass(frozen=True)
class ScorerExtractorSettings:
    """Settings that use a scorer's image embeddings, which `keep_embeddings=true` keeps."""

    name: ClassVar[str] = "scorer"
    scorer: object = "clip"

    @property
    def label(self) -> str:
        """The name of the scorer's metric.

        >>> ScorerExtractorSettings("pickscore").label
        'PickScore'
        """
        return make_scorer(self.scorer).metric

    def load(self, device: str) -> FeatureExtractor:
        """Load the scorer. Raises SettingError for one that makes no embeddings.

        >>> ScorerExtractorSettings("image-reward").load("cpu")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: extractor.scorer=image-reward: it makes no image ...
        """
        settings = make_scorer(self.scorer)
        if not settings.embeds:
            raise SettingError(
                f"extractor.scorer={settings.kind}: it makes no image embeddings; "
                "clip, pickscore, hps and aesthetic do"
            )
        return cast("FeatureExtractor", settings.load(device))


EXTRACTORS: Registry[ExtractorSettings] = Registry(
    "extractor",
    "flasheval.extractors",
    ExtractorSettings,
    [VisionSettings, InceptionSettings, ScorerExtractorSettings],
    default=VisionSettings.name,
)
"""The extractors by name."""


def make_extractor(
    entry: object, settings: Mapping[str, object] | None = None
) -> ExtractorSettings:
    """Return an extractor's settings from a name, a mapping with a ``name``, or such settings.

    None stands for ``vision``; ``settings`` are those beside a name.

    Raises SettingError for an unknown name or setting, and for a bad value.

    >>> make_extractor("vision", {"checkpoint": "facebook/dinov2-large"}).label
    'dinov2-large'
    """
    return EXTRACTORS.make(entry, settings)
