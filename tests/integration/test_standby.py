"""A failover to a PostgreSQL standby: what was accepted is there, if the standby is synchronous."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from iyu.schemas.contract.errors import DatabaseUnusable
from iyu.schemas.contract.message import Chunk, new_id
from iyu.schemas.contract.review import Review, utc_now
from iyu.schemas.ledger import chunks as ledger
from iyu.schemas.ledger import progress
from iyu.schemas.sql.engine import connected, reading, upgrade, writing
from tests.harness.polling import poll
from tests.harness.postgres_server import PostgresServer, ServiceMissing
from tests.harness.skipping import skip_without


class Standby(PostgresServer):
    """A copy of a primary that follows it."""

    def __init__(self, primary: PostgresServer) -> None:
        self._primary = primary
        super().__init__()

    def _run(self, program: str, *arguments: str) -> None:
        if program != "initdb":
            super()._run(program, *arguments)
            return
        backup = self._programs / "pg_basebackup"
        if not backup.exists():
            skip_without("pg_basebackup (of PostgreSQL's client programs)")
        source = f"host=127.0.0.1 port={self._primary.port} user=postgres"
        super()._run("pg_basebackup", "-D", self._data, "-d", source, "-R", "-X", "stream")

    def promote(self) -> None:
        """Make it the primary."""
        self._execute("SELECT pg_promote(true)")


@contextmanager
def running(server: type[PostgresServer], *arguments: PostgresServer) -> Iterator[PostgresServer]:
    try:
        started = server(*arguments)
    except ServiceMissing as error:
        skip_without(str(error))
    yield started
    started.remove()


def accept(url: str, count: int) -> None:
    """Accept chunks one by one, each in its transaction."""
    with connected(url) as engine:
        for _ in range(count):
            chunk = Chunk(new_id(), "test", (Review("1", "좋아요"),), utc_now())
            with writing(engine) as connection:
                ledger.accept(connection, [chunk])


def test_what_was_accepted_survives_a_failover_to_a_synchronous_standby():
    with running(PostgresServer) as primary, running(Standby, primary) as standby:
        url = primary.create_database()
        with connected(url) as engine:
            upgrade(engine)
            execute(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
            execute(primary, "SELECT pg_reload_conf()")
            query = text("SELECT sync_state FROM pg_stat_replication")
            poll(30, lambda: _first(engine, query) == "sync")
        accept(url, 50)
        there = f"{standby.server_url}/{url.rpartition('/')[2]}"
        # Before it is promoted it refuses: a worker waits for that, a command says so.
        with pytest.raises(DatabaseUnusable, match="primary"):
            accept(there, 1)
        kill(primary)
        assert isinstance(standby, Standby)
        standby.promote()
        accept(there, 1)
        with connected(there) as engine, reading(engine) as connection:
            assert progress.pending(connection) == 51


def _first(engine, query):
    with reading(engine) as connection:
        return connection.execute(query).scalar()


def execute(server: PostgresServer, statement: str) -> None:
    server._execute(statement)


def kill(server: PostgresServer) -> None:
    """End it as a crash of its machine would."""
    assert server._process is not None
    server._process.kill()
    server._process.wait(30)
