"""Real services and fakes that tests and benchmarks share."""
