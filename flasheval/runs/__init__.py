"""Runs: images made and scored unit by unit, in a folder that can be continued at any time."""
