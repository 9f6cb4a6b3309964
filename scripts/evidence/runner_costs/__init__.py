"""The measurements of `scripts/evidence/benchmark_runner.py`, by what they measure."""
