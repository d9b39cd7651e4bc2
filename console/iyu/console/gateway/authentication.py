"""Who sends a request: a token's source and rights, from its header alone."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import Final

from sqlalchemy import Engine
from starlette.requests import Request

from iyu.console.gateway.answers import Problem
from iyu.console.gateway.thread_pool import ThreadPool
from iyu.console.gateway.tokens import Right, Token, is_secret, list_tokens, read_token
from iyu.schemas.contract.review import utc_now
from iyu.schemas.sql.engine import reading

#: Seconds for which the tokens that were read are good: a removed one works no longer.
FRESH_SECONDS: Final = 5.0
#: Seconds between two reads for the sake of ids that are not known, or anybody could cause many.
UNKNOWN_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose request it is."""

    source: str
    rights: frozenset[Right]

    def check(self, right: Right) -> None:
        """Raise Problem unless the caller may do this."""
        if right not in self.rights:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                f"this token may not {right}; make one that may: "
                f"iyu gateway tokens add SOURCE --may {right}",
            )


class Authentication:
    """Keeps the tokens in memory for a few seconds.

    open_source: every request is of this source and may do everything; no token is asked for.
    """

    def __init__(self, engine: Engine, pool: ThreadPool, open_source: str | None = None) -> None:
        self._engine = engine
        self._pool = pool
        self._open = open_source and Caller(open_source, frozenset(Right))
        self._tokens: dict[str, Token] = {}
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def caller(self, request: Request) -> Caller:
        """Return whose request it is. Raises Problem, DatabaseUnavailable."""
        if self._open:
            return self._open
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        read = read_token(given.strip()) if scheme.lower() == "bearer" else None
        if read is None:
            raise _unauthorised("give the token of a source in a header: Authorization: Bearer …")
        token_id, secret = read
        token = await self._find(token_id)
        if not is_secret(token, secret) or token is None or token.is_over(utc_now()):
            raise _unauthorised(
                "this token is not known, or its time is over; iyu gateway tokens list shows "
                "those that are"
            )
        return Caller(token.source, token.rights)

    async def _find(self, token_id: str) -> Token | None:
        age = FRESH_SECONDS if token_id in self._tokens else UNKNOWN_SECONDS
        if monotonic() - self._read_at > age:
            async with self._lock:
                if monotonic() - self._read_at > age:  # nobody else has read them meanwhile
                    self._tokens = await self._pool.run(self._read)
                    self._read_at = monotonic()
        return self._tokens.get(token_id)

    def _read(self) -> dict[str, Token]:
        with reading(self._engine) as connection:
            return {token.token_id: token for token in list_tokens(connection)}


def _unauthorised(detail: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})
