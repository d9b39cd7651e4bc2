"""Reviews in, rows out: text, model, explanations, scoring, storage, training."""
