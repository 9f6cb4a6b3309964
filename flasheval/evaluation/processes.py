"""Work shared by the processes of one distributed training, and its results gathered by all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flasheval.base.errors import FlashevalError
from flasheval.runs.unit_work import error_line

__all__ = ["agreed", "gathered", "processes", "shared_out"]

T = TypeVar("T")


def processes() -> tuple[int, int]:
    """Return this process's rank and how many there are; (0, 1) outside distributed training.

    accelerate, Lightning and plain torch all start `torch.distributed`; it is asked, not started.
    """
    distributed: Any = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def gathered(action: Callable[[], T]) -> list[T]:
    """Return what an action gives in each process, in the order of their ranks.

    All must call this; where one fails all raise, so that none waits for ever.

    Raises:
        FlashevalError: It failed in another process; in the failing one its own error is raised.

    """
    _, world = processes()
    if world == 1:
        return [action()]
    import torch.distributed

    done: T | None = None
    failed: Exception | None = None
    try:
        done = action()
    except Exception as error:
        failed = error
    parts: list[Any] = [None] * world
    torch.distributed.all_gather_object(parts, (done, failed and error_line(failed)))
    if failed is not None:
        raise failed
    for other, (_, reason) in enumerate(parts):
        if reason is not None:
            raise FlashevalError(f"process {other} of {world} could not evaluate: {reason}")
    return [found for found, _ in parts]


def agreed(action: Callable[[], T], told: Callable[[T], object]) -> T:
    """Return what an action gives in this process, once all of them are known to do the same.

    Args:
        action: Done by each process.
        told: What of its result must be equal in all.

    Raises:
        FlashevalError: It is not, or as `gathered`.

    """
    results: list[T] = []

    def act() -> object:
        results.append(action())
        return told(results[0])

    words = gathered(act)
    for other, word in enumerate(words):
        if word != words[0]:
            raise FlashevalError(
                f"process {other} of {len(words)} evaluates something else than process 0; give "
                "all the same subset, scorers, seed, call and known report"
            )
    return results[0]


def shared_out(count: int, work: Callable[[Sequence[int]], Sequence[T]]) -> list[T]:
    """Return the work's result for each of ``range(count)``, in every process.

    Each process does its own part, every so many-th item.

    Args:
        count: How many items, the same in every process.
        work: Takes item numbers and returns one result each.

    Raises:
        FlashevalError: As `gathered`.

    """
    rank, world = processes()
    parts = gathered(lambda: list(work(range(rank, count, world))))
    results: dict[int, T] = {}
    for other, part in enumerate(parts):
        results |= dict(zip(range(other, count, world), part, strict=True))
    return [results[number] for number in range(count)]
