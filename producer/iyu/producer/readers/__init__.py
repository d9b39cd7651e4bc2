"""Reviews from files and standard input."""
