"""Dead letters of a review, and broken messages that hold it."""

import json
import re
from collections.abc import Collection, Iterator
from typing import Final

from sqlalchemy import Connection, delete, or_, select, update

from iyu.schemas.sql.tables import dead_letters

#: What stands in place of a broken message that held an erased review.
ERASED_RAW: Final = "(its content was erased)"
#: It ends with the message at the latest: a text that did not match would be tried again from each
#: of its quotes, and 100,000 of those take minutes.
_TEXT: Final = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?\Z)', re.DOTALL)
_NUMBER: Final = re.compile(r"(?<![\w.])\d+(?![\w.])")


def delete_letters(connection: Connection, source: str, review_ids: Collection[str]) -> int:
    """Delete the letters of reviews, and empty broken messages that name one; return how many."""
    d = dead_letters.c
    named = delete(dead_letters).where(d.source == source, d.review_id.in_(list(review_ids)))
    count = int(connection.execute(named).rowcount)
    for letter_id in letters_that_name(connection, source, review_ids):
        emptied = update(dead_letters).where(d.id == letter_id)
        connection.execute(emptied.values(raw=ERASED_RAW, text=None))
        count += 1
    return count


def letters_that_name(
    connection: Connection, source: str, review_ids: Collection[str]
) -> list[int]:
    """Return broken messages that hold a review's id, and its source unless the letter names it."""
    d = dead_letters.c
    unread = select(d.id, d.source, d.raw).where(
        d.raw.is_not(None), d.raw != ERASED_RAW, or_(d.source == source, d.source.is_(None))
    )
    found = []
    for letter_id, of, raw in connection.execute(unread):
        texts = set(_texts(raw))
        if (of == source or source in texts) and not texts.isdisjoint(review_ids):
            found.append(letter_id)
    return found


def _texts(raw: str) -> Iterator[str]:
    """Yield every text and number of what may be JSON, perhaps cut off."""
    for body in _TEXT.findall(raw):
        if "\\" not in body:  # nearly all: an escape alone needs JSON's rules
            yield body
            continue
        try:
            yield json.loads(f'"{body}"')
        except ValueError:
            yield body
    yield from raw.split('"')  # where a stray quote has turned inside out what quotes enclose
    yield from (found.group() for found in _NUMBER.finditer(raw))
