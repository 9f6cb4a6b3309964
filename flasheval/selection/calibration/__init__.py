"""Fits, by cross-fitting, what a subset's `Calibration` predicts with."""
