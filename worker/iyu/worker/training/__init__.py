"""Labelled reviews to an artifact, and how good it is."""
