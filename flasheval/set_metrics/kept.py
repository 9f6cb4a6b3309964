"""Reading the embeddings that a run has kept as one array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.base.suggest import nearest
from flasheval.runs.status.requested_work import RequestedWork
from flasheval.runs.store import RegisteredMetric, RunStore

__all__ = ["KeptFeatures", "metrics_kept", "read_kept"]


@dataclass(frozen=True, eq=False)
class KeptFeatures:
    """The embeddings of a run's images by one scorer's model.

    Attributes:
        features: float16 or float32 [variants, prompts, d], NaN where an image was faulty.
        variants: The variants' names, in order.
        prompt_ids: The prompts' ids, in order.
        version: The scorer's version: checkpoint and revision.
        left_out: Why a variant is missing, by its name.

    """

    features: NDArray[np.floating[Any]]
    variants: tuple[str, ...]
    prompt_ids: tuple[str, ...]
    version: str
    left_out: Mapping[str, str]

    def complete(self) -> KeptFeatures:
        """Return the embeddings of the prompts that every variant has an image of.

        Raises DataError when there are fewer than two.

        >>> features = np.zeros((2, 3, 4), dtype=np.float32)
        >>> features[0, 1] = np.nan  # the first variant's second image was faulty
        >>> kept = KeptFeatures(features, ("a", "b"), ("1", "2", "3"), "clip@0a1b", {})
        >>> kept.complete().prompt_ids, kept.complete().features.shape
        (('1', '3'), (2, 2, 4))
        """
        good = np.ones(len(self.prompt_ids), dtype=np.bool_)
        for variant in self.features:
            good &= np.isfinite(variant.sum(axis=1))
        if np.count_nonzero(good) < 2:
            raise DataError(
                f"{np.count_nonzero(good)} of {len(good)} prompts have an image of every variant; "
                "leave out the variant whose images are faulty"
            )
        if good.all():
            return self
        ids = tuple(one for one, there in zip(self.prompt_ids, good, strict=True) if there)
        return replace(self, features=self.features[:, good], prompt_ids=ids)


def read_kept(run: str | Path, metric: str) -> KeptFeatures:
    """Read the embeddings of a run's last command, kept with ``keep_embeddings=true``.

    Where prompts have several images, the first ones are read. A variant that lacks some
    embeddings is left out, with the reason, and so are those whose images the run did not make
    itself (``generator=images``).

    Args:
        run: The run folder.
        metric: The metric whose scorer made the embeddings, such as ``CLIP``.

    Raises:
        DataError: No run, or no variant with all its embeddings.
        SettingError: No such metric.

    """
    work = RequestedWork.of_run(run)
    store = work.store
    chosen = _metric(store, metric, run)
    found, left_out = [], {}
    for name in work.variants:
        parts = [store.features.read(unit, chosen.key) for unit in work.first_images(name)]
        there = [part for part in parts if part is not None]
        if len(there) == len(work.chunks):
            found.append((name, np.concatenate(there)))
        elif name not in work.names:
            left_out[name] = "its images were not made by the run"
        else:
            left_out[name] = (
                f"{len(there)} of {len(work.chunks)} units have whole embeddings; "
                "give the command again with keep_embeddings=true"
            )
    if not found:
        reason = f"; {next(iter(left_out))}: {next(iter(left_out.values()))}" if left_out else ""
        raise DataError(f"{run} has no variant with all its embeddings of {metric!r}{reason}")
    widths = {features.shape[1] for _, features in found}
    if len(widths) > 1:
        raise DataError(f"{run}: the embeddings of {metric!r} have widths {sorted(widths)}")
    return KeptFeatures(
        np.stack([features for _, features in found]),
        tuple(name for name, _ in found),
        tuple(one for chunk in work.chunks for one in chunk.ids),
        chosen.version,
        left_out,
    )


def metrics_kept(run: str | Path) -> tuple[str, ...]:
    """Return the metrics for which a run has kept embeddings, or some of them.

    Raises DataError when the folder is not a run's.
    """
    work = RequestedWork.of_run(run)
    store = work.store
    units = [unit for name in work.variants for unit in work.image_units(name)]
    return tuple(
        metric.name
        for metric in store.known_metrics()
        if any(store.features.has(unit, metric.key) for unit in units)
    )


def _metric(store: RunStore, name: str, run: str | Path) -> RegisteredMetric:
    known = {metric.name: metric for metric in store.known_metrics()}
    if name not in known:
        raise SettingError(
            f"{run} has no metric {name!r}; there are: {', '.join(known)}{nearest(name, known)}"
        )
    return known[name]
