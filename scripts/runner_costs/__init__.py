"""The measurements of `scripts/benchmark_runner.py`, by what they measure."""
