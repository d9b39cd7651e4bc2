"""What is read from stored scores and heat."""
