"""Measurements: `make bench` takes them and writes benchmarks/results."""
