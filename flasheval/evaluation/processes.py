"""Sharing work among the processes of a distributed training, and gathering its results."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flasheval.base.errors import FlashevalError
from flasheval.runs.unit_work import error_line

__all__ = ["agreed", "gathered", "processes", "shared_out"]

T = TypeVar("T")


def processes() -> tuple[int, int]:
    """Return this process's rank and the number of processes; (0, 1) without distributed training.

    accelerate, Lightning and plain torch all start `torch.distributed`; it is asked, not started.

    >>> processes()
    (0, 1)
    """
    distributed: Any = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def gathered(action: Callable[[], T]) -> list[T]:
    """Return the results of an action in all processes, in the order of their ranks.

    All must call this. When one fails all raise, so that none waits for ever.

    Raises:
        FlashevalError: It failed in another process; the failing one raises its own error.

    >>> gathered(lambda: "this process")  # one entry a process
    ['this process']

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
    """Return the result of an action in this process, after checking that all processes agree.

    Args:
        action: The action, done by each process.
        told: Returns the part of the result that must be equal in all processes.

    Raises:
        FlashevalError: The processes differ, or as `gathered`.

    >>> agreed(lambda: ["plan"], len)
    ['plan']

    """
    results: list[T] = []

    def act() -> object:
        results.append(action())
        return told(results[0])

    words = gathered(act)
    for other, word in enumerate(words):
        if word != words[0]:
            raise FlashevalError(
                f"process {other} of {len(words)} has other settings than process 0; give "
                "all the same subset, scorers, seed, call and known report"
            )
    return results[0]


def shared_out(count: int, work: Callable[[Sequence[int]], Sequence[T]]) -> list[T]:
    """Return the results of the work for ``range(count)``, in every process.

    Each process does neighbouring items, as many as the others or one more: the images of one
    prompt stay together as far as they can.

    Args:
        count: Number of items, the same in every process.
        work: Takes item numbers and returns one result for each.

    Raises:
        FlashevalError: As `gathered`.

    >>> shared_out(4, lambda numbers: [number * number for number in numbers])
    [0, 1, 4, 9]

    """
    rank, world = processes()
    own = range(-(-rank * count // world), -(-(rank + 1) * count // world))
    return [one for part in gathered(lambda: list(work(own))) for one in part]
