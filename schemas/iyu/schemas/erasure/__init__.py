"""Erasure: a review is forgotten in every table, and no message on its way brings it back."""

from iyu.schemas.erasure.forget import Erased, forget_reviews
from iyu.schemas.erasure.forget_all import forget_all

__all__ = ["Erased", "forget_all", "forget_reviews"]
