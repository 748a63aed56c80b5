"""Oracles for the tests: plain NumPy in float64, written for reading, that import nothing of the package under test."""
