import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.generators.image_time import ImageTime, uneven_times
from flasheval.generators.variants import Variant


@pytest.mark.parametrize("seconds", [0.0, -1.0, np.nan, np.inf])
def test_seconds_are_positive_numbers(seconds):
    with pytest.raises(DataError, match="expected a positive number"):
        ImageTime(seconds)


def test_a_batch_has_an_image():
    with pytest.raises(DataError, match="in a batch are 0"):
        ImageTime(1.0, batch=0)


def test_time_tells_no_variants_apart():
    timed, plain = Variant("a", {"steps": 3}, ImageTime(0.5)), Variant("a", {"steps": 3})
    assert timed == plain
    assert timed.fingerprint == plain.fingerprint
    assert repr(timed) == repr(plain)
    assert (timed.seconds, timed.evaluations) == (0.5, None)
    assert np.isnan(plain.seconds)


def test_devices_and_batch_sizes_are_told_where_they_differ():
    same = [ImageTime(1.0, "A", 8), None, ImageTime(2.0, "A", 8)]
    assert uneven_times(same) == []
    batches = [*same, ImageTime(1.0, "A", 4)]
    assert uneven_times(batches) == [
        "seconds were measured in 2 batch sizes, so they do not compare: 8 (2), 4 (1)"
    ]
    device, batch = uneven_times([*same, ImageTime(1.0)])
    assert device.endswith("A (2), not known (1)")
    assert batch.endswith("8 (2), not known (1)")
