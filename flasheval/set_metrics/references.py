"""What variants are compared with: real images, statistics of them in a file, or a variant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import JSON
from flasheval.base.errors import DataError, SettingError
from flasheval.base.suggest import nearest
from flasheval.set_metrics.feature_sets import FeatureSets
from flasheval.set_metrics.features import FeatureExtractor, extract_features, images_of_folder
from flasheval.set_metrics.frechet import FrechetReference
from flasheval.set_metrics.protocol import ImageProtocol

__all__ = ["Reference", "find_reference"]


@dataclass(frozen=True, eq=False)
class Reference:
    """What variants are compared with.

    Attributes:
        name: Its name, without folders.
        statistics: Mean and covariance of its features.
        features: Float [images, d]; None where only the statistics are known, and then there is no
            kernel distance.
        ids: Where it is one of the variants, the prompt ids of its images; else None.

    """

    name: str
    statistics: FrechetReference
    features: NDArray[np.floating[Any]] | None = None
    ids: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls, name: str, features: NDArray[np.floating[Any]], ids: tuple[str, ...] | None = None
    ) -> Reference:
        """Return the reference with these features [images, d]; DataError as `as_features`."""
        return cls(name, FrechetReference.of(features), features, ids)

    def others(self, names: Sequence[str]) -> list[int]:
        """Return the numbers of the variants that it is not itself."""
        return [row for row, name in enumerate(names) if self.ids is None or name != self.name]

    def described(self) -> dict[str, JSON]:
        """Return what tells it from others, as JSON data, for a manifest."""
        mean = self.statistics.mean
        return {
            "name": self.name,
            "images": self.statistics.n,
            "width": self.statistics.width,
            "mean_norm": float(np.sqrt(mean @ mean)),
            "covariance_trace": self.statistics.trace,
        }


def find_reference(
    name: str,
    sets: FeatureSets,
    extractor: Callable[[], FeatureExtractor],
    protocol: ImageProtocol | None = None,
) -> Reference:
    """Find the reference a name stands for.

    Args:
        name: A variant's name, an .npz that `FrechetReference.save` wrote, or a folder of images.
        sets: The variants.
        extractor: Loads what gives a folder's images their features; it must be what gave them to
            the variants.
        protocol: How a folder's images are cut and resized first; all of them are taken.

    Raises:
        SettingError: None of the three.
        DataError: One that cannot be used.

    """
    path = Path(name)
    if name in sets.names:
        row = sets.names.index(name)
        return Reference.of(name, sets.features[row], sets.ids[row])
    if path.is_dir():
        loaded = extractor()
        if loaded.version != sets.version:
            raise DataError(
                f"reference={name}: its images would go through {loaded.version}, and the "
                f"variants' features are of {sets.version}; both must come from the same model"
            )
        images = images_of_folder(path)
        found = Reference.of(
            path.resolve().name, extract_features(images, loaded, protocol=protocol)
        )
    elif path.suffix == ".npz":
        found = Reference(path.stem, FrechetReference.load(path))
    else:
        raise SettingError(
            f"reference={name}: expected a folder of images, an .npz of their statistics, or one "
            f"of the variants ({_some(sets.names)}){nearest(name, sets.names)}"
        )
    width = sets.features[0].shape[1]
    if found.statistics.width != width:
        raise DataError(
            f"reference={name} is of {found.statistics.width} features, and the variants' images "
            f"have {width}; both must come from the same extractor"
        )
    return found


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
