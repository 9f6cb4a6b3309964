"""Features of several variants' images, kept by a run or computed from folders of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.generators.image_files import find_images
from flasheval.prompts import PromptSet, load_prompts
from flasheval.prompts.loading import as_prompts
from flasheval.runs.kept.file_names import id_of
from flasheval.set_metrics.features import (
    FeatureExtractor,
    extract_features,
    read_images,
)
from flasheval.set_metrics.kept import metrics_kept, read_kept
from flasheval.set_metrics.protocol import ImageProtocol

__all__ = ["FeatureSets", "features_of_folders", "features_of_run"]

Features = NDArray[np.floating[Any]]
Report = Callable[[str, float, int], None]


@dataclass(frozen=True, eq=False)
class FeatureSets:
    """The features of several variants' images.

    Attributes:
        names: The variants' names.
        features: One float array [images, d] a variant, or one array [variants, images, d].
        ids: The prompt ids of each variant's images, in their order.
        label: A short name of the features, such as ``CLIP``.
        version: A label of everything the features depend on: model, checkpoint, revision.
        prompts: The prompt set, with texts when they are known.
        protocol: How the images were cropped and resized.
        left_out: One line for each variant or group of prompts that was left out.

    >>> ids = ("1", "2", "3")
    >>> sets = FeatureSets(("a", "b"), np.zeros((2, 3, 8)), (ids, ids), "CLIP", "clip@0a1b")
    >>> len(sets), sets.features[0].shape
    (2, (3, 8))

    """

    names: tuple[str, ...]
    features: Sequence[Features] | Features
    ids: tuple[tuple[str, ...], ...]
    label: str
    version: str
    prompts: PromptSet | None = None
    protocol: ImageProtocol | None = None
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


def features_of_run(run: str | Path, metric: str | None = None) -> FeatureSets:
    """Return the embeddings that a run has kept, for the prompts that all variants have.

    Args:
        run: The run folder, of ``flasheval run ... keep_embeddings=true``.
        metric: The metric whose scorer made them; needed only when there are several.

    Raises:
        DataError: The folder is not a run's, or the run has kept no embeddings.
        SettingError: Several metrics to choose from.

    """
    if metric is None:
        there = metrics_kept(run)
        if not there:
            raise DataError(
                f"{run} has kept no embeddings; give its command again with keep_embeddings=true "
                "and a scorer that makes them, such as clip"
            )
        if len(there) > 1:
            raise SettingError(f"{run} has embeddings of {', '.join(there)}; say which: metric=...")
        metric = there[0]
    kept = read_kept(run, metric)
    whole = kept.complete()
    left_out = [f"{name} is left out: {why}" for name, why in kept.left_out.items()]
    faulty = len(kept.prompt_ids) - len(whole.prompt_ids)
    if faulty:
        left_out.append(
            f"{faulty:,} of {len(kept.prompt_ids):,} prompts are left out: some variant's image is "
            "faulty"
        )
    return FeatureSets(
        whole.variants,
        whole.features,
        (whole.prompt_ids,) * len(whole.variants),
        metric,
        kept.version,
        load_prompts(Path(run) / "prompts.parquet"),
        left_out=tuple(left_out),
    )


def features_of_folders(
    folders: Mapping[str, str | Path] | str | Path,
    extractor: FeatureExtractor,
    label: str,
    *,
    protocol: ImageProtocol | None = None,
    seed: int = 0,
    prompts: str | Path | None = None,
    report: Report | None = None,
) -> FeatureSets:
    """Compute the features of folders of images: one folder a variant, one image a prompt.

    Args:
        folders: The folders by variant, or a folder that holds them. Files are named by their
            prompts' ids.
        extractor: The extractor of the features.
        label: A short name of the features.
        protocol: How images are cropped and resized first, and how many of each folder are drawn
            at random: the same ones in all folders whose files have the same names.
        seed: Seed of that draw.
        prompts: File of the prompts' texts.
        report: Called with a label, the images done and their number.

    Raises:
        SettingError: No folders, or another kind of value.
        DataError: A folder without images or with too few, an image that cannot be read, or one
            without a prompt.

    >>> import tempfile
    >>> from PIL import Image
    >>> class Mean:
    ...     version = "mean colour"
    ...     def embed(self, images):
    ...         return np.float32([np.asarray(image).mean(axis=(0, 1)) for image in images])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "red").mkdir()
    ...     for name in ("1.png", "2.png"):
    ...         Image.new("RGB", (4, 4), "red").save(Path(folder) / "red" / name)
    ...     sets = features_of_folders(folder, Mean(), "colour")
    >>> sets.names, sets.ids, sets.features[0].tolist()
    (('red',), (('1', '2'),), [[255.0, 0.0, 0.0], [255.0, 0.0, 0.0]])

    """
    named = _folders(folders)
    texts = None if prompts is None else as_prompts(prompts)
    paths = {name: _chosen(name, Path(folder), protocol, seed) for name, folder in named.items()}
    ids = {name: _ids(Path(named[name]), some) for name, some in paths.items()}
    for name, theirs in ids.items():
        if len(set(theirs)) < len(theirs):
            twice = next(one for one in theirs if theirs.count(one) > 1)
            raise DataError(f"{named[name]} has several images of prompt {twice!r}; keep one")
        if texts is not None:
            texts.index_of(theirs)
    found, every, done = [], sum(len(some) for some in paths.values()), 0
    for name, some in paths.items():
        if report is not None:
            report(f"features of {name}", done, every)
        done += len(some)
        found.append(extract_features(read_images(some), extractor, protocol=protocol))
    first = next(iter(ids.values()))
    known = texts if texts is not None else PromptSet("images", first)
    version = extractor.version
    return FeatureSets(
        tuple(named), found, tuple(ids.values()), label, version, known, protocol=protocol
    )


def _folders(value: Mapping[str, str | Path] | str | Path) -> dict[str, str | Path]:
    if isinstance(value, Mapping):
        if value and all(isinstance(path, str | Path) for path in value.values()):
            return {str(name): path for name, path in value.items()}
    elif isinstance(value, str | Path):
        try:
            there = sorted(path for path in Path(value).iterdir() if path.is_dir())
        except OSError as error:
            raise DataError(f"cannot read {value}: {error.strerror or error}") from error
        if there:
            return {path.name: path for path in there if not path.name.startswith(".")}
    raise SettingError(
        f"images={value}: expected {{name:folder,...}}, or a folder with one folder a variant in it"
    )


def _ids(folder: Path, paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the images' ids: their names, with their subfolders where names come twice."""
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        names = [path.relative_to(folder).with_suffix("").as_posix() for path in paths]
    return tuple(map(id_of, names))


def _chosen(name: str, folder: Path, protocol: ImageProtocol | None, seed: int) -> list[Path]:
    paths = find_images(folder)
    if protocol is None:
        return paths
    if len(paths) < protocol.images:
        raise DataError(
            f"{name}: {folder} has {len(paths):,} images, and the protocol takes "
            f"{protocol.images:,}; make more, or say protocol.images={len(paths)}"
        )
    chosen = protocol.choose(len(paths), np.random.default_rng(seed))
    return [paths[number] for number in chosen]
