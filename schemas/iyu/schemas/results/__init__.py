"""The results feed: everything that was stored, in an order in which nothing appears later.

    with connected(address) as engine:
        for batch in read_results(engine, after=Cursor.parse("0")):
            ...

A cursor stands behind one line of the feed. Whatever is read after it was committed after it, and
whatever commits later is read later: no reader has to look back.
"""

from iyu.schemas.results.cursor import Cursor, CursorError
from iyu.schemas.results.events import Kind
from iyu.schemas.results.feed import (
    Batch,
    Filter,
    Result,
    end_of_feed,
    read_batch,
    read_results,
)
from iyu.schemas.results.heat import strongest_words, with_heat

__all__ = [
    "Batch",
    "Cursor",
    "CursorError",
    "Filter",
    "Kind",
    "Result",
    "end_of_feed",
    "read_batch",
    "read_results",
    "strongest_words",
    "with_heat",
]
