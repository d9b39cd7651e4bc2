"""Geometry of the charts, in SVG units; the templates draw it."""
