"""The models of judges in memory: one of a kind, shared by all judges that ask it."""

from __future__ import annotations

import threading
from weakref import WeakValueDictionary

from flasheval.base.models.loading import Dtype
from flasheval.base.models.weights import Weights
from flasheval.scorers.judges.local_model import LocalModel, load_local

__all__ = ["resident_model"]

_models: WeakValueDictionary[tuple[str, ...], LocalModel] = WeakValueDictionary()
_lock = threading.Lock()


def resident_model(weights: Weights, dtype: Dtype, device: str) -> LocalModel:
    """Return the model, loading it unless a judge that is still in use has loaded it.

    It leaves memory with the last judge that asks it. Raises DataError as `load_local` does.
    """
    key = (weights.path, weights.revision, dtype, device)
    with _lock:
        found = _models.get(key)
        if found is None:
            found = load_local(weights, dtype, device)
            _models[key] = found
        return found
