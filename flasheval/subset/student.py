"""Student's t distribution for whole degrees of freedom, without scipy.

A calibrated subset predicts wherever numpy alone is installed, so its quantiles cannot come from
scipy. For whole degrees of freedom the distribution function is a finite sum (Abramowitz and
Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4).
"""

from __future__ import annotations

import math
from functools import cache

from flasheval.base.errors import SettingError

__all__ = ["t_cdf", "t_quantile"]

_NORMAL = 10_000  # with more degrees of freedom it differs by less than 1e-4, and would take long


def t_cdf(t: float, dof: int) -> float:
    """Probability that a t variable with ``dof`` degrees of freedom is at most ``t``.

    With a = atan(t / sqrt(dof)) it is 1/2 + A/2, where for even dof
    A = sin(a) (1 + 1/2 cos(a)^2 + (1 3)/(2 4) cos(a)^4 + ...) and for odd dof
    A = 2/pi (a + sin(a) (cos(a) + 2/3 cos(a)^3 + (2 4)/(3 5) cos(a)^5 + ...)), both ending with
    the power dof - 2.

    Raises SettingError for dof below 1.

    >>> t_cdf(0.0, 5), round(t_cdf(2.0, 8), 4)
    (0.5, 0.9597)
    """
    if dof < 1:
        raise SettingError(f"dof is {dof}; expected at least 1 degree of freedom")
    dof = min(dof, _NORMAL + dof % 2)
    angle = math.atan(t / math.sqrt(dof))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = dof % 2 == 1
    term = cosine if odd else 1.0
    total = 0.0
    for power in range(1 if odd else 0, dof - 1, 2):
        total += term
        term *= cosine * cosine * (power + 1) / (power + 2)
    within = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return min(max(0.5 + 0.5 * within, 0.0), 1.0)


@cache
def t_quantile(probability: float, dof: int) -> float:
    """Return the t below which a share ``probability`` of the distribution lies.

    Found by bisection to the last bit. Raises SettingError for a probability outside (0, 1).

    >>> round(t_quantile(0.95, 8), 4), round(t_quantile(0.05, 4), 4)
    (1.8595, -2.1318)
    """
    if not 0 < probability < 1:
        raise SettingError(f"probability is {probability}; expected a number between 0 and 1")
    if probability < 0.5:
        return -t_quantile(1 - probability, dof)
    low, high = 0.0, 1.0
    while t_cdf(high, dof) < probability:
        high *= 2
    while low < (middle := (low + high) / 2) < high:
        if t_cdf(middle, dof) < probability:
            low = middle
        else:
            high = middle
    return high
