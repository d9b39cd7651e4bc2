"""How faithful explanations are to the model."""
