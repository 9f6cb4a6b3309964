import pytest

from flasheval.base.errors import FlashevalError
from flasheval.runs.executors.endings import Endings


def test_one_worker_that_ends_well_is_enough():
    endings = Endings()
    with pytest.warns(UserWarning, match="worker 1 died; the other workers go on"):
        endings.note("worker 1\n  died")
    with pytest.raises(FlashevalError, match="worker 1 died; what is done is kept"):
        endings.settle()
    endings.note(None)
    endings.settle()


def test_no_trouble_is_no_trouble():
    Endings().settle()
