"""How well explanations say what the model does."""
