"""Erasure: a review is forgotten in every table, and no message on its way brings it back."""

from iyu.schemas.erasure.forget import Erased, forget_reviews

__all__ = ["Erased", "forget_reviews"]
