"""Work in batches that become smaller when memory runs out."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import TypeVar

__all__ = ["Batches", "free_memory", "is_out_of_memory"]

T = TypeVar("T")


class Batches:
    """A runner of work over slices; it halves the size for good when memory runs out.

    Args:
        size: Number of items in the first slices.

    >>> def work(part):
    ...     if part.stop - part.start > 2:
    ...         raise MemoryError
    ...     return part.stop - part.start
    >>> batches = Batches(3)
    >>> batches.over(5, work), batches.size
    ([2, 2, 1], 2)

    """

    def __init__(self, size: int) -> None:
        self.size = size

    def over(self, count: int, work: Callable[[slice], T]) -> list[T]:
        """Return the result of the work for each slice of ``range(count)``, in order.

        Raises what the work raises; an out-of-memory error only for a single item.
        """
        results, start = [], 0
        while start < count:
            part = slice(start, min(start + self.size, count))
            try:
                results.append(work(part))
            except Exception as error:
                if part.stop - part.start == 1 or not is_out_of_memory(error):
                    raise
                self.size = (part.stop - part.start + 1) // 2
                failed = True
            else:
                failed = False
                start = part.stop
            if failed:  # outside the handler: the traceback would hold on to the memory
                free_memory()
        return results


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out, without importing torch.

    >>> is_out_of_memory(MemoryError()), is_out_of_memory(ValueError("no"))
    (True, False)
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text
    )


def free_memory() -> None:
    """Release memory that nothing refers to any more, on the accelerator too."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
