"""Publishing to Redis, and reading what it holds."""
