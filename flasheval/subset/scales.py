"""Telling scores on another scale, such as percents, from scores of an unusual variant."""

from __future__ import annotations

__all__ = ["scale_refusal"]

# Scales that scores of one name come in: percents, tenths, CLIPScore's 2.5, and these together.
_FACTORS = (100.0, 2.5, 10.0, 250.0, 40.0, 1000.0)
# How many times the known range a mean must lie outside of it before its scale is doubted.
_FAR = 2.0
_SLACK = 0.1


def scale_refusal(metric: str, mean: float, low: float, high: float) -> str | None:
    """Return why a subset mean is on another scale than the calibrated ones, or None if it is not.

    That is told of a mean far outside the calibrated range, which a usual factor brings into it.

    >>> scale_refusal("CLIP", 26.4, 0.24, 0.28)[28:]
    'is on a scale 100 times that of the calibration (0.24 to 0.28): divide the scores by 100'
    >>> scale_refusal("CLIP", 0.66, 0.24, 0.28)[28:52]
    'is on a scale 2.5 times '
    >>> scale_refusal("CLIP", 0.3, 0.24, 0.28) is None  # a good model
    True
    """
    outside = max(low - mean, mean - high)
    if outside <= _FAR * (high - low):
        return None
    slack = _SLACK * (high - low)
    for factor in _FACTORS:
        for times, way in ((1 / factor, "divide"), (factor, "multiply")):
            if low - slack <= mean * times <= high + slack:
                told = f"{factor:g} times" if way == "divide" else f"1/{factor:g} of"
                return (
                    f"its {metric} subset mean, {mean:.4g}, is on a scale {told} that of the "
                    f"calibration ({low:.4g} to {high:.4g}): {way} the scores by {factor:g}"
                )
    return None
