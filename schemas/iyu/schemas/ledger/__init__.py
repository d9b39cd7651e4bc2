"""The state of every chunk, and of every review that could not be scored."""
