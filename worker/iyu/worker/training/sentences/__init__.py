"""Sentences made by rule: the lexicon, its forms, and templates."""
