from itertools import chain

import pytest

from flasheval.base.models.batches import Batches, is_out_of_memory


class OutOfMemoryError(RuntimeError):
    pass


def test_batches_cover_everything_in_order():
    assert Batches(3).over(7, lambda part: (part.start, part.stop)) == [(0, 3), (3, 6), (6, 7)]
    assert Batches(3).over(0, lambda part: part) == []


@pytest.mark.parametrize(
    "error", [MemoryError(), OutOfMemoryError("x"), RuntimeError("CUDA out of memory")]
)
def test_work_that_does_not_fit_is_halved_for_good(error):
    asked = []

    def work(part):
        asked.append(part.stop - part.start)
        if asked[-1] > 2:
            raise error
        return list(range(part.start, part.stop))

    batches = Batches(8)
    assert list(chain.from_iterable(batches.over(7, work))) == list(range(7))
    assert asked == [7, 4, 2, 2, 2, 1]
    asked.clear()
    batches.over(4, work)
    assert asked == [2, 2]


def test_a_single_item_that_does_not_fit_is_an_error():
    def work(part):
        raise MemoryError

    with pytest.raises(MemoryError):
        Batches(4).over(4, work)


def test_another_error_is_not_tried_again():
    asked = []

    def work(part):
        asked.append(part)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Batches(4).over(4, work)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_what_counts_as_running_out_of_memory(error, expected):
    assert is_out_of_memory(error) is expected
