"""References of set metrics: real images, a file of their statistics, or a variant."""

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
    """The reference that variants are compared with.

    Attributes:
        name: The reference's name, without folders.
        statistics: Mean and covariance of its features.
        features: Float [images, d]; None when only the statistics are known, which give no kernel
            distance.
        ids: The prompt ids of its images when it is one of the variants, else None.

    """

    name: str
    statistics: FrechetReference
    features: NDArray[np.floating[Any]] | None = None
    ids: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls, name: str, features: NDArray[np.floating[Any]], ids: tuple[str, ...] | None = None
    ) -> Reference:
        """Return the reference with these features [images, d]; DataError as `as_features`.

        >>> Reference.of("real", np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 8.0]])).statistics.n
        3
        """
        return cls(name, FrechetReference.of(features), features, ids)

    def others(self, names: Sequence[str]) -> list[int]:
        """Return the numbers of all variants except the reference itself.

        >>> features = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 8.0]])
        >>> Reference.of("b", features, ids=("1", "2", "3")).others(["a", "b", "c"])
        [0, 2]
        >>> Reference.of("b", features).others(["a", "b", "c"])  # real images that share a name
        [0, 1, 2]
        """
        return [row for row, name in enumerate(names) if self.ids is None or name != self.name]

    def described(self) -> dict[str, JSON]:
        """Return a description of the reference as JSON data, for a manifest.

        >>> found = Reference.of("real", np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 8.0]])).described()
        >>> found["images"], found["width"], round(found["covariance_trace"], 6)  # 4 + 13
        (3, 2, 17.0)
        """
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
    """Find the reference that a name means.

    Args:
        name: A variant's name, an .npz that `FrechetReference.save` wrote, or a folder of images.
        sets: The variants.
        extractor: Loads the extractor for a folder's images; it must be the one used for the
            variants.
        protocol: How a folder's images are cropped and resized first; all of them are used.

    Raises:
        SettingError: The name is none of the three.
        DataError: The reference cannot be used.

    >>> ids = ("1", "2", "3")
    >>> features = np.random.default_rng(0).normal(size=(2, 3, 4))
    >>> sets = FeatureSets(("sd15", "sdxl"), features, (ids, ids), "CLIP", "clip@0a1b")
    >>> find_reference("sdxl", sets, lambda: None).statistics.n
    3
    >>> find_reference("sdx", sets, lambda: None)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: reference=sdx: expected a folder of images, an .npz of ...

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
