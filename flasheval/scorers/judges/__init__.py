"""Judges: scorers that ask a vision-language model."""
