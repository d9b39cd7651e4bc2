"""The recipe of the preset `wide`, stage by stage; `recipe.py` is where to begin."""
