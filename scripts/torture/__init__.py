"""The parts of `scripts/torture_runs.py`: one way of breaking runs a file."""
