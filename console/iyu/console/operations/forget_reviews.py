"""Which reviews `iyu forget` erases, and what is left of them."""

from collections.abc import Iterable

from sqlalchemy import Engine, text

from iyu.console.analysis.read_only_query import read_only_query
from iyu.producer.readers.text_files import open_lines
from iyu.schemas.contract.errors import InputError
from iyu.schemas.erasure.forget_all import in_parts
from iyu.schemas.erasure.traces import find_traces
from iyu.schemas.sql.engine import reading


def find_all_traces(engine: Engine, source: str, review_ids: Iterable[str]) -> dict[str, int]:
    """Return the places that still hold something of these reviews, and how many rows each."""
    found: dict[str, int] = {}
    for part in in_parts(review_ids):
        with reading(engine) as connection:
            for place, rows in find_traces(connection, source, frozenset(part)).items():
                found[place] = found.get(place, 0) + rows
    return found


def chosen_ids(engine: Engine, source: str, where: str) -> list[str]:
    """Return the stored reviews of a source that a condition in SQL names.

    where: over the columns of `review_scores` and `reviews`, such as "text LIKE '%010-%'".

    Raises InputError with the database's own message.
    """
    _check_source(engine, source)
    quoted = source.replace("'", "''")
    query = f"SELECT review_id FROM reviews WHERE source = '{quoted}' AND ({where}\n)"
    with read_only_query(engine, query) as rows:
        return [str(row[0]) for row in rows]


def read_ids(path: str) -> list[str]:
    """Return the ids of a file, one a line; - is standard input. Blank lines do not count.

    Raises InputError for what cannot be read as lines of text.
    """
    with open_lines(path, "utf-8") as lines:
        return [review_id for line in lines if (review_id := line.strip())]


def _check_source(engine: Engine, source: str) -> None:
    query = text("SELECT 1 FROM reviews WHERE source = :source LIMIT 1")
    with reading(engine) as connection:
        if connection.execute(query, {"source": source}).first() is None:
            raise InputError(f"no review of a source {source!r} is stored")
