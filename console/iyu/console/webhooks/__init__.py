"""Webhooks: a signed call for what is new in the results feed (Standard Webhooks)."""
