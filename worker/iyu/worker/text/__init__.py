"""Texts to morphemes, morphemes to ids."""
