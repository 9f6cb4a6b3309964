"""Plots drawn from plain arrays."""
