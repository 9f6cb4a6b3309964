"""The parts of `scripts/stress/torture_runs.py`: one way of breaking runs a file."""
