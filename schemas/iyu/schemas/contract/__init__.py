"""What other systems rely on: the message, the review, errors and settings."""
