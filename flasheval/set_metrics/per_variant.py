"""Running work for every variant in threads, with the same results on any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flasheval.base.errors import DataError

__all__ = ["each_variant"]

T = TypeVar("T")


def each_variant(
    work: Callable[[int], T],
    count: int,
    threads: int = 1,
    *,
    names: Sequence[str] | None = None,
    done: Callable[[int], None] | None = None,
) -> list[T]:
    """Return the results of `work` for 0 to count - 1, in that order.

    Args:
        work: A function of the variant's number.
        count: Number of variants.
        threads: Number of variants computed at a time.
        names: The variants' names for errors; their numbers by default.
        done: Called after each variant with the number done.

    Raises:
        DataError: The first error that `work` raised, with the variant's name.

    >>> each_variant(lambda row: row * row, 4, threads=2)
    [0, 1, 4, 9]

    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    def one(row: int) -> T:
        try:
            return work(row)
        except DataError as error:
            raise DataError(f"variant {row if names is None else names[row]}: {error}") from error

    found = []
    # One thread a product of matrices: the numbers, too, must not depend on how many there are.
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(threads) as executor:
        for number, result in enumerate(executor.map(one, range(count)), start=1):
            found.append(result)
            if done is not None:
                done(number)
    return found
