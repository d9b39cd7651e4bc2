"""A heatmap as columns of its row in `explanations`: one value a token in each.

Surfaces are not stored, for they stand in the review: `text[start:end]`. PostgreSQL has arrays of
numbers and the tags in one text, SQLite a JSON array in each column: the smallest form that each
of them unnests fast (docs/decisions.md). Rows from before have their heatmap in `tokens`, where
rows of this form have `[]`; both are read.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Column, SmallInteger, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import ARRAY, REAL
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

#: What stands in `tokens` where the heatmap is in the columns.
NO_TOKENS: Final = "[]"

Token = dict[str, Any]


class TokenValues(TypeDecorator[list[Any]]):
    """A list with one value a token. Numbers: `smallint[]` or `real[]` on PostgreSQL."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: str) -> None:
        """Take integers, reals or words; words hold no blanks."""
        super().__init__()
        self.kind = kind

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return what the database stores."""
        if dialect.name == "postgresql" and self.kind != "words":
            number: TypeEngine[Any] = REAL() if self.kind == "reals" else SmallInteger()
            return dialect.type_descriptor(ARRAY(number))
        return Text()  # psycopg's own descriptor of it would be VARCHAR

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return numbers as they are for PostgreSQL, else text."""
        if dialect.name == "postgresql" and self.kind != "words":
            return value
        return self.texts([value], dialect)[0]

    def process_result_value(self, value: Any, dialect: Dialect) -> list[Any] | None:
        """Return a list on both."""
        if not isinstance(value, str):
            return None if value is None else list(value)
        return value.split() if dialect.name == "postgresql" else list(orjson.loads(value))

    def texts(self, values: Sequence[Any], dialect: Dialect) -> list[str | None]:
        """Return many rows' lists as text at once: JSON, words with blanks on PostgreSQL."""
        if self.kind == "words" and dialect.name == "postgresql":
            return [None if value is None else " ".join(value) for value in values]
        return [None if value is None else orjson.dumps(value).decode() for value in values]


def heat_columns() -> list[Column[Any]]:
    """Return the columns; NULL in all of them where the heatmap is in `tokens`."""
    return [
        Column("starts", TokenValues("integers")),  # characters into the review's text
        Column("ends", TokenValues("integers")),
        Column("tags", TokenValues("words")),  # part of speech
        Column("heats", TokenValues("reals")),  # null outside the model's window
        # Numbers of the tokens that are part of an address; NULL if there are none.
        Column("addresses", TokenValues("integers")),
    ]


class StoredHeat(NamedTuple):
    """A heatmap as it was stored, and the text it is of."""

    tokens: list[Token]  # of the form from before, else []
    starts: list[int] | None
    ends: list[int] | None
    tags: list[str] | None
    heats: list[float | None] | None
    addresses: list[int] | None


def unpack_tokens(stored: StoredHeat, text: str) -> list[Token]:
    """Return the tokens, whichever form they are stored in: surface, start, end, pos, heat."""
    if stored.tokens or stored.starts is None:
        return stored.tokens
    tokens: list[Token] = [
        {"surface": text[start:end], "start": start, "end": end, "pos": tag, "heat": heat}
        for start, end, tag, heat in zip(
            stored.starts, stored.ends or [], stored.tags or [], stored.heats or [], strict=True
        )
    ]
    for number in stored.addresses or []:
        tokens[number]["address"] = True
    return tokens
