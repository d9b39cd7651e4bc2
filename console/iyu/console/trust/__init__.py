"""Trust over time: what is stored is what the model says, and whether the world has changed."""
