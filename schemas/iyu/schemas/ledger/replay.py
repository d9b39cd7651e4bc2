"""Dead letters: found, and accepted again as chunks."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, select, update

from iyu.schemas.contract.message import Chunk, Queue, new_id
from iyu.schemas.contract.review import Reason, Review, utc_now
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.sql.tables import dead_letters

#: Reviews of a replayed chunk: few, as each of them is suspect.
REPLAY_SIZE: Final = 64


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters are meant; by default none that was replayed."""

    ids: Sequence[int] = ()  # none: all
    reason: Reason | None = None
    source: str | None = None
    replayed: bool = False
    limit: int | None = None

    def query(self) -> Select[Any]:
        """Return the statement that finds them, oldest first."""
        found = select(dead_letters).where(*self._conditions()).order_by(dead_letters.c.id)
        return found.limit(self.limit) if self.limit else found

    def _conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.ids:
            yield dead_letters.c.id.in_(self.ids)
        if self.reason:
            yield dead_letters.c.reason == self.reason
        if self.source:
            yield dead_letters.c.source == self.source
        if not self.replayed:
            yield dead_letters.c.replayed_at.is_(None)


def find(connection: Connection, choice: Choice) -> list[dict[str, Any]]:
    """Return dead letters as rows of a table, by column name."""
    return [dict(row._mapping) for row in connection.execute(choice.query())]


def replay(connection: Connection, choice: Choice) -> tuple[list[Chunk], int]:
    """Accept dead letters again: the chunks to publish, and how many letters hold no review.

    A letter counts as replayed from now on, until it fails again. Each keeps the time of its
    submission, so that no later text is overwritten.
    """
    letters = list(connection.execute(choice.query().with_for_update(skip_locked=True)))
    whole = [letter for letter in letters if letter.text is not None]
    chunks = list(_chunks(whole))
    if chunks:
        ledger.accept_again(connection, chunks)
        connection.execute(
            update(dead_letters)
            .where(dead_letters.c.id.in_([letter.id for letter in whole]))
            .values(replayed_at=utc_now())
        )
    return chunks, len(letters) - len(whole)


def _chunks(letters: Sequence[Row[Any]]) -> Iterator[Chunk]:
    together: dict[tuple[str, str | None, datetime], list[Review]] = defaultdict(list)
    for letter in letters:
        key = letter.source, letter.batch_id, letter.submitted_at
        together[key].append(Review(letter.review_id, letter.text, letter.written_at))
    for (source, batch_id, submitted_at), reviews in together.items():
        for start in range(0, len(reviews), REPLAY_SIZE):
            part = tuple(reviews[start : start + REPLAY_SIZE])
            yield Chunk(new_id(), source, part, submitted_at, batch_id, Queue.BULK)
