"""Examples of negation and contrast, made by rule: what labels of whole reviews hardly teach."""
