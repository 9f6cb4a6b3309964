"""Populations: which variants to measure, and how their images are made."""
