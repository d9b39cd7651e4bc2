"""Long tests: `make soak` runs them."""
