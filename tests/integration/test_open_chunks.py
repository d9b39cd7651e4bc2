"""Pending work is found by the small index of open chunks, however many are finished."""

from typing import Any

import pytest
from sqlalchemy import Connection, event

from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger import progress
from iyu.schemas.sql.engine import connected, reading, upgrade


@pytest.mark.parametrize(
    "ask",
    [progress.pending, progress.pending_by_queue, ledger.open_queues],
    ids=lambda ask: ask.__name__,
)
def test_what_is_finished_is_not_read(ask: Any, sqlite_url: str):
    """On SQLite the plan says it; PostgreSQL has the same index."""
    with connected(sqlite_url) as engine:
        upgrade(engine)
        with reading(engine) as connection:
            statements = noted(connection, ask)
            plans = [
                row.detail
                for statement, given in statements
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            ]
    assert statements
    read = [plan for plan in plans if "chunks" in plan]
    assert read
    assert all("ix_chunks_open" in plan for plan in read), read


def noted(connection: Connection, ask: Any) -> list[tuple[str, Any]]:
    """The statements that a question makes."""
    found: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        found.append((statement, given))

    event.listen(connection, "before_cursor_execute", note)
    ask(connection)
    event.remove(connection, "before_cursor_execute", note)
    return [one for one in found if one[0].startswith("SELECT")]
