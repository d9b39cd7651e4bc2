"""Erase reviews chunk by chunk: each transaction is short, and a stop in between loses nothing."""

from typing import Final

#: Reviews of one transaction.
AT_ONCE: Final = 500
