"""Measurements, run by hand: `python -m tests.bench.mlp_step`."""
