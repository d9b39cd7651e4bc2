"""Reviews whose rows are gone from the table: erased here too, unless it is too many at once."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Engine, select

from iyu.producer.readers.database_table import DatabaseTable
from iyu.schemas.contract.errors import IyuError
from iyu.schemas.erasure.forget_all import forget_all
from iyu.schemas.sql.engine import reading
from iyu.schemas.sql.tables import reviews

#: Reviews of one look into both databases.
KEYS_AT_ONCE: Final = 1000
#: Part of the stored reviews that may be gone at once; more looks like a wrong or an empty table.
MOST_GONE: Final = 0.1


class MirrorRefused(IyuError):
    """More rows are gone than may be erased unasked."""


def erase_gone(engine: Engine, table: DatabaseTable, source: str, *, force: bool) -> int:
    """Erase the stored reviews of a source that have no row any more; return how many.

    Raises MirrorRefused where they are more than a tenth, unless forced; nothing is erased then.
    """
    stored = 0
    gone: list[str] = []
    for page in _stored_pages(engine, source):
        stored += len(page)
        present = table.present_keys(page)
        gone += [review_id for review_id in page if review_id not in present]
    if len(gone) > stored * MOST_GONE and not force:
        raise MirrorRefused(
            f"{len(gone):,} of {stored:,} stored reviews of {source!r} have no row in the table, "
            "and no more than 10 % are erased at once; check --from and --table, or give --force"
        )
    forget_all(engine, source, gone)
    return len(gone)


def _stored_pages(engine: Engine, source: str) -> Iterator[list[str]]:
    last = ""
    while True:
        query = (
            select(reviews.c.review_id)
            .where(reviews.c.source == source, reviews.c.review_id > last)
            .order_by(reviews.c.review_id)
            .limit(KEYS_AT_ONCE)
        )
        with reading(engine) as connection:
            page = list(connection.scalars(query))
        if not page:
            return
        yield page
        last = page[-1]
