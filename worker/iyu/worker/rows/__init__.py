"""Predictions to rows, in the transaction of their chunk."""
