"""Invented data: for the demonstration, the tests and the benchmarks alike."""
