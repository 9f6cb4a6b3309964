import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.set_metrics.arrays import as_features, as_population


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (np.zeros(3), r"have shape \[3\]"),
        (np.zeros((4, 0)), r"have shape \[4, 0\]"),
        (np.zeros((1, 3)), "of 1 images; a distribution needs at least 2"),
        (np.zeros((4, 5)), "are 5 wide, and the reference 3"),
        ([[0, 0, 0], [1, 1, 1], [2, np.nan, 2], [np.inf, 0, 0]], r"row 2 has a NaN.*\(2 such"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(features, said):
    with pytest.raises(DataError, match=said) as caught:
        as_features(features, width=3 if np.ndim(features) == 2 and np.shape(features)[1] else None)
    assert "\n" not in str(caught.value)


def test_half_precision_becomes_double():
    values = as_features(np.ones((2, 3), dtype=np.float16))
    assert values.dtype == np.float64


def test_a_population_stays_as_it_is_stored():
    stored = np.zeros((2, 3, 4), dtype=np.float16)
    assert as_population(stored, 4) is stored
    with pytest.raises(DataError, match=r"expected \[variants, prompts, 5\]"):
        as_population(stored, 5)
