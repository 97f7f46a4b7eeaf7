"""Benchmarks. `python -m bench` runs them all; results go to bench/results, with the machine named."""
