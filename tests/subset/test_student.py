"""Student's t against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flasheval.base.errors import SettingError
from flasheval.subset.student import t_cdf, t_quantile


@pytest.mark.parametrize("dof", [1, 2, 3, 4, 5, 8, 9, 30, 77])
def test_the_distribution_is_that_of_scipy(dof: int) -> None:
    points = np.concatenate([np.linspace(-12, 12, 97), [-1e4, 1e4]])
    ours = [t_cdf(t, dof) for t in points]
    np.testing.assert_allclose(ours, stats.t.cdf(points, dof), atol=2e-15)


@pytest.mark.parametrize("dof", [1, 2, 3, 7, 8, 40])
@pytest.mark.parametrize("probability", [0.001, 0.05, 0.5, 0.8, 0.95, 0.975, 0.9995])
def test_quantiles_are_those_of_scipy(dof: int, probability: float) -> None:
    expected = stats.t.ppf(probability, dof)
    assert t_quantile(probability, dof) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.floats(0.0001, 0.9999), st.integers(1, 50))
def test_a_quantile_has_its_probability_below_it(probability: float, dof: int) -> None:
    assert t_cdf(t_quantile(probability, dof), dof) == pytest.approx(probability, abs=1e-12)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(SettingError, match="dof is 0"):
        t_cdf(1.0, 0)
    for probability in (0.0, 1.0, -0.1, float("nan")):
        with pytest.raises(SettingError, match="between 0 and 1"):
            t_quantile(probability, 4)


def test_any_number_of_degrees_of_freedom_takes_a_moment():
    for dof in (10_001, 10**9, 10**400):
        assert t_quantile(0.95, dof) == pytest.approx(1.6449, abs=1e-3)
