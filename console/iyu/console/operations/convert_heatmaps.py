"""Heatmaps from before 0011 into columns: in small steps, while workers run.

Each step is a transaction of its own, and a row is of one form or the other at any time, so it may
be interrupted anywhere and begun again. A row that a worker writes meanwhile is left to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, bindparam, func, select, text, tuple_, update

from iyu.schemas.sql.engine import reading, writing
from iyu.schemas.sql.heat_columns import NO_TOKENS, Token
from iyu.schemas.sql.tables import explanations, reviews

#: Rows of a transaction: about a tenth of a second, for which a worker may have to wait.
ROWS_AT_ONCE: Final = 1_000
_KEY: Final = tuple(explanations.primary_key)
_OLD: Final = text(f"explanations.tokens <> '{NO_TOKENS}'")
#: The greatest offset that PostgreSQL's smallint holds; no admitted text is as long.
_LAST_PLACE: Final = 32_767


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of the heatmaps of the form from before."""

    rows: int
    left: int  # that do not fit their text: they stay as they are, and are read so


def count_old_heatmaps(engine: Engine) -> int:
    """Return how many heatmaps are of the form from before. Raises DatabaseUnavailable."""
    with reading(engine) as connection:
        query = select(func.count()).select_from(explanations).where(_OLD)
        return int(connection.execute(query).scalar_one())


def convert_heatmaps(
    engine: Engine,
    on_progress: Callable[[int], None] = lambda _rows: None,
    at_once: int = ROWS_AT_ONCE,
) -> Converted:
    """Convert every heatmap there is; tell how many were looked at after each step.

    Raises DatabaseUnavailable: what is converted stays so, the same call goes on.
    """
    last: Row[*tuple[Any, ...]] | None = None
    found = converted = 0
    while rows := _read_step(engine, last, at_once):
        last = rows[-1]
        fitting = [row for row in rows if _fits(row.tokens, row.text)]
        if fitting:
            with writing(engine) as connection:
                converted += _write_step(connection, fitting)
        found += len(rows)
        on_progress(found)
    return Converted(converted, found - converted)


def _read_step(
    engine: Engine, last: Row[*tuple[Any, ...]] | None, at_once: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the next rows in the order of the key, with the text they are of if it is there."""
    e, r = explanations.c, reviews.c
    same = (r.source == e.source) & (r.review_id == e.review_id) & (r.text_hash == e.text_hash)
    query = (
        select(*_KEY, e.text_hash, e.tokens, r.text)
        .select_from(explanations.outerjoin(reviews, same))
        .where(_OLD)
        .order_by(*_KEY)
        .limit(at_once)
    )
    if last is not None:
        query = query.where(tuple_(*_KEY) > tuple_(*last[: len(_KEY)]))
    with reading(engine) as connection:
        return connection.execute(query).all()


def _fits(tokens: Sequence[Token], review: str | None) -> bool:
    """Say whether nothing is lost without the surfaces. No text: it was replaced, nobody asks."""
    return all(
        token["end"] <= _LAST_PLACE
        and " " not in token["pos"]
        and (review is None or review[token["start"] : token["end"]] == token["surface"])
        for token in tokens
    )


def _write_step(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> int:
    e = explanations.c
    same = [column == bindparam(f"of_{column.name}") for column in (*_KEY, e.text_hash)]
    statement = update(explanations).where(*same, _OLD)
    result = connection.execute(
        statement.values({name: bindparam(name) for name in ("tokens", *_columns([]))}),
        [
            {f"of_{column.name}": getattr(row, column.name) for column in (*_KEY, e.text_hash)}
            | {"tokens": []}
            | _columns(row.tokens)
            for row in rows
        ],
    )
    return int(result.rowcount)


def _columns(tokens: Sequence[Token]) -> dict[str, list[Any] | None]:
    private = [number for number, token in enumerate(tokens) if token.get("address")]
    return {
        "starts": [token["start"] for token in tokens],
        "ends": [token["end"] for token in tokens],
        "tags": [token["pos"] for token in tokens],
        "heats": [token["heat"] for token in tokens],
        "addresses": private or None,
    }
