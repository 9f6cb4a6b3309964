"""Kendall's tau-b of prompt sets on a GPU, or on any device that torch knows."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from flasheval.base.errors import DataError, SettingError
from flasheval.base.extras import pip_command
from flasheval.scores.ranking.prepare import PreparedTarget, checked_margin, prepare_target

if TYPE_CHECKING:
    import torch

__all__ = ["tau_b_of_sets_torch"]

CHUNK_BYTES = 1 << 28  # of temporary memory, where the caller names no chunk


def tau_b_of_sets_torch(
    matrix: "torch.Tensor | npt.NDArray[Any]",
    target: "torch.Tensor | npt.ArrayLike",
    sets: "torch.Tensor | npt.NDArray[Any]",
    *,
    base: "torch.Tensor | npt.ArrayLike | None" = None,
    margin: float = 0.0,
    target_margin: float = 0.0,
    chunk: int | None = None,
) -> "torch.Tensor":
    """`tau_b_of_sets` in torch: float64 [n_sets] on the device of matrix.

    matrix: [P, n_variants] float32 or float64, a tensor on the device to compute on, or an array;
    sets: integers [n_sets, N]; target and base: [n_variants]; margins as in `tau_b_of_sets`.
    chunk: sets computed at a time; by default as many as fit 256 MB of temporary memory.

    The result equals that of `tau_b_of_sets` wherever the sums are exact in the matrix's dtype.
    Elsewhere torch may add in another order, and two sums that nearly tie may fall the other way.
    Raises SettingError without torch, DataError for shapes that do not fit and for numbers that are
    not rows of matrix.

    >>> matrix = np.array([[1, 2, 3], [3, 2, 1], [0, 1, 5]], dtype=np.float32)
    >>> tau_b_of_sets_torch(matrix, [1, 2, 3], np.array([[0, 2], [1, 1], [0, 1]])).tolist()
    [1.0, -1.0, nan]
    """
    _require_torch()
    import torch

    scores = torch.as_tensor(matrix)
    if scores.dtype != torch.float64:
        scores = scores.to(torch.float32)
    device = scores.device
    chosen = torch.as_tensor(sets, device=device)
    ranked = torch.as_tensor(target, dtype=torch.float64).cpu().numpy()
    _check(scores, ranked, chosen)
    if np.isnan(ranked).any() or len(ranked) < 2:  # torch cannot sum rows of no columns
        return torch.full((len(chosen),), torch.nan, dtype=torch.float64, device=device)
    prepared = prepare_target(ranked, margin=target_margin)
    order = torch.as_tensor(prepared.order, device=device)
    columns = scores[:, order]
    start = None if base is None else torch.as_tensor(base, device=device)[order].to(scores.dtype)
    apart = _apart(prepared, device)
    limit = checked_margin(margin)
    if chunk is None:
        pair_bytes = scores.element_size() + 2  # a difference and its two comparisons
        chunk = max(1, CHUNK_BYTES // max(1, pair_bytes * prepared.n_variants**2))
    elif chunk < 1:
        raise SettingError(f"chunk is {chunk}; expected at least 1")
    taus = [
        _taus(columns, part, start, apart, limit, prepared) for part in torch.split(chosen, chunk)
    ]
    return torch.cat(taus)


def _taus(
    columns: "torch.Tensor",
    sets: "torch.Tensor",
    base: "torch.Tensor | None",
    apart: "torch.Tensor",
    margin: float,
    target: PreparedTarget,
) -> "torch.Tensor":
    """Tau-b of one chunk of sets, variants in the target's order."""
    import torch

    # A gather and a sum in one pass, without the [sets, N, variants] array between them.
    sums = torch.nn.functional.embedding_bag(sets, columns, mode="sum")
    if base is not None:
        sums = sums + base
    gaps = sums[:, :, None] - sums[:, None, :]
    above, below = gaps > margin, gaps < -margin
    # Each pair appears twice in a square, once with either sign: above alone holds all of them.
    concordant = (above & apart).sum((1, 2))
    discordant = (below & apart).sum((1, 2))
    ties = target.pairs - above.sum((1, 2))
    ties = torch.where(sums.isnan().any(1), target.pairs, ties)
    product = (target.pairs - ties).double() * (target.pairs - target.target_ties)
    return torch.where(product > 0, (concordant - discordant) / product.sqrt(), torch.nan)


def _apart(target: PreparedTarget, device: "torch.device") -> "torch.Tensor":
    """Bool [n, n]: pairs i < j, in the target's order, that are not tied in it."""
    import torch

    n = target.n_variants
    until = target.tied_until if target.target_ties else np.arange(1, n + 1)
    return torch.as_tensor(np.arange(n)[None] >= until[:, None], device=device)


def _check(scores: "torch.Tensor", target: npt.NDArray[Any], sets: "torch.Tensor") -> None:
    if scores.ndim != 2 or target.shape != (scores.shape[1],):
        raise DataError(
            f"matrix has shape {tuple(scores.shape)} and target {target.shape}; expected one row a "
            "prompt and one column for each value of the target"
        )
    if sets.ndim != 2 or sets.is_floating_point():
        raise DataError(f"sets have shape {tuple(sets.shape)}; expected one row of prompts a set")
    if sets.numel() and (int(sets.min()) < 0 or int(sets.max()) >= len(scores)):
        raise DataError(
            f"sets name prompts {int(sets.min())} to {int(sets.max())}, but the matrix has "
            f"{len(scores)} rows, numbered from 0"
        )


def _require_torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise SettingError(
            "tau_b_of_sets_torch needs torch, which is not installed: "
            f"{pip_command('torch')}, or use tau_b_of_sets"
        ) from error
