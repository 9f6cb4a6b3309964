"""Tiny text-to-image pipelines of diffusers with random weights, class by class."""
