"""Scales of errors against scipy's maximum likelihood."""

import numpy as np
import pytest
from scipy import optimize, stats

from flasheval.selection.calibration.scale import mean_square, t_scale


def test_the_mean_square_is_weighted() -> None:
    assert mean_square(np.array([1.0, 4.0]), np.array([3.0, 1.0])) == 1.75


@pytest.mark.parametrize("dof", [1, 4, 8])
def test_the_t_scale_is_the_most_likely_one(dof: int) -> None:
    rng = np.random.default_rng(dof)
    errors, shares = 0.3 * rng.standard_t(dof, 40), rng.uniform(0.5, 1.5, 40)

    def unlikely(log_scale: float) -> float:
        return -float(shares @ stats.t.logpdf(errors, dof, scale=np.exp(log_scale)))

    best = optimize.minimize_scalar(
        unlikely, bounds=(-6, 3), method="bounded", options={"xatol": 1e-9}
    )
    assert t_scale(errors**2, shares, dof) ** 0.5 == pytest.approx(np.exp(best.x), rel=1e-4)


def test_an_outlier_counts_less_than_in_the_mean_square() -> None:
    squares, shares = np.array([*[1.0] * 19, 400.0]), np.ones(20)
    assert t_scale(squares, shares, 8) < 0.4 * mean_square(squares, shares)


def test_no_errors_have_no_scale() -> None:
    assert t_scale(np.zeros(3), np.ones(3), 8) == 0.0
    assert t_scale(np.array([0.0, 1.0]), np.ones(2), 8) > 0
