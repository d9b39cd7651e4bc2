"""Reviews from a table of MariaDB: all that `test_ingest` asks of SQLite and PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.harness.mariadb_server import MariadbServer
from tests.harness.postgres_server import ServiceMissing
from tests.harness.skipping import skip_without
from tests.integration.test_ingest import *  # noqa: F403 - its tests, on the fixtures below
from tests.integration.test_ingest import Shop, opened_shop


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariadbServer]:
    """One server for these tests."""
    try:
        server = MariadbServer()
    except ServiceMissing as missing:
        skip_without(str(missing))
    yield server
    server.remove()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """iyu's own database."""
    return sqlite_url


@pytest.fixture
def shop(engine: Engine, mariadb: MariadbServer) -> Iterator[Shop]:
    """A shop's database; iyu's has its tables."""
    with opened_shop(mariadb.create_database()) as shop:
        yield shop
