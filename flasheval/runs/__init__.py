"""Runs: making and scoring images unit by unit, in a folder that can be continued at any time."""
