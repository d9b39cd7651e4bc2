"""Tokens: who may do what, for one source. The database keeps a hash of each, never the token.

A token is `iyu_ID_SECRET`. The id is public and names the row; the secret is 256 random bits, so
that a plain SHA-256 of it tells nobody anything.
"""

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from iyu.schemas.contract.errors import InputError, MessageError
from iyu.schemas.contract.message_fields import read_source
from iyu.schemas.contract.review import has_surrogate, utc_now
from iyu.schemas.sql.tables import gateway_tokens

_PREFIX: Final = "iyu"
_ID_BYTES: Final = 4
_SECRET_BYTES: Final = 32
MAX_NOTE: Final = 200


class Right(StrEnum):
    """What a token may do for its source."""

    SUBMIT = "submit"  # hand reviews over, and see how far they are
    READ = "read"  # the results feed
    FORGET = "forget"  # erase reviews


#: Erasing cannot be undone, so that right is given by name.
USUAL_RIGHTS: Final = (Right.SUBMIT, Right.READ)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as the database knows it."""

    token_id: str
    source: str
    rights: frozenset[Right]
    created_at: datetime
    expires_at: datetime | None = None
    note: str | None = None
    secret_hash: str = field(default="", repr=False)

    def is_over(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now


def add_token(
    connection: Connection,
    source: str,
    rights: Collection[Right] = USUAL_RIGHTS,
    expires_at: datetime | None = None,
    note: str | None = None,
) -> str:
    """Write a token down and return it; it cannot be read again. Raises InputError."""
    token_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    connection.execute(
        insert(gateway_tokens).values(
            token_id=token_id,
            source=_checked_source(source),
            secret_hash=_hash(secret),
            rights=sorted(set(rights)),
            note=_checked_note(note),
            created_at=utc_now(),
            expires_at=expires_at,
        )
    )
    return f"{_PREFIX}_{token_id}_{secret}"


def list_tokens(connection: Connection) -> list[Token]:
    """Return all tokens, by source, the oldest first."""
    t = gateway_tokens.c
    query = select(gateway_tokens).order_by(t.source, t.created_at, t.token_id)
    return [
        Token(
            row.token_id,
            row.source,
            frozenset(map(Right, row.rights)),
            row.created_at,
            row.expires_at,
            row.note,
            row.secret_hash,
        )
        for row in connection.execute(query)
    ]


def remove_token(connection: Connection, token_id: str) -> None:
    """Delete a token. Raises InputError."""
    gone = connection.execute(delete(gateway_tokens).where(gateway_tokens.c.token_id == token_id))
    if not gone.rowcount:
        raise InputError(f"there is no token {token_id!r}; `iyu gateway tokens list` shows them")


def read_token(given: str) -> tuple[str, str] | None:
    """Return the id and the secret of what a request carries; None for what is no token."""
    prefix, _, rest = given.partition("_")
    token_id, _, secret = rest.partition("_")
    return (token_id, secret) if prefix == _PREFIX and token_id and secret else None


def is_secret(token: Token | None, secret: str) -> bool:
    """Say whether this is the token's secret, in a time that tells nothing about either."""
    known = token.secret_hash if token is not None else _hash("")  # an unknown id costs the same
    return hmac.compare_digest(_hash(secret), known) and token is not None


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def _checked_source(source: str) -> str:
    try:
        return read_source(source)
    except MessageError as error:
        raise InputError(str(error)) from None


def _checked_note(note: str | None) -> str | None:
    if note is not None and (len(note) > MAX_NOTE or "\0" in note or has_surrogate(note)):
        raise InputError(f"a note has at most {MAX_NOTE} characters")
    return note
