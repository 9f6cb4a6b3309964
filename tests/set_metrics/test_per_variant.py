import pytest

from flasheval.base.errors import DataError
from flasheval.set_metrics.per_variant import each_variant


def test_results_come_in_order_and_are_counted():
    told = []
    assert each_variant(lambda row: row * 2, 5, 3, done=told.append) == [0, 2, 4, 6, 8]
    assert told == [1, 2, 3, 4, 5]


def test_an_error_names_the_variant():
    def work(row):
        raise DataError(f"bad {row}")

    with pytest.raises(DataError, match="variant 0: bad 0"):
        each_variant(work, 2)
    with pytest.raises(DataError, match="variant sd/DDIM: bad 0"):
        each_variant(work, 2, names=("sd/DDIM", "b"))
