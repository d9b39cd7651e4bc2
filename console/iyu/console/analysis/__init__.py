"""Reads stored scores and heat: keywords, models, evaluation, queries."""
